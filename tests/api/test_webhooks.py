"""An EHR that says what has changed: signed, durable when answered, then fetched."""

import json
import threading
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import text

from app.services.bulk import jobs as job_services
from app.services.bulk import webhook_steps, webhooks
from app.services.bulk.jobs import Finished, Run, StepEnd, work
from app.services.hub import Hub
from app.store import jobs, staging
from app.store.jobs import Job
from app.store.sessions import WriteSession, read_session, write_session
from app.store.staging import StagedLines
from tests import make
from tests.collecting import CLINIC, SOURCE, Collector, collecting_hub
from tests.conftest import DIALECTS
from tests.fake_ehr import BASE_PATH, FakeEhr, Reply, fhir, outcome, serving
from tests.hubs import Clock, current_of, rows_of
from tests.notifying import (
    EVENTS,
    Notifier,
    bundle_of,
    event,
    naming,
    opened,
    r4_status,
    signed,
    status,
)

pytestmark = pytest.mark.anyio

CANARY = "zqxcanary"
LAB = f"Observation/{CANARY}-1"
PERSON = f"Patient/{CANARY}-p"
READS = rf"{BASE_PATH}/(Observation|Patient|Condition|Encounter)/"


@pytest.fixture
def dialect() -> str:
    """SQLite, but where a test asks for both: most of this is about the wire."""
    return "sqlite"


def lab(value: float, *, updated: str, own_id: str = f"{CANARY}-1") -> dict:
    return make.lab(
        value,
        id=own_id,
        subject=make.reference(PERSON),
        meta={"lastUpdated": updated},
    )


@pytest.fixture
def ehr(clock: Clock) -> Iterator[FakeEhr]:
    person = make.patient(id=f"{CANARY}-p", gender="female", birthDate="1970-05-17")
    fake = FakeEhr(
        clock=clock, resources=[person, lab(7.1, updated="2026-01-01T10:00:00Z")]
    )
    with serving(fake):
        yield fake


@pytest.fixture
def operator(hub: Hub, ehr: FakeEhr, clock: Clock) -> Iterator[Collector]:
    with collecting_hub(hub) as collecting:
        ehr.key_set = {"keys": [collecting.client_key.as_dict(private=False)]}
        collector = Collector(hub=collecting, ehr=ehr, clock=clock)
        collector.connect()
        yield collector


@pytest.fixture
def notifier(operator: Collector, client: httpx.AsyncClient) -> Notifier:
    return Notifier(client, opened(operator.hub))


def filed(hub: Hub) -> list[Job]:
    """Return the jobs of webhooks, the newest first."""
    with read_session(hub.engine) as session:
        return jobs.list_jobs(session, kind="webhook")


def missed(hub: Hub) -> str:
    (line,) = webhooks.list_webhooks(hub)
    return line.missed


def thousandths(hub: Hub) -> list[float]:
    """Return the values that are kept, in thousandths."""
    with hub.engine.connect() as connection:
        return [
            float(value)
            for (value,) in connection.execute(text("SELECT value FROM observation"))
        ]


# ------------------------------------------------------------------ from end to end


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_what_a_notification_names_is_fetched(
    operator: Collector, notifier: Notifier, ehr: FakeEhr
):
    """As a SMART client, whole, once; then its ids are nowhere."""
    response = await notifier.post(naming(PERSON, LAB))
    (job,) = filed(operator.hub)
    kept_before = repr(rows_of(operator.hub.engine))
    job = operator.rest(job.id)

    assert (response.status_code, response.content) == (200, b"")
    assert current_of(operator.hub.engine) == {"Patient": 1, "Observation": 1}
    assert operator.counts(job.id) == {
        ("Patient", "created"): 1,
        ("Observation", "created"): 1,
    }
    assert operator.issues(job.id) == []
    assert all(seen.token for seen in ehr.asked("GET", READS))
    assert (job.state, job.sealed) == ("done", None)
    assert CANARY not in kept_before
    assert CANARY not in repr(rows_of(operator.hub.engine))
    assert notifier.secret not in repr(rows_of(operator.hub.engine))


