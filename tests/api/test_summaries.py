"""What clinics count themselves: in at the doors, about nobody known, and out again."""

from calendar import monthrange
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.services import recounts as counting
from app.services import releases
from app.services.hub import Hub
from app.store.sessions import write_session
from tests.hubs import Caller, Network, bearer
from tests.make import (
    UCUM,
    batch,
    bundle,
    concept,
    delete,
    identifier,
    observation,
    post,
    put,
    reference,
    summary_report,
)

pytestmark = pytest.mark.anyio

NETWORK_CODES = "https://catchment.example/fhir/CodeSystem/network"
JUNE = {"start": "2024-06-01", "end": "2024-06-30"}
JUNE_2024 = 2024 * 12 + 5
NOTHING_SAID = {"effectivePeriod": None}


def ward(code: str = "central-line-days", **elements: Any) -> dict:
    """Return an Observation of a ward in June 2024; what is None is left out."""
    stated = {
        "resourceType": "Observation",
        "status": "final",
        "code": concept(NETWORK_CODES, code),
        "subject": reference("Location/picu"),
        "effectivePeriod": JUNE,
    } | elements
    return {name: value for name, value in stated.items() if value is not None}


def line_days(number: int, **elements: Any) -> dict:
    return ward(valueInteger=number, **elements)


def infection(day: str, **elements: Any) -> dict:
    """Return one infection: an Observation without a value."""
    return ward("clabsi", effectiveDateTime=day, **NOTHING_SAID, **elements)


def report(
    numerator: int, denominator: int, *, measure: str = "clabsi-rate", **elements: Any
) -> dict:
    """Return a clinic's summary MeasureReport of June 2024."""
    stated = summary_report(
        numerator, denominator, measure=f"https://hub.example/fhir/Measure/{measure}"
    )
    return {
        name: value for name, value in (stated | elements).items() if value is not None
    }


def whole(year: int, month: int) -> dict:
    """Return the Period of a whole month."""
    _, last = monthrange(year, month)
    start = f"{year}-{month:02}"
    return {"start": f"{start}-01", "end": f"{start}-{last}"}


def kept(hub: Hub) -> list[tuple]:
    """Return what counts of whom it was sent: month, day and thousandths."""
    query = text(
        "SELECT month, day, value FROM summary_fact ORDER BY month, day, value"
    )
    with hub.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query)]


def count(hub: Hub) -> None:
    """Let the worker do what waits."""
    counting.register_measures(hub)
    counting.count_new_measures(hub, holder="test")
    while counting.recount_dirty(hub, holder="test"):
        pass


async def seen(caller: Caller, path: str, **parameters: str) -> Any:
    """Return what *caller* is answered by the REST interface."""
    token = await caller.fresh_token("system/MeasureReport.rs")
    return await caller.http.get(
        f"/v1/measures/{path}", params=parameters, headers=bearer(token)
    )


async def months(
    caller: Caller, measure: str = "clabsi-rate", **parameters: str
) -> dict[str, tuple]:
    """Return a clinic's own series: n, d, value and reason by month."""
    answer = await seen(
        caller, f"{measure}/series", clinic=caller.clinic or "", **parameters
    )
    assert answer.status_code == 200, answer.text
    return {
        point["interval_start"][:7]: tuple(
            point[name] for name in ("n", "d", "value", "reason")
        )
        for point in answer.json()["points"]
    }


async def test_a_ward_s_number_is_kept_once_however_often_it_is_sent(
    hub: Hub, ehr: Caller
):
    """412 line days of June are one fact of June, and nobody is to be recounted."""
    first = await ehr.post(line_days(412))
    again = await ehr.post(line_days(412))

    assert (first.status_code, again.status_code) == (201, 200), first.text
    assert kept(hub) == [(JUNE_2024, None, 412_000)]
    with hub.engine.connect() as connection:
        for table in ("subject", "dirty"):
            rows = connection.execute(text(f"SELECT COUNT(*) FROM {table}"))
            assert rows.scalar() == 0


