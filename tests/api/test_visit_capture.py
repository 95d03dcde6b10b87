"""Visits recorded beside visits declared; each number is counted by hand."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from app.services import releases
from app.services.hub import Hub
from app.store.sessions import write_session
from tests.api.test_counting import DIABETES, count, result
from tests.hubs import Caller, Clock, Network, bearer
from tests.make import (
    batch,
    concept,
    condition,
    delete,
    encounter,
    patient,
    put,
    reference,
)

NETWORK_CODES = "https://catchment.example/fhir/CodeSystem/network"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
MEASURE = "hba1c-poor-control"
NOT_DECLARED = "no expected number declared"
FIELDS = (
    "visits_recorded",
    "visits_expected",
    "visit_capture",
    "visit_capture_reason",
)


@pytest.fixture
def clock() -> Clock:
    """It is 1 June 2026: the first quarter is over."""
    clock = Clock()
    clock.now = int(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp() * 1000)
    return clock


def declared(number: float, month: str, **elements: Any) -> dict:
    """Return how many visits the clinic had in a *month*."""
    stated = {
        "resourceType": "Observation",
        "status": "final",
        "code": concept(NETWORK_CODES, "expected-visits"),
        "subject": reference("Location/clinic"),
        "effectiveDateTime": month,
        "valueQuantity": {"value": number, "unit": "{visits}"},
    }
    return stated | elements


def visit(own_id: str, name: str, day: str, kind: str = "AMB") -> dict:
    return put(
        encounter(
            id=own_id,
            period={"start": day},
            subject=reference(f"Patient/{name}"),
            **{"class": {"system": ACT, "code": kind}},
        )
    )


def person(name: str) -> list[dict]:
    about = {"subject": reference(f"Patient/{name}")}
    return [
        put(patient(id=name, birthDate="1980-05-01")),
        put(condition(id=f"{name}-dm", code=DIABETES, onsetDateTime="2020", **about)),
    ]


@pytest.fixture
async def ehr(hub: Hub, network: Network) -> Caller:
    """
    A clinic with four visits in January, one in February and three in March 2026.

    January: of ann on 10 and 20, of bob on 10, and of cat, who has no diabetes, on 5.
    Two encounters of ann are of the 10th, and one of bob was in a ward.
    """
    ehr = network.ehr()
    await ehr.send(
        batch(
            *person("ann"),
            *person("bob"),
            put(patient(id="cat", birthDate="1980-05-01")),
            visit("ann-1", "ann", "2026-01-10"),
            visit("ann-2", "ann", "2026-01-10"),
            visit("ann-3", "ann", "2026-01-20"),
            visit("bob-1", "bob", "2026-01-10"),
            visit("bob-2", "bob", "2026-01-11", "IMP"),
            visit("cat-1", "cat", "2026-01-05"),
            visit("ann-4", "ann", "2026-02-03"),
            visit("ann-5", "ann", "2026-03-03"),
            visit("ann-6", "ann", "2026-03-04"),
            visit("bob-3", "bob", "2026-03-03"),
            put(result("ann", 7.4, day="2026-01-10", own_id="ann-r")),
        )
    )
    count(hub)
    return ehr


async def declare(ehr: Caller, *numbers: dict) -> None:
    for each in numbers:
        response = await ehr.post(each)
        assert response.status_code == 201, response.text


async def ask(
    caller: Caller, path: str, accept: str = "application/json", **parameters: str
) -> httpx.Response:
    token = await caller.fresh_token("system/Measure.rs system/MeasureReport.rs")
    response = await caller.http.get(
        path, params=parameters, headers=bearer(token) | {"Accept": accept}
    )
    assert response.status_code == 200, response.text
    return response


async def captured(
    caller: Caller, measure: str = MEASURE, what: str = "series", **parameters: str
) -> dict[str, tuple]:
    """Return what is told of visits, by the month in which an interval begins."""
    path = f"/v1/measures/{measure}/{what}"
    points = (await ask(caller, path, **parameters)).json()["points"]
    return {p["interval_start"][:7]: tuple(p[f] for f in FIELDS) for p in points}


async def test_visits_recorded_stand_beside_those_declared(ehr: Caller):
    """Four of five; a person and day is one visit, whoever it was, but not a ward's."""
    await declare(ehr, declared(5, "2026-01"), declared(2, "2026-03"))

    found = await captured(ehr, clinic="alpha")

    assert found["2026-01"] == (4, 5, 0.8, None)
    assert found["2026-02"] == (1, None, None, NOT_DECLARED)
    assert found["2026-03"] == (3, 2, 1.5, None), "more than declared is told as it is"
    assert found["2026-04"] == (0, None, None, NOT_DECLARED)


