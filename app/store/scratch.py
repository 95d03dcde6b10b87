"""A database in memory, with the tables that counting reads and nothing else."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool
from sqlmodel import SQLModel

from app.store import tables  # noqa: F401  (they are known to SQLModel by this)

COUNTED = ("subject", "observation", "condition", "visit")

Row = Sequence[int | None]


def counted(rows: Mapping[str, Sequence[Row]], *, sweep: str) -> list[tuple[int, ...]]:
    """
    Return the difference events that *sweep* finds in *rows*.

    Args:
        rows: Of each table's name its rows, values in the order of the columns; what
            columns are left over take their defaults.
        sweep: The SQL text of a measure.
    """
    engine = create_engine("sqlite://", poolclass=StaticPool)
    wanted = [SQLModel.metadata.tables[name] for name in COUNTED]
    with engine.begin() as connection:
        SQLModel.metadata.create_all(connection, tables=wanted)
        for name, of_table in rows.items():
            _insert(connection, name, of_table)
        connection.exec_driver_sql("CREATE TEMPORARY TABLE scope (subject_id BIGINT)")
        connection.exec_driver_sql("INSERT INTO scope SELECT id FROM subject")
        found = connection.exec_driver_sql(sweep)
        events = [tuple(row) for row in found]
    engine.dispose()
    return events


def _insert(connection: Connection, name: str, rows: Sequence[Row]) -> None:
    """Insert rows into one of the tables."""
    if rows:
        columns = SQLModel.metadata.tables[name].columns.keys()[: len(rows[0])]
        connection.exec_driver_sql(
            f"INSERT INTO {name} ({', '.join(columns)})"
            f" VALUES ({', '.join('?' for _ in columns)})",
            [tuple(row) for row in rows],
        )