async def test_two_wards_with_the_same_number_are_two(hub: Hub, ehr: Caller):
    """What a number is of tells it from its like, though it is kept as a hash only."""
    await ehr.post(line_days(30))
    await ehr.post(line_days(30, subject=reference("Location/nicu")))
    await ehr.post(line_days(30, subject=reference("Group/picu")))
    await ehr.post(
        line_days(30, subject=reference("https://ehr.example/fhir/Group/picu"))
    )
    await ehr.post(
        line_days(30, subject={"type": "Group", "identifier": identifier("9")})
    )

    assert kept(hub) == [(JUNE_2024, None, 30_000)] * 4


async def test_a_number_is_replaced_withdrawn_and_brought_back(hub: Hub, ehr: Caller):
    """PUT, If-Match, entered-in-error and DELETE are what they are for any record."""
    await ehr.put(line_days(40, id="n1"))
    changed = await ehr.put(line_days(41, id="n1"))
    stale = await ehr.put(line_days(42, id="n1"), If_Match='W/"1"')
    assert (changed.status_code, stale.status_code) == (200, 412)
    assert kept(hub) == [(JUNE_2024, None, 41_000)]

    in_error = await ehr.put(
        ward(id="n1", status="entered-in-error", effectivePeriod=None)
    )
    assert in_error.status_code == 200, in_error.text
    assert kept(hub) == []

    await ehr.put(line_days(43, id="n1"))
    assert kept(hub) == [(JUNE_2024, None, 43_000)]
    await ehr.delete("Observation/n1")
    assert kept(hub) == []
    assert (await ehr.read("Observation/n1")).status_code == 410


async def test_a_number_that_was_said_of_a_patient_moves_to_the_ward(
    hub: Hub, ehr: Caller
):
    """A sender's mistake about whom it is of leaves nothing of it behind."""
    code = concept(NETWORK_CODES, "clabsi")
    wrong = observation(id="o1", code=code, effectiveDateTime="2024-06-05")
    await ehr.put(wrong)
    await ehr.put(infection("2024-06-05", id="o1"))

    assert kept(hub) == [(JUNE_2024, 19879, 1000)]
    with hub.engine.connect() as connection:
        rows = connection.execute(text("SELECT COUNT(*) FROM observation"))
        assert rows.scalar() == 0


async def test_what_is_read_back_names_no_ward(ehr: Caller):
    """A clinic sees what is kept: its month, its number, and a hash for the ward."""
    await ehr.put(line_days(40, id="n1", subject=reference("Group/baby-jane-doe")))

    found = (await ehr.read("Observation/n1")).json()

    assert found["effectiveDateTime"] == "2024-06"
    assert found["valueQuantity"] == {"value": 40}
    assert found["subject"]["identifier"]["system"] == "urn:catchment:local"
    assert len(found["subject"]["identifier"]["value"]) == 26
    assert "jane" not in str(found)


YEAR = {"start": "2024-01-01", "end": "2024-12-31"}


