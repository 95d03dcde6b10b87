"""A definition changes: the old one serves until the new one has counted everybody."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.measures.compilation import compile_measure
from app.measures.definitions import Comparison, Measure, Predicate
from app.services import recounts as counting
from app.services import releases
from app.services.hub import Hub
from app.settings import Settings
from app.store import recounts
from app.store.sessions import write_session
from tests.api.test_counting import count, diabetic, result
from tests.hubs import BASE_URL, Caller, Clock, Network, app_of, bearer
from tests.make import batch
from tests.reference.library import LIBRARY

HBA1C = "hba1c-poor-control"
MONTH = "2026-02-01"


def stricter(measure: Measure) -> Measure:
    """Return a version of the measure for which above 8 is poor control, not 9."""
    if measure.id != HBA1C:
        return measure
    missing = Predicate(not_=Predicate(measured="hba1c"))
    poor = Predicate(value=Comparison(of="hba1c", above=8))
    return msgspec.structs.replace(
        measure, version="2.0.0", numerator=Predicate(any=(missing, poor))
    )


@pytest.fixture
def changed(hub: Hub) -> Hub:
    """The hub after a restart with the changed definition; it has not begun."""
    measures = tuple(map(stricter, hub.measures))
    assert measures != hub.measures
    return dataclasses.replace(hub, measures=measures)


@pytest.fixture
async def ehr(network: Network, monkeypatch: pytest.MonkeyPatch) -> Caller:
    """The EHR of a clinic whose four diabetics are counted; a step is one of them."""
    caller = network.ehr()
    for name, value in {"a": 7.0, "b": 8.5, "c": 8.5, "d": 9.5}.items():
        found = result(name, value, day="2026-02-03", own_id=f"{name}-r")
        await caller.send(batch(*diabetic(name)))
        await caller.put(found)
    count(network.hub)
    monkeypatch.setattr(counting, "SUBJECTS_A_STEP", 1)
    return caller


async def seen(hub: Hub, ehr: Caller, settings: Settings) -> tuple[str, str, int, int]:
    """Return the version of the page, that of the series, and n and d, over HTTP."""
    transport = httpx.ASGITransport(app=app_of(hub, settings))
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as http:
        token = await ehr.fresh_token("system/MeasureReport.rs system/Measure.rs")
        asked: dict[str, Any] = {"headers": bearer(token)}
        page = await http.get(f"/v1/measures/{HBA1C}", **asked)
        asked["params"] = {"clinic": "alpha"}
        series = await http.get(f"/v1/measures/{HBA1C}/series", **asked)
    assert (page.status_code, series.status_code) == (200, 200), series.text
    (point,) = (p for p in series.json()["points"] if p["interval_start"] == MONTH)
    version = series.json()["measure"]["version"]
    return page.json()["version"], version, point["n"], point["d"]


def held(hub: Hub) -> dict[str, tuple[bool, int, int]]:
    """Return of each version whether it is served, its subjects and its cells."""
    query = text(
        "SELECT version, counted, (SELECT COUNT(DISTINCT subject_id) FROM subject_event"
        " e WHERE e.measure_id = m.id) AS subjects, (SELECT COUNT(*) FROM cell c WHERE"
        " c.measure_id = m.id) AS cells FROM measure m WHERE code = :code"
    )
    with hub.engine.connect() as connection:
        rows = connection.execute(query, {"code": HBA1C})
        return {r.version: (bool(r.counted), r.subjects, r.cells) for r in rows}


def cells(hub: Hub) -> list[tuple]:
    """Return the cells of the changed definition in which anybody counts."""
    query = text(
        "SELECT c.* FROM cell c JOIN measure m ON m.id = c.measure_id "
        "WHERE m.version = '2.0.0'"
    )
    with hub.engine.connect() as connection:
        return sorted(tuple(r) for r in connection.execute(query) if any(r[6:]))


def steps(hub: Hub) -> Iterator[None]:
    """Do one step after another."""
    while counting.backfill(hub, holder="test"):
        yield


async def test_the_old_definition_serves_until_the_new_one_is_through(
    changed: Hub, ehr: Caller, settings: Settings
):
    """Above 9: 1 of 4. Above 8: 3 of 4. Nobody ever sees something in between."""
    counting.register_measures(changed)
    found = [await seen(changed, ehr, settings)]
    found += [await seen(changed, ehr, settings) for _ in steps(changed)]

    old, new = ("1.0.0", "1.0.0", 1, 4), ("2.0.0", "2.0.0", 3, 4)
    switch = found.index(new)
    assert switch >= 4, "one step for each of them at least"
    assert found == [old] * switch + [new] * (len(found) - switch)


async def behind_each_door(hub: Hub, ehr: Caller, settings: Settings) -> dict[str, Any]:
    """Return what each door but the series tells of the measure: version, numbers."""
    transport = httpx.ASGITransport(app=app_of(hub, settings))
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as http:
        headers = bearer(await ehr.fresh_token())

        async def read(path: str, **params: str) -> Any:
            answer = await http.get(path, params=params, headers=headers)
            assert answer.status_code == 200, (path, answer.text)
            return answer.json()

        measure = await read(f"/fhir/Measure/{HBA1C}")
        (found,) = (await read("/fhir/Measure", _id=HBA1C))["entry"]
        month = {"periodStart": MONTH[:7], "periodEnd": MONTH[:7]}
        asked = f"/fhir/Measure/{HBA1C}/$evaluate-measure"
        report = await read(asked, **month, subject="Organization/alpha")
        again = await read(f"/fhir/MeasureReport/{report['id']}")
        search = {"measure": report["measure"], "_id": report["id"]}
        (searched,) = (await read("/fhir/MeasureReport", **search))["entry"]
        released = await read(asked, **month)
        texts = [{"name": "patient", "valueString": name} for name in "abcd"]
        texts.append({"name": "asOf", "valueDate": MONTH[:7]})
        status = await http.post(
            f"/fhir/Measure/{HBA1C}/$patient-status",
            json={"resourceType": "Parameters", "parameter": texts},
            headers=headers | {"Content-Type": "application/fhir+json"},
        )
        assert status.status_code == 200, status.text
        listed = await read(f"/v1/measures/{HBA1C}/contributions", month=MONTH[:7])
    told = status.json()["parameter"]
    return {
        "measure": measure["version"],
        "measures": found["resource"]["version"],
        "evaluated": reported(report),
        "report": reported(again),
        "reports": reported(searched["resource"]),
        "released": reported(released)[0],
        "status": (
            next(p["valueCanonical"] for p in told if "valueCanonical" in p)[-5:],
            [p["part"][1]["valueCode"] for p in told if p["name"] == "patient"],
        ),
        "contributions": (
            listed["measure"]["version"],
            [each["status"] for each in listed["contributions"]],
        ),
    }


def reported(report: dict[str, Any]) -> tuple[str, int | None, int | None]:
    """Return the version that a report is of, its numerator and its denominator."""
    counts = {
        each["code"]["coding"][0]["code"]: each.get("count")
        for each in report["group"][0]["population"]
    }
    version = report["measure"].partition("|")[2]
    return version, counts["numerator"], counts["denominator"]


def behind(version: str, met: str) -> dict[str, Any]:
    """Return what the doors are to tell where *met* are in the numerator."""
    statuses = ["met" if name in met else "not-met" for name in "abcd"]
    report = (version, len(met), 4)
    return {
        **dict.fromkeys(("measure", "measures"), version),
        **dict.fromkeys(("evaluated", "report", "reports"), report),
        "released": "1.0.0",
        **dict.fromkeys(("status", "contributions"), (version, statuses)),
    }


async def test_every_door_serves_the_old_definition_meanwhile(
    changed: Hub, ehr: Caller, settings: Settings
):
    """
    Above 9 is d; above 8 are b, c and d. A release stays what it was counted by.

    So does a month that was published by the old definition: nobody has it by both.
    """
    old, new = behind("1.0.0", "d"), behind("2.0.0", "bcd")
    with write_session(changed.engine) as session:
        releases.publish(session, changed)
    counting.register_measures(changed)
    found = [await behind_each_door(changed, ehr, settings)]
    ahead = steps(changed)
    for _ in range(3):
        next(ahead)
        found.append(await behind_each_door(changed, ehr, settings))

    assert found == [old] * 4
    count(changed)
    assert await behind_each_door(changed, ehr, settings) == new
    with write_session(changed.engine) as session:
        releases.publish(session, changed)
    assert await behind_each_door(changed, ehr, settings) == new


@pytest.mark.usefixtures("ehr")
async def test_what_is_of_the_old_definition_is_dropped_step_by_step(changed: Hub):
    """Storage is not for ever twice of what it was, nor is anyone kept waiting."""
    counting.register_measures(changed)
    found = [held(changed) for _ in steps(changed)]

    assert all(n <= 4 for each in found for _, n, _ in each.values())
    left = [each["1.0.0"][1] for each in found]
    assert left == sorted(left, reverse=True)
    assert set(left) == {4, 3, 2, 1, 0}
    assert held(changed)["1.0.0"] == (False, 0, 0)
    assert held(changed)["2.0.0"][:2] == (True, 4)


async def test_data_that_arrive_meanwhile_reach_both(
    changed: Hub, ehr: Caller, settings: Settings
):
    """One who is counted already, one who is not yet, and one who is new."""
    counting.register_measures(changed)
    ahead = steps(changed)
    next(ahead)
    next(ahead)
    for name, value in (("a", 8.5), ("d", 7.0)):
        day = {"day": "2026-02-04", "own_id": f"{name}-r2"}
        await ehr.put(result(name, value, **day))
    await ehr.send(batch(*diabetic("e")))
    while counting.recount_dirty(changed, holder="test"):
        pass

    meanwhile = await seen(changed, ehr, settings)
    count(changed)
    after = await seen(changed, ehr, settings)

    assert meanwhile == ("1.0.0", "1.0.0", 1, 5), "above 9 is nobody, e has none"
    assert after == ("2.0.0", "2.0.0", 4, 5), "a, b, c are above 8, e has none"
    step_by_step = cells(changed)
    counting.refresh(changed)
    assert step_by_step == cells(changed)


@pytest.mark.usefixtures("ehr")
async def test_a_worker_that_was_killed_is_gone_on_from(
    changed: Hub, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    """What it had done in its last transaction is undone, and nothing before that."""
    counting.register_measures(changed)
    ahead = steps(changed)
    next(ahead)
    next(ahead)
    before = held(changed)["2.0.0"]

    with monkeypatch.context() as dying:
        dying.setattr(recounts, "recount", _die)
        with pytest.raises(KeyboardInterrupt):
            next(ahead)

    assert held(changed)["2.0.0"] == before == (False, 2, before[2])
    assert not counting.backfill(changed, holder="another"), "the lease holds"
    clock.pass_seconds(counting.LEASE_SECONDS + 1)
    assert counting.backfill(changed, holder="another")
    assert held(changed)["2.0.0"][:2] == (False, 3)


def _die(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


async def test_a_definition_that_cannot_be_counted_holds_up_no_other(
    changed: Hub,
    ehr: Caller,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    """The log says which one it is; what was served before it still is."""
    new = msgspec.structs.replace(LIBRARY[HBA1C], id="new")
    more = dataclasses.replace(changed, measures=(*changed.measures, new))
    compiled = compile_measure
    monkeypatch.setattr(
        counting,
        "compile_measure",
        lambda measure, concepts: (
            "SELECT no_such_column"
            if measure.version == "2.0.0"
            else compiled(measure, concepts)
        ),
    )
    counting.register_measures(more)
    count(more)

    (told,) = (vars(r) for r in caplog.records if r.msg == "measure not counted")
    assert told["measure"] == HBA1C
    assert await seen(more, ehr, settings) == ("1.0.0", "1.0.0", 1, 4)
    assert held(more)["2.0.0"] == (False, 0, 0)
    token = await ehr.fresh_token("system/MeasureReport.rs")
    transport = httpx.ASGITransport(app=app_of(more, settings))
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as http:
        path = "/v1/measures/new/series?clinic=alpha"
        assert (await http.get(path, headers=bearer(token))).status_code == 200

    monkeypatch.setattr(counting, "compile_measure", compiled)
    counting.register_measures(more)  # as the next start of a hub does
    count(more)
    assert await seen(more, ehr, settings) == ("2.0.0", "2.0.0", 3, 4)


async def test_a_failing_store_is_no_fault_of_a_definition(
    changed: Hub, ehr: Caller, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    """A lost connection must not take a measure out until the next start."""
    counting.register_measures(changed)
    with monkeypatch.context() as failing:
        failing.setattr(recounts, "recount", _lose_connection)
        with pytest.raises(OperationalError):
            count(changed)
    count(changed)
    assert await seen(changed, ehr, settings) == ("2.0.0", "2.0.0", 3, 4)


def _lose_connection(*_: object, **__: object) -> None:
    raise OperationalError(statement=None, params=None, orig=OSError())


async def test_a_measure_that_is_new_has_no_numbers_until_it_is_through(
    hub: Hub, ehr: Caller, settings: Settings
):
    """Counts of some would look like a fall."""
    new = msgspec.structs.replace(stricter(LIBRARY[HBA1C]), id="new")
    more = dataclasses.replace(hub, measures=(*hub.measures, new))
    counting.register_measures(more)
    transport = httpx.ASGITransport(app=app_of(more, settings))
    token = await ehr.fresh_token("system/MeasureReport.rs")
    statuses = []
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as http:
        for _ in steps(more):
            answer = await http.get(
                "/v1/measures/new/series?clinic=alpha", headers=bearer(token)
            )
            statuses.append(answer.status_code)

    assert statuses == [404] * (len(statuses) - 1) + [200]


@pytest.mark.usefixtures("ehr")
async def test_a_measure_that_is_loaded_no_more_is_given_up(hub: Hub):
    """Its rows would be counted never again, and be wrong from the next delivery on."""
    fewer = tuple(m for m in hub.measures if m.id != HBA1C)
    without = dataclasses.replace(hub, measures=fewer)

    counting.register_measures(without)
    count(without)

    assert held(without)["1.0.0"] == (False, 0, 0)


async def test_the_definition_of_before_comes_back(
    hub: Hub, changed: Hub, ehr: Caller, settings: Settings
):
    """An operator takes a change back: the same again, from the first to the last."""
    counting.register_measures(changed)
    count(changed)

    count(hub)

    assert await seen(hub, ehr, settings) == ("1.0.0", "1.0.0", 1, 4)
    assert held(hub)["2.0.0"] == (False, 0, 0)


async def test_the_definition_of_before_comes_back_while_it_is_dropped(
    hub: Hub, changed: Hub, ehr: Caller, settings: Settings
):
    """Its cells go first: what is left of its events is no place to go on from."""
    counting.register_measures(changed)
    ahead = steps(changed)
    while held(changed)["1.0.0"][1] != 2:
        next(ahead)

    counting.register_measures(hub)
    count(hub)

    assert await seen(hub, ehr, settings) == ("1.0.0", "1.0.0", 1, 4)


@pytest.mark.parametrize("measure", LIBRARY.values(), ids=LIBRARY.keys())
def test_a_stored_definition_is_the_one_that_was_loaded(measure: Measure):
    """It is read again by whichever hub must go on with it."""
    stored = msgspec.json.encode(measure)

    again = msgspec.json.decode(stored, type=Measure)

    assert again == measure
    assert again.digest == measure.digest
