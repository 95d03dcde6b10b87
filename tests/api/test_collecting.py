"""Collecting from an EHR by export: each row that a client of Bulk Data is held to."""

import dataclasses
import itertools
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from typing_extensions import override

from app.deid.pseudonyms import KeyRing
from app.domain.clinics import ClinicStatus
from app.domain.errors import ConflictError
from app.services import intake
from app.services.bulk import collections, jobs
from app.services.bulk.connections import (
    Wishes,
    make_rsa_key,
    private_key,
    published_keys,
    required,
    save,
)
from app.services.bulk.open_servers import OpenServers
from app.services.hub import Hub
from app.services.reception import deidentified
from app.services.submissions import Submission
from app.smart.bulk_exports import Level
from app.store.clinics import required_source, set_status
from app.store.connections import save_connection
from app.store.sessions import write_session
from tests import make
from tests.collecting import CLINIC, SOURCE, Collector, collecting_hub
from tests.conftest import DIALECTS
from tests.fake_ehr import (
    BASE_PATH,
    FakeEhr,
    Reply,
    Seen,
    fhir,
    ndjson,
    outcome,
    serving,
)
from tests.hubs import Clock, current_of, rows_of

CANARY = "zqxcanary"
HOUR = 3600
DAY = 24 * HOUR
TOKEN_CODE = "4548-4"


@pytest.fixture
def dialect() -> str:
    """SQLite, but where a test asks for both: most of this is about the wire."""
    return "sqlite"


def labs(patient: str, count: int, **elements: Any) -> list[dict]:
    """Return HbA1c results of a patient, each with an id and a value of its own."""
    return [
        make.lab(
            5 + number / 10,
            id=f"{patient}-{number}",
            subject=make.reference(f"Patient/{patient}"),
            **elements,
        )
        for number in range(count)
    ]


def people(*ids: str) -> list[dict]:
    return [
        make.patient(id=id_, gender="female", birthDate="1970-05-17") for id_ in ids
    ]


@pytest.fixture
def ehr(clock: Clock) -> Iterator[FakeEhr]:
    resources = [*people("p1", "p2"), *labs("p1", 3), *labs("p2", 2)]
    fake = FakeEhr(clock=clock, resources=resources, members=["p1", "p2"])
    with serving(fake):
        yield fake


@pytest.fixture
def operator(hub: Hub, ehr: FakeEhr, clock: Clock) -> Iterator[Collector]:
    """An operator whose hub knows the EHR by its key."""
    with collecting_hub(hub, max_bytes=3_000_000) as collecting:
        ehr.key_set = {"keys": [collecting.client_key.as_dict(private=False)]}
        collector = Collector(hub=collecting, ehr=ehr, clock=clock)
        collector.connect()
        yield collector


ALL = {"Patient": 2, "Observation": 5}


# ------------------------------------------------------------------ from end to end


@pytest.mark.conforms("P3")
@pytest.mark.conforms("P13")
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("level", [Level.GROUP, Level.PATIENT, Level.SYSTEM])
def test_an_export_is_stored_and_cleared_away(
    operator: Collector, ehr: FakeEhr, hub: Hub, level: Level
):
    """Whole, once, on either database, with nothing of the EHR's ids left behind."""
    operator.connect(level=level)

    job = operator.collect()

    assert current_of(hub.engine) == ALL
    assert operator.counts(job.id) == {
        ("Patient", "created"): 2,
        ("Observation", "created"): 5,
    }
    assert operator.issues(job.id) == []
    assert job.received == 7
    assert ehr.exports["1"].deleted
    assert job.sealed is None
    kept = repr(rows_of(hub.engine))
    assert "p1-0" not in kept
    assert "/bulk/" not in kept
    assert ehr.refusals == []


@pytest.mark.conforms("P13", mutation="the server does not delete its export")
def test_an_ehr_that_deletes_nothing_changes_nothing(
    operator: Collector, ehr: FakeEhr, hub: Hub
):
    """All is stored by then; that it was left behind is told."""
    ehr.says("DELETE", "/status/", fhir(outcome("exception"), status=500))

    job = operator.collect()

    assert current_of(hub.engine) == ALL
    (issue,) = operator.issues(job.id)
    assert issue.diagnostics == "The server did not delete its export"
    assert operator.since() == ehr.exports["1"].transaction_time