async def test_a_quarter_needs_each_of_its_months(ehr: Caller):
    """Eight recorded visits of two declared months would look complete."""
    await declare(ehr, declared(5, "2026-01"), declared(2, "2026-03"))
    before = await captured(ehr, clinic="alpha", interval="quarter")
    await declare(ehr, declared(9, "2026-02"))
    after = await captured(ehr, clinic="alpha", interval="quarter")

    assert before["2026-01"] == (8, None, None, NOT_DECLARED)
    assert after["2026-01"] == (8, 16, 0.5, None)


async def test_it_stands_in_charts_and_by_no_stratum(ehr: Caller):
    """Visits are declared of the clinic, not of its people from 45 to 64."""
    await declare(ehr, *(declared(5, f"2026-0{n}") for n in (1, 2, 3)))

    chart = await captured(ehr, what="chart", clinic="alpha")
    stratum = await captured(ehr, clinic="alpha", stratum="age:45-65")

    assert chart["2026-01"] == (4, 5, 0.8, None)
    whole = "declared of the whole clinic only"
    assert stratum["2026-01"] == (None, None, None, whole)


async def test_wards_are_added_up_and_a_correction_replaces(ehr: Caller):
    """Each ward declares its own; what was sent with an id is sent again."""
    ward = {"id": "ward", "subject": reference("Group/ward")}
    await declare(ehr, declared(3, "2026-01"))
    assert (await ehr.put(declared(4, "2026-01", **ward))).status_code == 201
    both = await captured(ehr, clinic="alpha")
    assert (await ehr.put(declared(5, "2026-01", **ward))).status_code == 200
    corrected = await captured(ehr, clinic="alpha")
    await ehr.send(batch(delete("Observation/ward")))
    withdrawn = await captured(ehr, clinic="alpha")

    assert both["2026-01"] == (4, 7, 4 / 7, None)
    assert corrected["2026-01"] == (4, 8, 0.5, None)
    assert withdrawn["2026-01"] == (4, 3, 4 / 3, None)


async def test_a_withdrawn_visit_is_no_visit(ehr: Caller, hub: Hub):
    """Nor is an encounter that a result names and nobody sent."""
    named = result("bob", 8, day="2026-01-25", own_id="b")
    await declare(ehr, declared(5, "2026-01"))
    await ehr.send(
        batch(
            delete("Encounter/ann-3"),
            put(named | {"encounter": reference("Encounter/to-come")}),
        )
    )
    count(hub)

    found = await captured(ehr, clinic="alpha")

    assert found["2026-01"] == (3, 5, 0.6, None)


async def test_no_visit_expected_gives_no_share(ehr: Caller):
    """A clinic that was closed says 0; in a unit of something else it says nothing."""
    days = {"valueQuantity": {"value": 3, "unit": "d"}}
    await declare(ehr, declared(0, "2026-01"), declared(3, "2026-02", **days))

    found = await captured(ehr, clinic="alpha")

    assert found["2026-01"] == (4, 0, None, "no visit expected")
    assert found["2026-02"] == (1, None, None, NOT_DECLARED)


async def test_csv_and_the_quality_report_tell_it_too(ehr: Caller):
    """Eight of sixteen, one of them with a value; a month more was not declared."""
    numbers = {"2026-01": 5, "2026-02": 9, "2026-03": 2}
    await declare(ehr, *(declared(n, month) for month, n in numbers.items()))
    window = {"from": "2026-01", "to": "2026-03"}

    lines = await ask(ehr, f"/v1/measures/{MEASURE}/series", "text/csv", clinic="alpha")
    told = (await ask(ehr, "/v1/quality", **window)).json()["visit_capture"]
    longer = (await ask(ehr, "/v1/quality", **window | {"to": "2026-04"})).json()
    quality = await ask(ehr, "/v1/quality", "text/csv", **window)

    january = next(csv.DictReader(io.StringIO(lines.text)))
    assert [january[field] for field in FIELDS] == ["4", "5", "0.8", ""]
    assert told == {
        "recorded": 8,
        "with_value": 1,
        "share": 0.125,
        "expected": 16,
        "captured": 0.5,
        "reason": None,
    }
    assert longer["visit_capture"]["captured"] is None
    assert longer["visit_capture"]["reason"] == NOT_DECLARED
    each = list(csv.DictReader(io.StringIO(quality.text)))
    assert {tuple(line[f] for f in FIELDS) for line in each} == {("8", "16", "0.5", "")}


async def test_another_clinic_is_told_nothing_of_it(
    hub: Hub, network: Network, ehr: Caller
):
    """Not of its own either, by what this one declares; nor is a release."""
    other = network.ehr("beta", clinic="beta")
    await declare(ehr, declared(5, "2026-01"))
    await other.send(batch(*person("dan"), visit("v", "dan", "2026-01-07")))
    count(hub)
    with write_session(hub.engine) as session:
        releases.publish(session, hub)

    own = await captured(other, clinic="beta")
    released = await captured(other)

    assert own["2026-01"] == (1, None, None, NOT_DECLARED)
    assert released
    assert set(released.values()) == {(None, None, None, "not published")}
