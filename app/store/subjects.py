"""Subjects: patients at one clinic, joins between them, and who is to be recounted."""

from collections.abc import Collection, Iterable
from typing import Any

import msgspec
from sqlalchemy import text

from app.store import tables
from app.store.bulk import fetch_among, insert_rows
from app.store.exchanges import Row
from app.store.sessions import ReadSession, WriteSession, connection_of


class StoredSubject(msgspec.Struct, kw_only=True):
    """A subject as it lies in the store; see ``tables.Subject``."""

    id: int
    clinic_id: int
    birth_month: int | None = None
    sex: int | None = None
    death_month: int | None = None
    joined_to: int | None = None


_COLUMNS = ("id", "clinic_id", "birth_month", "sex", "death_month", "joined_to")
SELECT = f"SELECT {', '.join(_COLUMNS)} FROM subject "
_FIND = SELECT + "WHERE id {among} ORDER BY id"
_LOCK = {"sqlite": _FIND, "postgresql": f"{_FIND} FOR UPDATE"}
_PATIENT = text(
    "SELECT COALESCE((SELECT id FROM record WHERE id = :id AND state = 1), "
    "(SELECT MIN(record_id) FROM tie WHERE other_id = :id AND kind = 1), "
    "(SELECT MIN(r.id) FROM subject s JOIN record r ON r.id = s.id AND r.state = 1 "
    "JOIN (SELECT COALESCE(joined_to, id) AS root FROM subject WHERE id = :id) c "
    "ON s.id = c.root OR s.joined_to = c.root))"
)
_DIRTY_COLUMNS = ("subject_id", "clinic_id", "stamp", "since")


def lock_subjects(
    session: WriteSession, ids: Collection[int]
) -> dict[int, StoredSubject]:
    """Return the subjects of *ids*, which no other transaction may change now."""
    statement = _LOCK[connection_of(session).dialect.name]
    return subjects_of(fetch_among(session, statement, ids))


def find_subjects(
    session: ReadSession, ids: Collection[int]
) -> dict[int, StoredSubject]:
    """Return the subjects of *ids* that exist."""
    return subjects_of(fetch_among(session, _FIND, ids))


def subjects_of(rows: Iterable[Row]) -> dict[int, StoredSubject]:
    """Return rows of the subject table, in the order of its columns, by id."""
    named = (dict(zip(_COLUMNS, row, strict=True)) for row in rows)
    return {row["id"]: StoredSubject(**row) for row in named}


def save_subjects(session: WriteSession, subjects: Iterable[StoredSubject]) -> None:
    """Insert subjects, or bring the stored ones of the same id to this state."""
    rows = sorted(tuple(getattr(s, name) for name in _COLUMNS) for s in subjects)
    table: Any = tables.Subject
    insert_rows(session, table.__table__, _COLUMNS, rows, replace=_COLUMNS[2:])


def patient_of(session: ReadSession, subject_id: int) -> int | None:
    """
    Return the Patient that is known for *subject_id*.

    Its own, else the one that has it for an identifier, else the oldest joined with it.
    """
    rows = connection_of(session).execute(_PATIENT, {"id": subject_id})
    found: int | None = rows.scalar_one()
    return found


def move_facts(session: WriteSession, subject_id: int, *, to_subject: int) -> None:
    """
    Let the facts of what came about *subject_id* count for *to_subject*.

    Records keep the subject that they came with, so the move can be undone.
    """
    for table in ("observation", "condition", "visit"):
        connection_of(session).execute(
            text(
                f"UPDATE {table} SET subject_id = :to WHERE record_id IN "
                "(SELECT id FROM record WHERE subject_id = :came)"
            ),
            {"to": to_subject, "came": subject_id},
        )


def mark_dirty(
    session: WriteSession, subjects: Iterable[tuple[int, int]], *, now: int
) -> None:
    """Ask for a recount of *subjects* (subject id, clinic id); *now* in epoch ms."""
    rows = [(*subject, 1, now) for subject in sorted(set(subjects))]
    table: Any = tables.Dirty
    insert_rows(session, table.__table__, _DIRTY_COLUMNS, rows, add=("stamp",))
