"""The three policies at the doors: what is kept, what is answered, until when."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

import httpx
import msgspec
import pytest
from sqlalchemy import text

from app.deid.policies import Policy, PolicyText, parse_policy
from app.domain.calendar import day_number, month_number
from app.domain.errors import ConflictError
from app.services import admissions, releases
from app.services.hub import Hub
from app.settings import Settings
from app.store.policies import known_policies
from app.store.sessions import connection_of, read_session, write_session
from tests.api.test_counting import count
from tests.deidentification import POLICY_TEXT, ROOT
from tests.hubs import (
    Caller,
    Clock,
    Network,
    app_of,
    bearer,
    current_of,
    hub_under,
    rows_of,
)
from tests.importing import lines, push, status_of, stored
from tests.make import (
    batch,
    concept,
    condition,
    encounter,
    lab,
    observation,
    patient,
    put,
    reference,
    summary_report,
)

pytestmark = pytest.mark.anyio

EXPERT_TEXT = (ROOT / "app/deid/expert_determination.toml").read_text()
SAFE_HARBOR_TEXT = (ROOT / "app/deid/safe_harbor.toml").read_text()
TEXTS = {
    "days": POLICY_TEXT,
    "months": EXPERT_TEXT.replace("2000-01-01", "2029-06-30"),
    "years": SAFE_HARBOR_TEXT,
    "far": SAFE_HARBOR_TEXT.replace("2030", "2096"),
    "newer": POLICY_TEXT.replace('version = "2"', 'version = "3"'),
}
OF_THE_HUB = {"lease"}
"""Tables of when the hub did what, with nothing of anybody in them."""
WEIGHT = "child-weight-assessment"
HBA1C = "hba1c-poor-control"
BMI = concept("http://loinc.org", "39156-5")
DIABETES = concept("http://snomed.info/sct", "44054006")


def stated(kind: str, hub: Hub) -> Policy:
    """Return a policy of a kind, with what *hub*'s library lets it keep."""
    return parse_policy(
        PolicyText(origin=f"{kind}.toml", text=TEXTS[kind]),
        network_codes=hub.policy.network_codes,
        reported=hub.policy.reported,
    )


class Door(msgspec.Struct):
    """A hub under some policy, and a clinic's EHR at its door."""

    hub: Hub
    ehr: Caller
    http: httpx.AsyncClient

    async def series(self, measure: str, **asked: str) -> httpx.Response:
        """Ask for the clinic's own series."""
        token = await self.ehr.fresh_token("system/MeasureReport.rs")
        return await self.http.get(
            f"/v1/measures/{measure}/series",
            params={"clinic": "alpha"} | asked,
            headers=bearer(token),
        )

    async def points(self, measure: str, **asked: str) -> dict[str, tuple[int, int]]:
        """Return n and d of each interval in which anybody counts."""
        answer = await self.series(measure, **asked)
        assert answer.status_code == 200, answer.text
        points = answer.json()["points"]
        return {p["interval_start"]: (p["n"], p["d"]) for p in points if p["d"]}


@pytest.fixture
def policy_kind() -> str:
    """The policy of a test that does not choose one."""
    return "days"


@pytest.fixture
async def door(hub: Hub, settings: Settings, policy_kind: str) -> AsyncIterator[Door]:
    """A hub under the policy that the test is about."""
    changed = hub_under(hub, stated(policy_kind, hub))
    transport = httpx.ASGITransport(app=app_of(changed, settings))
    async with httpx.AsyncClient(transport=transport, base_url=hub.base_url) as http:
        yield Door(changed, Network(changed, http).ehr(), http)


