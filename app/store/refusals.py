"""Why a resource was refused the last time, by its keyed names, for a while."""

from collections.abc import Collection, Iterable
from typing import Any

import msgspec
from sqlalchemy import text

from app.store import tables
from app.store.bulk import execute_among, fetch_among, insert_rows
from app.store.sessions import ReadSession, WriteSession, connection_of

KEPT_MS = 30 * 24 * 3600 * 1000
MOST_OF_A_SOURCE = 10_000
"""More are forgotten, the oldest first: a flood of refusals fills no disk."""


class StoredRefusal(msgspec.Struct, frozen=True):
    """A refusal as it lies in the store; see ``tables.Refusal``."""

    key: bytes
    source_id: int
    issue_type: str
    expression: str | None
    refused_at: int


_COLUMNS = StoredRefusal.__struct_fields__
_FIND = f"SELECT {', '.join(_COLUMNS)} FROM refusal WHERE key {{among}}"
_FORGET_OLD = text("DELETE FROM refusal WHERE refused_at <= :until")
_FORGET = "DELETE FROM refusal WHERE key {among}"
_CUT = text(
    "SELECT refused_at FROM refusal WHERE source_id = :source_id "
    "ORDER BY refused_at DESC LIMIT 1 OFFSET :most"
)
_FORGET_UNTIL = text(
    "DELETE FROM refusal WHERE source_id = :source_id AND refused_at <= :until"
)


def find_refusals(
    session: ReadSession, keys: Collection[bytes], *, now: int
) -> dict[bytes, StoredRefusal]:
    """Return the refusals of what *keys* name, but for those long ago."""
    found = (StoredRefusal(*row) for row in fetch_among(session, _FIND, keys))
    return {r.key: r for r in found if r.refused_at > now - KEPT_MS}


def forget_old_refusals(session: WriteSession, *, now: int) -> None:
    """Forget what was refused long ago."""
    connection_of(session).execute(_FORGET_OLD, {"until": now - KEPT_MS})


def forget_refusals(session: WriteSession, keys: Collection[bytes]) -> None:
    """Forget that what *keys* name was refused."""
    execute_among(session, _FORGET, keys)


def add_refusals(session: WriteSession, refusals: Iterable[StoredRefusal]) -> None:
    """Remember the latest refusal of each key; forget the too many."""
    latest = {refusal.key: refusal for refusal in refusals}
    rows = [tuple(getattr(latest[key], c) for c in _COLUMNS) for key in sorted(latest)]
    table: Any = tables.Refusal
    insert_rows(session, table.__table__, _COLUMNS, rows, replace=_COLUMNS[1:])
    for source_id in {refusal.source_id for refusal in latest.values()}:
        _forget_some(session, source_id)


def _forget_some(session: WriteSession, source_id: int) -> None:
    """Forget what a source was refused beyond its share."""
    connection = connection_of(session)
    values = {"source_id": source_id, "most": MOST_OF_A_SOURCE}
    over = connection.execute(_CUT, values).scalar_one_or_none()
    if over is not None:
        connection.execute(_FORGET_UNTIL, {"source_id": source_id, "until": over})