@pytest.mark.parametrize("make_status", [status, r4_status])
async def test_both_forms_of_the_status_are_understood(
    operator: Collector, notifier: Notifier, make_status
):
    """R4 has Parameters where R4B has SubscriptionStatus; contexts are fetched too."""
    stated = make_status(EVENTS, event(1, LAB, PERSON, "Organization/1"), total=1)

    response = await notifier.post(bundle_of(stated))
    operator.rest(filed(operator.hub)[0].id)

    assert response.status_code == 200
    assert current_of(operator.hub.engine) == {"Patient": 1, "Observation": 1}


async def test_a_burst_is_one_job_and_each_resource_is_fetched_once(
    operator: Collector, notifier: Notifier, ehr: FakeEhr
):
    """At least once means often the same: what is named thrice is asked for once."""
    for number in range(1, 4):
        await notifier.post(naming(LAB, PERSON, first=2 * number - 1))
    (job,) = filed(operator.hub)
    operator.rest(job.id)

    assert len(ehr.asked("GET", READS)) == 2
    assert operator.job(job.id).received == 6


async def test_what_comes_while_the_job_lingers_is_fetched_by_it(
    operator: Collector, notifier: Notifier, clock: Clock
):
    """One job for each notification would be thousands a day."""
    await notifier.post(naming(PERSON))
    operator.work()
    clock.pass_seconds(30)
    await notifier.post(naming(LAB, first=2))
    (job,) = filed(operator.hub)
    operator.rest(job.id)
    await notifier.post(naming(LAB, first=3))

    assert current_of(operator.hub.engine) == {"Patient": 1, "Observation": 1}
    assert len(filed(operator.hub)) == 2


async def test_a_replayed_body_changes_nothing(operator: Collector, notifier: Notifier):
    """Who heard an old notification and sends it again has the hub fetch, no more."""
    body = json.dumps(naming(PERSON, LAB)).encode()
    await notifier.post(body)
    operator.rest(filed(operator.hub)[0].id)
    await notifier.post(body)
    job = operator.rest(filed(operator.hub)[0].id)

    assert operator.counts(job.id) == {
        ("Patient", "unchanged"): 1,
        ("Observation", "unchanged"): 1,
    }


async def test_the_version_that_the_server_calls_later_counts(
    operator: Collector, notifier: Notifier, ehr: FakeEhr
):
    """Notifications come in any order, and so may answers: lastUpdated decides."""
    await notifier.post(naming(PERSON, LAB))
    operator.rest(filed(operator.hub)[0].id)
    ehr.resources[1] = lab(9.0, updated="2026-01-01T12:00:00Z")
    await notifier.post(naming(LAB, first=4))
    operator.rest(filed(operator.hub)[0].id)
    ehr.resources[1] = lab(8.0, updated="2026-01-01T11:00:00Z")
    await notifier.post(naming(LAB, first=3))
    operator.rest(filed(operator.hub)[0].id)

    assert thousandths(operator.hub) == [9000]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("code", [404, 410])
async def test_what_the_server_has_no_more_is_withdrawn(
    operator: Collector, notifier: Notifier, ehr: FakeEhr, code: int
):
    """A deletion is told as any change is; what the server answers decides."""
    await notifier.post(naming(PERSON, LAB))
    operator.rest(filed(operator.hub)[0].id)
    ehr.says(
        "GET", f"{BASE_PATH}/{LAB}", fhir(outcome("deleted", said=CANARY), status=code)
    )
    entry = {"request": {"method": "DELETE", "url": LAB}}
    await notifier.post(bundle_of(status(EVENTS), entry))
    job = operator.rest(filed(operator.hub)[0].id)

    assert operator.counts(job.id) == {("Observation", "withdrawn"): 1}
    assert current_of(operator.hub.engine) == {"Patient": 1}


async def test_what_was_never_here_and_is_not_there_is_told(
    operator: Collector, notifier: Notifier
):
    """Nothing of it, but that there was one, so that nobody wonders where it is."""
    await notifier.post(naming("Observation/unknown"))
    job = operator.rest(filed(operator.hub)[0].id)

    (issue,) = operator.issues(job.id)
    assert job.state == "done"
    assert (issue.severity, issue.count) == ("information", 1)


# ------------------------------------------------------------------------ signatures


