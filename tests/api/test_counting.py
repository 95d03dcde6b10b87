"""From a delivery to a live number, and what each caller sees of it."""

from random import Random
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.counts import COUNTS, Interval
from app.services import recounts as counting
from app.services import releases
from app.services.hub import Hub
from app.store import recounts
from app.store.sessions import read_session, write_session
from tests.hubs import Caller, Network, bearer
from tests.make import batch, condition, encounter, lab, patient, put, reference

HBA1C = "/v1/measures/hba1c-poor-control"
DIABETES = {"coding": [{"system": "http://snomed.info/sct", "code": "44054006"}]}


def diabetic(name: str, *, born: str = "1970-05-01") -> list[dict]:
    """Return entries about someone with diabetes who was seen in January 2026."""
    about = {"subject": reference(f"Patient/{name}")}
    return [
        put(patient(id=name, birthDate=born)),
        put(condition(id=f"{name}-dm", code=DIABETES, onsetDateTime="2020", **about)),
        put(encounter(id=f"{name}-v", period={"start": "2026-01-10"}, **about)),
    ]


def result(name: str, value: float, *, day: str, own_id: str) -> dict:
    return lab(value, day=day, id=own_id, subject=reference(f"Patient/{name}"))


def count(hub: Hub) -> None:
    """Let the worker do what waits."""
    counting.register_measures(hub)
    counting.count_new_measures(hub, holder="test")
    while counting.recount_dirty(hub, holder="test"):
        pass


async def series(caller: Caller, **parameters: str) -> dict[str, Any]:
    """Return the HbA1c series that *caller* sees, by the start of each interval."""
    token = await caller.fresh_token("system/MeasureReport.rs")
    response = await caller.http.get(
        f"{HBA1C}/series",
        params=parameters,
        headers=bearer(token),
    )
    assert response.status_code == 200, response.text
    return {point["interval_start"]: point for point in response.json()["points"]}


async def test_a_new_result_moves_the_clinics_own_number(hub: Hub, network: Network):
    """One of two diabetics has no HbA1c: poor control 2 of 2, then 1 of 2, then 2."""
    ehr = network.ehr()
    await ehr.send(batch(*diabetic("a"), *diabetic("b")))
    count(hub)
    before = (await series(ehr, clinic="alpha"))["2026-02-01"]

    await ehr.put(result("a", 7.0, day="2026-02-03", own_id="r"))
    count(hub)
    good = (await series(ehr, clinic="alpha"))["2026-02-01"]
    await ehr.put(result("a", 9.5, day="2026-02-03", own_id="r"))
    count(hub)
    poor = (await series(ehr, clinic="alpha"))["2026-02-01"]

    assert (before["n"], before["d"], before["completeness"]) == (2, 2, 0.0)
    assert (good["n"], good["d"], good["completeness"]) == (1, 2, 0.5)
    assert (poor["n"], poor["d"]) == (2, 2)


async def test_a_withdrawn_result_no_longer_counts(hub: Hub, network: Network):
    """DELETE takes it out of the live numbers, a later delivery brings it back."""
    ehr = network.ehr()
    good = result("a", 7.0, day="2026-02-03", own_id="r")
    await ehr.send(batch(*diabetic("a"), put(good)))

    await ehr.delete("Observation/r")
    count(hub)
    without = (await series(ehr, clinic="alpha"))["2026-02-01"]
    await ehr.put(good)
    count(hub)
    again = (await series(ehr, clinic="alpha"))["2026-02-01"]

    assert (without["n"], without["d"]) == (1, 1)
    assert (again["n"], again["d"]) == (0, 1)


async def test_one_patient_under_two_ids_counts_once(hub: Hub, network: Network):
    """The EHR merged two charts: they were two people until it said so."""
    ehr = network.ehr()
    await ehr.send(batch(*diabetic("a"), *diabetic("b")))
    count(hub)
    two = (await series(ehr, clinic="alpha"))["2026-02-01"]

    link = [{"other": reference("Patient/a"), "type": "replaces"}]
    await ehr.put(patient(id="b", birthDate="1970-05-01", link=link))
    count(hub)
    one = (await series(ehr, clinic="alpha"))["2026-02-01"]

    assert (two["d"], one["d"]) == (2, 1)


@pytest.mark.thorough
async def test_what_is_counted_step_by_step_equals_a_count_from_nothing(
    hub: Hub, network: Network
):
    """200 random writes, corrections, withdrawals and merges, counted now and then."""
    random = Random(7)
    ehr = network.ehr()
    names = [f"p{n}" for n in range(12)]
    await ehr.send(batch(*(e for name in names[:8] for e in diabetic(name))))
    for step in range(200):
        name = random.choice(names)
        day = f"202{random.randrange(4, 7)}-{random.randrange(1, 13):02d}-03"
        own_id = f"{name}-r{random.randrange(3)}"
        choice = random.randrange(10)
        if choice < 6:
            value = random.choice([6.5, 9.0, 9.1, 11.0])
            await ehr.put(result(name, value, day=day, own_id=own_id))
        elif choice < 8:
            await ehr.delete(f"Observation/{own_id}")
        elif choice < 9:
            await ehr.send(batch(*diabetic(name)))
        else:
            link: list[dict] = [{"other": reference(f"Patient/{random.choice(names)}")}]
            link[0]["type"] = "replaces"
            born = f"19{random.randrange(45, 99)}-02"
            await ehr.put(patient(id=name, birthDate=born, link=link))
        if step % 9 == 0:
            count(hub)
    count(hub)
    stepwise = cells_of(hub)

    with write_session(hub.engine) as session:
        for row in recounts.known_measures(session):
            counting.recount_in_full(session, hub, row.id)

    assert stepwise == cells_of(hub)
    assert stepwise


