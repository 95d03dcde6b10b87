"""Sessions, bulk writing, leases and first uses, on both databases."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.store import tables
from app.store.assertions import first_use
from app.store.bulk import insert_rows
from app.store.faults import is_conflict
from app.store.leases import take_lease
from app.store.sessions import (
    connection_of,
    open_engine,
    read_session,
    tried,
    write_session,
)

TABLE: Any = vars(tables.Condition)["__table__"]
COLUMNS = (
    "subject_id",
    "concept_id",
    "record_id",
    "onset_month",
    "abatement_month",
)


@pytest.fixture
def engine(database_url: str):
    """A migrated database."""
    opened = open_engine(database_url)
    yield opened
    opened.dispose()


def stored(engine) -> list[tuple]:
    with read_session(engine) as session:
        rows = session.connection().execute(text("SELECT * FROM condition"))
        return sorted(tuple(row) for row in rows)


def concepts(engine) -> int:
    with read_session(engine) as session:
        count = session.connection().execute(text("SELECT COUNT(*) FROM concept"))
        return int(count.scalar_one())


ADD = text("INSERT INTO concept (system, code) VALUES ('x', :code)")


def test_what_a_block_wrote_is_there_after_it(engine):
    """Committed where the block ends, before anyone is told."""
    with write_session(engine) as session:
        session.connection().execute(ADD, {"code": "a"})

    assert concepts(engine) == 1


def test_an_error_takes_all_back(engine):
    """A savepoint that was released goes with the rest."""

    def write_and_fail() -> None:
        with write_session(engine) as session:
            session.connection().execute(ADD, {"code": "a"})
            with session.begin_nested():
                session.connection().execute(ADD, {"code": "b"})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()

    assert concepts(engine) == 0


@pytest.mark.parametrize("before", [(), ("a",)], ids=["first", "later"])
def test_a_try_that_met_another_is_made_again(engine, before: tuple[str, ...]):
    """What it wrote is taken back, what came before it in the transaction stays."""
    tries = iter([("b", "b"), ("b",)])

    def add(session, codes: tuple[str, ...]) -> None:
        for code in codes:
            connection_of(session).execute(ADD, {"code": code})

    with write_session(engine) as session:
        add(session, before)
        tried(session, lambda: add(session, next(tries)))

    assert concepts(engine) == len(before) + 1


def test_a_reader_sees_one_state(engine):
    """What is committed meanwhile is not in its view, nor does it wait."""
    with read_session(engine) as session:
        count = text("SELECT COUNT(*) FROM concept")
        before = session.connection().execute(count).scalar_one()
        with write_session(engine) as writing:
            writing.connection().execute(ADD, {"code": "a"})
        after = session.connection().execute(count).scalar_one()

    assert (before, after, concepts(engine)) == (0, 0, 1)


def test_writers_wait_for_each_other(engine):
    """Forty threads, and no database is locked."""

    def write(number: int) -> None:
        with write_session(engine) as session:
            seen = session.connection().execute(text("SELECT COUNT(*) FROM concept"))
            seen.scalar_one()
            session.connection().execute(ADD, {"code": str(number)})

    with ThreadPoolExecutor(40) as pool:
        list(pool.map(write, range(80)))

    assert concepts(engine) == 80


def test_a_taken_key_is_a_conflict_and_a_mistake_is_none(engine):
    """Only what another transaction caused is worth a second try."""
    with write_session(engine) as session:
        session.connection().execute(ADD, {"code": "a"})
    with pytest.raises(IntegrityError) as taken, write_session(engine) as session:
        session.connection().execute(ADD, {"code": "a"})

    assert is_conflict(taken.value)
    assert concepts(engine) == 1


rows = st.tuples(
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(1, 20),
    st.integers(-5, 5),
    st.none() | st.integers(0, 9),
)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    first=st.lists(rows, unique_by=lambda row: row[:3], max_size=150),
    second=st.lists(rows, unique_by=lambda row: row[:3], max_size=150),
    replacing=st.booleans(),
)
def test_many_rows_at_once_are_as_one_by_one(engine, first, second, *, replacing: bool):
    """Through a staging table or straight in, the table holds the same."""
    expected = {row[:3]: row for row in first}
    for row in second:
        if replacing or row[:3] not in expected:
            expected[row[:3]] = row
    how = {"replace": COLUMNS[3:]} if replacing else {"keep_existing": True}

    with write_session(engine) as session:
        session.connection().execute(text("DELETE FROM condition"))
        insert_rows(session, TABLE, COLUMNS, first)
        insert_rows(session, TABLE, COLUMNS, second, **how)

    assert stored(engine) == sorted(expected.values())


@pytest.mark.parametrize("count", [2, 100])
def test_a_row_that_is_there_is_an_error_unless_said_otherwise(engine, count: int):
    """By both ways in."""
    some = [(1, 1, number, 0, None) for number in range(count)]
    with write_session(engine) as session:
        insert_rows(session, TABLE, COLUMNS, some)

    with pytest.raises(IntegrityError), write_session(engine) as session:
        insert_rows(session, TABLE, COLUMNS, some)


def test_of_many_first_uses_one_is_first(engine):
    """The unique key decides."""
    gate = threading.Barrier(20)

    def use(_: int) -> bool:
        gate.wait()
        with write_session(engine) as session:
            return first_use(session, client_id="c", jti="j", expires_at=300, now=100)

    with ThreadPoolExecutor(20) as pool:
        firsts = list(pool.map(use, range(20)))

    assert firsts.count(True) == 1


def test_a_use_is_remembered_until_its_assertion_has_expired(engine):
    """Then its exp refuses it anyway, and the row can go."""
    turns = []
    for now in (100, 200, 361):
        with write_session(engine) as session:
            used = first_use(session, client_id="c", jti="j", expires_at=300, now=now)
            turns.append(used)

    assert turns == [True, False, True]


def test_a_lease_is_held_renewed_and_lost(engine):
    """One holder at a time; a dead one is replaced when its time is over."""

    def take(holder: str, now: int) -> bool:
        with write_session(engine) as session:
            return take_lease(session, "work", holder=holder, now=now, seconds=60)

    assert take("a", 0)
    assert not take("b", 59_000)
    assert take("a", 59_000)
    assert not take("b", 119_000)
    assert take("b", 119_001)
    assert not take("a", 119_002)