@pytest.mark.parametrize(
    ("resource", "code", "expression"),
    [
        (line_days(1, effectivePeriod=YEAR), "business-rule", "effective"),
        (
            line_days(1, effectivePeriod={"start": "2024-06-01"}),
            "required",
            "effective",
        ),
        (line_days(1, effectivePeriod=None), "required", "effective"),
        (
            line_days(1, effectiveDateTime="2024", **NOTHING_SAID),
            "business-rule",
            "effective",
        ),
        (line_days(-1), "value", "value"),
        (
            ward(valueQuantity={"value": 4, "comparator": "<"}),
            "business-rule",
            "comparator",
        ),
        (ward(valueString="many"), "business-rule", "value.ofType(string)"),
        (
            ward(dataAbsentReason=concept(NETWORK_CODES, "unknown")),
            "business-rule",
            "dataAbsentReason",
        ),
        (
            line_days(1, subject=reference("https://other.example/Location/picu")),
            "business-rule",
            "subject",
        ),
        (line_days(1, subject=reference("Group/hub-7")), "business-rule", "subject"),
        (line_days(1, subject=reference("Device/d")), "business-rule", "subject"),
        (report(1, 100, type="individual"), "business-rule", "type"),
        (report(1, 100, type="subject-list"), "business-rule", "type"),
        (
            report(1, 100, evaluatedResource=[reference("Patient/p")]),
            "business-rule",
            "evaluatedResource",
        ),
        (report(1, 100, subject=reference("Patient/p")), "business-rule", "subject"),
        (report(1, 100, period=YEAR), "business-rule", "period"),
        (
            report(1, 100, period={"start": "2024-06-02", "end": "2024-06-30"}),
            "business-rule",
            "period",
        ),
        (report(1, 100, period={"start": "2024-06-01"}), "required", "period"),
        (report(1, 100, measure="bp-control"), "business-rule", "measure"),
        (report(1, 100, measure="clabsi-rate|0.9.0"), "business-rule", "measure"),
        (report(1, 100, measure="clabsi-days-between"), "business-rule", "measure"),
        (report(1, 100, measure="x/y"), "value", "measure"),
        (
            report(1, 100)
            | {"measure": "https://other.example/fhir/Measure/clabsi-rate"},
            "business-rule",
            "measure",
        ),
        (
            report(1, 100)
            | {"measure": "https://hub.example/Measure/clabsi-rate|1.0.0"},
            "business-rule",
            "measure",
        ),
        (report(1, 100, period=whole(2027, 2)), "business-rule", "period"),
        (report(-1, 100), "value", "count"),
        (
            report(41, 40, measure="early-scheduled-births"),
            "value",
            "group.population",
        ),
        (report(1, 100, group=None), "required", "group"),
    ],
)
async def test_what_is_no_summary_is_refused_with_its_element(
    hub: Hub, ehr: Caller, resource: dict, code: str, expression: str
):
    """The same verdict by POST, in a batch, by $validate and by $de-identify."""
    kind = resource["resourceType"]
    alone = await ehr.post(resource)
    reply = await ehr.call("POST", "", batch(post(resource)))
    examined = await ehr.call("POST", f"/{kind}/$validate", resource)
    shown = await ehr.call("POST", "/$de-identify", resource)

    for answer in (alone, shown):
        assert answer.status_code == 422, answer.text
    (entry,) = reply.json()["entry"]
    assert entry["response"]["status"] == "422"
    outcomes = [
        alone.json(),
        examined.json(),
        shown.json(),
        entry["response"]["outcome"],
    ]
    for outcome in outcomes:
        (issue,) = outcome["issue"]
        assert issue["code"] == code
        assert expression in issue["expression"][0]
    assert kept(hub) == []


async def test_a_report_is_known_by_its_measure_month_and_ward(hub: Hub, ehr: Caller):
    """A second report of the same replaces the first, with an id or without."""
    first = await ehr.post(report(3, 1200))
    second = await ehr.post(report(2, 1250, date="2024-07-08"))
    named = await ehr.put(report(4, 1250, id="r1"))
    other_ward = await ehr.post(report(1, 300, reporter=reference("Location/picu")))

    statuses = [r.status_code for r in (first, second, named, other_ward)]
    assert statuses == [201, 200, 200, 201], first.text
    assert sorted(value for _, _, value in kept(hub)) == [
        1_000,
        4_000,
        300_000,
        1_250_000,
    ]
    assert (await ehr.read("MeasureReport/r1")).json()["period"] == JUNE


@pytest.mark.parametrize("base", ["https://hub.example/fhir/", ""])
async def test_a_report_names_the_hub_s_own_measure(hub: Hub, ehr: Caller, base: str):
    """With or without a version, it is one report; a relative name is the hub's."""
    named = [f"{base}Measure/clabsi-rate", f"{base}Measure/clabsi-rate|1.0.0"]

    replies = [await ehr.post(report(3, 1200) | {"measure": name}) for name in named]

    assert [reply.status_code for reply in replies] == [201, 200], replies[0].text
    assert sorted(value for _, _, value in kept(hub)) == [3_000, 1_200_000]


async def test_the_month_that_has_begun_is_taken_and_the_next_is_not(
    hub: Hub, ehr: Caller
):
    """The clock stands at 15 January 2027."""
    current = await ehr.post(report(1, 100, period=whole(2027, 1)))
    future = await ehr.post(report(1, 100, period=whole(2027, 2)))

    assert (current.status_code, future.status_code) == (201, 422)
    assert future.json()["issue"][0]["expression"] == ["MeasureReport.period"]
    assert {month for month, _, _ in kept(hub)} == {2027 * 12}


