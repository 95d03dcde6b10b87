"""What a database tells of itself: settings, sizes, indexes, who holds it up."""

from typing import Any

import msgspec
from sqlalchemy import inspect, make_url, text
from sqlalchemy.schema import CreateIndex

from app.store import tables
from app.store.sessions import ReadSession, connection_of

UNITS = {
    "B": 1,
    "kB": 1 << 10,
    "8kB": 8 << 10,
    "MB": 1 << 20,
    "ms": 1,
    "s": 1000,
    "min": 60_000,
}
"""PostgreSQL's units in bytes or milliseconds."""


class Setting(msgspec.Struct, frozen=True):
    """
    A setting of PostgreSQL's as it holds for the hub's connections.

    ``value`` is in bytes or milliseconds where it has a unit; ``origin`` says where it
    was set: ``database`` and ``user`` go before the configuration file.
    """

    name: str
    value: str
    origin: str
    needs_restart: bool

    @property
    def number(self) -> int:
        """Return the value of a setting that is a number."""
        return int(self.value)


class TableVitals(msgspec.Struct, frozen=True):
    """How large a table is, in bytes, and how many of its rows are dead."""

    name: str
    rows: int
    dead_rows: int
    table_bytes: int
    index_bytes: int
    is_analyzed: bool


class OldTransaction(msgspec.Struct, frozen=True):
    """A transaction of another connection that has been open for long."""

    pid: int
    seconds: int


class PostgresqlVitals(msgspec.Struct, frozen=True, kw_only=True):
    """What PostgreSQL tells; ``hit_ratio`` None: too little was read to say."""

    version: int
    database: str
    role: str
    encoding: str
    is_standby: bool
    settings: dict[str, Setting]
    size_bytes: int
    hit_ratio: float | None
    tables: tuple[TableVitals, ...]
    old_transactions: tuple[OldTransaction, ...]
    invalid_indexes: tuple[str, ...]


class SqliteVitals(msgspec.Struct, frozen=True, kw_only=True):
    """What SQLite tells of its file; sizes in bytes."""

    path: str
    journal_mode: str
    size_bytes: int
    unused_bytes: int


_DATABASE = text(
    "SELECT current_setting('server_version_num')::int AS version, "
    "current_database() AS database, current_user AS role, "
    "current_setting('server_encoding') AS encoding, "
    "pg_is_in_recovery() AS is_standby, "
    "pg_database_size(current_database()) AS size_bytes, blks_hit, blks_read "
    "FROM pg_stat_database WHERE datname = current_database()"
)
_SETTINGS = text("SELECT name, setting, unit, source, context FROM pg_settings")
_TABLES = text(
    "SELECT relname, n_live_tup, n_dead_tup, pg_table_size(relid), "
    "pg_indexes_size(relid), "
    "COALESCE(last_analyze, last_autoanalyze) IS NOT NULL "
    "FROM pg_stat_user_tables ORDER BY pg_total_relation_size(relid) DESC"
)
_OLD = text(
    "SELECT pid, EXTRACT(EPOCH FROM now() - xact_start)::int FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND now() - xact_start > make_interval(secs => :seconds) ORDER BY 2 DESC"
)
_INVALID = text(
    "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
    "WHERE NOT i.indisvalid ORDER BY 1"
)
BLOCKS_THAT_TELL = 1_000_000
"""Of so many reads a share says something."""


def postgresql_vitals(session: ReadSession, *, old_seconds: int) -> PostgresqlVitals:
    """Return how PostgreSQL is; transactions count as old after *old_seconds*."""
    connection = connection_of(session)
    row = connection.execute(_DATABASE).one()
    blocks = row.blks_hit + row.blks_read
    old = connection.execute(_OLD, {"seconds": old_seconds})
    return PostgresqlVitals(
        version=row.version,
        database=row.database,
        role=row.role,
        encoding=row.encoding,
        is_standby=row.is_standby,
        settings={
            each.name: each for each in map(_setting, connection.execute(_SETTINGS))
        },
        size_bytes=row.size_bytes,
        hit_ratio=row.blks_hit / blocks if blocks >= BLOCKS_THAT_TELL else None,
        tables=tuple(TableVitals(*each) for each in connection.execute(_TABLES)),
        old_transactions=tuple(OldTransaction(*each) for each in old),
        invalid_indexes=tuple(connection.execute(_INVALID).scalars()),
    )


def _setting(row: Any) -> Setting:  # noqa: ANN401  (SQLAlchemy's row)
    factor = UNITS.get(row.unit)
    value = str(int(row.setting) * factor) if factor else row.setting
    return Setting(row.name, value, row.source, row.context == "postmaster")


def sqlite_vitals(session: ReadSession) -> SqliteVitals:
    """Return how SQLite's file is."""
    connection = connection_of(session)

    def pragma(name: str) -> Any:  # noqa: ANN401  (a number or a word)
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()

    page = pragma("page_size")
    return SqliteVitals(
        path=make_url(connection.engine.url).database or "",
        journal_mode=pragma("journal_mode"),
        size_bytes=page * pragma("page_count"),
        unused_bytes=page * pragma("freelist_count"),
    )


def missing_indexes(session: ReadSession) -> list[str]:
    """Return the statements that make what indexes a database should have and lacks."""
    connection = connection_of(session)
    inspector = inspect(connection)
    missing = []
    for table in tables.metadata.sorted_tables:
        there = {index["name"] for index in inspector.get_indexes(table.name)}
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            if index.name not in there:
                statement = CreateIndex(index).compile(dialect=connection.dialect)
                missing.append(str(statement))
    return missing