def of_kind(*kinds: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("policy_kind", kinds)


on_sqlite = pytest.mark.parametrize("dialect", ["sqlite"])


def about(name: str) -> dict:
    return {"subject": reference(f"Patient/{name}")}


def child(name: str, *, seen: str, weighed: str | None = None) -> list[dict]:
    """Return entries about a child of ten, seen and maybe weighed on a day."""
    entries = [
        put(patient(id=name, birthDate="2014-07-23")),
        put(encounter(id=f"{name}-v", period={"start": seen}, **about(name))),
    ]
    if weighed is None:
        return entries
    bmi = {"value": 17, "system": "http://unitsofmeasure.org", "code": "kg/m2"}
    found = observation(
        id=f"{name}-w",
        code=BMI,
        effectiveDateTime=weighed,
        valueQuantity=bmi,
        **about(name),
    )
    return [*entries, put(found)]


CHILDREN = batch(
    *child("a", seen="2024-03-01", weighed="2024-05-05T23:00:00-05:00"),
    *child("b", seen="2024-11-30"),
    *child("c", seen="2025-01-02", weighed="2025-12-31T22:00:00-05:00"),
)
"""a: seen in March 2024, weighed in May; b: seen then; c: seen and weighed in 2025."""


@of_kind("days", "months")
@on_sqlite
async def test_months_are_exact_where_months_suffice(door: Door):
    """Whether a child was weighed within twelve months is known to the month."""
    await door.ehr.send(CHILDREN)
    count(door.hub)

    points = await door.points(WEIGHT)

    assert points["2024-03-01"] == (0, 1)
    assert points["2024-05-01"] == (1, 1)
    assert points["2024-11-01"] == (1, 2)
    assert points["2025-01-01"] == (1, 3)
    assert points["2025-12-01"] == (1, 1)


@of_kind("days", "months", "years")
@on_sqlite
async def test_a_year_is_the_same_under_every_policy(door: Door):
    """At the end of 2024 one of two was weighed, at that of 2025 the one there."""
    await door.ehr.send(CHILDREN)
    count(door.hub)

    points = await door.points(WEIGHT, interval="year")

    assert points == {"2024-01-01": (1, 2), "2025-01-01": (1, 1)}


@of_kind("years", "far")
@on_sqlite
async def test_a_year_is_not_told_in_which_the_oldest_can_be_on_either_side_of_an_age(
    door: Door, policy_kind: str
):
    """By 2096 the group is of all born in 2006 or before: 18 at least from 2024 on."""
    await door.ehr.send(CHILDREN)
    await door.ehr.send(batch(*child("d", seen="2023-03-01")))
    count(door.hub)

    points = await door.points(WEIGHT)
    december = {"month": "2023-12"}
    path = f"/v1/measures/{WEIGHT}/contributions"
    token = bearer(await door.ehr.fresh_token())
    asked = await door.http.get(path, params=december, headers=token)

    is_told = policy_kind == "years"
    assert ("2023-01-01" in points) is is_told
    assert {"2024-01-01", "2025-01-01"} <= points.keys()
    assert asked.status_code == (200 if is_told else 422)


@of_kind("days")
@on_sqlite
async def test_a_limited_data_set_answers_the_latest_value_by_month(door: Door):
    """8 % on the second, 10 % on the twentieth: poor control from that month on."""
    values = [("2024-05-02", 8), ("2024-05-20", 10)]
    await door.ehr.send(
        batch(
            put(patient(id="a", birthDate="1970-05-01")),
            put(condition(id="d", code=DIABETES, onsetDateTime="2020", **about("a"))),
            put(encounter(id="v", period={"start": "2024-04-10"}, **about("a"))),
            *(put(lab(n, day=day, id=f"l{n}", **about("a"))) for day, n in values),
        )
    )
    count(door.hub)

    points = await door.points(HBA1C)

    assert (points["2024-05-01"], points["2024-06-01"]) == ((1, 1), (1, 1))
    assert not door.hub.unanswered


@of_kind("months", "years")
@on_sqlite
async def test_what_is_kept_too_little_of_is_refused_with_the_reason(door: Door):
    """A number that might be wrong is not told: problem+json, 422, and why."""
    answer = await door.series(HBA1C)

    unit = door.hub.policy.keeping.dates
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    detail = answer.json()["detail"]
    assert door.hub.policy.terms.id in detail
    assert f"the latest value counts: {unit}s don't order those of one {unit}" in detail


@of_kind("years")
@on_sqlite
@pytest.mark.parametrize("asked", [{"interval": "month"}, {"interval": "quarter"}])
async def test_years_answer_no_shorter_interval(door: Door, asked: dict):
    """Everything would lie in January."""
    await door.ehr.send(CHILDREN)
    count(door.hub)

    refused = await door.series(WEIGHT, **asked)

    assert refused.status_code == 422
    assert refused.json()["element"] == "interval"
    assert set(await door.points(WEIGHT)) == {"2024-01-01", "2025-01-01"}


@of_kind("years")
@on_sqlite
async def test_the_catalogue_shows_what_is_not_answered_and_why(door: Door):
    """A measure is not gone because the policy is too coarse for it."""
    token = bearer(await door.ehr.fresh_token("system/Measure.rs"))

    listed = (await door.http.get("/v1/measures", headers=token)).json()["measures"]
    one = (await door.http.get(f"/v1/measures/{HBA1C}", headers=token)).json()

    reasons = {each["id"]: each["not_answered"] for each in listed}
    assert reasons[WEIGHT] == []
    assert reasons[HBA1C] == one["not_answered"] != []


@of_kind("years")
@on_sqlite
async def test_standings_are_asked_of_a_decembers_end(door: Door):
    """Where someone stands within a year, years do not say."""
    await door.ehr.send(CHILDREN)
    count(door.hub)
    path = f"/Measure/{WEIGHT}/$patient-status"

    def question(as_of: str) -> dict:
        asked = [
            {"name": "asOf", "valueDate": as_of},
            {"name": "patient", "valueReference": reference("Patient/a")},
        ]
        return {"resourceType": "Parameters", "parameter": asked}

    december = await door.ehr.call("POST", path, question("2024-12"))
    june = await door.ehr.call("POST", path, question("2024-06"))

    assert december.status_code == 200, december.text
    assert '"met"' in december.text
    assert june.status_code == 422
    assert june.json()["issue"][0]["code"] == "business-rule"


@of_kind("years")
@on_sqlite
async def test_reports_and_charts_tell_years_only_too(door: Door):
    """No door tells by month what the series does not."""
    await door.ehr.send(CHILDREN)
    count(door.hub)
    report = f"/Measure/{WEIGHT}/$evaluate-measure?subject=Organization/alpha"

    year, month = [
        await door.ehr.call("GET", f"{report}&periodStart={first}&periodEnd={last}")
        for first, last in (("2024-01-01", "2024-12-31"), ("2024-03-01", "2024-03-31"))
    ]
    found = await door.ehr.call("GET", "/MeasureReport?_count=99")
    token = bearer(await door.ehr.fresh_token())
    path = f"/v1/measures/{WEIGHT}"
    contributions = await door.http.get(f"{path}/contributions", headers=token)
    within = await door.http.get(
        f"{path}/contributions", params={"month": "2024-06"}, headers=token
    )
    quality = await door.http.get("/v1/quality", headers=token)

    assert (year.status_code, month.status_code) == (200, 422), year.text
    periods = {e["resource"]["period"]["start"][4:] for e in found.json()["entry"]}
    assert periods == {"-01-01"}
    assert contributions.json()["month"] == "2026-12-01"
    assert (within.status_code, quality.status_code) == (422, 422)
    assert "needs days" in quality.json()["detail"]


@of_kind("years")
async def test_no_day_and_no_month_is_anywhere_in_the_store_of_years(door: Door):
    """Not as a number, not as text, not by when it came or was last changed."""
    sent = {"lastUpdated": "2024-09-17T08:00:00Z"}
    whole = patient(id="a", birthDate="1984-07-23", deceasedDateTime="2025-10-11")
    await door.ehr.send(
        batch(
            put(whole | {"meta": sent}),
            put(
                condition(
                    id="d", code=DIABETES, onsetDateTime="2020-08-13", **about("a")
                )
            ),
            put(encounter(id="v", period={"start": "2024-09-17"}, **about("a"))),
            put(
                lab(8, day="2024-09-17T09:00:00-04:00", id="l", meta=sent, **about("a"))
            ),
        )
    )
    count(door.hub)

    stored = rows_of(door.hub.engine)

    days = [date(1984, 7, 23), date(2025, 10, 11), date(2020, 8, 13), date(2024, 9, 17)]
    days.append(datetime.fromtimestamp(door.hub.clock() / 1000, UTC).date())
    numbers = {n for d in days for n in (day_number(d), month_number(d.year, d.month))}
    numbers -= {month_number(d.year, 1) for d in days}
    found = [
        value
        for table, rows in stored.items()
        if table not in OF_THE_HUB
        for row in rows
        for value in row
    ]
    assert len(stored["record"]) == 4
    assert not numbers & {value for value in found if isinstance(value, int)}
    for value in found:
        if isinstance(value, int) and 10**12 < value < 10**13:  # milliseconds
            moment = datetime.fromtimestamp(value / 1000, UTC)
            assert (moment.month, moment.day, moment.hour) == (1, 1, 0)
        if isinstance(value, str) and value.startswith("{"):
            content = json.loads(value)
            assert not {"day", "month"} & {
                part.get("precision")
                for part in content.values()
                if isinstance(part, dict)
            }


KEPT = {
    "days": ("2023-12-31", "1985-03", "2024-02"),
    "months": ("2023-12", "1985-03", "2024-02"),
    "years": ("2023", "1985", "2024"),
}


@of_kind("days", "months", "years")
@on_sqlite
async def test_de_identify_answers_under_the_policy_in_force(
    door: Door, policy_kind: str
):
    """An instant of 2024-01-01T02:00Z from New York is 31 December, however kept."""
    born = patient(birthDate="1985-03-17", deceasedDateTime="2024-03-01T02:00:00Z")
    found = lab(7, day="2024-01-01T02:00:00Z")
    answers = [
        (await door.ehr.call("POST", "/$de-identify", body)).json()["parameter"]
        for body in (born, found)
    ]

    person, value = (answer[0]["resource"] for answer in answers)
    said = {part["name"]: part.get("valueString") for part in answers[0]}
    kept = (value["effectiveDateTime"], person["birthDate"], person["deceasedDateTime"])
    assert kept == KEPT[policy_kind]
    assert said["policy"] == door.hub.policy.terms.id
    assert said["policyDigest"] == door.hub.policy.digest


@of_kind("years")
@on_sqlite
@pytest.mark.parametrize(
    ("born", "kept"), [("1950-01-01", "1950"), ("1940", "1940"), ("1912-06", "1940")]
)
async def test_the_oldest_are_one_group(door: Door, born: str, kept: str):
    """Who is 90 by the end of 2030 was born in 1940 or before: nobody says more."""
    answer = await door.ehr.call("POST", "/$de-identify", patient(birthDate=born))

    assert answer.json()["parameter"][0]["resource"]["birthDate"] == kept


@of_kind("years")
@on_sqlite
async def test_what_clinics_count_by_month_is_refused_where_years_are_kept(door: Door):
    """One infection in a month is the month of one person's infection."""
    answer = await door.ehr.post(summary_report(1, 900))

    assert answer.status_code == 422
    assert "keeps years only" in answer.json()["issue"][0]["diagnostics"]


@of_kind("months")
async def test_past_its_last_day_every_door_that_stores_answers_503(
    door: Door, clock: Clock
):
    """Nothing is lost: the same requests go through once the policy is renewed."""
    await door.ehr.send(CHILDREN)
    kept = rows_of(door.hub.engine)
    clock.now = _at(2029, 7, 1)

    refused = [
        await door.ehr.post(lab(7, id="x", **about("a"))),
        await door.ehr.put(patient(id="z", birthDate="1990-01-01")),
        await door.ehr.call("POST", "", batch(put(patient(id="z")))),
        await door.ehr.call("POST", "", CHILDREN | {"type": "transaction"}),
        await push(door.ehr, lines(patient(id="z"))),
    ]

    assert [answer.status_code for answer in refused] == [503] * 5
    for answer in refused:
        issue = answer.json()["issue"][0]
        assert issue["code"] == "transient"
        assert "expert-determination expired on 2029-06-30" in issue["diagnostics"]
        assert int(answer.headers["Retry-After"]) > 0
    assert rows_of(door.hub.engine) == kept
    clock.now = _at(2029, 6, 30)
    assert (await door.ehr.put(patient(id="z"))).status_code == 201


@pytest.mark.parametrize(("newer", "status"), [("newer", 200), ("months", 409)])
async def test_lines_that_wait_are_held_to_the_policy_that_stores_them(
    network: Network, hub: Hub, newer: str, status: int
):
    """The hub was started anew under another: days are not kept because they waited."""
    ehr = network.ehr()
    admissions.admit_policy(hub)
    response = await push(ehr, lines(lab(7, id="x")))

    stored(hub_under(hub, stated(newer, hub)))

    assert (await status_of(ehr, response)).status_code == status
    assert len(current_of(hub.engine)) == (status == 200)


@of_kind("months")
async def test_lines_that_wait_past_its_last_day_wait_on(door: Door, clock: Clock):
    """For weeks, if need be: what was acknowledged is stored once it is renewed."""
    clock.now = _at(2029, 6, 30)
    response = await push(door.ehr, lines(patient(id="z")))
    clock.now = _at(2029, 7, 1)
    for _ in range(30):
        stored(door.hub)
        clock.pass_seconds(24 * 3600)
    waiting = await status_of(door.ehr, response)
    clock.now = _at(2029, 6, 30)

    with write_session(door.hub.engine) as session:
        connection_of(session).execute(text("UPDATE job SET not_before = 0"))
    stored(door.hub)

    assert waiting.status_code == 202
    assert (await status_of(door.ehr, response)).status_code == 200
    assert current_of(door.hub.engine) == {"Patient": 1}


@of_kind("months")
@on_sqlite
async def test_what_takes_away_goes_on_past_the_last_day(door: Door, clock: Clock):
    """A clinic can withdraw, and see what would be kept, under whatever policy."""
    await door.ehr.send(CHILDREN)
    clock.now = _at(2029, 7, 1)

    withdrawn = await door.ehr.delete("Observation/a-w")
    looked = await door.ehr.call("POST", "/$de-identify", lab(7))

    assert (withdrawn.status_code, looked.status_code) == (204, 200)


@of_kind("months")
@on_sqlite
async def test_readiness_warns_before_the_last_day_and_fails_after_it(
    door: Door, clock: Clock
):
    """An operator learns it 30 days before the clinics do."""
    answers = {}
    for day in (date(2029, 5, 30), date(2029, 5, 31), date(2029, 7, 1)):
        clock.now = _at(day.year, day.month, day.day)
        answers[day.isoformat()] = await door.http.get("/health/ready")

    early, warned, ended = answers.values()
    assert "warning" not in early.json()
    assert (warned.status_code, warned.json()["ready"]) == (200, True)
    assert "expires on 2029-06-30" in warned.json()["warning"]
    assert (ended.status_code, ended.json()["ready"]) == (503, False)
    assert "expired on 2029-06-30" in ended.json()["reason"]


@of_kind("years")
@on_sqlite
async def test_a_release_of_years_tells_years(door: Door):
    """Two dozen children in each of three clinics, half of them weighed in 2024."""
    for clinic in ("alpha", "beta", "gamma"):
        ehr = Network(door.hub, door.http).ehr(f"{clinic}-app", clinic=clinic)
        entries = [
            entry
            for n in range(24)
            for entry in child(
                f"{clinic}{n}",
                seen="2024-03-01",
                weighed="2024-05-05" if n % 2 else None,
            )
        ]
        await ehr.send(batch(*entries))
    count(door.hub)
    with write_session(door.hub.engine) as session:
        releases.publish(session, door.hub)

    partner = Network(door.hub, door.http).partner()
    answer = await door.http.get(
        f"/v1/measures/{WEIGHT}/series", headers=bearer(await partner.fresh_token())
    )

    points = {p["interval_start"]: (p["n"], p["d"]) for p in answer.json()["points"]}
    assert answer.json()["interval"] == "year"
    assert points["2024-01-01"] == (36, 72)
    grains = {row[3] for row in rows_of(door.hub.engine)["released_cell"]}
    assert grains == {12}


async def test_records_that_another_policy_kept_more_of_stop_the_hub(
    hub: Hub, network: Network
):
    """What is stored was made by the policy of its day; it is not cut afterwards."""
    admissions.admit_policy(hub)
    await network.ehr().put(patient(id="a", birthDate="1990-01-01"))
    coarser = hub_under(hub, stated("years", hub))

    with pytest.raises(ConflictError, match="begin with a new database"):
        admissions.admit_policy(coarser)
    with read_session(hub.engine) as session:
        assert list(admissions.conflicts(session, hub.policy)) == []


async def test_a_new_version_of_a_policy_that_keeps_as_much_goes_on(
    hub: Hub, settings: Settings
):
    """And what comes again is stored under it, so that its digest says the truth."""
    born = patient(id="a", birthDate="1990-01-01")
    newer = hub_under(hub, stated("newer", hub))
    digests: list[tuple] = []
    for each in (hub, newer):
        admissions.admit_policy(each)
        transport = httpx.ASGITransport(app=app_of(each, settings))
        async with httpx.AsyncClient(
            transport=transport, base_url=hub.base_url
        ) as http:
            ehr = Network(each, http).ehr(f"alpha-{len(digests)}", clinic="alpha")
            assert (await ehr.put(born)).status_code in {200, 201}
            assert (await ehr.put(born)).status_code == 200
        digests.append(rows_of(hub.engine)["record"][0])

    with read_session(hub.engine) as session:
        known = [each.digest for each in known_policies(session)]
    assert set(known) == {hub.policy.digest, newer.policy.digest}
    assert hub.policy.digest in digests[0]
    assert newer.policy.digest in digests[1]


def _at(year: int, month: int, day: int) -> int:
    """Return noon of a day, in epoch milliseconds."""
    return int(datetime(year, month, day, 12, tzinfo=UTC).timestamp() * 1000)