@pytest.mark.conforms("P8")
def test_the_next_collection_is_of_what_changed_since_by_the_ehrs_own_clock(
    operator: Collector, ehr: FakeEhr
):
    """The hub's own time would miss what changed while the EHR's clock was behind."""
    ehr.mends_manifest = lambda said: (
        said | {"transactionTime": "2026-12-31T23:00:00.123+01:00"}
    )
    operator.collect()
    ehr.resources += labs("p1", 5, meta={"lastUpdated": "2027-02-01T00:00:00Z"})[4:]

    job = operator.collect()

    assert operator.since() == "2026-12-31T23:00:00.123+01:00"
    assert ehr.exports["2"].query["_since"] == ["2026-12-31T23:00:00.123+01:00"]
    assert operator.counts(job.id) == {("Observation", "created"): 1}


@pytest.mark.conforms("P8", mutation="a file can't be read")
def test_since_is_kept_only_once_every_file_is_loaded(
    operator: Collector, ehr: FakeEhr
):
    """Else what the lost file held would never be asked for again."""
    ehr.says("GET", "/files/1/Patient", fhir(outcome("exception"), status=500))

    job = operator.rest(operator.order())

    assert job.state == "failed"
    assert operator.since() is None


def test_a_full_collection_doubles_nothing(operator: Collector, ehr: FakeEhr, hub: Hub):
    """An EHR that ignores _since sends all again, as Epic does."""
    operator.collect()
    ehr.ignores_since = True

    incremental, full = operator.collect(), operator.collect(is_full=True)

    unchanged = {("Patient", "unchanged"): 2, ("Observation", "unchanged"): 5}
    assert operator.counts(incremental.id) == operator.counts(full.id) == unchanged
    assert "_since" not in ehr.exports["3"].query
    assert current_of(hub.engine) == ALL


def test_what_was_pushed_later_is_not_replaced_by_an_older_export(
    operator: Collector, ehr: FakeEhr, hub: Hub
):
    """An export without lastUpdated is as of its transaction time."""
    ehr.mends_manifest = lambda said: said | {"transactionTime": "2026-01-01T00:00:00Z"}
    ehr.resources = [*people("p1"), *labs("p1", 1)]
    operator.collect()
    newer = labs("p1", 1, meta={"lastUpdated": "2026-06-01T00:00:00Z"})[0]
    ehr.resources = [newer | {"status": "amended"}]
    operator.collect(is_full=True)
    ehr.resources = labs("p1", 1)

    job = operator.collect(is_full=True)

    assert operator.counts(job.id) == {("Observation", "unchanged"): 1}
    with hub.engine.connect() as connection:
        content = connection.execute(text("SELECT content FROM record WHERE type = 3"))
        assert json.loads(content.scalar_one())["status"] == "amended"


# ------------------------------------------------------------------------- waiting


@pytest.mark.conforms("P5")
def test_an_export_of_days_is_waited_for_at_a_decent_pace(
    operator: Collector, ehr: FakeEhr, clock: Clock, hub: Hub
):
    """Five hours' pause is cut to a quarter of one; ten days are no reason to stop."""
    ehr.polls, ehr.retry_after = 3, str(5 * HOUR)
    job_id = operator.order()
    operator.work()
    assert operator.job(job_id).not_before == clock.now + 900_000
    clock.pass_seconds(10 * DAY)

    operator.rest(job_id)

    assert current_of(hub.engine) == ALL


@pytest.mark.conforms("P5")
def test_a_pause_may_be_a_date_and_without_one_is_doubled(
    operator: Collector, ehr: FakeEhr, clock: Clock
):
    """1, 2, 4 seconds and so on, as nothing is said; a date is kept to the second."""
    ehr.polls = 3
    said = {"Retry-After": "Fri, 15 Jan 2027 08:02:00 GMT", "X-Progress": "40 %"}
    dated = Reply(status=202, headers=said | {"Date": "Fri, 15 Jan 2027 08:00:00 GMT"})
    ehr.says("GET", "/status/", dated)
    begun, job_id = clock.now, operator.order()
    operator.work()

    assert operator.job(job_id).not_before == begun + 120_000
    assert collections.told(operator.job(job_id)) == "exporting, 40 %"
    operator.rest(job_id)
    # One poll has come; the next pauses are of two, four and eight seconds.
    assert clock.now == begun + 120_000 + 14_000


@pytest.mark.conforms("P5", mutation="an export never ends")
def test_an_export_that_never_ends_is_given_up_after_a_month(
    operator: Collector, ehr: FakeEhr, clock: Clock
):
    """It is cancelled at the EHR, so that the next may begin."""
    ehr.polls = 10**9
    job_id = operator.order()
    operator.work()
    clock.pass_seconds(30 * DAY - 1)
    operator.work()
    assert operator.job(job_id).state == "waiting"
    clock.pass_seconds(HOUR)

    operator.work()

    assert operator.job(job_id).failure == "The export is not ready after thirty days"
    assert operator.job(job_id).state == "failed"
    assert ehr.exports["1"].deleted


