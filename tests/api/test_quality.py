"""What a clinic is told of its own data; each number is counted by hand in the test."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from alembic import command
from sqlalchemy import text

from app.domain.terminology import CONDITION_CLINICAL
from app.measures import assessments
from app.services import recounts as counting
from app.services.hub import Hub
from app.store.migrations import _config, migrate
from app.store.sessions import write_session
from tests.hubs import Caller, Clock, Network, bearer
from tests.make import (
    UCUM,
    batch,
    concept,
    condition,
    encounter,
    lab,
    observation,
    patient,
    put,
    reference,
)

LOINC = "http://loinc.org"
HBA1C = (LOINC, "4548-4")
SYSTOLIC = (LOINC, "8480-6")
NETWORK_CODES = "https://catchment.example/fhir/CodeSystem/network"
PUCAI = (NETWORK_CODES, "pucai-total")
LOCAL = "urn:catchment:local"
WHOLE_YEAR = {"from": "2026-01", "to": "2026-12"}


@pytest.fixture
def clock() -> Clock:
    """It is 1 March 2027: 2026 is closed, but the reports here ask for it by name."""
    clock = Clock()
    clock.now = int(datetime(2027, 3, 1, 12, tzinfo=UTC).timestamp() * 1000)
    return clock


def about(name: str) -> dict:
    return {"subject": reference(f"Patient/{name}")}


def quantity(value: float, unit: str | None) -> dict:
    if unit is None:
        return {"valueQuantity": {"value": value}}
    return {"valueQuantity": {"value": value, "system": UCUM, "code": unit}}


def measured(
    own_id: str,
    code: tuple[str | None, str] | dict,
    value: float,
    unit: str | None,
    *,
    of: str = "p",
    day: str = "2026-06-10",
    **elements: Any,
) -> dict:
    """Return the entry of an Observation."""
    stated: dict[str, Any] = {"effectiveDateTime": day}
    stated["code"] = code if isinstance(code, dict) else concept(*code)
    return put(
        observation(
            id=own_id, **(stated | quantity(value, unit) | about(of) | elements)
        )
    )


def person(name: str = "p", born: str = "1980-05-01", **elements: Any) -> dict:
    return put(patient(id=name, birthDate=born, **elements))


async def deliver(ehr: Caller, *entries: dict) -> None:
    """Send entries of which none is refused."""
    statuses = await ehr.send(batch(*entries))
    assert {status[0] for status in statuses} == {"2"}, statuses


async def asked(caller: Caller, accept: str = "*/*", **wanted: str) -> httpx.Response:
    token = await caller.fresh_token()
    headers = bearer(token) | {"Accept": accept}
    return await caller.http.get("/v1/quality", params=wanted, headers=headers)


async def report(caller: Caller, **wanted: str) -> dict[str, Any]:
    """Return a clinic's report of 2026, or of what is *wanted*."""
    response = await asked(caller, **(wanted or WHOLE_YEAR))
    assert response.status_code == 200, response.text
    return response.json()


