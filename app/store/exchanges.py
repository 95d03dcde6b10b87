"""
Exchanges with the database: statements straight to its driver, several at a time.

A statement costs SQLAlchemy more than it costs the database, and on PostgreSQL the
journey there and back costs more than either; so the hot path counts its journeys.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy.exc import DBAPIError

from app.store.sessions import ReadSession, WriteSession, connection_of

Row = tuple[Any, ...]


class Question(NamedTuple):
    """A statement in the driver's own spelling, with its values."""

    statement: str
    values: Sequence[Any] = ()


def is_postgresql(session: ReadSession) -> bool:
    """Return whether statements travel; SQLite's stay in the process."""
    return connection_of(session).dialect.name == "postgresql"


def fetch(session: ReadSession, statement: str, values: Sequence[Any]) -> list[Row]:
    """Execute a statement and return its rows."""
    with _driver(session) as driver:
        return list(driver.execute(statement, values).fetchall())


def execute(session: WriteSession, statement: str, values: Sequence[Any] = ()) -> None:
    """Execute a statement that returns nothing, within ``sent_together`` at its end."""
    held: list[Question] | None = session.info.get("held")
    if held is not None:
        held.append(Question(statement, values))
        return
    with _driver(session) as driver:
        driver.execute(statement, values)


def copy(
    session: WriteSession, statement: str, kinds: Sequence[str], rows: Iterable[Row]
) -> None:
    """Let PostgreSQL take *rows*, whose columns are of *kinds*, as one stream."""
    with (
        _driver(session) as driver,
        driver.cursor() as cursor,
        cursor.copy(statement) as stream,
    ):
        stream.set_types(kinds)
        for row in rows:
            stream.write_row(row)


def fetch_together(
    session: ReadSession, questions: Sequence[Question]
) -> list[list[Row]]:
    """
    Return the rows of each of *questions*, which take one journey.

    PostgreSQL executes one after the other, each seeing what those before it did.
    """
    with _driver(session) as driver, driver.pipeline():
        cursors = [driver.execute(each.statement, each.values) for each in questions]
        return [list(cursor.fetchall()) for cursor in cursors]


@contextmanager
def sent_together(session: WriteSession) -> Iterator[None]:
    """
    Let PostgreSQL do what the block executes as one statement, at the block's end.

    None of them sees what the others did, so each is to write to a table of its own.
    """
    if not is_postgresql(session):
        yield
        return
    held: list[Question] = []
    session.info["held"] = held
    try:
        yield
    finally:
        del session.info["held"]
    if held:
        *others, last = (each.statement for each in held)
        named = [f"w{number} AS ({each})" for number, each in enumerate(others)]
        first = f"WITH {', '.join(named)} " if named else ""
        execute(session, first + last, [v for each in held for v in each.values])


@contextmanager
def _driver(session: ReadSession) -> Iterator[Any]:
    """Yield the driver's connection; its errors come out as SQLAlchemy's."""
    connection = connection_of(session)
    driver = connection.connection.driver_connection
    try:
        yield driver
    except connection.dialect.loaded_dbapi.Error as error:
        lost = connection.dialect.is_disconnect(error, driver, None)
        if lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            None,
            None,
            error,
            connection.dialect.loaded_dbapi.Error,
            hide_parameters=True,
            connection_invalidated=lost,
            dialect=connection.dialect,
        ) from error