async def test_an_id_is_not_moved_to_another_month(hub: Hub, ehr: Caller):
    """Else the next report of the first month would take the second one's place."""
    await ehr.put(report(3, 1200, id="r1"))
    july = {"start": "2024-07-01", "end": "2024-07-31"}

    moved = await ehr.put(report(3, 1300, id="r1", period=july))

    assert moved.status_code == 412, moved.text
    assert sorted(value for _, _, value in kept(hub)) == [3_000, 1_200_000]
    withdrawn = await ehr.delete("MeasureReport/r1")
    again = await ehr.put(report(3, 1300, id="r2", period=july))
    assert (withdrawn.status_code, again.status_code) == (204, 201)
    assert {month for month, _, _ in kept(hub)} == {JUNE_2024 + 1}


async def test_a_report_in_error_takes_its_month_back(hub: Hub, ehr: Caller):
    """The status error is to a report what entered-in-error is to an Observation."""
    await ehr.post(report(3, 1200))
    pending = report(3, 1200, status="pending", reporter=reference("Location/picu"))
    await ehr.post(pending)

    taken_back = await ehr.post(report(0, 0, status="error", group=None))

    assert taken_back.status_code == 200, taken_back.text
    assert kept(hub) == []


async def test_a_transaction_takes_numbers_beside_patients(hub: Hub, ehr: Caller):
    """A Location of the same Bundle is acknowledged and not kept."""
    location = {"resourceType": "Location", "id": "picu", "name": "Picu"}
    entries = [post(location), post(line_days(50)), put(report(1, 100, id="r"))]

    statuses = await ehr.send(bundle("transaction", *entries))

    assert statuses == ["200", "201", "201"]
    assert len(kept(hub)) == 3
    assert await ehr.send(batch(delete("MeasureReport/r"))) == ["204"]
    assert len(kept(hub)) == 1


async def test_a_ward_that_only_its_bundle_names_is_refused(hub: Hub, ehr: Caller):
    """A urn is made up for each Bundle: the same ward would be another next time."""
    urn = "urn:uuid:7d1c4f5e-57f5-4e5c-9c3f-1c1de3a6f4b0"
    location = post({"resourceType": "Location"}) | {"fullUrl": urn}
    about = {"reference": urn, "type": "Location"}

    statuses = await ehr.send(batch(location, post(line_days(50, subject=about))))

    assert statuses == ["200", "422"]
    assert kept(hub) == []


async def test_what_became_of_a_number_can_be_asked(ehr: Caller):
    """$trace answers for reports and numbers as for all else."""
    await ehr.put(report(1, 100, id="r"))
    await ehr.put(line_days(50, id="n"))
    await ehr.put(report(1, 100, id="bad", type="individual"))
    names = ("MeasureReport/r", "Observation/n", "MeasureReport/bad", "Location/picu")
    asked = [{"name": "reference", "valueReference": reference(n)} for n in names]

    answer = await ehr.call(
        "POST", "/$trace", {"resourceType": "Parameters", "parameter": asked}
    )

    assert answer.status_code == 200, answer.text
    fates = [
        part["valueCode"]
        for each in answer.json()["parameter"]
        for part in each["part"]
        if part["name"] == "fate"
    ]
    assert fates == ["stored", "stored", "refused", "discarded"]


async def test_only_whose_scope_covers_reports_sends_them(network: Network):
    """A clinic may be let in for Observations alone."""
    ehr = network.ehr(scopes=("system/Observation.cud", "system/MeasureReport.rs"))

    assert (await ehr.post(report(1, 100))).status_code == 403
    assert (await ehr.post(line_days(50))).status_code == 201


