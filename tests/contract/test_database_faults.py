"""A database that can't do its work: it is told, and nothing stays half-stored."""

import asyncio
import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.errors import AdminShutdown
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from app.domain.errors import ServiceError
from app.services.authorization import Principals
from app.services.hub import Hub
from app.settings import Settings
from app.store.faults import outage
from app.store.sessions import open_engine
from tests import make
from tests.hubs import BASE_URL, Caller, app_of, count_of, current_of, rows_of

pytestmark = pytest.mark.anyio

NOWHERE = {
    "sqlite": "sqlite:////nowhere/at/all/catchment.db",
    "postgresql": "postgresql://nobody@127.0.0.1:1/nothing",
}


async def is_told(answer: httpx.Response, seconds: int) -> bool:
    """Return whether an answer is a 503 that says when to come back."""
    return (
        answer.status_code == 503
        and answer.headers["Retry-After"] == str(seconds)
        and "retry" not in answer.text.lower()
    )


def large_delivery() -> dict:
    """Return a Bundle of too much to fit into a page."""
    labs = [make.lab(7.1 + n / 100, id=f"r{n}") for n in range(200)]
    return make.transaction(*map(make.put, labs))


@pytest.fixture
async def lost(
    hub: Hub, dialect: str, settings: Settings
) -> Any:  # an async generator of a client
    """The doors of the same hub, with its database gone."""
    engine = open_engine(NOWHERE[dialect])
    gone = dataclasses.replace(hub, engine=engine, principals=Principals())
    transport = httpx.ASGITransport(app=app_of(gone, settings))
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as http:
        yield http
    engine.dispose()


async def test_every_door_tells_that_the_database_is_away(
    ehr: Caller, lost: httpx.AsyncClient
):
    """Each in its own format: FHIR, OAuth, a problem document, a page for people."""
    token = {"Authorization": f"Bearer {await ehr.fresh_token()}"}
    form = ehr.form()

    fhir = await lost.post("/fhir/Observation", json=make.lab(7.1), headers=token)
    bundle = await lost.post("/fhir", json=large_delivery(), headers=token)
    oauth = await lost.post("/oauth/token", data=form)
    v1 = await lost.get("/v1/measures", headers=token)
    page = await lost.get("/", headers={"Accept": "text/html"})
    ready = await lost.get("/health/ready")

    for answer in (fhir, bundle, oauth, v1, page):
        assert answer.status_code == 503, answer.request.url
        assert int(answer.headers["Retry-After"]) > 0
    assert fhir.json()["issue"][0]["code"] == "transient"
    assert bundle.json()["resourceType"] == "OperationOutcome"
    assert oauth.json()["error"] == "temporarily_unavailable"
    assert v1.headers["Content-Type"] == "application/problem+json"
    assert page.headers["Content-Type"].startswith("text/html")
    assert ready.json() == {"ready": False, "database": False}


@contextmanager
def page_limit(engine: Engine) -> Iterator[None]:
    """Let SQLite's file grow no more while the block runs."""

    def limit(connection: Any, *_: object) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")

    def lift(connection: Any, *_: object) -> None:
        connection.execute("PRAGMA max_page_count = 1073741823")

    event.listen(engine, "checkout", limit)
    yield
    event.remove(engine, "checkout", limit)
    event.listen(engine, "checkout", lift)


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_a_full_disk_is_told_and_nothing_of_the_delivery_stays(
    ehr: Caller, hub: Hub
):
    """SQLite's own limit on its file: the same error as that of a volume."""
    await ehr.read("Patient/p1")  # with a token of its own
    await ehr.post(make.lab(7.0, id="before"))
    before = rows_of(hub.engine)

    with page_limit(hub.engine):
        full = await ehr.call("POST", "", large_delivery())
        single = [await ehr.put(make.lab(7.2, id=f"s{n}")) for n in range(60)]
        left = current_of(hub.engine)["Observation"]
    again = await ehr.send(large_delivery())

    assert (full.status_code, full.headers["Retry-After"]) == (503, "60")
    assert "disk" in full.json()["issue"][0]["diagnostics"]
    refused = [a for a in single if a.status_code != 201]
    assert refused
    assert {(a.status_code, a.headers["Retry-After"]) for a in refused} == {(503, "60")}
    assert left == 1 + len(single) - len(refused)
    assert len(before["record"]) == 2  # the result and its patient
    assert set(again) == {"201"}


RAISE = """
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'row of Canary' USING ERRCODE = '{code}'; END $$;
CREATE TRIGGER fails BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION fail();
"""


@contextmanager
def failing(engine: Engine, code: str, table: str) -> Iterator[None]:
    """Let PostgreSQL itself fail with *code* where a row comes into *table*."""
    with engine.begin() as connection:
        connection.execute(text(RAISE.format(code=code, table=table)))
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.execute(text(f"DROP TRIGGER fails ON {table}"))
            connection.execute(text("DROP FUNCTION fail"))