@pytest.mark.conforms("P6")
def test_faults_that_pass_are_sat_out(operator: Collector, ehr: FakeEhr, hub: Hub):
    """In each step; the job says what it waits for, and spends no attempt on it."""
    transient = fhir(outcome("transient"), status=500)
    ehr.says("POST", "/oauth/token", Reply(status=503, headers={"Retry-After": "7"}))
    ehr.says("GET", "export", Reply(status=502), transient)
    ehr.says("GET", "/status/", transient, Reply(status=200, body=b"{}", cut=1))
    ehr.says("GET", "/files/", Reply(status=503), Reply(status=504))
    job_id = operator.order()
    operator.work()

    waiting = operator.job(job_id)
    assert waiting.failure is not None
    assert waiting.failure.startswith("The authorization server answers 503")
    assert waiting.attempts == 0
    done = operator.rest(job_id)

    assert done.state == "done"
    assert done.failure is None
    assert current_of(hub.engine) == ALL
    assert len(ehr.exports) == 1


@pytest.mark.conforms("P6", mutation="a 500 whose OperationOutcome says no transient")
def test_a_fault_that_does_not_pass_fails_the_job(operator: Collector, ehr: FakeEhr):
    """In the words of the codes alone."""
    said = fhir(outcome("exception", said=CANARY), status=500)
    ehr.says("GET", "/status/", said)

    job = operator.rest(operator.order())

    assert job.state == "failed"
    assert job.failure == "The server answers 500, exception"


def test_a_server_that_is_away_for_good_fails_the_job(
    operator: Collector, ehr: FakeEhr, clock: Clock
):
    """After a day of asking, and the foundation's own tries."""
    job_id = operator.order()
    ehr.says("GET", "export", *[Reply(status=502)] * 1000)
    operator.work()
    clock.pass_seconds(DAY - 1)
    operator.work()
    assert operator.job(job_id).attempts == 0

    job = operator.rest(job_id)

    assert job.state == "failed"
    assert job.failure == "The server can't answer now (502)"


@pytest.mark.conforms("P5")
def test_a_token_that_ends_in_the_middle_is_renewed(
    operator: Collector, ehr: FakeEhr, hub: Hub
):
    """By its own time while the export is waited for, and against it at a file."""
    ehr.polls, ehr.retry_after = 2, "400"
    ehr.says("GET", "/files/1/Patient", fhir(outcome("login"), status=401))

    operator.collect()

    assert current_of(hub.engine) == ALL
    assert len(ehr.jtis) == 4
    assert ehr.refusals == []


@pytest.mark.conforms("P5")
def test_a_hub_that_restarts_goes_on_with_the_same_export(
    operator: Collector, ehr: FakeEhr, hub: Hub
):
    """From the status URL that it remembers, sealed."""
    ehr.polls, ehr.retry_after = 3, "60"
    job_id = operator.order()
    operator.work()
    sealed = operator.job(job_id).sealed
    assert sealed is not None
    assert b"bulk" not in sealed

    with collecting_hub(hub) as restarted:
        again = Collector(hub=restarted, ehr=ehr, clock=operator.clock)
        assert again.rest(job_id).state == "done"

    assert len(ehr.exports) == 1
    assert current_of(hub.engine) == ALL


class Ticking(Clock):
    """A clock by which each turn of a worker is one step."""

    @override
    def __call__(self) -> int:
        self.now += 600
        return self.now


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_worker_that_is_replaced_after_each_step_loses_and_doubles_nothing(
    hub: Hub, ehr: FakeEhr
):
    """Whatever a process kept in its memory is gone each time."""
    ehr.lines_a_file, ehr.resources = 2, [*ehr.resources, *labs("p1", 9)[3:]]
    clock = ehr.clock = Ticking()
    with collecting_hub(dataclasses.replace(hub, clock=clock)) as collecting:
        operator = Collector(hub=collecting, ehr=ehr, clock=clock)
        operator.connect()
        job_id = operator.order()
        turns = 0
        while operator.job(job_id).state != "done":
            turns += 1
            another = dataclasses.replace(collecting, servers=OpenServers())
            Collector(hub=another, ehr=ehr, clock=clock).work(turns=1)
            another.servers.close()

    assert turns > 10
    assert current_of(hub.engine) == {"Patient": 2, "Observation": 11}
    assert operator.counts(job_id) == {
        ("Patient", "created"): 2,
        ("Observation", "created"): 11,
    }