async def test_only_what_is_signed_with_the_secret_is_taken(
    operator: Collector, notifier: Notifier
):
    """The URL is no proof; of what is not signed nothing is read."""
    body = json.dumps(naming(LAB)).encode()
    right = signed(body, notifier.secret)
    http, url = notifier.http, notifier.url

    async def status_of(content: bytes, **headers: str) -> int:
        stated = {name.replace("_", "-"): value for name, value in headers.items()}
        return (await http.post(url, content=content, headers=stated)).status_code

    assert await status_of(body) == 401
    assert await status_of(b"{") == 401
    assert await status_of(body, X_Hub_Signature="") == 401
    assert await status_of(body, X_Hub_Signature="sha256=") == 403
    assert await status_of(body, X_Hub_Signature=signed(body, "other")) == 403
    assert await status_of(body, X_Hub_Signature=right[:-1]) == 403
    assert await status_of(body, X_Hub_Signature=right.partition("=")[2]) == 403
    assert await status_of(body, X_Hub_Signature=right.replace("256", "1")) == 403
    assert await status_of(body + b" ", X_Hub_Signature=right) == 403
    assert await status_of(body.replace(b"Obs", b"obs"), X_Hub_Signature=right) == 403
    assert await status_of(b"{", X_Hub_Signature=right) == 403
    assert filed(operator.hub) == []
    assert await status_of(body, X_Hub_Signature=right) == 200
    assert await status_of(body, X_Hub_Signature_256=right.upper()) == 200
    assert await status_of(body, X_Hub_Signature=f"sha1=00, {right}") == 200


async def test_another_secret_is_taken_beside_the_last_until_the_next(
    operator: Collector, notifier: Notifier
):
    """So that an EHR's side can change it without losing one notification."""
    hub = operator.hub

    def rotated() -> str:
        with write_session(hub.engine) as session:
            return webhooks.rotate(session, hub, clinic=CLINIC, source=SOURCE).secret

    async def statuses(*secrets: str) -> list[int]:
        body = json.dumps(naming(LAB)).encode()
        return [
            (
                await notifier.post(body, X_Hub_Signature=signed(body, secret))
            ).status_code
            for secret in secrets
        ]

    first, second = notifier.secret, rotated()
    assert await statuses(first, second) == [200, 200]
    third = rotated()
    assert await statuses(first, second, third) == [403, 200, 200]
    with write_session(hub.engine) as session:
        webhooks.keep_newest(session, hub, clinic=CLINIC, source=SOURCE)
    assert await statuses(second, third) == [403, 200]
    with write_session(hub.engine) as session:
        webhooks.remove(session, clinic=CLINIC, source=SOURCE)
    assert await statuses(third) == [404]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{" + CANARY.encode(), 400),
        (b"[]", 400),
        (json.dumps({"resourceType": CANARY}).encode(), 400),
        (json.dumps({"resourceType": "Bundle", "type": "batch"}).encode(), 400),
        (json.dumps(bundle_of({"resourceType": CANARY})).encode(), 400),
        (json.dumps(bundle_of(status(CANARY))).encode(), 422),
        (json.dumps(naming(f"https://{CANARY}.example/{LAB}")).encode(), 422),
        (json.dumps(naming(LAB, f"https://e.example/{PERSON}")).encode(), 422),
        (b" " * (1024 * 1024 + 1), 413),
    ],
)
async def test_what_is_no_notification_of_the_server_is_refused(
    operator: Collector, notifier: Notifier, body: bytes, code: int
):
    """The EHR hears so, and of what it sent it hears nothing; none of it is kept."""
    response = await notifier.post(body)

    assert response.status_code == code
    assert response.json()["resourceType"] == "OperationOutcome"
    assert CANARY not in response.text
    assert filed(operator.hub) == []


@pytest.mark.parametrize(
    "notification",
    [
        bundle_of(status("handshake")),
        bundle_of(status("heartbeat", total=0)),
        bundle_of(r4_status("handshake")),
        bundle_of(r4_status("heartbeat")),
        bundle_of(status("query-status")),
        naming("Claim/1", "DiagnosticReport/2", "https://e.example/Claim/3"),
        naming("Encounter/1"),
        naming("Observation?code=1", "urn:uuid:1", f"{LAB}/x/y", "Observation/é"),
        bundle_of(status(EVENTS, {"focus": {"identifier": {"value": CANARY}}})),
    ],
)
async def test_what_asks_for_nothing_is_acknowledged(
    operator: Collector, notifier: Notifier, notification: dict
):
    """Handshakes, heartbeats, types not kept or not collected: 200, and no job."""
    operator.connect(types=("Patient", "Observation"))

    response = await notifier.post(notification)

    assert response.status_code == 200
    assert filed(operator.hub) == []


