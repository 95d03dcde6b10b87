"""What is wrong with a database, or could be better, by what it tells of itself."""

from collections.abc import Callable, Iterator

import msgspec

from app.store.sessions import MOST_CONNECTIONS
from app.store.vitals import PostgresqlVitals, Setting, SqliteVitals, TableVitals

KB, MB, GB = 1 << 10, 1 << 20, 1 << 30
MINUTE_MS = 60_000
OLDEST_VERSION = 140000
"""PostgreSQL 14, in its own way of writing versions."""
FEWEST_HITS = 0.95
"""The share of reads that the server's own memory should answer."""
DEAD_SHARE = 0.2
FEW_ROWS = 10_000
"""A table of fewer needs no vacuum."""
UNUSED_SHARE = 0.25
LEAST_FREE = GB


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, why it matters, and the statement or setting that mends it."""

    is_wrong: bool = False
    what: str
    why: str
    remedy: str


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What a setting of PostgreSQL's should be; ``better`` is a value that is."""

    name: str
    is_good: Callable[[Setting], bool]
    better: str
    why: str
    is_wrong: bool = False


def _is_on(setting: Setting) -> bool:
    return setting.value != "off"


def _is_off(setting: Setting) -> bool:
    return setting.value == "off"


def _at_least(number: int) -> Callable[[Setting], bool]:
    return lambda setting: setting.number >= number


RULES = (
    Rule(
        name="fsync",
        is_good=_is_on,
        better="on",
        why="a loss of power can destroy the whole database",
        is_wrong=True,
    ),
    Rule(
        name="full_page_writes",
        is_good=_is_on,
        better="on",
        why="a loss of power can leave pages half-written, and no one notices",
        is_wrong=True,
    ),
    Rule(
        name="synchronous_commit",
        is_good=_is_on,
        better="on",
        why="what a clinic was told is stored can be lost with the server",
        is_wrong=True,
    ),
    Rule(
        name="autovacuum",
        is_good=_is_on,
        better="on",
        why="tables grow without end, and in the end the server refuses to write",
        is_wrong=True,
    ),
    Rule(
        name="default_transaction_read_only",
        is_good=_is_off,
        better="off",
        why="nothing can be stored",
        is_wrong=True,
    ),
    Rule(
        name="max_wal_size",
        is_good=_at_least(8 * GB),
        better="16GB",
        why="after each checkpoint every page that is touched is logged whole; during a"
        " large delivery a small log makes checkpoints follow each other",
    ),
    Rule(
        name="checkpoint_timeout",
        is_good=_at_least(15 * MINUTE_MS),
        better="30min",
        why="after each checkpoint every page that is touched is logged whole",
    ),
    Rule(
        name="work_mem",
        is_good=_at_least(16 * MB),
        better="32MB",
        why="counting sorts by subject, and what does not fit goes to the disk",
    ),
)


def postgresql_advice(vitals: PostgresqlVitals, *, processes: int) -> Iterator[Advice]:
    """Yield what to do about PostgreSQL, on which *processes* of the hub work."""
    yield from _of_server(vitals)
    for rule in RULES:
        setting = vitals.settings[rule.name]
        if not rule.is_good(setting):
            yield Advice(
                is_wrong=rule.is_wrong,
                what=f"{rule.name} is {shown(setting)}",
                why=rule.why,
                remedy=remedy(vitals, setting, rule.better),
            )
    yield from _of_memory(vitals)
    yield from _of_connections(vitals, processes)
    for table in vitals.tables:
        yield from _of_table(table)
    for name in vitals.invalid_indexes:
        yield Advice(
            is_wrong=True,
            what=f"the index {name} is invalid",
            why="it costs each write and answers nothing",
            remedy=f"REINDEX INDEX CONCURRENTLY {name}",
        )
    for old in vitals.old_transactions:
        yield Advice(
            what=f"connection {old.pid} is in a transaction since {old.seconds} s",
            why="dead rows can't be cleared away while it lasts",
            remedy=f"SELECT pg_terminate_backend({old.pid})",
        )


def _of_server(vitals: PostgresqlVitals) -> Iterator[Advice]:
    if vitals.version < OLDEST_VERSION:
        yield Advice(
            is_wrong=True,
            what=f"PostgreSQL is of version {vitals.version // 10000}",
            why="its faults are mended no more",
            remedy="pg_upgrade to a version that is maintained",
        )
    if vitals.encoding != "UTF8":
        yield Advice(
            is_wrong=True,
            what=f"the database is in {vitals.encoding}",
            why="codes and names outside of it can't be stored",
            remedy="CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0, and move",
        )
    if vitals.is_standby:
        yield Advice(
            is_wrong=True,
            what="the server is a standby",
            why="nothing can be stored",
            remedy="give CATCHMENT_DATABASE_URL the primary, or SELECT pg_promote()",
        )


