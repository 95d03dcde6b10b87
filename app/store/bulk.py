"""
Many rows in one statement.

On PostgreSQL new rows are copied where there are many; else the columns travel as
arrays, so that one plan serves any number of rows. SQLite gets a list of rows, or a
staging table where there are many.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Column, String, Table
from sqlalchemy.dialects import postgresql

from app.store.exchanges import Question, Row, copy, execute, fetch, is_postgresql
from app.store.sessions import ReadSession, WriteSession, connection_of

FEW_ROWS = 64
MANY_ROWS = 250
"""PostgreSQL copies more; fewer are written together, in one journey."""
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


def fetch_pairs(
    session: ReadSession,
    statement: str,
    pairs: Sequence[tuple[Any, Any]],
    *,
    kinds: tuple[str, str],
) -> list[Row]:
    """Return the rows of *statement*, with ``{pairs}`` for a query of *pairs*."""
    if not pairs:
        return []
    if is_postgresql(session):
        arrays = ", ".join(f"%s::{kind}[]" for kind in kinds)
        spelt = statement.replace("{pairs}", f"SELECT * FROM unnest({arrays})")
        first, second = zip(*pairs, strict=True)
        return fetch(session, spelt, [array_of(first), array_of(second)])
    rows: list[Row] = []
    for start in range(0, len(pairs), LONG_LIST):
        some = pairs[start : start + LONG_LIST]
        marks = ", ".join(["(?, ?)"] * len(some))
        values = [value for pair in some for value in pair]
        rows += fetch(session, statement.replace("{pairs}", f"VALUES {marks}"), values)
    return rows


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
    is_plain = not (replace or add or keep_existing)
    if is_postgresql(session):
        if is_plain and len(rows) > MANY_ROWS:
            copy(session, *_copying(table, tuple(columns)), rows)
            return
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


@cache
def _copying(table: Table, columns: tuple[str, ...]) -> tuple[str, Sequence[str]]:
    """Return the statement that takes copied rows, and the types of their columns."""
    into = f"COPY {table.name} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
    return into, [_array_kind(table.c[name]).lower() for name in columns]


def _array_kind(column: Column[Any]) -> str:
    """Return what a column's values travel as; a cast to VARCHAR(n) would cut them."""
    if isinstance(column.type, String):
        return "text"
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return column.type.compile(dialect=dialect)


def array_of(values: Collection[Any]) -> str:
    """Return numbers, or texts, or bytes (None: NULL) as the text of an SQL array."""
    some = next((value for value in values if value is not None), None)
    spelt = _SPELLINGS.get(type(some), str)
    if None in values:
        listed = ["NULL" if value is None else spelt(value) for value in values]
        return f"{{{','.join(listed)}}}"
    return f"{{{','.join(map(spelt, values))}}}"


def _spelt_bytes(value: bytes) -> str:
    return f'"\\\\x{value.hex()}"'


def _spelt_text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


_SPELLINGS: dict[type[Any], Callable[[Any], str]] = {
    bytes: _spelt_bytes,
    str: _spelt_text,
}


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