async def test_absolute_references_under_the_base_are_the_servers(
    operator: Collector, notifier: Notifier, ehr: FakeEhr
):
    """In any form of the base that means the same, with a version or without."""
    base = ehr.fhir_base.replace("http://", "HTTP://")
    await notifier.post(naming(f"{base}/{PERSON}", f"{base}/{LAB}/_history/7"))
    operator.rest(filed(operator.hub)[0].id)

    assert current_of(operator.hub.engine) == {"Patient": 1, "Observation": 1}
    assert {seen.path for seen in ehr.asked("GET", READS)} == {
        f"{BASE_PATH}/{PERSON}",
        f"{BASE_PATH}/{LAB}",
    }


# ---------------------------------------------------------------------------- faults


async def test_a_token_that_ends_in_the_middle_is_renewed(
    operator: Collector, notifier: Notifier, ehr: FakeEhr
):
    """The server forgets it between two resources; nobody notices."""
    ehr.says(
        "GET", f"{BASE_PATH}/{LAB}", *[fhir(outcome("login"), status=401) for _ in "a"]
    )
    await notifier.post(naming(PERSON, LAB))
    operator.rest(filed(operator.hub)[0].id)

    assert current_of(operator.hub.engine) == {"Patient": 1, "Observation": 1}
    assert len(ehr.issued) == 2


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_hub_that_restarts_goes_on_with_what_it_was_told(
    operator: Collector, notifier: Notifier, ehr: FakeEhr
):
    """In the middle of it too: what is stored is not asked for again."""
    many = [
        lab(5 + n / 10, updated="2026-01-01T10:00:00Z", own_id=f"{CANARY}-{n}")
        for n in range(25)
    ]
    ehr.resources[1:] = many
    await notifier.post(naming(PERSON, *(f"Observation/{r['id']}" for r in many)))
    (job,) = filed(operator.hub)
    sealed = operator.job(job.id)
    breaks = [Reply(status=503) for _ in range(3)]
    ehr.says("GET", f"{BASE_PATH}/Observation/{CANARY}-15", *breaks)
    operator.work()
    between = current_of(operator.hub.engine)
    operator.hub.servers.close()
    job = operator.rest(job.id)

    assert sealed.sealed is None  # what was named is sealed where it waits
    assert between["Observation"] < 25
    assert current_of(operator.hub.engine) == {"Patient": 1, "Observation": 25}
    assert len(ehr.asked("GET", READS)) == 26 + len(breaks)
    assert job.state == "done"


def later(operator: Collector, notifier: Notifier) -> None:
    """Have a notification of the result come, without waiting for the client."""
    body = json.dumps(naming(LAB, first=2)).encode()
    name = notifier.url.rpartition("/")[2]
    webhooks.receive(operator.hub, name, body, [signed(body, notifier.secret)])


async def test_what_comes_as_a_job_ends_is_the_next_jobs(
    operator: Collector, notifier: Notifier, monkeypatch: pytest.MonkeyPatch
):
    """After its last step and before its end is written: it would be nobody's."""
    monkeypatch.setattr(webhook_steps, "LINGER_MS", 0)

    def fetch(run: Run) -> StepEnd:
        end = webhook_steps.fetch_named(run)
        if isinstance(end, Finished) and len(filed(operator.hub)) == 1:
            later(operator, notifier)
        return end

    await notifier.post(naming(PERSON))
    while work(operator.hub, {"webhook": fetch}, holder="test"):
        pass

    assert current_of(operator.hub.engine) == {"Patient": 1, "Observation": 1}
    assert [job.state for job in filed(operator.hub)] == ["done", "done"]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_what_comes_while_a_job_sees_nothing_more_is_the_next_jobs(
    operator: Collector, notifier: Notifier, monkeypatch: pytest.MonkeyPatch
):
    """Who adds to a job and who ends it wait for each other."""
    monkeypatch.setattr(webhook_steps, "LINGER_MS", 0)
    threads: list[threading.Thread] = []

    def next_staged(session: WriteSession, job_id: int) -> StagedLines | None:
        staged = staging.next_staged(session, job_id)
        if staged is None and operator.job(job_id).sealed and not threads:
            threads.append(threading.Thread(target=later, args=(operator, notifier)))
            threads[0].start()
            threads[0].join(timeout=0.3)  # it can't end before the transaction does
        return staged

    monkeypatch.setattr(webhook_steps, "next_staged", next_staged)
    await notifier.post(naming(PERSON))
    operator.work()
    threads[0].join()
    operator.work()

    assert current_of(operator.hub.engine) == {"Patient": 1, "Observation": 1}
    assert {job.state for job in filed(operator.hub)} == {"done"}


