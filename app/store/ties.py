"""What current Patients say of each other: that two subjects are one person."""

from collections.abc import Collection, Iterable
from enum import IntEnum
from typing import Any, NamedTuple

from app.store import tables
from app.store.bulk import execute_among, fetch_among, insert_rows
from app.store.sessions import ReadSession, WriteSession


class TieKind(IntEnum):
    """By what a Patient says it; the numbers stand in the database."""

    IDENTIFIER = 1
    LINK = 2


class Tie(NamedTuple):
    """The Patient of *record_id* says that *other_id* is the same person."""

    record_id: int
    other_id: int
    kind: TieKind


_COLUMNS = Tie._fields
_TOUCHING = (
    "SELECT record_id, other_id, kind FROM tie WHERE record_id {among} "
    "UNION SELECT record_id, other_id, kind FROM tie WHERE other_id {among}"
)
_FORGET = "DELETE FROM tie WHERE record_id {among}"


def ties_touching(session: ReadSession, ids: Collection[int]) -> set[Tie]:
    """Return what the Patients of *ids* say, and what is said of them."""
    rows = fetch_among(session, _TOUCHING, ids)
    return {
        Tie(record_id, other_id, TieKind(kind)) for record_id, other_id, kind in rows
    }


def replace_ties(
    session: WriteSession, said_before: Collection[int], ties: Iterable[Tie]
) -> None:
    """Let *ties* be all that their Patients say; *said_before* may have said more."""
    execute_among(session, _FORGET, said_before)
    table: Any = tables.Tie
    insert_rows(session, table.__table__, _COLUMNS, sorted(ties))


def delete_ties(session: WriteSession, ids: Collection[int]) -> None:
    """Take away what the Patients of *ids* say, and what is said of them."""
    execute_among(session, _FORGET, ids)
    execute_among(session, "DELETE FROM tie WHERE other_id {among}", ids)
