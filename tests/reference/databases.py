"""The tables that counting reads, on each engine, and what it finds there."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import duckdb

from tests.reference.counting import NOTHING, World

TABLES = (
    """CREATE TABLE subject(id BIGINT PRIMARY KEY, clinic_id INTEGER NOT NULL,
    birth_month INTEGER, sex SMALLINT, death_month INTEGER)""",
    """CREATE TABLE observation(subject_id BIGINT NOT NULL, concept_id INTEGER NOT NULL,
    day INTEGER NOT NULL, record_id BIGINT NOT NULL, part SMALLINT NOT NULL,
    month INTEGER NOT NULL, value BIGINT, value_concept_id INTEGER,
    encounter_id BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY(subject_id, concept_id, day, record_id, part))""",
    """CREATE TABLE condition(subject_id BIGINT NOT NULL, concept_id INTEGER NOT NULL,
    record_id BIGINT NOT NULL, onset_month INTEGER NOT NULL, abatement_month INTEGER,
    PRIMARY KEY(subject_id, concept_id, record_id))""",
    """CREATE TABLE visit(subject_id BIGINT NOT NULL, day INTEGER NOT NULL,
    record_id BIGINT NOT NULL, month INTEGER NOT NULL,
    class_concept_id INTEGER NOT NULL, PRIMARY KEY(subject_id, day, record_id))""",
    "CREATE TEMPORARY TABLE scope(subject_id BIGINT PRIMARY KEY)",
)


class Database:
    """An open connection with empty tables; ``mark`` is its parameter marker."""

    def __init__(self, connection: Any, *, mark: str, suffix: str = "") -> None:
        self.connection = connection
        self.mark = mark
        for table in TABLES:
            own = suffix if "TEMPORARY" not in table else ""
            self.connection.execute(table + own)

    def fill(self, world: World) -> None:
        """Replace all rows by those of *world*, and count every subject."""
        self.fill_rows(
            subject=world.subjects,
            observation=world.observations,
            condition=world.conditions,
            visit=world.visits,
        )

    def fill_rows(self, **rows: Sequence[tuple[int | None, ...]]) -> None:
        """Replace the rows of each table, and count every subject."""
        for table, values in rows.items():
            self.connection.execute(f"DELETE FROM {table}")
            self._insert(table, values)
        self.connection.execute("DELETE FROM scope")
        self.connection.execute("INSERT INTO scope SELECT id FROM subject")

    def scope(self, subjects: Iterable[int]) -> None:
        """Let the next count read these subjects only."""
        self.connection.execute("DELETE FROM scope")
        self._insert("scope", [(subject,) for subject in subjects])

    def events(self, sql: str) -> list[tuple[int, ...]]:
        """Return the difference events that *sql* finds."""
        return [tuple(row) for row in self.connection.execute(sql).fetchall()]

    def _insert(self, table: str, rows: Sequence[tuple[int | None, ...]]) -> None:
        if rows:
            marks = ", ".join([self.mark] * len(rows[0]))
            cursor = self.connection.cursor()
            cursor.executemany(
                f"INSERT INTO {table} VALUES ({marks})", [tuple(row) for row in rows]
            )


def sqlite_database() -> Database:
    """Return a database in memory."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    return Database(connection, mark="?", suffix=" WITHOUT ROWID")


def duckdb_database() -> Database:
    """Return a database in memory of the engine that otherwise reads Parquet."""
    return Database(duckdb.connect(":memory:"), mark="?")


def states(
    events: Iterable[tuple[int, ...]], months: range
) -> dict[tuple[int, ...], tuple[int, ...]]:
    """Return the running sums of *events* for each of *months* that is not nothing."""
    changes: dict[tuple[int, ...], dict[int, tuple[int, ...]]] = defaultdict(dict)
    for subject, grain, stratum, bin_, month, *deltas in events:
        key = (subject, grain, stratum, bin_)
        assert month not in changes[key], "one row for each month"
        assert any(deltas), "rows that change nothing are left out"
        changes[key][month] = tuple(deltas)
    found: dict[tuple[int, ...], tuple[int, ...]] = {}
    for of, by_month in changes.items():
        for month in months:
            past = [deltas for on, deltas in by_month.items() if on <= month]
            state = tuple(map(sum, zip(*past, strict=True))) if past else NOTHING
            if state != NOTHING:
                found[(*of, month)] = state
    return found
