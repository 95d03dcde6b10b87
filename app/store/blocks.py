"""Names of erased persons, who are not to come back."""

import secrets
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from sqlalchemy import text

from app.store import tables
from app.store.bulk import fetch_among, insert_rows
from app.store.sessions import ReadSession, WriteSession, connection_of


class Renewal(NamedTuple):
    """A block under an older key, and what is to take its place."""

    old: bytes
    new: bytes
    key_version: int


_RENEW = text(
    "INSERT INTO block (key, key_version, erasure) "
    "SELECT :new, :key_version, erasure FROM block WHERE key = :old "
    "ON CONFLICT (key) DO NOTHING"
)
_FORGET = text("DELETE FROM block WHERE key = :old")
_FIND = "SELECT key FROM block WHERE key {among}"
_LIFT = (
    "DELETE FROM block WHERE erasure IN (SELECT erasure FROM block WHERE key {among}) "
    "RETURNING key"
)


def find_blocks(session: ReadSession, keys: Collection[bytes]) -> set[bytes]:
    """Return those of *keys* that are blocked."""
    return {key for (key,) in fetch_among(session, _FIND, keys)}


def add_blocks(session: WriteSession, names: Iterable[tuple[bytes, int]]) -> None:
    """Block *names* (key, key version) of one person; those blocked already stay so."""
    erasure = secrets.randbits(62)
    rows = sorted((key, version, erasure) for key, version in set(names))
    table: Any = tables.Block
    columns = ("key", "key_version", "erasure")
    insert_rows(session, table.__table__, columns, rows, keep_existing=True)


def lift_blocks(session: WriteSession, keys: Collection[bytes]) -> int:
    """Lift every block of the persons that *keys* name; return how many there were."""
    return len(fetch_among(session, _LIFT, keys))


def renew_blocks(session: WriteSession, renewals: Iterable[Renewal]) -> None:
    """Let names be blocked under the current key, which older ones were found by."""
    for each in renewals:
        for statement in (_RENEW, _FORGET):
            connection_of(session).execute(statement, each._asdict())