async def test_notifications_do_not_hurry_a_server_that_asks_for_patience(
    operator: Collector, notifier: Notifier, ehr: FakeEhr, clock: Clock
):
    """They would use up its patience, and the job's, by as many requests."""
    busy = fhir(outcome("throttled"), status=429, Retry_After="120")
    ehr.says("GET", f"{BASE_PATH}/{LAB}", busy)
    await notifier.post(naming(LAB))
    operator.work()
    clock.pass_seconds(60)
    await notifier.post(naming(PERSON))
    operator.work()
    asked_within = len(ehr.asked("GET", READS))
    job = operator.rest(filed(operator.hub)[0].id)

    assert asked_within == 1
    assert job.failure is None
    assert current_of(operator.hub.engine) == {"Patient": 1, "Observation": 1}


async def test_what_one_resource_is_refused_for_leaves_the_others_alone(
    operator: Collector, notifier: Notifier, ehr: FakeEhr
):
    """A restricted record, an answer that is another: told without whose."""
    second = lab(6, updated="2026-01-01T10:00:00Z", own_id=f"{CANARY}-2")
    ehr.resources.append(second)
    ehr.says("GET", f"{BASE_PATH}/{LAB}", fhir(outcome("forbidden"), status=403))
    ehr.says("GET", f"{BASE_PATH}/Observation/{CANARY}-2", fhir(ehr.resources[0]))
    await notifier.post(naming(PERSON, LAB, f"Observation/{CANARY}-2"))
    job = operator.rest(filed(operator.hub)[0].id)

    assert current_of(operator.hub.engine) == {"Patient": 1}
    assert [issue.severity for issue in operator.issues(job.id)] == ["error"] * 2
    assert CANARY not in repr(operator.issues(job.id))


async def test_a_server_that_lets_the_hub_read_nothing_fails_the_job(
    operator: Collector, notifier: Notifier, ehr: FakeEhr
):
    """What was named stays, sealed, until the operator has the scopes mended."""
    denied = [fhir(outcome("forbidden"), status=403) for _ in range(2)]
    ehr.says("GET", READS, *denied)
    await notifier.post(naming(PERSON, LAB))
    (job,) = filed(operator.hub)
    failed = operator.rest(job.id)
    job_services.retry(operator.hub, failed)
    operator.rest(job.id)

    assert failed.state == "failed"
    assert failed.sealed is not None
    assert current_of(operator.hub.engine) == {"Patient": 1, "Observation": 1}


# ------------------------------------------------------------------ missing events


async def test_events_that_never_came_are_told_until_a_collection_makes_up_for_them(
    operator: Collector, notifier: Notifier, clock: Clock
):
    """The operator sees how many, and is rid of it by `catchment collect`."""
    seen = []
    for notification in (
        bundle_of(status("handshake")),
        naming(PERSON, first=1),
        naming(LAB, first=5),
        naming(LAB, first=3),
        bundle_of(status("heartbeat", total=7)),
    ):
        await notifier.post(notification)
        seen.append(missed(operator.hub))
    clock.pass_seconds(60)
    operator.connect(types=("Patient", "Observation"))
    operator.ehr.members = [f"{CANARY}-p"]
    operator.collect(is_full=True)

    assert seen == ["-", "-", "3", "2", "4"]
    assert missed(operator.hub) == "-"


async def test_who_numbers_each_notification_from_one_misses_nothing(
    operator: Collector, notifier: Notifier
):
    """As athenahealth does, which then tells nothing of what did not come."""
    for count in (1, 3, 1, 5):
        await notifier.post(naming(*[LAB] * count, first=1))

    assert missed(operator.hub) == "-"
