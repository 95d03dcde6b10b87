"""The keys that names in this store were made under, and what is known by each."""

from typing import NamedTuple

from sqlalchemy import text

from app.store.sessions import ReadSession, WriteSession, connection_of


class KeyRow(NamedTuple):
    """A key version as it lies in the store; see ``tables.KeyVersion``."""

    version: int
    fingerprint: bytes
    created_at: int
    retired_at: int | None


class Known(NamedTuple):
    """
    What is known by the names of one key version.

    ``records`` have content whose digests and local codes it made; ``blocks`` are names
    of erased persons.
    """

    aliases: int = 0
    records: int = 0
    blocks: int = 0

    @property
    def is_nothing(self) -> bool:
        """Return whether the key may go."""
        return not any(self)


_ALL = text(
    "SELECT version, fingerprint, created_at, retired_at FROM key_version "
    "ORDER BY version"
)
_ADD = text(
    "INSERT INTO key_version (version, fingerprint, created_at) "
    "VALUES (:version, :fingerprint, :created_at) ON CONFLICT (version) DO NOTHING"
)
_RETIRE = text(
    "UPDATE key_version SET retired_at = :now "
    "WHERE version = :version AND retired_at IS NULL"
)
_COUNTS = {
    "aliases": text("SELECT key_version, COUNT(*) FROM alias GROUP BY key_version"),
    "records": text(
        "SELECT key_version, COUNT(*) FROM record WHERE content IS NOT NULL "
        "GROUP BY key_version"
    ),
    "blocks": text("SELECT key_version, COUNT(*) FROM block GROUP BY key_version"),
}
_UNMATCHED = (
    "{record}.key_version = :version AND NOT EXISTS (SELECT 1 FROM alias a "
    "WHERE a.record_id = {record}.id AND a.key_version <> :version)"
)
_NAMELESS = text(
    f"SELECT r.id FROM record r WHERE {_UNMATCHED.format(record='r')} "
    "AND NOT EXISTS (SELECT 1 FROM record o WHERE o.subject_id = r.id "
    f"AND NOT ({_UNMATCHED.format(record='o')})) "
    "ORDER BY CASE WHEN r.type = 1 THEN 1 ELSE 0 END, r.id LIMIT :limit"
)
_FORGET_BLOCKS = text("DELETE FROM block WHERE key_version = :version")


def all_keys(session: ReadSession) -> list[KeyRow]:
    """Return every key version that names were made under, the retired ones too."""
    return [KeyRow._make(row) for row in connection_of(session).execute(_ALL)]


def add_key(
    session: WriteSession, version: int, *, fingerprint: bytes, now: int
) -> None:
    """Note that names are made under a key from now on; *now* in epoch ms."""
    values = {"version": version, "fingerprint": fingerprint, "created_at": now}
    connection_of(session).execute(_ADD, values)


def retire_key(session: WriteSession, version: int, *, now: int) -> None:
    """Note that nothing is known by a key any more; the blocks under it end."""
    connection_of(session).execute(_RETIRE, {"version": version, "now": now})
    connection_of(session).execute(_FORGET_BLOCKS, {"version": version})


def known_by_version(session: ReadSession) -> dict[int, Known]:
    """Return what is known by the names of each key version."""
    known: dict[int, Known] = {}
    for kind, query in _COUNTS.items():
        for version, count in connection_of(session).execute(query):
            known[version] = known.get(version, Known())._replace(**{kind: count})
    return known


def nameless_records(session: ReadSession, version: int, *, limit: int) -> list[int]:
    """
    Return records that would be matched by nothing without a key, Patients last.

    A Patient is among them only with all that is about it.
    """
    values = {"version": version, "limit": limit}
    return list(connection_of(session).execute(_NAMELESS, values).scalars())