# ------------------------------------------------------------------ one at a time


def test_two_collections_of_one_source_at_once_are_refused(operator: Collector):
    """The first might be undone by what the second read before it."""
    first = operator.order()

    with pytest.raises(ConflictError, match=f"Job {first} collects"):
        operator.order()

    operator.rest(first)
    operator.order()


@pytest.mark.conforms("P4")
def test_an_ehr_that_runs_one_export_is_asked_again_when_it_says(
    operator: Collector, ehr: FakeEhr, clock: Clock
):
    """Another client's may take days; that is no failure of ours."""
    ehr.one_at_a_time = True
    ehr.answer(_kicked_off(ehr))
    job_id, begun = operator.order(), clock.now
    operator.work()
    assert operator.job(job_id).not_before == begun + 120_000
    clock.pass_seconds(2 * DAY)
    operator.work()
    ehr.exports["1"].deleted = True

    assert operator.rest(job_id).state == "done"


def _kicked_off(ehr: FakeEhr) -> Any:
    """Return another client's kick-off."""
    token = "another's"
    ehr.issued[token] = 2**40
    headers = {
        "accept": "application/fhir+json",
        "prefer": "respond-async",
        "authorization": f"Bearer {token}",
    }
    path = f"{BASE_PATH}/Group/everyone/$export"
    return Seen(method="GET", path=path, query={}, headers=headers, body=b"")


# -------------------------------------------------------- what is in the manifest


@pytest.mark.conforms("P7")
@pytest.mark.parametrize("version", ["1.0.1", "2.0.0", "3.0.0", "4.0.0-ballot"])
def test_manifests_of_all_versions_and_pages_are_loaded(
    operator: Collector, ehr: FakeEhr, hub: Hub, version: str
):
    """Several files of a type, gzipped, the last line without its end."""
    ehr.version, ehr.post_only = version, version.startswith("4")
    ehr.lines_a_file, ehr.files_a_page = 1, 2
    ehr.gzips, ehr.last_line_ends = True, False
    ehr.requires_token = "true" if version == "1.0.1" else True

    operator.collect()

    assert current_of(hub.engine) == ALL


@pytest.mark.conforms("P11")
@pytest.mark.parametrize("version", ["2.0.0", "4.0.0-ballot"])
def test_errors_of_the_export_are_told_and_the_rest_is_kept(
    operator: Collector, ehr: FakeEhr, hub: Hub, version: str
):
    """By their codes, counted: what they say in words may be about a patient."""
    ehr.version = version
    ehr.complaints = [
        outcome("not-found", said=CANARY),
        outcome("not-found", said=CANARY),
        outcome(CANARY, severity="warning"),
    ]

    job = operator.collect()

    assert current_of(hub.engine) == ALL
    said = {(i.severity, i.issue_type, i.count) for i in operator.issues(job.id)}
    assert said == {("error", "not-found", 2), ("warning", "unknown", 1)}
    assert CANARY not in repr(rows_of(hub.engine))


@pytest.mark.conforms("P11", mutation="a line of an export breaks rules")
def test_a_line_that_is_refused_leaves_the_others_alone(
    operator: Collector, ehr: FakeEhr, hub: Hub
):
    """And is told by its number."""
    ehr.resources[3] |= {"status": "bogus"}

    job = operator.collect()

    assert current_of(hub.engine) == {"Patient": 2, "Observation": 4}
    (issue,) = operator.issues(job.id)
    assert (issue.expression, issue.lines) == ("Observation.status", (2,))


@pytest.mark.conforms("P12")
def test_what_the_ehr_deleted_is_withdrawn(operator: Collector, ehr: FakeEhr, hub: Hub):
    """By the Bundles of its deleted file; what is not here, or no type, is passed."""
    operator.collect()
    ehr.resources = []
    ehr.gone = ["Observation/p1-0", "Observation/never", "Claim/1", "Patient/p2-0"]

    job = operator.collect()

    assert current_of(hub.engine) == {"Patient": 2, "Observation": 4}
    assert operator.counts(job.id) == {("Observation", "withdrawn"): 1}