async def test_a_clinic_sees_the_rate_of_each_month(hub: Hub, ehr: Caller):
    """2 infections in 800 line days of two wards: 2.5 per 1,000."""
    weeks = {"value": 50, "unit": "wk", "system": UCUM, "code": "wk"}
    await ehr.post(line_days(450))
    await ehr.post(ward(valueQuantity=weeks, subject=reference("Location/nicu")))
    await ehr.post(infection("2024-06-03", id="i1"))
    await ehr.post(infection("2024-06-03", id="i2"))
    count(hub)

    found = await months(ehr)

    assert found["2024-06"] == (2, 800, 2.5, None)
    assert found["2024-07"] == (None, None, None, "no-data")


async def test_a_month_that_lacks_one_of_the_two_is_null_with_the_reason(
    hub: Hub, ehr: Caller
):
    """Never 0: an infection without line days is no rate, nor are births without."""
    early, births = "early-scheduled-births", "births-at-36-to-38-weeks"
    await ehr.post(infection("2024-06-03"))
    await ehr.post(line_days(500, effectivePeriod=None, effectiveDateTime="2024-07"))
    await ehr.post(ward(births, valueInteger=60))
    await ehr.post(
        ward(births, valueInteger=70, effectivePeriod=None, effectiveDateTime="2024-07")
    )
    await ehr.post(
        ward(early, valueInteger=0, effectivePeriod=None, effectiveDateTime="2024-07")
    )
    count(hub)

    clabsi, scheduled = await months(ehr), await months(ehr, early)

    assert clabsi["2024-06"] == (None, None, None, "exposure-missing")
    assert clabsi["2024-07"] == (0, 500, 0.0, None)
    assert scheduled["2024-06"] == (None, None, None, "events-missing")
    assert scheduled["2024-07"] == (0, 70, 0.0, None)


async def test_quarters_and_years_are_sums_of_whole_months(hub: Hub, ehr: Caller):
    """Nobody is counted twice: rates add. A month that lacks a number is left out."""
    for month, events, days in ((4, 1, 300), (5, 0, 200), (7, 3, 500)):
        await ehr.post(report(events, days, period=whole(2024, month)))
    await ehr.post(infection("2024-06-03"))
    count(hub)

    quarters = await months(ehr, interval="quarter")
    years = await months(ehr, interval="year")

    assert quarters["2024-04"] == (1, 500, 2.0, None)
    assert quarters["2024-07"] == (3, 500, 6.0, None)
    assert years["2024-01"] == (4, 1000, 4.0, None)


@pytest.mark.parametrize(
    ("days", "told", "value"),
    [(1.5, 1.5, 666.6667), (700.5, 700.5, 1.4276), (0.5, 0.5, 2000.0), (2.0, 2, 500.0)],
)
async def test_a_clinic_s_own_rate_is_exact_to_the_thousandth(
    hub: Hub, ehr: Caller, days: float, told: float, value: float
):
    """One infection in 1.5 days is 666.7 per 1,000, not 500 as in two whole days."""
    await ehr.post(ward(valueQuantity={"value": days}))
    await ehr.post(infection("2024-06-03"))
    count(hub)

    n, d, rate, reason = (await months(ehr))["2024-06"]
    quarter = (await months(ehr, interval="quarter"))["2024-04"]
    token = await ehr.fresh_token("system/MeasureReport.rs")
    lines = await ehr.http.get(
        "/v1/measures/clabsi-rate/series",
        params={"clinic": ehr.clinic or ""},
        headers=bearer(token) | {"Accept": "text/csv"},
    )

    assert (n, d, round(rate, 4), reason) == (1, told, value, None)
    assert quarter == (n, d, rate, reason)
    (line,) = (each for each in lines.text.splitlines() if "2024-06-01" in each[:10])
    assert line.split(",")[2:4] == ["1", str(told)]


async def test_what_months_round_off_is_not_lost_in_a_quarter(hub: Hub, ehr: Caller):
    """0.4 line days three times are 1.2, and 3 infections in them 2,500 per 1,000."""
    for month in ("04", "05", "06"):
        at = f"2024-{month}"
        days = {"value": 0.4}
        sent = ward(valueQuantity=days, effectiveDateTime=at, effectivePeriod=None)
        await ehr.post(sent)
        await ehr.post(infection(f"2024-{month}-03"))
    count(hub)

    assert (await months(ehr, interval="quarter"))["2024-04"] == (3, 1.2, 2500, None)


