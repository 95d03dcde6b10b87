"""
Nothing identifying is kept: a token in every place, by every door, in no byte left.

What is searched is all that the hub leaves: its database as files and as a dump, every
answer, every log record at DEBUG, every file. The search itself is tried beside this
(``test_searching``), and here on what is planted by hand.
"""

import json
import logging
import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from app.services import recounts
from app.services.exports import export
from app.services.hub import Hub
from app.services.recounts import refresh
from app.services.registry import CLINIC_SCOPES
from app.services.workers import counting
from tests import make
from tests.hubs import Caller, Network, count_of, current_of
from tests.leaks.doors import (
    FAILING,
    OF_BUNDLES,
    TAKING,
    staged,
    too_large,
    with_strange_headers,
)
from tests.leaks.mints import Mint
from tests.leaks.plants import TURNS, Planter
from tests.leaks.searches import Search
from tests.leaks.traces import (
    Logs,
    Replies,
    database_bytes,
    everything_logged,
    files_below,
    files_watched,
    server_files,
)

pytestmark = pytest.mark.anyio

BY_DOORS = TURNS | {"Patient": 2}
"""Turns in which all but extensions has stood; those stood in ``test_elements``."""
BRIEFLY = {name: TAKING[name] for name in ("create", "batch", "$de-identify")}
"""What a resource goes through after the first of its kind."""
KEPT = {"Patient", "Encounter", "Observation", "Condition", "MeasureReport"}