@pytest.mark.conforms("P12", mutation="what was deleted is named on another base")
def test_a_deletion_that_names_nothing_of_the_ehrs_is_told(
    operator: Collector, ehr: FakeEhr, hub: Hub
):
    """By its line; the other entries of its Bundle are heeded."""
    operator.collect()
    ehr.resources = []
    ehr.gone = ["https://other.example/fhir/Observation/p1-1", "Observation/p1-0"]

    job = operator.collect()

    assert current_of(hub.engine) == {"Patient": 2, "Observation": 4}
    (issue,) = operator.issues(job.id)
    assert (issue.expression, issue.lines) == ("Bundle.entry.request.url", (1,))


@pytest.mark.conforms("P12", mutation="what was deleted has come again since")
def test_a_deletion_does_not_reach_what_is_newer(
    operator: Collector, ehr: FakeEhr, hub: Hub
):
    """Two interfaces of one EHR need not agree at each moment."""
    ehr.resources = [
        *people("p1"),
        *labs("p1", 1, meta={"lastUpdated": "2028-01-01T00:00:00Z"}),
    ]
    operator.collect()
    ehr.resources, ehr.gone = [], ["Observation/p1-0"]

    operator.collect()

    assert current_of(hub.engine) == {"Patient": 1, "Observation": 1}


@pytest.mark.conforms("P3", mutation="the server sends what was not asked for")
@pytest.mark.parametrize("answer", ["ignored", "refused"])
def test_what_the_ehr_does_not_filter_is_filtered_here(
    operator: Collector, ehr: FakeEhr, hub: Hub, answer: str
):
    """Types and codes that were not asked for; what the hub was promised is minimal."""
    ehr.type_filter_answers, ehr.ignores_type = answer, True
    ehr.resources += [
        make.observation(id="bp"),
        make.condition(id="c1"),
        make.encounter(id="e1"),
    ]
    operator.connect(
        types=("Patient", "Observation"),
        type_filters=(f"Observation?code=http://loinc.org|{TOKEN_CODE}",),
    )

    job = operator.collect()

    assert current_of(hub.engine) == ALL
    counts = operator.counts(job.id)
    assert counts["Observation", "discarded"] == 1
    assert counts["Condition", "discarded"] == 1
    assert ("_typeFilter" in ehr.exports["1"].query) is (answer == "ignored")


def test_counts_that_disagree_with_the_manifest_are_told(
    operator: Collector, ehr: FakeEhr, hub: Hub
):
    """A file that was cut where a line ends can be told by this alone."""
    ehr.counts_off_by = 1

    job = operator.collect()

    assert current_of(hub.engine) == ALL
    said = [issue.diagnostics for issue in operator.issues(job.id)]
    assert said == [
        "The manifest tells of 6 resources, and 5 came",
        "The manifest tells of 3 resources, and 2 came",
    ]


# --------------------------------------------------------- what is wrong with files


@pytest.mark.conforms("P9")
def test_no_token_goes_where_none_is_required_nor_to_another_origin(
    operator: Collector, ehr: FakeEhr, hub: Hub
):
    """Storage services refuse a request with a token they did not ask for."""
    ehr.file_host = f"localhost:{ehr.port}"
    operator.connect(hosts=(f"http://localhost:{ehr.port}",))
    ehr.requires_token = False
    operator.collect()
    ehr.file_host = None
    operator.collect(is_full=True)

    asked = ehr.asked("GET", "/files/")
    assert len(asked) == 4
    assert [seen.token for seen in asked] == [None] * 4
    assert current_of(hub.engine) == ALL


@pytest.mark.conforms("P15", mutation="a manifest leads to a host that is not listed")
@pytest.mark.parametrize(
    "url",
    ["http://localhost:{port}/x", "https://10.0.0.7/x", "https://metadata.internal/x"],
)
def test_a_manifest_that_leads_elsewhere_is_refused_before_anything_is_loaded(
    operator: Collector, ehr: FakeEhr, hub: Hub, url: str
):
    """Whoever writes manifests must not be able to have the hub ask around."""
    elsewhere = {"type": "Observation", "url": url.format(port=ehr.port)}
    ehr.mends_manifest = lambda said: said | {"output": [*said["output"], elsewhere]}

    job = operator.rest(operator.order())

    assert job.state == "failed"
    assert job.failure is not None
    assert "not on the connection's list" in job.failure
    assert current_of(hub.engine) == {}
    assert ehr.asked("GET", "/x$") == []