@pytest.mark.parametrize("events", [0, 1])
async def test_an_exposure_of_none_is_no_rate_and_says_so(
    hub: Hub, ehr: Caller, events: int
):
    """Nothing can be divided by the 0 days of a ward that was closed."""
    await ehr.post(report(events, 0))
    count(hub)

    found = await months(ehr)
    reports = await ehr.read("MeasureReport")

    assert found["2024-06"] == (None, None, None, "no-exposure")
    (told,) = (
        each["resource"]["group"][0]
        for each in reports.json()["entry"]
        if "clabsi-rate" in each["resource"]["measure"]
        and each["resource"]["period"] == JUNE
    )
    assert "measureScore" not in told
    assert {absent(each) for each in told["population"]} == {"not-applicable"}


def absent(population: dict) -> str | None:
    """Return why a population of a report has no count."""
    if "count" in population:
        return None
    (reason,) = population["_count"]["extension"]
    return reason["valueCode"]


async def test_nothing_is_masked_in_a_report_of_a_clinic_s_own_rate(
    hub: Hub, ehr: Caller
):
    """Whom infections may befall is not counted: no number of people is hidden."""
    await ehr.post(report(2, 800))
    count(hub)

    found = await ehr.read("MeasureReport")

    (told,) = (
        each["resource"]["group"][0]["population"]
        for each in found.json()["entry"]
        if "clabsi-rate" in each["resource"]["measure"]
        and each["resource"]["period"] == JUNE
    )
    assert {
        each["code"]["coding"][0]["code"]: absent(each) or each["count"]
        for each in told
    } == {"initial-population": "not-applicable", "denominator": 800, "numerator": 2}


async def test_a_report_speaks_for_its_month_and_ward(hub: Hub, ehr: Caller):
    """What it covers is not added to it: the same infections would count twice."""
    await ehr.post(line_days(450))
    await ehr.post(infection("2024-06-03"))
    await ehr.post(line_days(100, subject=reference("Location/nicu")))
    await ehr.post(report(2, 400, reporter=reference("Location/picu")))
    count(hub)
    beside = await months(ehr)
    await ehr.post(report(5, 1000))

    whole = await months(ehr)

    assert beside["2024-06"] == (2, 500, 4.0, None)
    assert whole["2024-06"] == (5, 1000, 5.0, None)


async def test_the_published_rate_of_the_largest_network_comes_out(
    hub: Hub, ehr: Caller
):
    """SPS: 27,196 infections in 20,274,565 line days are 1.3414 per 1,000."""
    await ehr.post(report(27_196, 20_274_565))
    count(hub)

    n, d, value, _ = (await months(ehr))["2024-06"]

    assert (n, d, round(value, 4)) == (27_196, 20_274_565, 1.3414)


async def test_events_of_one_day_stay_separate_points(hub: Hub, ehr: Caller):
    """Two infections on 3 June, one on the 13th, one on 1 July: 0, 10 and 18 days."""
    for number, day in enumerate(("06-13", "06-03", "07-01", "06-03")):
        await ehr.post(infection(f"2024-{day}", id=f"i{number}"))
    count(hub)

    answer = await seen(ehr, "clabsi-days-between/events")

    assert answer.status_code == 200, answer.text
    assert answer.json()["between"] == "days"
    assert [(p["day"], p["since"], p["value"]) for p in answer.json()["points"]] == [
        ("2024-06-03", "2024-06-03", 0),
        ("2024-06-13", "2024-06-03", 10),
        ("2024-07-01", "2024-06-13", 18),
    ]


async def test_a_gap_in_which_an_event_without_a_day_lies_is_null(
    hub: Hub, ehr: Caller
):
    """Three infections of June, without days, may lie anywhere in the gap."""
    await ehr.post(infection("2024-05-30"))
    await ehr.post(ward("clabsi", valueInteger=3))
    await ehr.post(infection("2024-07-10"))
    await ehr.post(infection("2024-08-10"))
    count(hub)

    points = (await seen(ehr, "clabsi-days-between/events")).json()["points"]

    assert [(p["value"], p["reason"]) for p in points] == [
        (None, "event-without-day"),
        (31, None),
    ]


