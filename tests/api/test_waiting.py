"""Single resources that come at one time go into the store together, and stay apart."""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError

from app.domain.errors import BusyError
from app.routers import fhir
from app.services import intake
from app.services.hub import Hub
from app.services.intake import Submission
from tests import make
from tests.hubs import FHIR_JSON, Caller, Network, bearer, current_of, rows_of
from tests.served import listening
from tests.waiting import held, started, together

pytestmark = pytest.mark.anyio

SECRET = "Zq9secret7x"
MANY = 6
Store = Callable[..., dict[int, Any]]


@pytest.fixture
async def ehr(network: Network) -> Caller:
    """An EHR that has its token already."""
    caller = network.ehr()
    await caller.read("Patient/none")
    return caller


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many were stored together, delivery by delivery."""
    sizes: list[int] = []
    whole = intake.store

    def store(session: Any, hub: Any, source: Any, submissions: Any, **how: Any) -> Any:
        sizes.append(len(submissions))
        return whole(session, hub, source, submissions, **how)

    monkeypatch.setattr(intake, "store", store)
    return sizes


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> Callable[[], None]:
    """Let the store fail at the end of each group of several; return what mends it."""
    whole = intake.store

    def store(
        session: Any, hub: Any, source: Any, submissions: list[Submission], **how: Any
    ) -> Any:
        outcomes = whole(session, hub, source, submissions, **how)
        if len(submissions) > 1:
            raise error
        return outcomes

    monkeypatch.setattr(intake, "store", store)
    return lambda: monkeypatch.setattr(intake, "store", whole)


def labs(count: int = MANY) -> list[dict]:
    return [make.lab(5 + n / 10, id=f"o{n}") for n in range(count)]


def names(hub: Hub) -> int:
    return len(rows_of(hub.engine)["alias"])


async def test_who_comes_meanwhile_goes_together(
    ehr: Caller, app: FastAPI, hub: Hub, groups: list[int]
):
    """One transaction and one commit for all but the first; each has its own answer."""
    answers = await together(app, hub.engine, [ehr.put(lab) for lab in labs()])

    assert groups == [1, MANY - 1]
    assert [a.status_code for a in answers] == [201] * MANY
    assert [a.json()["id"] for a in answers] == [lab["id"] for lab in labs()]
    kept = [a.json()["valueQuantity"]["value"] for a in answers]
    assert kept == [lab["valueQuantity"]["value"] for lab in labs()]
    assert current_of(hub.engine) == {"Observation": MANY}


async def test_a_refusal_is_nothing_to_the_others(
    ehr: Caller, app: FastAPI, hub: Hub, groups: list[int]
):
    """412 for the one whose condition fails, 201 for those it went with."""
    first, second, third = labs(3)

    answers = await together(
        app,
        hub.engine,
        [ehr.put(first), ehr.put(second, If_Match='W/"7"'), ehr.put(third)],
    )

    assert groups == [1, 2]
    assert [a.status_code for a in answers] == [201, 412, 201]
    assert current_of(hub.engine) == {"Observation": 2}


async def test_versions_of_one_record_do_not_go_together(
    ehr: Caller, app: FastAPI, hub: Hub, groups: list[int]
):
    """In the order they came; what asked for version 1 and comes second is refused."""
    await ehr.put(make.lab(5.0, id="o1"))
    groups.clear()

    answers = await together(
        app,
        hub.engine,
        [
            ehr.put(make.lab(5.1, id="o0")),
            ehr.put(make.lab(6.0, id="o1"), If_Match='W/"1"'),
            ehr.put(make.lab(7.0, id="o1"), If_Match='W/"1"'),
            ehr.put(make.lab(8.0, id="o1"), If_Match='W/"2"'),
        ],
    )

    assert groups == [1, 1, 1, 1]
    assert [a.status_code for a in answers] == [201, 200, 412, 200]
    assert answers[1].json()["valueQuantity"]["value"] == 6.0
    assert (await ehr.read("Observation/o1")).headers["ETag"] == 'W/"3"'


async def test_one_record_under_two_names_comes_apart(
    ehr: Caller, app: FastAPI, hub: Hub, groups: list[int]
):
    """Only the store knows that they are one; each answer is still its own."""
    identifier = [make.identifier("A1")]
    await ehr.put(make.lab(5.0, id="o1", identifier=identifier))
    groups.clear()

    answers = await together(
        app,
        hub.engine,
        [
            ehr.put(make.lab(5.1, id="o0")),
            ehr.put(make.lab(6.0, id="o1")),
            ehr.post(make.lab(7.0, identifier=identifier)),
        ],
    )

    assert groups == [1, 2, 1, 1]
    assert [a.headers["ETag"] for a in answers] == ['W/"1"', 'W/"2"', 'W/"3"']
    kept = [a.json()["valueQuantity"]["value"] for a in answers]
    assert kept == [5.1, 6.0, 7.0]


async def test_a_failure_of_the_store_is_told_to_all_it_befell(
    ehr: Caller, app: FastAPI, hub: Hub, monkeypatch: pytest.MonkeyPatch
):
    """503 for each of the group and nothing of it stored; the next group goes well."""
    mend = failing(monkeypatch, OperationalError("INSERT", {}, Exception(SECRET)))

    answers = await together(app, hub.engine, [ehr.put(lab) for lab in labs()])
    there = names(hub)
    mend()
    again = await together(app, hub.engine, [ehr.put(lab) for lab in labs()])

    assert [a.status_code for a in answers] == [201] + [503] * (MANY - 1)
    assert there == 2  # the first and its patient
    assert SECRET not in "".join(a.text for a in answers)
    assert [a.status_code for a in again] == [200] + [201] * (MANY - 1)
    assert current_of(hub.engine) == {"Observation": MANY}


async def test_a_busy_store_is_told_to_all_it_kept_waiting(
    ehr: Caller, app: FastAPI, hub: Hub, monkeypatch: pytest.MonkeyPatch
):
    """503, worth another try, and nothing is stored."""
    failing(monkeypatch, BusyError("Other deliveries are under way"))

    answers = await together(app, hub.engine, [ehr.put(lab) for lab in labs()])

    assert [a.status_code for a in answers] == [201] + [503] * (MANY - 1)
    assert current_of(hub.engine) == {"Observation": 1}


async def test_what_fails_for_one_fails_for_it_alone(
    ehr: Caller, app: FastAPI, hub: Hub, monkeypatch: pytest.MonkeyPatch
):
    """A bug that one resource meets: 500 and nothing of it stored, 201 for the rest."""
    written = fhir._written  # noqa: SLF001  (the step after the store)

    def fail_for_one(request: Any, url_id: str | None, receipt: Any) -> Any:
        if url_id == "o3":
            raise ZeroDivisionError(SECRET)
        return written(request, url_id, receipt)

    monkeypatch.setattr(fhir, "_written", fail_for_one)
    answers = await together(app, hub.engine, [ehr.put(lab) for lab in labs()])

    expected = [500 if n == 3 else 201 for n in range(MANY)]
    assert [a.status_code for a in answers] == expected
    assert current_of(hub.engine) == {"Observation": MANY - 1}
    assert (await ehr.read("Observation/o3")).status_code == 404


async def test_who_stops_waiting_takes_the_resource_back(
    ehr: Caller, app: FastAPI, hub: Hub
):
    """A request that is gone before its turn stores nothing, and holds up nobody."""
    with held(hub.engine):
        tasks = await started(app, [ehr.put(lab) for lab in labs()])
        tasks[2].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)

    assert isinstance(answers.pop(2), asyncio.CancelledError)
    assert {a.status_code for a in answers if isinstance(a, httpx.Response)} == {201}
    assert current_of(hub.engine) == {"Observation": MANY - 1}
    assert (await ehr.read("Observation/o2")).status_code == 404


async def test_the_end_of_the_hub_waits_for_those_who_wait(
    ehr: Caller, app: FastAPI, hub: Hub
):
    """Closing returns when each has been stored and told."""
    with held(hub.engine):
        tasks = await started(app, [ehr.put(lab) for lab in labs()])
        closing = threading.Thread(target=app.state.waiting_room.close)
        closing.start()
    answers = await asyncio.gather(*tasks)
    closing.join()

    assert [a.status_code for a in answers] == [201] * MANY


async def test_a_group_is_of_one_source(
    network: Network, hub: Hub, monkeypatch: pytest.MonkeyPatch
):
    """The same id of two clinics is two records, whoever else comes at the time."""
    whole = intake.store
    sources: list[tuple[int, int]] = []

    def store(session: Any, hub: Any, source: Any, submissions: Any, **how: Any) -> Any:
        sources.extend((source.source_id, len(submissions)) for _ in submissions)
        return whole(session, hub, source, submissions, **how)

    monkeypatch.setattr(intake, "store", store)
    ehrs = [network.ehr(f"{clinic}-ehr") for clinic in ("alpha", "beta")]
    for each in ehrs:
        await each.read("Patient/none")

    answers = await asyncio.gather(*(each.put(lab) for lab in labs(3) for each in ehrs))

    assert [a.status_code for a in answers] == [201] * 6
    assert sorted(Counter(source for source, _ in sources).values()) == [3, 3]
    clinics = Counter(row[1] for row in rows_of(hub.engine)["subject"])
    assert sorted(clinics.values()) == [1, 1]


@pytest.fixture
def address(app: FastAPI, caplog: pytest.LogCaptureFixture) -> Iterator[str]:
    """The hub as ``catchment serve`` has it, with every logger at DEBUG."""
    for name in ("httpx", "httpcore"):  # the test's own client
        caplog.set_level(logging.WARNING, logger=name)
    for name in ("", "app", "uvicorn", "uvicorn.error", "uvicorn.access"):
        caplog.set_level(logging.DEBUG, logger=name or None)
    with listening(app, access_log=False, lifespan="off") as address:
        yield address


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_an_id_in_a_url_is_in_no_log(
    network: Network, address: str, caplog: pytest.LogCaptureFixture
):
    """What is stored, refused and unknown: none of it is told with its path."""
    token = await network.ehr().fresh_token()
    headers = bearer(token) | {"Content-Type": FHIR_JSON}
    path = f"/fhir/Observation/{SECRET}"
    lab = make.lab(7.1, id=SECRET)

    async with httpx.AsyncClient(base_url=address, trust_env=False) as http:
        answers = [
            await http.put(path, json=lab, headers=headers),
            await http.put(path, json=lab | {"status": SECRET}, headers=headers),
            await http.get(path, headers=headers),
            await http.get(f"{path}/{SECRET}/x", headers=headers),
            await http.put(path, json=lab),
        ]

    assert [a.status_code for a in answers] == [201, 400, 200, 404, 401]
    # pytest gives a handler to a logger that has none and does not pass on.
    assert not logging.getLogger("uvicorn.access").propagate
    records = [each for each in caplog.records if each.name != "uvicorn.access"]
    said = [f"{record.getMessage()} {vars(record)}" for record in records]
    assert any("refused" in line for line in said)
    assert SECRET not in " ".join(said)