@pytest.mark.conforms("P7", mutation="a manifest names itself, or pages in a circle")
def test_a_manifest_that_points_to_itself_is_refused(operator: Collector, ehr: FakeEhr):
    """Neither as a file of its own, nor as its next page."""
    status = f"{ehr.fhir_base}/bulk/status"
    ehr.mends_manifest = lambda said: (
        said | {"output": [{"type": "Patient", "url": f"{status}/1"}]}
    )
    as_file = operator.rest(operator.order())
    pages = itertools.cycle((1, 2))
    ehr.mends_manifest = lambda said: (
        said | {"link": [{"relation": "next", "url": f"{status}/2/{next(pages)}"}]}
    )
    as_page = operator.rest(operator.order())

    assert as_file.failure == "The manifest names itself as its own part"
    assert as_page.failure == "The manifest's pages have no end"


@pytest.mark.conforms("P10")
def test_a_file_that_has_gone_has_the_manifest_asked_for_anew(
    operator: Collector, ehr: FakeEhr, hub: Hub
):
    """URLs expire while others of the manifest are loaded."""
    ehr.says("GET", "/files/1/Patient", Reply(status=404))

    job = operator.collect()

    assert current_of(hub.engine) == ALL
    assert len(ehr.exports) == 1
    assert operator.counts(job.id)["Observation", "created"] == 5


@pytest.mark.conforms("P10")
def test_an_export_that_has_gone_is_asked_for_anew(
    operator: Collector, ehr: FakeEhr, hub: Hub
):
    """What was stored of the first is met again, and counted once."""
    ehr.says("GET", "/files/1/Patient", *[Reply(status=410)] * 2)

    job = operator.collect()

    assert len(ehr.exports) == 2
    assert current_of(hub.engine) == ALL
    assert operator.counts(job.id) == {
        ("Observation", "unchanged"): 5,
        ("Patient", "created"): 2,
    }
    assert operator.progress(job.id).restarts == 1


@pytest.mark.conforms("P10", mutation="the files are never there")
def test_files_that_are_never_there_fail_the_job(operator: Collector, ehr: FakeEhr):
    """After the manifest, and then the export, were asked for again and again."""
    ehr.says("GET", "/files/", *[Reply(status=404)] * 100)

    job = operator.rest(operator.order())

    assert job.failure == "The server loses its exports before they can be read"
    assert len(ehr.exports) == 4


def padded(resources: list[dict]) -> bytes:
    """Return lines so long, by blanks at their ends, that a few make a chunk."""
    return b"".join(
        json.dumps(each).encode() + b" " * 400_000 + b"\n" for each in resources
    )


@pytest.mark.conforms("P9", mutation="a body stops in the middle")
def test_a_body_that_stops_is_gone_on_with_where_it_was_stored(
    operator: Collector, ehr: FakeEhr, hub: Hub
):
    """The file is fetched again; its first lines are neither read nor counted again."""
    results = labs("p1", 6)
    ehr.resources = [*people("p1"), *results]
    whole = padded(results)
    ehr.says("GET", "/files/1/Obs", Reply(body=whole, cut=len(whole) - 600_000))
    ehr.mends_file = lambda name, body, _time: whole if "Obs" in name else body
    job_id = operator.order()
    operator.work()
    assert 0 < operator.progress(job_id).line < 6

    operator.rest(job_id)

    assert len(ehr.asked("GET", "/files/1/Obs")) == 2
    assert operator.counts(job_id) == {
        ("Observation", "created"): 6,
        ("Patient", "created"): 1,
    }
    assert current_of(hub.engine) == {"Patient": 1, "Observation": 6}


def test_a_file_that_is_another_when_it_is_fetched_again_is_read_from_its_first_line(
    operator: Collector, ehr: FakeEhr, hub: Hub
):
    """A file that grew at its head would hide lines behind those that were stored."""
    results = labs("p1", 7)
    ehr.resources = [*people("p1"), *results]
    first, second = padded(results[1:]), padded(results)
    ehr.says("GET", "/files/1/Obs", Reply(body=first, cut=len(first) - 600_000))
    ehr.mends_file = lambda name, body, _time: second if "Obs" in name else body

    operator.collect()

    assert current_of(hub.engine) == {"Patient": 1, "Observation": 7}


@pytest.mark.conforms("P15", mutation="a file has no end")
def test_a_file_without_end_fails_the_job(operator: Collector, ehr: FakeEhr):
    """Its first lines are stored; the hub stays up."""
    ehr.says("GET", "/files/1/Obs", Reply(endless=True))

    job = operator.rest(operator.order())

    assert job.failure == "A file is larger than it may be, or takes too long"