async def test_single_events_are_for_their_own_clinic_only(hub: Hub, network: Network):
    """Whoever else asks is refused; and there is no series of them, for anybody."""
    alpha, beta, partner = network.ehr(), network.ehr("beta-ehr"), network.partner()
    await alpha.post(infection("2024-06-03"))
    await alpha.post(infection("2024-06-13"))
    count(hub)

    path = "clabsi-days-between/events"
    assert (await seen(alpha, path, clinic="alpha")).status_code == 200
    assert (await seen(beta, path)).json()["points"] == []
    assert (await seen(beta, path, clinic="alpha")).status_code == 403
    assert (await seen(partner, path)).status_code == 403
    for caller in (alpha, partner):
        refused = await seen(caller, "clabsi-days-between/series", clinic="alpha")
        assert refused.status_code == 404
        assert "events" in refused.json()["detail"]
    assert (await seen(alpha, "clabsi-rate/events")).status_code == 404


LOCKED = ("2026-01", "2026-02", "2026-03")
"""Months whose data lock has passed by the test clock; together a quarter."""


async def four_clinics(network: Network, *, fifth: int = 2) -> dict[str, Caller]:
    """Return clinics with 12 events, one *fifth*, in 3,000 days of three months."""
    names = ("alpha", "beta", "gamma", "delta", "epsilon")
    callers = {name: network.ehr(f"{name}-ehr") for name in names}
    for month in LOCKED:
        year, number = map(int, month.split("-"))
        for name, ehr in callers.items():
            events = fifth if name == "epsilon" else 12
            await ehr.post(report(events, 3000, period=whole(year, number)))
    return callers


async def test_clinics_are_compared_by_rates_of_what_was_to_be_expected(
    hub: Hub, network: Network
):
    """
    Four clinics with 12 events and one with 72 in 3,000 days each: 8 per 1,000.

    24 were to be expected of each. All are in the answer with their exact intervals
    (72 events: 56.34 to 90.67), and there is no picture of them.
    """
    await four_clinics(network, fifth=72)
    partner = network.partner()
    count(hub)
    with write_session(hub.engine) as session:
        releases.publish(session, hub)

    answer = (await seen(partner, "clabsi-rate/clinics", interval="month")).json()
    picture = await seen(partner, "clabsi-rate/clinics.svg")
    variation = (await seen(partner, "clabsi-rate/variation", interval="month")).json()

    clinics = {each["clinic"]: each for each in answer["clinics"]}
    epsilon = clinics["epsilon"]
    assert answer["target"] == answer["benchmarks"]["network"] == pytest.approx(8.0)
    assert answer["benchmarks"]["median_clinic"] == 4.0
    assert answer["interval_method"] == "exact-poisson"
    assert (epsilon["n"], epsilon["d"], epsilon["value"]) == (72, 3000, 24.0)
    assert (epsilon["lower"], epsilon["upper"]) == pytest.approx(
        (56.34 / 3, 90.67 / 3), abs=0.01
    )
    assert (epsilon["rank"], epsilon["rank_first"], epsilon["rank_last"]) == (5, 5, 5)
    alpha = clinics["alpha"]
    assert (alpha["rank"], alpha["rank_first"], alpha["rank_last"]) == (1, 1, 4)
    assert alpha["limits"]["denominator"] == 3000
    assert "not the mean of its clinics'" in answer["pooling"]
    assert "Exposure (denominator)" in picture.text
    told = [point for point in variation["points"] if point["clinics"]]
    assert [point["clinics"] for point in told] == [5, 5, 5]
    for point in told:
        assert 0 < point["lower"] < point["between"] < point["upper"]
        assert point["remarks"] == []