def cells_of(hub: Hub) -> list[tuple]:
    """Return every cell that holds something."""
    some = " OR ".join(f"{name} <> 0" for name in COUNTS)
    with read_session(hub.engine) as session:
        rows = session.connection().execute(text(f"SELECT * FROM cell WHERE {some}"))
        return sorted(map(tuple, rows))


async def test_nothing_is_counted_again_without_news(hub: Hub, network: Network):
    """The same delivery twice leaves nobody to count."""
    ehr = network.ehr()
    delivery = batch(*diabetic("a"), put(result("a", 7, day="2026-02-03", own_id="r")))
    await ehr.send(delivery)
    count(hub)

    await ehr.send(delivery)

    assert counting.recount_dirty(hub, holder="test") == 0


async def test_only_its_own_clinic_sees_live_numbers(hub: Hub, network: Network):
    """Another clinic and a partner see the release, in which a few are suppressed."""
    ehr, other = network.ehr(), network.ehr("beta-ehr")
    partner = network.partner()
    await ehr.send(batch(*(e for n in range(4) for e in diabetic(f"p{n}"))))
    count(hub)
    with write_session(hub.engine) as session:
        releases.publish(session, hub)

    own = await series(ehr, clinic="alpha", interval=Interval.YEAR)
    for stranger in (other, partner):
        seen = await series(stranger, clinic="alpha", interval=Interval.YEAR)
        network_wide = await series(stranger)
        assert all(p["n"] is None and p["reason"] for p in seen.values())
        assert all(p["suppressed"] and p["d"] is None for p in network_wide.values())

    assert own["2026-01-01"]["d"] == 4


async def test_a_clinic_that_is_onboarding_is_in_no_release(hub: Hub, network: Network):
    """It sees itself; to the others it is not there until the coordinator says so."""
    network.ehr()
    partner = network.partner()
    with write_session(hub.engine) as session:
        session.connection().execute(text("UPDATE clinic SET status = 'onboarding'"))
    count(hub)
    with write_session(hub.engine) as session:
        releases.publish(session, hub)

    token = await partner.fresh_token()
    response = await partner.http.get(
        f"{HBA1C}/series",
        params={"clinic": "alpha"},
        headers=bearer(token),
    )

    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "scope", "status"),
    [
        ("/v1/measures", "system/Measure.rs", 200),
        ("/v1/measures", "system/MeasureReport.rs", 403),
        ("/v1/measures/hba1c-poor-control", "system/Measure.rs", 200),
        ("/v1/measures/none-such", "system/Measure.rs", 404),
        (f"{HBA1C}/series", "system/Measure.rs", 403),
        (f"{HBA1C}/series", "system/MeasureReport.rs", 404),
        (f"{HBA1C}/series?from=yesterday", "system/MeasureReport.rs", 400),
        (f"{HBA1C}/series?clinic=none-such", "system/MeasureReport.rs", 404),
        (f"{HBA1C}/series?stratum=height:2", "system/MeasureReport.rs", 404),
        (f"{HBA1C}/chart.gif", "system/MeasureReport.rs", 400),
        ("/v1/releases", "system/MeasureReport.rs", 200),
        ("/v1/releases/7", "system/MeasureReport.rs", 404),
        ("/v1/nowhere", "system/MeasureReport.rs", 404),
    ],
)
async def test_partners_are_answered_by_scope_and_in_problem_documents(
    hub: Hub, network: Network, path: str, scope: str, status: int
):
    """Before anything is released there is a 404, never an empty success."""
    counting.register_measures(hub)
    partner = network.partner()
    token = await partner.fresh_token(scope)

    response = await partner.http.get(path, headers=bearer(token))
    anonymous = await partner.http.get(path)

    assert response.status_code == status, response.text
    if status >= 400:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == status
    assert anonymous.status_code in {401, 404}


async def test_a_refresh_makes_the_same_facts_and_cells_again(
    hub: Hub, network: Network
):
    """What is kept is enough to count from: facts and cells can be thrown away."""
    ehr = network.ehr()
    results = [result("a", 7, day="2026-02-03", own_id=f"r{n}") for n in range(3)]
    await ehr.send(batch(*diabetic("a"), *diabetic("b"), *map(put, results)))
    link = [{"other": reference("Patient/a"), "type": "replaces"}]
    await ehr.put(patient(id="b", birthDate="1970-05-01", link=link))
    count(hub)
    facts, cells = facts_of(hub), cells_of(hub)
    with write_session(hub.engine) as session:
        for table in ("observation", "condition", "visit", "cell"):
            session.connection().execute(text(f"DELETE FROM {table}"))

    counting.refresh(hub)

    assert facts_of(hub) == facts
    assert cells_of(hub) == cells
    assert cells


def facts_of(hub: Hub) -> list[tuple]:
    """Return every fact."""
    with read_session(hub.engine) as session:
        return [
            tuple(row)
            for table in ("observation", "condition", "visit")
            for row in session.connection().execute(
                text(f"SELECT * FROM {table} ORDER BY subject_id, record_id, day")
                if table != "condition"
                else text("SELECT * FROM condition ORDER BY subject_id, record_id")
            )
        ]
