"""
Many rows in one statement.

On PostgreSQL the columns travel as arrays, so that one plan serves any number of rows;
SQLite gets a list of rows, or a staging table where there are many.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Column, String, Table
from sqlalchemy.dialects import postgresql

from app.store.exchanges import Question, Row, execute, fetch, is_postgresql
from app.store.sessions import ReadSession, WriteSession, connection_of

FEW_ROWS = 64
LONG_LIST = 500
"""SQLite takes far more, but prepares each length of a list anew."""


def fetch_among(
    session: ReadSession, statement: str, items: Collection[int] | Collection[bytes]
) -> list[Row]:
    """
    Return the rows of *statement*, with each ``{among}`` for: is one of *items*.

    PostgreSQL gets one array, so that it plans the statement only once; SQLite gets
    a list, in parts where it is long.
    """
    return [
        row
        for question in _parts(session, statement, items)
        for row in fetch(session, *question)
    ]


def execute_among(
    session: WriteSession, statement: str, items: Collection[int] | Collection[bytes]
) -> None:
    """Execute *statement*, which returns nothing, as ``fetch_among`` does."""
    for question in _parts(session, statement, items):
        execute(session, *question)


def _parts(
    session: ReadSession, statement: str, items: Collection[int] | Collection[bytes]
) -> Iterable[Question]:
    if not items:
        return
    values = list(items)
    times = statement.count("{among}")
    if is_postgresql(session):
        kind = "bytea" if isinstance(values[0], bytes) else "bigint"
        spelt = statement.replace("{among}", f"= ANY(%s::{kind}[])")
        yield Question(spelt, (array_of(values),) * times)
        return
    for start in range(0, len(values), LONG_LIST):
        some = tuple(values[start : start + LONG_LIST])
        marks = f"IN ({', '.join('?' * len(some))})"
        yield Question(statement.replace("{among}", marks), some * times)


def insert_rows(
    session: WriteSession,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    replace: Sequence[str] = (),
    add: Sequence[str] = (),
    keep_existing: bool = False,
) -> None:
    """
    Insert *rows* into *table*.

    A row whose primary key is there already replaces the columns named by *replace*
    and adds to those named by *add*, is left out where *keep_existing* is set, and is
    an error otherwise. Rows are written in the order given: sort them by key where two
    writers could meet.
    """
    if not rows:
        return
    insert = _insert(
        table,
        tuple(columns),
        replace=tuple(replace),
        add=tuple(add),
        keep_existing=keep_existing,
    )
    if is_postgresql(session):
        arrays = [array_of(column) for column in zip(*rows, strict=True)]
        source = _arrays(table, tuple(columns))
        execute(session, insert.format(rows=source), arrays)
        return
    if len(rows) <= FEW_ROWS:
        one = f"({', '.join('?' * len(columns))})"
        listed = f"VALUES {', '.join([one] * len(rows))}"
        values = [value for row in rows for value in row]
        execute(session, insert.format(rows=listed), values)
        return
    staging = _stage(session, table, columns, rows)
    ordered = f"SELECT {', '.join(columns)} FROM {staging} WHERE true ORDER BY staged"
    execute(session, insert.format(rows=ordered))


@cache
def _insert(
    table: Table,
    columns: tuple[str, ...],
    *,
    replace: tuple[str, ...],
    add: tuple[str, ...],
    keep_existing: bool,
) -> str:
    """Return an INSERT whose ``{rows}`` are to come."""
    into = f"INSERT INTO {table.name} ({', '.join(columns)}) {{rows}}"
    keys = ", ".join(column.name for column in table.primary_key)
    changes = [f"{name} = excluded.{name}" for name in replace]
    changes += [f"{name} = {table.name}.{name} + excluded.{name}" for name in add]
    if changes:
        return f"{into} ON CONFLICT ({keys}) DO UPDATE SET {', '.join(changes)}"
    return f"{into} ON CONFLICT ({keys}) DO NOTHING" if keep_existing else into


@cache
def _arrays(table: Table, columns: tuple[str, ...]) -> str:
    """Return the rows that one array for each column makes."""
    arrays = ", ".join(f"%s::{_array_kind(table.c[name])}[]" for name in columns)
    return f"SELECT * FROM unnest({arrays})"


def _array_kind(column: Column[Any]) -> str:
    """Return what a column's values travel as; a cast to VARCHAR(n) would cut them."""
    if isinstance(column.type, String):
        return "text"
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return column.type.compile(dialect=dialect)


def array_of(values: Iterable[Any]) -> str:
    """Return numbers, texts or bytes (None: NULL) as the text of an SQL array."""
    return f"{{{','.join(map(_element, values))}}}"


def _element(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f'"\\\\x{value.hex()}"'
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value)


def _stage(
    session: WriteSession, table: Table, columns: Sequence[str], rows: Sequence[Row]
) -> str:
    """Put *rows* into this connection's staging table for *table*; return its name."""
    staging = f"staging_{table.name}"
    connection = connection_of(session)
    kinds = ", ".join(
        f"{name} {table.c[name].type.compile(dialect=connection.dialect)}"
        for name in columns
    )
    execute(
        session,
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {staging} (staged INTEGER, {kinds})",
    )
    execute(session, f"DELETE FROM {staging}")
    names = f"staged, {', '.join(columns)}"
    marks = ", ".join("?" * (len(columns) + 1))
    connection.exec_driver_sql(
        f"INSERT INTO {staging} ({names}) VALUES ({marks})",
        [(number, *row) for number, row in enumerate(rows)],
    )
    return staging
