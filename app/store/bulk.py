"""
Bulk writing: rows into a staging table, then one upsert.

COPY on PostgreSQL, executemany on SQLite. A handful of rows goes straight in, since
a staging table costs more than they do.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, CursorResult, Table

from app.store.sessions import ReadSession, WriteSession, connection_of

FEW_ROWS = 64
LONG_LIST = 500
"""SQLite takes far more, but prepares each length of a list anew."""

Row = tuple[Any, ...]


def execute_among(
    session: ReadSession, statement: str, items: Collection[int] | Collection[bytes]
) -> list[Any]:
    """
    Execute *statement* with each ``{among}`` for: is one of *items*; return its rows.

    PostgreSQL gets one array, so that it plans the statement only once; SQLite gets
    a list, in parts where it is long.
    """
    if not items:
        return []
    connection = connection_of(session)
    values = list(items)
    times = statement.count("{among}")
    if connection.dialect.name == "postgresql":
        kind = "bytea" if isinstance(values[0], bytes) else "bigint"
        array = statement.replace("{among}", f"= ANY(%s::{kind}[])")
        return _rows(connection.exec_driver_sql(array, (values,) * times))
    rows: list[Any] = []
    for start in range(0, len(values), LONG_LIST):
        some = tuple(values[start : start + LONG_LIST])
        marks = f"IN ({', '.join('?' * len(some))})"
        listed = statement.replace("{among}", marks)
        rows += _rows(connection.exec_driver_sql(listed, some * times))
    return rows


def _rows(result: CursorResult[Any]) -> list[Any]:
    return list(result.all()) if result.returns_rows else []


def insert_rows(
    session: WriteSession,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    replace: Sequence[str] = (),
    keep_existing: bool = False,
) -> int:
    """
    Insert *rows* into *table*; return how many were inserted or replaced.

    A row whose primary key is there already replaces the columns named by *replace*,
    is left out where *keep_existing* is set, and is an error otherwise. Rows are
    written in the order given: sort them by key where two writers could meet.
    """
    if not rows:
        return 0
    connection = connection_of(session)
    conflict = _on_conflict(table, replace=replace, keep_existing=keep_existing)
    if len(rows) <= FEW_ROWS:
        return _insert_directly(connection, table, columns, rows, conflict)
    staging = _stage(connection, table, columns, rows)
    names = ", ".join(columns)
    statement = (
        f"INSERT INTO {table.name} ({names}) "
        f"SELECT {names} FROM {staging} WHERE true ORDER BY staged {conflict}"
    )
    return connection.exec_driver_sql(statement).rowcount


def _on_conflict(table: Table, *, replace: Sequence[str], keep_existing: bool) -> str:
    keys = ", ".join(column.name for column in table.primary_key)
    if replace:
        changes = ", ".join(f"{name} = excluded.{name}" for name in replace)
        return f"ON CONFLICT ({keys}) DO UPDATE SET {changes}"
    return f"ON CONFLICT ({keys}) DO NOTHING" if keep_existing else ""


def _insert_directly(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Row],
    conflict: str,
) -> int:
    """Insert all rows in one statement."""
    mark = "%s" if connection.dialect.name == "postgresql" else "?"
    one = f"({', '.join([mark] * len(columns))})"
    statement = (
        f"INSERT INTO {table.name} ({', '.join(columns)}) "
        f"VALUES {', '.join([one] * len(rows))} {conflict}"
    )
    values = tuple(value for row in rows for value in row)
    return connection.exec_driver_sql(statement, values).rowcount


def _stage(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row]
) -> str:
    """Put *rows* into this connection's staging table for *table*; return its name."""
    staging = f"staging_{table.name}"
    kinds = [
        f"{name} {table.c[name].type.compile(dialect=connection.dialect)}"
        for name in columns
    ]
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {staging} "
        f"(staged INTEGER, {', '.join(kinds)})"
    )
    connection.exec_driver_sql(f"DELETE FROM {staging}")
    names = f"staged, {', '.join(columns)}"
    numbered = [(number, *row) for number, row in enumerate(rows)]
    if connection.dialect.name == "postgresql":
        cursor = connection.connection.cursor()
        with cursor.copy(f"COPY {staging} ({names}) FROM STDIN") as copy:
            for row in numbered:
                copy.write_row(row)
        return staging
    marks = ", ".join("?" * (len(columns) + 1))
    connection.exec_driver_sql(
        f"INSERT INTO {staging} ({names}) VALUES ({marks})",
        numbered,
    )
    return staging