def test_a_file_that_grows_is_read_to_its_end(
    operator: Collector, ehr: FakeEhr, hub: Hub
):
    """What came in excess is stored and told."""
    more = ndjson(labs("p2", 4)[2:])
    ehr.mends_file = lambda name, body, _: body + more if "Obs" in name else body

    job = operator.collect()

    assert current_of(hub.engine) == {"Patient": 2, "Observation": 7}
    (issue,) = operator.issues(job.id)
    assert issue.diagnostics == "The manifest tells of 5 resources, and 7 came"


# --------------------------------------------------------------------- snapshots


@pytest.fixture
def snapshot(operator: Collector, ehr: FakeEhr) -> Collector:
    """An operator whose EHR's full export is a snapshot; forty results are here."""
    ehr.resources = [*people("p1"), *labs("p1", 40)]
    operator.connect(is_snapshot=True, types=("Patient", "Observation"))
    operator.collect()
    operator.clock.pass_seconds(60)
    return operator


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_snapshot_withdraws_what_it_no_longer_holds(
    snapshot: Collector, ehr: FakeEhr, hub: Hub
):
    """Two of forty-one are below a twentieth: nobody need be asked."""
    del ehr.resources[-2:]

    job = snapshot.collect(is_full=True)

    assert current_of(hub.engine) == {"Patient": 1, "Observation": 38}
    assert snapshot.counts(job.id)["Observation", "withdrawn"] == 2
    assert rows_of(hub.engine)["delivered"] == []


def test_an_incremental_collection_withdraws_nothing(
    snapshot: Collector, ehr: FakeEhr, hub: Hub
):
    """It holds what changed, not what is there."""
    ehr.resources = []

    snapshot.collect()

    assert current_of(hub.engine) == {"Patient": 1, "Observation": 40}


def test_above_a_twentieth_the_operator_is_asked_first(
    snapshot: Collector, ehr: FakeEhr, hub: Hub
):
    """An EHR's empty group must not empty the pool."""
    del ehr.resources[-3:]
    job_id = snapshot.order(is_full=True)

    held = snapshot.rest(job_id)

    assert held.state == "held"
    assert held.failure is not None
    assert held.failure.startswith("The snapshot lacks 3 of the 41 records")
    assert current_of(hub.engine) == {"Patient": 1, "Observation": 40}
    assert ehr.exports["2"].deleted
    with pytest.raises(ConflictError, match="held"):
        snapshot.order(is_full=True)

    assert jobs.retry(snapshot.hub, held)
    assert snapshot.rest(job_id).state == "done"
    assert current_of(hub.engine) == {"Patient": 1, "Observation": 37}


def test_an_operator_who_says_no_keeps_all(snapshot: Collector, ehr: FakeEhr, hub: Hub):
    """What the snapshot brought is stored in any case."""
    ehr.resources = [ehr.resources[0], *labs("p1", 45)[40:]]
    held = snapshot.rest(snapshot.order(is_full=True))

    assert jobs.cancel(snapshot.hub, held)

    assert snapshot.job(held.id).sealed is None
    assert current_of(hub.engine) == {"Patient": 1, "Observation": 45}
    snapshot.order()


def test_what_came_while_the_snapshot_was_made_is_kept(
    snapshot: Collector, ehr: FakeEhr, hub: Hub
):
    """It was pushed after the EHR had looked: the export can't hold it."""
    ehr.polls, ehr.retry_after = 1, "60"
    newer = make.lab(9.9, id="new", subject=make.reference("Patient/p1"))
    pushed = Collector(hub=snapshot.hub, ehr=ehr, clock=snapshot.clock)
    job_id = snapshot.order(is_full=True)
    snapshot.work()
    _push(pushed.hub, newer)

    snapshot.rest(job_id)

    assert current_of(hub.engine) == {"Patient": 1, "Observation": 41}


def _push(hub: Hub, resource: dict) -> None:
    """Store a resource that came by another door."""
    with write_session(hub.engine) as session:
        source = required_source(session, clinic=CLINIC, name=SOURCE)
        record = deidentified(resource, front=hub, source=source)
        one = Submission(index=0, expression="Observation", record=record)
        intake.store(session, hub, source, [one], atomic=True)


def test_what_a_snapshot_holds_in_a_refused_version_is_kept(
    snapshot: Collector, ehr: FakeEhr, hub: Hub
):
    """The EHR has it; that the hub can't read its newest version is no withdrawal."""
    ehr.resources[1] |= {"status": "bogus"}

    snapshot.collect(is_full=True)

    assert current_of(hub.engine) == {"Patient": 1, "Observation": 40}