@pytest.fixture
def logs() -> Iterator[Logs]:
    """Everything is logged, from before the database is opened."""
    with everything_logged() as kept:
        yield kept


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """Where temporary files would be made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.mark.thorough
async def test_nothing_stays_of_what_comes_in_by_any_door(
    logs: Logs, ehr: Caller, hub: Hub, tmp_path: Path, temporary: Path
):
    """Whether it is taken or turned away, and whatever for."""
    mint, heard, sent = Mint(), Replies(), list[dict]()
    refresh(hub)  # measures can be asked about
    is_embedded = hub.engine.dialect.name == "sqlite"
    turns = BY_DOORS if is_embedded else dict.fromkeys(BY_DOORS, 1)

    with files_watched(temporary) as opened:
        for root in TURNS:
            for turn in range(turns[root]):
                resource = Planter(mint, turn=turn).resource(root)
                sent.append(resource)
                doors = BRIEFLY if turn else TAKING | FAILING
                for name, door in doors.items():
                    response = await door.send(ehr, resource)
                    assert response.status_code in door.statuses, (name, response.text)
                    own_id = resource["id"] if name in OF_BUNDLES else ""
                    heard.add(response, own_id=own_id)
        heard.add(await too_large(ehr, sent[-1]))
        heard.add(await with_strange_headers(ehr, mint))
        heard.add(await staged(ehr, sent))
        refresh(hub)
        export(hub, tmp_path / "exported")

    assert current_of(hub.engine).keys() == KEPT
    assert count_of(hub.engine)["staged"] >= 1
    outside = {name for name in opened if not name.startswith(f"{tmp_path}/exported")}
    assert outside <= {os.devnull}  # it is the standard input of readers
    left = {
        "database": database_bytes(hub.engine),
        "answers": heard.everything(),
        "logs": logs.everything(),
        "files": files_below(tmp_path),
    }
    assert b"refused" in left["logs"]
    assert all(len(each) > 1000 for each in left.values())
    assert len(mint.planted) > 3000
    search = Search(mint.planted)
    nothing: dict[str, set] = {name: set() for name in left}
    assert {name: search.found_in(each) for name, each in left.items()} == nothing
    if not is_embedded:
        assert search.found_in(server_files(hub.engine), hashed=False) == set()


FAILING_INSERT = {
    "sqlite": (
        (
            "CREATE TRIGGER failing BEFORE INSERT ON record"
            " BEGIN SELECT RAISE(FAIL, 'no'); END"
        ),
        "DROP TRIGGER failing",
    ),
    "postgresql": (
        (
            "CREATE FUNCTION failing() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'no: %', NEW; END $$;"
            " CREATE TRIGGER failing BEFORE INSERT ON record"
            " FOR EACH ROW EXECUTE FUNCTION failing()"
        ),
        "DROP FUNCTION failing CASCADE",
    ),
}


@contextmanager
def failing_database(engine: Engine) -> Iterator[None]:
    """Have every record refused by the database itself, with words of its own."""
    begin, end = FAILING_INSERT[engine.dialect.name]
    with engine.begin() as connection:
        connection.execute(text(begin))
    yield
    with engine.begin() as connection:
        connection.execute(text(end))


@contextmanager
def locked_database(engine: Engine) -> Iterator[None]:
    """Hold SQLite's one lock, and have nobody wait for it."""

    def hurry(connection: Any, *_: object) -> None:
        connection.execute("PRAGMA busy_timeout = 1")

    event.listen(engine, "checkout", hurry)
    other = sqlite3.connect(str(engine.url.database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.close()
    event.remove(engine, "checkout", hurry)


async def told_of_failures(ehr: Caller, resource: dict, status: int) -> Replies:
    """Send a resource by the doors that write, all of which must fail."""
    heard = Replies()
    for name in ("create", "update", "update by identifier", "transaction"):
        if name == "transaction":
            bundle = make.transaction(make.put(resource))
            response = await ehr.call("POST", "", bundle)
        else:
            response = await TAKING[name].send(ehr, resource)
        assert response.status_code == status, (name, response.text)
        heard.add(response)
    return heard


def assert_nothing_left(
    mint: Mint, hub: Hub, logs: Logs, heard: Replies | None = None
) -> None:
    search = Search(mint.planted)
    said = b"" if heard is None else heard.everything()
    found = [
        search.found_in(each)
        for each in (database_bytes(hub.engine), logs.everything(), said)
    ]
    assert found == [set(), set(), set()]


async def test_nothing_stays_where_the_database_fails(
    logs: Logs, ehr: Caller, hub: Hub
):
    """Its own words may quote a row; neither they nor the parameters are repeated."""
    mint = Mint()
    resource = Planter(mint, turn=0).resource("Observation")
    await ehr.read("metadata")
    # SQLite says of each trigger's refusal that it is a conflict: worth another try.
    status = 503 if hub.engine.dialect.name == "sqlite" else 500

    with failing_database(hub.engine):
        heard = await told_of_failures(ehr, resource, status)

    assert_nothing_left(mint, hub, logs, heard)


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_nothing_stays_where_the_database_is_locked(
    logs: Logs, ehr: Caller, hub: Hub
):
    """A clinic is told to come again, and no more."""
    mint = Mint()
    resource = Planter(mint, turn=0).resource("Observation")
    await ehr.read("metadata")

    with locked_database(hub.engine):
        heard = await told_of_failures(ehr, resource, 503)

    assert_nothing_left(mint, hub, logs, heard)


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_nothing_stays_where_the_hub_itself_fails(
    logs: Logs, ehr: Caller, hub: Hub, monkeypatch: pytest.MonkeyPatch
):
    """An error that nobody foresaw may quote all that it was about."""
    mint = Mint()
    resource = Planter(mint, turn=0).resource("Observation")
    await ehr.read("metadata")

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(json.dumps(resource))

    monkeypatch.setattr("app.services.reception.parse_resource", fail)
    heard = await told_of_failures(ehr, resource, 500)

    assert b"reception.py" in logs.everything()
    assert_nothing_left(mint, hub, logs, heard)


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_nothing_stays_where_counting_fails(
    logs: Logs, ehr: Caller, hub: Hub, monkeypatch: pytest.MonkeyPatch
):
    """The worker says what kind of error it was, and goes on."""
    mint = Mint()
    token = mint.text("an error of the worker's")
    failed = threading.Event()

    def fail(*_: object, **__: object) -> None:
        failed.set()
        raise RuntimeError(token)

    await ehr.post(Planter(mint, turn=0).resource("Observation"))
    monkeypatch.setattr(recounts, "recount_dirty", fail)
    worker = counting(hub, holder="test")
    worker.start()
    assert failed.wait(10)
    worker.stop()

    assert b"work failed" in logs.everything()
    assert_nothing_left(mint, hub, logs)


async def test_nothing_stays_of_who_is_erased(logs: Logs, network: Network, hub: Hub):
    """Not the person, nor what was of them, nor the asking."""
    ehr = network.ehr(scopes=(*CLINIC_SCOPES, "system/purge"))
    mint, heard = Mint(), Replies()
    person = Planter(mint, turn=0).resource("Patient")
    about = Planter(mint, turn=0).resource("Observation")
    about |= {"subject": {"reference": f"Patient/{person['id']}"}}

    for _ in range(2):
        for resource in (person, about):
            heard.add(await ehr.put(resource))
        heard.add(await ehr.call("POST", f"/Patient/{person['id']}/$purge"))
        heard.add(await TAKING["$trace"].send(ehr, person))

    assert b"purged" in heard.everything()
    assert_nothing_left(mint, hub, logs, heard)


@pytest.mark.parametrize("where", ["database", "answers", "logs", "files"])
async def test_what_is_planted_by_hand_is_found(
    logs: Logs, ehr: Caller, hub: Hub, tmp_path: Path, where: str
):
    """The same search, of the same places, sees a token that does stand there."""
    # Tokens of its own: a database server keeps what was ever written.
    mint = Mint(first=0xA00000)
    token = mint.text("planted")
    heard = Replies()
    if where == "database":
        statement = text("INSERT INTO concept (system, code) VALUES ('x', :code)")
        with hub.engine.begin() as connection:
            connection.execute(statement, {"code": token})
    elif where == "answers":
        answer = await ehr.read("metadata")
        answer.headers["Location"] = token
        heard.add(answer)
    elif where == "logs":
        logging.getLogger("app.routers").debug("refused", extra={"expression": token})
    else:
        (tmp_path / "left").write_text(token)
    left = {
        "database": database_bytes(hub.engine),
        "answers": heard.everything(),
        "logs": logs.everything(),
        "files": files_below(tmp_path),
    }

    found = {name: Search(mint.planted).found_in(each) for name, each in left.items()}

    assert {name for name, paths in found.items() if paths} == {where}


def test_a_file_opened_for_writing_is_seen(temporary: Path):
    """One that is deleted at once has been on the disk all the same."""
    with files_watched(temporary) as opened, tempfile.TemporaryFile() as file:
        file.write(b"x")

    assert any(name.startswith(str(temporary)) for name in opened)