@pytest.mark.parametrize("dialect", ["postgresql"])
@pytest.mark.parametrize("table", ["record", "alias", "observation", "dirty"])
async def test_what_postgresql_could_not_write_leaves_nothing(
    ehr: Caller, hub: Hub, table: str
):
    """Wherever in the delivery the disk was full; all is well once it is not."""
    await ehr.read("Patient/p1")  # with a token of its own
    before = count_of(hub.engine)

    with failing(hub.engine, "53100", table):
        answers = [
            await ehr.call("POST", "", large_delivery()),
            await ehr.post(make.lab(7.1)),
        ]
        after = count_of(hub.engine)
    again = await ehr.send(large_delivery())

    for answer in answers:
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
        assert "Canary" not in answer.text
    assert after == before
    assert set(again) == {"201"}


@pytest.mark.parametrize("dialect", ["postgresql"])
@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("53200", 503),  # out of memory
        ("53300", 503),  # too many connections
        ("57P03", 503),  # starting up
        ("58030", 503),  # the disk fails
        ("25006", 503),  # a standby
        ("40001", 503),  # others in the way, each time
        ("42P01", 500),  # our own mistake
        ("XX001", 500),  # a damaged page does not mend itself
    ],
)
async def test_only_what_passes_is_worth_another_try(
    ehr: Caller, hub: Hub, code: str, status: int
):
    """What the next try meets again is a 500, which a sender does not repeat."""
    with failing(hub.engine, code, "record"):
        answer = await ehr.post(make.lab(7.1))

    assert answer.status_code == status
    assert ("Retry-After" in answer.headers) == (status == 503)


WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.mark.parametrize("dialect", ["postgresql"])
async def test_a_connection_cut_in_the_middle_stores_nothing(
    ehr: Caller, hub: Hub, database_url: str
):
    """The delivery is under way in the server when its backend is ended."""
    await ehr.read("Patient/p1")  # with a token of its own
    before = count_of(hub.engine)

    with psycopg.connect(database_url) as other:
        other.execute("LOCK TABLE alias IN ACCESS EXCLUSIVE MODE")
        delivery = asyncio.create_task(ehr.call("POST", "", large_delivery()))
        while not (waiting := other.execute(WAITING).fetchall()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        for (pid,) in waiting:
            other.execute("SELECT pg_terminate_backend(%s)", (pid,))
        cut = await delivery
    after = count_of(hub.engine)
    again = await ehr.send(large_delivery())

    assert (cut.status_code, cut.headers["Retry-After"]) == (503, "5")
    assert cut.json()["issue"][0]["code"] == "transient"
    assert after == before
    assert set(again) == {"201"}


@pytest.mark.parametrize("dialect", ["postgresql"])
async def test_one_lost_connection_makes_the_others_be_looked_at(
    ehr: Caller, hub: Hub, database_url: str
):
    """After the server came back one request may fail, however many were open."""
    await ehr.read("Patient/p1")  # with a token of its own
    opened = [hub.engine.connect() for _ in range(5)]
    for connection in opened:
        connection.close()

    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute(OTHERS)
    answers = [await ehr.put(make.lab(7.1, id=f"r{n}")) for n in range(4)]

    assert [a.status_code for a in answers] == [503, 201, 201, 201]


def lost_connection() -> DBAPIError:
    """Return what a commit raises when the server stops before it answers."""
    return DBAPIError("COMMIT", {}, AdminShutdown("Canary"), hide_parameters=True)


async def test_an_answer_that_was_lost_with_the_commit_is_no_loss(
    ehr: Caller, hub: Hub, monkeypatch: pytest.MonkeyPatch
):
    """503 though it was stored; sent again, as it says, it counts once."""
    await ehr.read("Patient/p1")  # with a token of its own
    commit = Session.commit

    def commit_and_lose(session: Session) -> None:
        commit(session)
        raise lost_connection()

    delivery = [ehr.post(make.lab(7.1, id="a")), ehr.call("POST", "", large_delivery())]
    monkeypatch.setattr(Session, "commit", commit_and_lose)
    lost = [await each for each in delivery]
    monkeypatch.undo()
    again = await ehr.post(make.lab(7.1, id="a"))
    all_again = await ehr.send(large_delivery())

    assert [a.status_code for a in lost] == [503, 503]
    assert "Canary" not in "".join(a.text for a in lost)
    assert "counts once" in lost[0].json()["issue"][0]["diagnostics"]
    assert again.status_code == 200
    assert set(all_again) == {"200"}
    assert current_of(hub.engine) == {"Observation": 201}


def told_of(engine: Engine, statement: str) -> ServiceError | None:
    """Return what is told of a statement that fails."""
    with engine.connect() as connection, pytest.raises(DBAPIError) as raised:
        connection.exec_driver_sql(statement)
    return outage(raised.value)


def test_a_mistake_of_ours_is_no_outage(hub: Hub):
    """A table that is not there, or SQL that is none, does not pass by itself."""
    assert told_of(hub.engine, "SELECT * FROM no_such_table") is None
    assert told_of(hub.engine, "SELECTED") is None


def test_the_first_fault_is_told_and_not_what_came_of_it(hub: Hub):
    """A rollback that fails too hides nothing."""
    try:
        try:
            raise lost_connection()
        finally:
            told_of(hub.engine, "ROLLBACK TO SAVEPOINT gone")
            with hub.engine.connect() as connection:
                connection.exec_driver_sql("ROLLBACK TO SAVEPOINT gone")
    except DBAPIError as error:
        told = outage(error)

    assert told is not None
    assert "stopped" in told.message