@pytest.mark.parametrize("fault", ["errors", "counts"])
def test_a_snapshot_that_is_not_whole_withdraws_nothing(
    snapshot: Collector, ehr: FakeEhr, hub: Hub, fault: str
):
    """The EHR says itself that it left something out."""
    del ehr.resources[-1:]
    if fault == "errors":
        ehr.complaints = [outcome("exception")]
    else:
        ehr.counts_off_by = 1

    job = snapshot.collect(is_full=True)

    assert current_of(hub.engine) == {"Patient": 1, "Observation": 40}
    said = [issue.diagnostics for issue in snapshot.issues(job.id)]
    assert "The snapshot is not whole, so nothing was withdrawn by it" in said


@pytest.mark.conforms("P13")
def test_an_export_that_is_called_off_ends_at_the_ehr_too(
    operator: Collector, ehr: FakeEhr
):
    """Where one runs at a time, the next would wait for it."""
    ehr.polls, ehr.one_at_a_time = 3, True
    job_id = operator.order()
    operator.work()
    job = operator.job(job_id)

    assert jobs.cancel(operator.hub, job)
    collections.call_off(operator.hub, job)

    assert ehr.exports["1"].deleted
    assert operator.job(job_id).sealed is None
    ehr.polls = 0
    operator.collect()


# --------------------------------------------------------------------- by itself


def test_a_clinic_is_collected_when_its_time_has_come(
    operator: Collector, clock: Clock, hub: Hub
):
    """Once, whoever looks first; what was missed in a long pause is not made up for."""
    operator.connect(every_seconds=6 * HOUR)
    with write_session(hub.engine) as session:
        wishes = Wishes(every_seconds=6 * HOUR)
        connection = save(
            session, operator.hub, clinic=CLINIC, source=SOURCE, wishes=wishes
        )
        save_connection(session, _due(connection, clock.now + 1000))
    assert collections.order_due(operator.hub) == 0
    clock.pass_seconds(1)

    assert [collections.order_due(operator.hub) for _ in range(3)] == [1, 0, 0]
    operator.work()
    assert collections.order_due(operator.hub) == 0
    clock.pass_seconds(20 * HOUR)
    assert [collections.order_due(operator.hub) for _ in range(3)] == [1, 0, 0]
    operator.work()
    clock.pass_seconds(4 * HOUR)
    assert collections.order_due(operator.hub) == 1


def _due(connection: Any, at: int) -> Any:
    return msgspec.structs.replace(connection, next_at=at)


def test_a_clinic_that_has_left_is_collected_no_more(
    operator: Collector, ehr: FakeEhr, hub: Hub
):
    """Not what is under way, nor by itself."""
    ehr.polls, ehr.retry_after = 1, "60"
    job_id = operator.order()
    operator.work()
    with write_session(hub.engine) as session:
        set_status(session, CLINIC, status=ClinicStatus.LEFT)

    job = operator.rest(job_id)

    assert (job.state, job.failure) == ("failed", "The clinic has left the network")
    with pytest.raises(ConflictError, match="left"):
        operator.order()


def test_the_hub_publishes_the_keys_that_ehrs_know_it_by(operator: Collector, hub: Hub):
    """Its own client key, and a connection's; never a private half."""
    with write_session(hub.engine) as session:
        _, connection = required(session, clinic=CLINIC, source=SOURCE)
        made = make_rsa_key(session, operator.hub, connection)

    keys = published_keys(operator.hub)["keys"]

    assert [key["alg"] for key in keys] == ["ES384", "ES384", "RS384"]
    assert len({key["kid"] for key in keys}) == 3
    assert all("d" not in key for key in keys)
    assert private_key(operator.hub, made)["kid"] == keys[2]["kid"]


def test_a_connections_own_key_outlives_the_rotation_of_the_master_key(
    operator: Collector, hub: Hub
):
    """It is sealed anew when the connection is saved under the new one."""
    with write_session(hub.engine) as session:
        _, connection = required(session, clinic=CLINIC, source=SOURCE)
        before = make_rsa_key(session, operator.hub, connection)
    kid = private_key(operator.hub, before)["kid"]
    masters = {1: hub.keys.masters[hub.keys.current], 2: b"2" * 32}
    both, new = (
        dataclasses.replace(
            operator.hub,
            keys=KeyRing(network=hub.keys.network, current=2, masters=ring),
        )
        for ring in (masters, {2: masters[2]})
    )
    with write_session(hub.engine) as session:
        after = save(session, both, clinic=CLINIC, source=SOURCE, wishes=Wishes())

    assert private_key(new, after)["kid"] == kid