def _of_memory(vitals: PostgresqlVitals) -> Iterator[Advice]:
    buffers = vitals.settings["shared_buffers"]
    better = "a quarter of the machine's memory"
    if buffers.number < min(GB, vitals.size_bytes):
        yield Advice(
            what=f"shared_buffers is {shown(buffers)}, the database {size(vitals)}",
            why="names are looked up all over their index, which should be in memory",
            remedy=remedy(vitals, buffers, better),
        )
    elif vitals.hit_ratio is not None and vitals.hit_ratio < FEWEST_HITS:
        yield Advice(
            what=f"{vitals.hit_ratio:.0%} of reads are answered from shared_buffers",
            why="the others wait for the system or the disk",
            remedy=remedy(vitals, buffers, better),
        )


def _of_connections(vitals: PostgresqlVitals, processes: int) -> Iterator[Advice]:
    most = vitals.settings["max_connections"]
    kept = vitals.settings["superuser_reserved_connections"].number
    wanted = processes * MOST_CONNECTIONS
    if most.number - kept < wanted:
        yield Advice(
            what=f"max_connections is {most.value}, of which {kept} are reserved",
            why=f"{processes} processes of the hub may open {wanted}, and who gets none"
            " is told to come again (503)",
            remedy=remedy(vitals, most, str(wanted + kept + 10)),
        )


def _of_table(table: TableVitals) -> Iterator[Advice]:
    if table.dead_rows > max(FEW_ROWS, DEAD_SHARE * table.rows):
        yield Advice(
            what=f"{table.dead_rows:,} rows of {table.name} are dead",
            why="they are read past, and their place is not used again",
            remedy=f"VACUUM (ANALYZE) {table.name}",
        )
    elif table.rows > FEW_ROWS and not table.is_analyzed:
        yield Advice(
            what=f"{table.name} has never been analyzed",
            why="the planner guesses how many rows a question meets",
            remedy=f"ANALYZE {table.name}",
        )


def sqlite_advice(vitals: SqliteVitals, *, free_bytes: int) -> Iterator[Advice]:
    """Yield what to do about SQLite's file, on a volume with *free_bytes* left."""
    if vitals.journal_mode != "wal":
        yield Advice(
            is_wrong=True,
            what=f"the journal mode is {vitals.journal_mode}",
            why="who reads and who writes wait for each other; network file systems"
            " can't do better",
            remedy="move the file to a disk of this machine",
        )
    if free_bytes < LEAST_FREE:
        yield Advice(
            is_wrong=True,
            what=f"{in_bytes(free_bytes)} are free on the volume of the database",
            why="once it is full nothing can be stored (503)",
            remedy="free some, or move the database to a larger volume",
        )
    if vitals.unused_bytes > max(MB, UNUSED_SHARE * vitals.size_bytes):
        yield Advice(
            what=f"{in_bytes(vitals.unused_bytes)} of the file are unused",
            why="they are kept for rows to come, which may not come",
            remedy="VACUUM, with the hub stopped and as much free on the volume",
        )


def remedy(vitals: PostgresqlVitals, setting: Setting, value: str) -> str:
    """Return the statement that mends a setting where it was set."""
    database, role, name = vitals.database, vitals.role, setting.name
    resets = {
        "client": f"take {name} out of CATCHMENT_DATABASE_URL",
        "database": f"ALTER DATABASE {database} RESET {name}",
        "user": f"ALTER ROLE {role} RESET {name}",
        "database user": f"ALTER ROLE {role} IN DATABASE {database} RESET {name}",
    }
    after = "restart the server" if setting.needs_restart else "SELECT pg_reload_conf()"
    spelt = f"({value})" if " " in value else f"'{value}'"
    return resets.get(setting.origin, f"ALTER SYSTEM SET {name} = {spelt}; {after}")


def shown(setting: Setting) -> str:
    """Return a setting's value as a person reads it."""
    if setting.name in {"max_wal_size", "work_mem", "shared_buffers"}:
        return in_bytes(setting.number)
    if setting.name == "checkpoint_timeout":
        return f"{setting.number // MINUTE_MS} min"
    return setting.value


def size(vitals: PostgresqlVitals) -> str:
    """Return how large a database is, in words."""
    return in_bytes(vitals.size_bytes)


def in_bytes(number: int) -> str:
    """Return a number of bytes in words."""
    for unit, name in ((GB, "GB"), (MB, "MB"), (KB, "kB")):
        if number >= unit:
            return f"{number / unit:.1f} {name}"
    return f"{number} B"