def finding(of: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [each for each in of["findings"] if each["finding"] == name]
    return found


def counts(of: dict[str, Any], *names: str) -> list[tuple[int, int]]:
    """Return what was found, and of how many."""
    return [(finding(of, name)["count"], finding(of, name)["of"]) for name in names]


def code_of(report: dict[str, Any], code: tuple[str, str], source: int = 0) -> dict:
    (found,) = [
        each
        for each in report["sources"][source]["codes"]
        if (each["system"], each["code"]) == code
    ]
    return found


async def resolved(ehr: Caller, found: dict[str, Any]) -> list[dict]:
    """Return the examples of a finding, as the clinic reads them."""
    answers = [await ehr.read(f"{found['type']}/{each}") for each in found["examples"]]
    assert all(answer.status_code == 200 for answer in answers)
    return [answer.json() for answer in answers]


def count(hub: Hub) -> None:
    """Let the worker do what waits."""
    counting.register_measures(hub)
    counting.count_new_measures(hub, holder="test")
    while counting.recount_dirty(hub, holder="test"):
        pass


async def series(
    caller: Caller, measure: str
) -> dict[str, tuple[int | None, int | None]]:
    """Return numerator and denominator of each month, as the clinic itself sees it."""
    answer = await caller.http.get(
        f"/v1/measures/{measure}/series",
        params={"clinic": caller.clinic},
        headers=bearer(await caller.fresh_token()),
    )
    assert answer.status_code == 200, answer.text
    return {
        point["interval_start"][:7]: (point["n"], point["d"])
        for point in answer.json()["points"]
    }


async def test_a_code_no_one_mapped_is_counted_and_can_be_looked_up(network: Network):
    """A local code is a digest; which one it is, only the clinic's own record says."""
    ehr = network.ehr()
    both = {
        "coding": [concept(*HBA1C)["coding"][0], {"system": "urn:lab", "code": "A"}]
    }
    await deliver(
        ehr,
        person(),
        measured("a", ("urn:lab", "GLU"), 5, "mmol/L", day="2026-02-01"),
        measured("b", ("urn:lab", "GLU"), 6, "mmol/L", day="2026-02-20"),
        measured("c", both, 7, "%", day="2026-03-01"),
        measured("d", (LOINC, "2160-0"), 1, "mg/dL", day="2026-03-02"),
    )

    answer = await report(ehr)

    (source,) = answer["sources"]
    unmapped = finding(source, "unmapped-code")
    uses = {(code["use"], code["observations"]) for code in source["codes"]}
    months = {m["interval_start"][:7]: m["unmapped"] for m in source["months"]}
    examples = await resolved(ehr, unmapped)
    assert answer["observations"] == 4
    assert (unmapped["count"], unmapped["of"], unmapped["share"]) == (2, 4, 0.5)
    assert uses == {
        ("used", 1),
        ("not-used", 1),
        ("unmapped", 2),  # GLU
        ("unmapped", 1),  # A, beside a code that is known
    }
    assert (months["2026-02"], months["2026-03"]) == (2, 0)
    assert {each["effectiveDateTime"] for each in examples} == {
        "2026-02-01",
        "2026-02-20",
    }
    (local,) = examples[0]["code"]["coding"]
    assert (local["system"], local["code"]) in {
        (code["system"], code["code"]) for code in source["codes"]
    }
    assert "GLU" not in str(answer)


async def test_units_are_told_as_they_were_sent(network: Network):
    """None, one that is no HbA1c's, and two that are: 2 of 6 do not become a value."""
    ehr = network.ehr()
    sent = ["%", "%", "%", "mmol/mol", None, "mg/dL"]
    await deliver(
        ehr,
        person(),
        *(
            measured(f"r{n}", HBA1C, 7 + n, unit, day=f"2026-02-0{n + 1}")
            for n, unit in enumerate(sent)
        ),
        measured("s", PUCAI, 15, None),
        measured("t", PUCAI, 20, "{score}"),
    )

    answer = await report(ehr)

    hba1c, pucai = code_of(answer, HBA1C), code_of(answer, PUCAI)
    assert {unit["unit"]: unit["count"] for unit in hba1c["units"]} == {
        "%": 3,
        "mmol/mol": 1,
        "mg/dL": 1,
        None: 1,
    }
    assert counts(hba1c, "no-unit", "unit-not-convertible") == [(1, 6), (1, 6)]
    assert counts(hba1c, "mixed-units") == [(3, 6)]
    assert counts(pucai, "no-unit", "unit-not-convertible") == [(0, 2), (0, 2)]
    assert "mixed-units" not in {each["finding"] for each in pucai["findings"]}
    assert counts(answer, "no-unit", "unit-not-convertible") == [(1, 8), (1, 8)]
    (without,) = await resolved(ehr, finding(hba1c, "no-unit"))
    assert "code" not in without["valueQuantity"]


async def test_impossible_and_improbable_values_are_flagged_and_kept(
    hub: Hub, network: Network
):
    """86 is no PUCAI; 215 mm[Hg] are improbable at 17, and at 18 they are not."""
    ehr = network.ehr()
    await deliver(
        ehr,
        person("p", born="2008-06-01"),  # 18 in June 2026
        person("q", born="1980-01-01"),
        measured("a", PUCAI, 85, "{score}"),
        measured("b", PUCAI, 86, "{score}", day="2026-06-11"),
        measured("c", SYSTOLIC, 215, "mm[Hg]", day="2026-05-31"),
        measured("d", SYSTOLIC, 215, "mm[Hg]", day="2026-06-01"),
        measured("e", SYSTOLIC, 9999, "mm[Hg]", of="q"),
        measured("f", HBA1C, 160, "mmol/mol", of="q"),  # 16.8 %
        measured("g", HBA1C, 180, "mmol/mol", of="q", day="2026-06-11"),  # 18.6 %
        measured("h", HBA1C, 1e-13, "%", of="q", day="2026-06-12"),  # no value at all
    )
    count(hub)

    answer = await report(ehr)

    kinds = ("impossible-value", "improbable-value")
    assert counts(code_of(answer, PUCAI), *kinds) == [(1, 2), (0, 2)]
    assert counts(code_of(answer, SYSTOLIC), *kinds) == [(1, 3), (1, 3)]
    assert counts(code_of(answer, HBA1C), *kinds) == [(1, 3), (1, 3)]
    assert counts(answer, *kinds) == [(3, 8), (2, 8)]
    (kept,) = await resolved(ehr, finding(code_of(answer, PUCAI), kinds[0]))
    assert kept["valueQuantity"]["value"] == 86


async def test_the_same_value_from_several_records_is_a_duplicate(network: Network):
    """Three records of one value on one day are one and two more; a fourth differs."""
    ehr = network.ehr()
    await deliver(
        ehr,
        person(),
        person("q"),
        *(measured(f"r{n}", HBA1C, 7, "%") for n in range(3)),
        measured("other-value", HBA1C, 7.1, "%"),
        measured("other-day", HBA1C, 7, "%", day="2026-06-11"),
        measured("other-person", HBA1C, 7, "%", of="q"),
    )

    duplicates = finding(await report(ehr), "duplicate")

    assert (duplicates["count"], duplicates["of"]) == (2, 6)
    assert len(duplicates["examples"]) == 2


async def test_how_late_observations_come_is_told(network: Network, clock: Clock):
    """
    January 2026 is locked 60 days after its end, on 2 April: what comes then is late.

    Of delays of 0, 1, 2 and 91 days half are at most 1, and nine in ten at most 91.
    """
    ehr = network.ehr()
    clock.now = int(datetime(2026, 4, 2, 12, tzinfo=UTC).timestamp() * 1000)
    days = ["2026-04-02", "2026-04-01", "2026-03-31", "2026-01-01"]
    await deliver(
        ehr,
        person(),
        *(measured(f"r{n}", HBA1C, 7, "%", day=day) for n, day in enumerate(days)),
    )

    answer = await report(ehr)

    (source,) = answer["sources"]
    late = finding(source, "late")
    (example,) = await resolved(ehr, late)
    assert source["delay"] == {"p50": 1, "p90": 91}
    assert (late["count"], late["of"]) == (1, 4)
    assert example["effectiveDateTime"] == "2026-01-01"
    assert source["last_received_at"] == "2026-04-02T12:00:00Z"


async def test_a_day_before_the_lock_is_not_late(network: Network, clock: Clock):
    """On 1 April January is still open."""
    ehr = network.ehr()
    clock.now = int(datetime(2026, 4, 1, 12, tzinfo=UTC).timestamp() * 1000)
    await deliver(ehr, person(), measured("r", HBA1C, 7, "%", day="2026-01-01"))

    assert counts(await report(ehr), "late") == [(0, 1)]


async def test_dates_that_cannot_be_right_are_told_whatever_their_month(
    network: Network,
):
    """Before birth, after death and to come lie in no window that anyone asks for."""
    ehr = network.ehr()
    await deliver(
        ehr,
        person("p", born="2010-03-05"),
        person("q", born="1950-01-01", deceasedDateTime="2026-02-10"),
        measured("born", PUCAI, 10, "{score}", day="2010-03-01"),  # same month
        measured("unborn", PUCAI, 10, "{score}", day="2010-02-28"),
        measured("dying", HBA1C, 7, "%", of="q", day="2026-02-20"),
        measured("dead", HBA1C, 7, "%", of="q", day="2026-03-01"),
        measured("tomorrow", HBA1C, 7, "%", of="q", day="2027-03-02"),
        measured("typo", PUCAI, 10, "{score}", day="2062-06-10"),
    )

    answer = await report(ehr)

    # In 2026: dying, dead. For their dates: unborn, typo; tomorrow, since q is dead.
    assert answer["observations"] == 5
    names = ("before-birth", "after-death", "in-the-future")
    assert counts(answer, *names) == [(1, 5), (2, 5), (1, 5)]
    (unborn,) = await resolved(ehr, finding(answer, "before-birth"))
    (typo,) = await resolved(ehr, finding(answer, "in-the-future"))
    assert unborn["effectiveDateTime"] == "2010-02-28"
    assert typo["effectiveDateTime"] == "2062-06-10"


async def test_what_was_in_the_future_when_it_came_stays_told(
    network: Network, clock: Clock
):
    """The day has passed since, but nobody can have measured it before."""
    ehr = network.ehr()
    clock.now = int(datetime(2026, 5, 1, tzinfo=UTC).timestamp() * 1000)
    await deliver(ehr, person(), measured("r", HBA1C, 7, "%", day="2026-06-10"))
    clock.pass_seconds(300 * 24 * 3600)

    assert counts(await report(ehr), "in-the-future") == [(1, 1)]


async def test_a_birth_after_an_event_is_told_of_the_person(network: Network):
    """One wrong birth date explains a condition, a visit and a value at once."""
    ehr = network.ehr()
    await deliver(
        ehr,
        person("p", born="2026-05-01"),
        person("q", born="2010-05-01"),
        measured("r", PUCAI, 10, "{score}", day="2026-04-10"),
        put(condition(id="c", onsetDateTime="2025-11-01", **about("p"))),
        put(encounter(id="v", period={"start": "2026-04-10"}, **about("p"))),
        put(condition(id="d", onsetDateTime="2025-11-01", **about("q"))),
    )

    answer = await report(ehr)

    assert counts(
        answer,
        "before-birth",
        "condition-before-birth",
        "visit-before-birth",
        "birth-after-an-event",
    ) == [(1, 1), (1, 2), (1, 1), (1, 2)]
    (born,) = await resolved(ehr, finding(answer, "birth-after-an-event"))
    assert (born["resourceType"], born["birthDate"]) == ("Patient", "2026-05")
    for name in ("condition-before-birth", "visit-before-birth"):
        assert len(await resolved(ehr, finding(answer, name))) == 1


async def test_what_lies_before_birth_never_counts(hub: Hub, network: Network):
    """A value of the month before birth is not in force in the months after it."""
    ehr = network.ehr()
    colitis = concept("http://hl7.org/fhir/sid/icd-10-cm", "K51.90")
    ill = condition(id="c", code=colitis, onsetDateTime="2025-11-01", **about("p"))
    await deliver(
        ehr,
        person("p", born="2026-05-01"),
        put(ill),
        measured("r", PUCAI, 5, "{score}", day="2026-04-10"),
    )
    count(hub)

    assert set((await series(ehr, "uc-remission")).values()) <= {(None, None), (0, 0)}


async def test_a_score_whose_joint_count_names_a_visit_before_birth_counts(
    hub: Hub, network: Network, monkeypatch: pytest.MonkeyPatch
):
    """Its parts are of one day; what was counted otherwise before an update is not."""
    ehr = network.ehr()
    arthritis = concept("http://hl7.org/fhir/sid/icd-10-cm", "M08.30")
    visit = encounter(id="v", period={"start": "2026-04-10"}, **about("p"))
    await deliver(
        ehr,
        person("p", born="2026-05-01"),
        put(condition(id="c", code=arthritis, onsetDateTime="2026-05", **about("p"))),
        put(visit),
        *(
            measured(code, (LOINC, code), 0, "{score}", day="2026-05-10")
            for code in ("75846-6", "75894-6")
        ),
        measured(
            "joints",
            (NETWORK_CODES, "active-joint-count"),
            0,
            "{count}",
            day="2026-05-10",
            encounter=reference("Encounter/v"),
        ),
    )
    with monkeypatch.context() as before:
        before.setattr(assessments, "is_since_birth", "{0}.month > 0".format)
        count(hub)
        assert (1, 1) not in (await series(ehr, "jia-inactive-disease")).values()

    with hub.engine.connect() as connection:
        command.downgrade(_config(connection), "0021")
        connection.commit()
    migrate(hub.engine)
    count(hub)

    assert (1, 1) in (await series(ehr, "jia-inactive-disease")).values()


async def test_a_condition_that_ends_before_it_begins_is_no_fact_and_is_told(
    hub: Hub, network: Network
):
    """It counts nowhere; one that was over within its first month is no error."""
    ehr = network.ehr()
    colitis = concept("http://hl7.org/fhir/sid/icd-10-cm", "K51.90")

    def ill(own_id: str, name: str, onset: str, abatement: str | None) -> dict:
        dates: dict[str, Any] = {"onsetDateTime": onset}
        if abatement is not None:
            over = concept(CONDITION_CLINICAL, "resolved")
            dates |= {"abatementDateTime": abatement, "clinicalStatus": over}
        return put(condition(id=own_id, code=colitis, **dates, **about(name)))

    await deliver(
        ehr,
        person("p", born="2010-01"),
        person("q", born="2010-01"),
        ill("reversed", "p", "2026-03-20", "2026-03-02"),
        ill("short", "p", "2026-03-02", "2026-03-20"),
        ill("vague", "q", "2026-03-02", "2026"),
        ill("active", "q", "2026-03-02", None),
        measured("r", PUCAI, 5, "{score}", of="p", day="2026-03-10"),
        measured("s", PUCAI, 5, "{score}", of="q", day="2026-03-10"),
    )
    count(hub)

    found = finding(await report(ehr), "condition-ends-before-it-begins")

    assert (found["type"], found["count"], found["of"]) == ("Condition", 1, 4)
    (example,) = await resolved(ehr, found)
    assert example["abatementDateTime"] == "2026-03-02"
    assert (await series(ehr, "uc-remission"))["2026-03"] == (1, 1)  # q alone


async def test_an_observation_without_a_day_is_told_to_count_nowhere(network: Network):
    """It is kept; but no measure can say when it was."""
    ehr = network.ehr()
    await deliver(
        ehr,
        person(),
        measured("a", HBA1C, 7, "%", day="2026-03"),
        measured("b", HBA1C, 7, "%", status="preliminary"),
        measured("c", HBA1C, 7, "%"),
    )

    answer = await report(ehr)

    assert counts(answer, "not-countable") == [(2, 3)]
    assert answer["observations"] == 1


async def test_a_month_without_anything_is_null_with_a_reason(network: Network):
    """Never 0, and never left out: it may be a delivery that was lost."""
    ehr = network.ehr()
    visit = encounter(id="v", period={"start": "2026-05-10"}, **about("p"))
    await deliver(
        ehr,
        person(),
        measured("a", HBA1C, 7, "%", day="2026-03-01"),
        put(visit),
        measured("b", HBA1C, 7, "%", day="2026-06-01"),
        measured("typo", HBA1C, 7, "%", day="1926-06-01"),
    )

    months = (await report(ehr))["months"]

    assert [m["interval_start"] for m in months] == [
        f"2026-{n:02d}-01" for n in range(1, 13)
    ]
    told = [(m["observations"], m["visits"], m["reason"]) for m in months]
    assert told[:7] == [
        (None, None, "before-the-first"),
        (None, None, "before-the-first"),
        (1, 0, None),
        (None, None, "missing"),
        (0, 1, None),
        (1, 0, None),
        (None, None, "after-the-last"),
    ]


async def test_a_visit_is_captured_where_a_value_is_asked_for(network: Network):
    """By the encounter that a value names, or else by its day; a local code is none."""
    ehr = network.ehr()

    def visit(own_id: str, day: str, kind: str = "AMB") -> dict:
        act = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
        class_ = {"system": act, "code": kind}
        period = {"start": day}
        return put(
            encounter(id=own_id, period=period, **about("p"), **{"class": class_})
        )

    at_first: dict[str, Any] = {"encounter": reference("Encounter/named")}
    await deliver(
        ehr,
        person(),
        visit("named", "2026-02-01"),
        visit("by-day", "2026-02-03"),
        visit("local", "2026-02-05"),
        visit("empty", "2026-02-07"),
        visit("inpatient", "2026-02-09", "IMP"),
        measured("a", HBA1C, 7, "%", day="2026-02-02", **at_first),
        measured("b", HBA1C, 7, "%", day="2026-02-03"),
        measured("c", ("urn:lab", "GLU"), 7, "mmol/L", day="2026-02-05"),
    )

    answer = await report(ehr)

    assert answer["visit_capture"] == {
        "recorded": 4,
        "with_value": 2,
        "share": 0.5,
        "expected": None,
        "captured": None,
        "reason": "no expected number declared",
    }
    without = finding(answer, "visit-without-a-value")
    days = {v["period"]["start"] for v in await resolved(ehr, without)}
    assert days == {"2026-02-05", "2026-02-07"}


async def test_what_was_refused_is_told_by_issue_and_element(network: Network):
    """And by source, never with what stood there."""
    ehr = network.ehr()
    bad = lab(7, id="bad", **about("p")) | {"status": "SECRET"}
    no_date = lab(7, id="odd", **about("p"), effectiveDateTime="soon")
    for resource in (bad, no_date, bad):
        assert (await ehr.put(resource)).status_code >= 400

    answer = await report(ehr)

    (source,) = answer["sources"]
    told = {(r["issue_type"], r["element"]): r["count"] for r in source["refusals"]}
    assert len(told) == 2
    assert told["code-invalid", "Observation.status"] == 1
    assert "SECRET" not in str(answer)


async def test_each_source_of_a_clinic_is_told_apart(network: Network):
    """The laboratory's codes are not the EHR's; the clinic's totals hold both."""
    ehr = network.ehr()
    lab_system = network.ehr("alpha-lab", clinic="alpha", source="lab", base_urls=())
    await deliver(ehr, person(), measured("a", HBA1C, 7, "%"))
    await deliver(
        lab_system,
        person(),
        measured("a", ("urn:lab", "A1C"), 7, "%", day="2026-06-11"),
    )

    answer = await report(ehr)

    told = {s["source"]: counts(s, "unmapped-code") for s in answer["sources"]}
    assert told == {"ehr": [(0, 1)], "lab": [(1, 1)]}
    assert counts(answer, "unmapped-code") == [(1, 2)]
    assert (await report(lab_system)) == answer


async def fill(
    network: Network, clinic: str, *, people: int = 5, unmapped: int = 0
) -> Caller:
    """Return a clinic of so many people with ten observations each, some unmapped."""
    ehr = network.ehr(f"{clinic}-ehr")
    names = [f"p{n}" for n in range(people)]
    local = ("urn:lab", "GLU")
    for name in names:
        codes: Sequence[tuple] = [local] * unmapped + [HBA1C] * (10 - unmapped)
        results = [
            measured(f"{name}-{n}", code, 7, "%", of=name, day=f"2026-06-{n + 10}")
            for n, code in enumerate(codes)
        ]
        await deliver(ehr, person(name), *results)
    return ehr


async def test_each_share_stands_against_the_networks_quartiles(network: Network):
    """Of 0, 10, 20 and 60 % the quartiles are 7.5, 15 and 30 %; no clinic is named."""
    ehr = await fill(network, "alpha", unmapped=2)
    for clinic, unmapped in {"beta": 0, "gamma": 1, "delta": 6}.items():
        await fill(network, clinic, unmapped=unmapped)
    await fill(network, "tiny", people=4, unmapped=9)

    answer = (await asked(ehr)).json()

    found = finding(answer, "unmapped-code")
    assert found["share"] == 0.2
    assert found["network"] == {
        "clinics": 4,
        "lower_quartile": pytest.approx(0.075, abs=0.005001),
        "median": 0.15,
        "upper_quartile": 0.3,
    }
    assert found["reason"] is None
    hba1c = finding(code_of(answer, HBA1C), "duplicate")
    assert hba1c["network"]["clinics"] == 4
    assert not any(name in str(answer) for name in ("beta", "gamma", "delta", "tiny"))


async def test_few_clinics_or_few_people_are_no_network(network: Network):
    """Two clinics, and a third of four people: less than the members' rules ask for."""
    ehr = await fill(network, "alpha")
    await fill(network, "beta")
    await fill(network, "tiny", people=4)

    found = finding((await asked(ehr)).json(), "unmapped-code")

    assert (found["network"], found["reason"]) == (None, "few-clinics")


async def test_a_share_about_few_people_is_in_no_quartile(network: Network):
    """Of 5 people one has a PUCAI: what is said of PUCAIs is about that one alone."""
    ehr = await fill(network, "alpha")
    others = [await fill(network, clinic) for clinic in ("beta", "gamma")]
    for each in (ehr, *others):
        await deliver(
            each,
            measured("one", PUCAI, 86, "{score}", of="p0"),
            put(condition(id="c", onsetDateTime="2020", **about("p0"))),
        )

    answer = (await asked(ehr)).json()

    pucai = finding(code_of(answer, PUCAI), "impossible-value")
    hba1c = finding(code_of(answer, HBA1C), "impossible-value")
    reversed_ = finding(answer, "condition-ends-before-it-begins")
    assert (pucai["share"], pucai["reason"]) == (1.0, "few-clinics")
    assert (reversed_["of"], reversed_["reason"]) == (1, "few-clinics")
    assert hba1c["network"]["clinics"] == 3


async def test_a_clinic_that_is_onboarding_is_not_in_the_network(
    hub: Hub, network: Network
):
    """But it sees where it would stand."""
    ehr = await fill(network, "alpha", unmapped=10)
    for clinic in ("beta", "gamma", "delta"):
        await fill(network, clinic)
    with write_session(hub.engine) as session:
        onboarding = "UPDATE clinic SET status = 'onboarding' WHERE code = 'alpha'"
        session.connection().execute(text(onboarding))

    found = finding((await asked(ehr)).json(), "unmapped-code")

    assert (found["share"], found["network"]["clinics"]) == (1.0, 3)
    assert found["network"]["upper_quartile"] == 0.0


async def test_another_window_does_not_stand_against_the_network(network: Network):
    """Else two windows a month apart would tell what one clinic sent in that month."""
    ehr = await fill(network, "alpha")
    for clinic in ("beta", "gamma"):
        await fill(network, clinic)

    usual = (await asked(ehr)).json()
    other = await report(ehr)
    same = await report(ehr, **{"from": "2026-01", "to": "2026-12-31"})

    assert (usual["interval_start"], usual["interval_end"]) == (
        "2025-12-01",
        "2026-12-01",
    )
    year = await report(ehr, to="2026-06")

    assert (year["interval_start"], year["interval_end"]) == (
        "2025-07-01",
        "2026-07-01",
    )
    assert finding(other, "duplicate")["reason"] == "other-window"
    assert other == same
    local = await fill(network, "epsilon", unmapped=1)
    codes = (await asked(local)).json()["sources"][0]["codes"]
    (digest,) = [code for code in codes if code["system"] == LOCAL]
    assert {each["reason"] for each in digest["findings"]} == {"own-code"}


async def test_the_networks_shares_are_remembered_for_an_hour(
    network: Network, clock: Clock
):
    """What a clinic sends moves its own number at once, the others' within the hour."""
    ehr = await fill(network, "alpha")
    beta = await fill(network, "beta")
    await fill(network, "gamma")
    first = finding((await asked(ehr)).json(), "unmapped-code")
    more = [
        measured(f"m{n}", ("urn:lab", "X"), n, "%", of="p0", day="2026-07-01")
        for n in range(50)
    ]
    await deliver(beta, *more)

    soon = finding((await asked(ehr)).json(), "unmapped-code")
    its_own = finding((await asked(beta)).json(), "unmapped-code")
    clock.pass_seconds(3600)
    later = finding((await asked(ehr)).json(), "unmapped-code")

    assert first["network"]["upper_quartile"] == 0.0
    assert soon == first
    assert its_own["share"] == 0.5
    assert later["network"]["upper_quartile"] == 0.25


async def test_only_a_clinic_is_told_and_only_of_itself(network: Network):
    """A partner, and another clinic, are refused; so is who has no such scope."""
    ehr, other = network.ehr(), network.ehr("beta-ehr")
    partner = network.partner()
    await deliver(ehr, person(), measured("a", HBA1C, 7, "%"))

    refused = await asked(partner)
    foreign = await asked(other, clinic="alpha")
    own = await asked(other, clinic="beta")
    token = await ehr.fresh_token("system/Measure.rs")
    narrow = await ehr.http.get("/v1/quality", headers=bearer(token))
    anonymous = await ehr.http.get("/v1/quality")

    assert [r.status_code for r in (refused, foreign, narrow)] == [403, 403, 403]
    assert refused.headers["content-type"] == "application/problem+json"
    assert anonymous.status_code == 401
    assert own.json()["observations"] == 0


@pytest.mark.parametrize(
    "wanted",
    [
        {"from": "yesterday"},
        {"from": "2026-13"},
        {"from": "0000-02", "to": "0000-03"},
        {"from": "2026-06", "to": "2026-05"},
        {"from": "2001-01", "to": "2026-05"},
    ],
)
async def test_a_window_that_makes_no_sense_is_refused(network: Network, wanted: dict):
    """With what is wrong, and in the format of the door."""
    response = await asked(network.ehr(), **wanted)

    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"


async def test_the_report_comes_as_csv_too(network: Network):
    """A line for each finding: of all, of each source, of each of its codes."""
    ehr = await fill(network, "alpha", unmapped=2)
    answer = await report(ehr)

    response = await asked(ehr, accept="text/csv", **WHOLE_YEAR)

    lines = list(csv.DictReader(io.StringIO(response.text)))
    (source,) = answer["sources"]
    parts = [answer, source, *source["codes"]]
    assert response.headers["content-type"].startswith("text/csv")
    assert len(lines) == sum(len(part["findings"]) for part in parts)
    (unmapped,) = [
        line
        for line in lines
        if line["finding"] == "unmapped-code" and not line["source"]
    ]
    assert (unmapped["count"], unmapped["of"], unmapped["share"]) == ("10", "50", "0.2")


async def test_two_values_of_one_day_count_the_same_in_any_order(
    hub: Hub, network: Network
):
    """The lower HbA1c counts, whichever came first; both are kept, as no duplicates."""
    ehrs = [network.ehr(), network.ehr("beta-ehr")]
    diabetes = concept("http://snomed.info/sct", "44054006")
    two = [measured("low", HBA1C, 8.9, "%"), measured("high", HBA1C, 9.4, "%")]
    for ehr, results in zip(ehrs, (two, two[::-1]), strict=True):
        visit = encounter(id="v", period={"start": "2026-06-10"}, **about("p"))
        ill = condition(id="c", code=diabetes, onsetDateTime="2020", **about("p"))
        await deliver(ehr, person(), put(ill), put(visit))
        for result in results:
            await deliver(ehr, result)
            count(hub)

    first, second = [await series(ehr, "hba1c-poor-control") for ehr in ehrs]

    assert first == second
    assert first["2026-06"] == (0, 1)
    assert counts(await report(ehrs[0]), "duplicate") == [(0, 2)]


async def test_mmol_per_mol_and_per_cent_count_alike(hub: Hub, network: Network):
    """75 mmol/mol are 9.01 %, which is above 9; 74 are 8.92 %, which is not."""
    diabetes = concept("http://snomed.info/sct", "44054006")
    results = {"a": (75, "mmol/mol"), "b": (9.01, "%"), "c": (74, "mmol/mol")}
    ehr = network.ehr()
    for name, (value, unit) in results.items():
        visit = encounter(id=f"v-{name}", period={"start": "2026-06-10"}, **about(name))
        ill = condition(
            id=f"c-{name}", code=diabetes, onsetDateTime="2020", **about(name)
        )
        result = measured(f"r-{name}", HBA1C, value, unit, of=name)
        await deliver(ehr, person(name), put(ill), put(visit), result)
    count(hub)

    assert (await series(ehr, "hba1c-poor-control"))["2026-06"] == (2, 3)
    assert counts(await report(ehr), "mixed-units", "unit-not-convertible") == [
        (1, 3),
        (0, 3),
    ]


async def test_who_moves_counts_at_each_clinic_by_its_own_data(
    hub: Hub, network: Network
):
    """Two subjects: what the second clinic finds changes nothing at the first."""
    before, after = network.ehr(), network.ehr("beta-ehr")
    diabetes = concept("http://snomed.info/sct", "44054006")
    for ehr, value, day in ((before, 10, "2026-02-10"), (after, 7, "2026-06-10")):
        visit = encounter(id="v", period={"start": day}, **about("p"))
        ill = condition(id="c", code=diabetes, onsetDateTime="2020", **about("p"))
        result = measured("r", HBA1C, value, "%", day=day)
        await deliver(ehr, person(), put(ill), put(visit), result)
    count(hub)

    old = await series(before, "hba1c-poor-control")
    new = await series(after, "hba1c-poor-control")

    assert (old["2026-02"], old["2026-06"], old["2027-01"]) == ((1, 1), (1, 1), (1, 1))
    assert (old["2027-02"], new["2026-06"]) == ((None, None), (0, 1))
    assert (await report(before))["observations"] == 1