async def test_partners_see_released_rates_and_no_single_hidden_clinic(
    hub: Hub, network: Network
):
    """
    Epsilon has 2 events a month, so two others hide beside it: 50 less 24 is of three.

    A month's total is 50 in 15,000 line days, 3.33 per 1,000; each clinic sees itself.
    """
    callers = await four_clinics(network)
    partner = network.partner()
    count(hub)
    with write_session(hub.engine) as session:
        releases.publish(session, hub)

    total = await seen(partner, "clabsi-rate/series", interval="month")
    month = {p["interval_start"][:7]: p for p in total.json()["points"]}[LOCKED[0]]
    shown = {}
    for name in callers:
        answer = await seen(partner, "clabsi-rate/series", clinic=name)
        by_start = {p["interval_start"][:7]: p for p in answer.json()["points"]}
        shown[name] = by_start[LOCKED[0]]["n"]
    own = await months(callers["epsilon"])

    assert total.json()["measure"]["per"] == 1000
    assert (month["n"], month["d"], round(month["value"], 4)) == (50, 15_000, 3.3333)
    assert month["population"] is None
    assert sorted(shown.values(), key=str) == [12, 12, None, None, None]
    assert shown["epsilon"] is None
    assert own[LOCKED[0]][:2] == (2, 3000)


async def test_a_rate_has_a_u_chart_as_numbers(hub: Hub, ehr: Caller):
    """
    Twelve months of 2 in 1,000 line days: centre line 2, upper limit 2 + 3 sqrt(2).

    Its picture is on the same scale.
    """
    for number in range(1, 13):
        await ehr.post(report(2, 1000, period=whole(2025, number)))
    count(hub)

    answer = await seen(
        ehr,
        "clabsi-rate/chart",
        clinic="alpha",
        **{"from": "2025-01-01", "to": "2025-12-31"},
    )
    picture = await seen(ehr, "clabsi-rate/chart.svg", clinic="alpha")

    chart = answer.json()
    assert chart["chart"] == "u", chart
    assert {point["value"] for point in chart["points"]} == {2.0}
    assert chart["points"][0]["center_line"] == 2.0
    assert chart["points"][0]["upper_limit"] == pytest.approx(2 + 3 * 2**0.5)
    assert picture.status_code == 200
    assert "per 1,000" in picture.text


async def test_the_pages_and_the_catalogue_hold_beside_such_measures(
    hub: Hub, network: Network, client: httpx.AsyncClient
):
    """The catalogue tells them; the dashboard leaves them out."""
    await four_clinics(network)
    partner = network.partner()
    count(hub)
    with write_session(hub.engine) as session:
        releases.publish(session, hub)

    token = await partner.fresh_token("system/Measure.rs")
    catalogue = await client.get("/v1/measures", headers=bearer(token))
    one = await client.get("/v1/measures/clabsi-rate", headers=bearer(token))
    overview = await client.get("/")
    page = await client.get("/measures/clabsi-rate")

    listed = {each["id"]: each for each in catalogue.json()["measures"]}
    assert listed["clabsi-rate"]["basis"] == "summaries"
    assert "1,000" in one.json()["explanation"]
    assert overview.status_code == 200
    assert "CLABSI" not in overview.text
    assert page.status_code == 404


async def test_a_refresh_makes_the_same_numbers_again(hub: Hub, ehr: Caller):
    """What is kept is enough: the integer rows can be thrown away."""
    await ehr.post(line_days(412))
    await ehr.post(report(3, 900))
    count(hub)
    before = kept(hub)
    with write_session(hub.engine) as session:
        session.connection().execute(text("DELETE FROM summary_fact"))

    counting.refresh(hub)

    assert kept(hub) == before
    assert len(before) == 3


async def test_the_doors_for_all_measures_hold_beside_such_ones(hub: Hub, ehr: Caller):
    """Reports as FHIR has them tell rates; the page of data quality goes on."""
    await ehr.post(report(2, 800))
    await ehr.post(infection("2024-06-03"))
    count(hub)

    found = await ehr.read("MeasureReport")
    token = await ehr.fresh_token("system/MeasureReport.rs")
    quality = await ehr.http.get("/v1/quality", headers=bearer(token))

    scores = [
        entry["resource"]["group"][0].get("measureScore", {}).get("value")
        for entry in found.json()["entry"]
        if "clabsi-rate" in entry["resource"]["measure"]
    ]
    assert 2.5 in scores, found.text
    assert quality.status_code == 200, quality.text
