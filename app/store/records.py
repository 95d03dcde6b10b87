"""Records, their aliases and the integer rows that measures count."""

from collections.abc import Collection, Iterable
from enum import IntEnum
from operator import attrgetter, itemgetter
from typing import Any

import msgspec
from sqlalchemy import text

from app.domain.records import Alias, AliasKind, RecordType
from app.store import tables
from app.store.bulk import execute_among, fetch_among, fetch_pairs, insert_rows
from app.store.exchanges import Row, fetch, is_postgresql
from app.store.sessions import ReadSession, WriteSession, connection_of


class State(IntEnum):
    """Where a record is in its life."""

    PLACEHOLDER = 0
    CURRENT = 1
    WITHDRAWN = 2


class StoredRecord(msgspec.Struct, kw_only=True, gc=False):
    """A record as it lies in the store."""

    id: int
    type: RecordType
    source_id: int
    clinic_id: int
    subject_id: int
    encounter_id: int
    version: int
    state: State
    sent_order: int | None
    digest: bytes | None
    content_digest: bytes | None = None
    twin_id: int | None = None
    content: str | None
    policy_digest: str
    received_at: int
    key_version: int

    @property
    def counts(self) -> bool:
        """Return whether measures see it: no twin counts in its place."""
        return self.state is State.CURRENT and self.twin_id is None


_COLUMNS = (
    "r.id, r.type, r.source_id, s.clinic_id, r.subject_id, r.encounter_id, r.version, "
    "r.state, r.sent_order, r.digest, r.content_digest, r.twin_id, r.content, "
    "r.policy_digest, r.received_at, r.key_version"
)
_SOURCE = "JOIN source s ON s.id = r.source_id "
SELECT = f"SELECT {_COLUMNS} FROM record r {_SOURCE}"
SELECT_NAMED = (
    f"SELECT a.key, {_COLUMNS} "
    f"FROM alias a JOIN record r ON r.id = a.record_id {_SOURCE}"
)
_BY_ID = SELECT + "WHERE r.id {among}"
_NEVER_TWIN = "r.twin_id IS NULL ORDER BY r.id"
_PATIENT_BY_DIGEST = (
    f"{SELECT}WHERE r.digest {{among}} AND r.type = 1 AND {_NEVER_TWIN}"
)
_BY_DIGEST = (
    "WITH counted (subject_id, digest) AS ({pairs}), "
    "came (subject_id, digest) AS (SELECT subject_id, digest FROM counted UNION ALL "
    "SELECT s.id, c.digest FROM counted c "
    "JOIN subject s ON s.joined_to = c.subject_id) "
    f"SELECT {_COLUMNS} FROM came c "
    "JOIN record r ON r.subject_id = c.subject_id AND r.digest = c.digest "
    f"{_SOURCE}WHERE {_NEVER_TWIN}"
)
_COUNTED_AFTER = text(
    SELECT + "WHERE r.id > :after AND r.state = 1 AND r.twin_id IS NULL "
    "ORDER BY r.id LIMIT :limit"
)
_ABOUT = (
    "SELECT id, type, subject_id, state, digest, twin_id "
    "FROM record WHERE subject_id {among}"
)
_ALIASES = "SELECT key, record_id, kind, key_version FROM alias WHERE record_id {among}"
_BY_ALIAS = "SELECT key, record_id FROM alias WHERE key {among}"
_NAMES = "SELECT DISTINCT record_id, kind FROM alias WHERE record_id {among}"
_LOCK = {
    "sqlite": _BY_ID,
    "postgresql": f"{_BY_ID} ORDER BY r.id FOR UPDATE OF r",
}


def find_by_alias(session: ReadSession, keys: Collection[bytes]) -> dict[bytes, int]:
    """Return the record id behind each of *keys* that is known."""
    return dict(fetch_among(session, _BY_ALIAS, keys))


def find_by_id(session: ReadSession, ids: Collection[int]) -> dict[int, StoredRecord]:
    """Return the records of *ids* that exist."""
    return {row[0]: record_of(row) for row in fetch_among(session, _BY_ID, ids)}


def counted_after(
    session: ReadSession, record_id: int, *, limit: int
) -> list[StoredRecord]:
    """Return the next records of a higher id that measures see, in its order."""
    values = {"after": record_id, "limit": limit}
    rows = connection_of(session).execute(_COUNTED_AFTER, values)
    return [record_of(row) for row in rows]


def find_by_digest(
    session: ReadSession,
    digests: Collection[tuple[int | None, bytes]],
    *,
    source_id: int,
) -> dict[bytes, list[StoredRecord]]:
    """
    Return the records of a source whose content has one of *digests*.

    Each is of a content about who counts for its subject; None: of a Patient. By that
    subject it is found where all that is about somebody stands together, while digests
    alone are anywhere, and writing each to a page of its own costs most.
    """
    about = [pair for pair in digests if pair[0] is not None]
    alone = [digest for subject_id, digest in digests if subject_id is None]
    rows = [
        *fetch_pairs(session, _BY_DIGEST, about, kinds=("bigint", "bytea")),
        *fetch_among(session, _PATIENT_BY_DIGEST, alone),
    ]
    found: dict[bytes, list[StoredRecord]] = {}
    for stored in map(record_of, rows):
        if stored.source_id == source_id and stored.digest is not None:
            found.setdefault(stored.digest, []).append(stored)
    return found


def lock_by_id(session: WriteSession, ids: Collection[int]) -> dict[int, StoredRecord]:
    """Return the records of *ids*, which no other transaction may change now."""
    statement = _LOCK[connection_of(session).dialect.name]
    return {row[0]: record_of(row) for row in fetch_among(session, statement, ids)}


def kinds_of_names(
    session: ReadSession, ids: Collection[int]
) -> set[tuple[int, AliasKind]]:
    """Return by what kinds of alias the records of *ids* are known."""
    rows = fetch_among(session, _NAMES, ids)
    return {(record_id, AliasKind(kind)) for record_id, kind in rows}


class AboutRow(msgspec.Struct, frozen=True):
    """A record's place beside the others about its subject."""

    id: int
    type: RecordType
    subject_id: int
    state: State
    digest: bytes | None
    twin_id: int | None


def about(session: ReadSession, subject_ids: Collection[int]) -> list[AboutRow]:
    """Return the records that came about *subject_ids*, their Patients included."""
    return [
        AboutRow(id_, RecordType(type_), subject_id, State(state), digest, twin_id)
        for id_, type_, subject_id, state, digest, twin_id in fetch_among(
            session, _ABOUT, subject_ids
        )
    ]


def aliases_of(
    session: ReadSession, record_ids: Collection[int]
) -> list[tuple[Alias, int]]:
    """Return what records are known by, each alias with its record."""
    return [
        (Alias(key, AliasKind(kind), key_version), record_id)
        for key, record_id, kind, key_version in fetch_among(
            session, _ALIASES, record_ids
        )
    ]


def allocate_ids(session: WriteSession, count: int) -> list[int]:
    """Return *count* record ids that nobody has had."""
    if is_postgresql(session):
        statement = "SELECT nextval('record_id_seq') FROM generate_series(1, %s)"
        return [number for (number,) in fetch(session, statement, (count,))]
    statement = (
        "UPDATE main.sqlite_sequence SET seq = seq + ? "
        "WHERE name = 'record' RETURNING seq"
    )
    ((last,),) = fetch(session, statement, (count,))
    return list(range(last - count + 1, last + 1))


def insert_aliases(session: WriteSession, aliases: Iterable[tuple[Alias, int]]) -> None:
    """Name records; an alias that another transaction took meanwhile is an error."""
    rows = sorted(
        (alias.key, record_id, int(alias.kind), alias.key_version)
        for alias, record_id in aliases
    )
    columns = ("key", "record_id", "kind", "key_version")
    insert_rows(session, _table(tables.Alias), columns, rows)


def delete_aliases(session: WriteSession, keys: Collection[bytes]) -> None:
    """Let *keys* name nothing any more."""
    execute_among(session, "DELETE FROM alias WHERE key {among}", keys)


_FIRST = itemgetter(0)
_RECORD_COLUMNS = (
    "id",
    "type",
    "source_id",
    "subject_id",
    "encounter_id",
    "version",
    "state",
    "sent_order",
    "digest",
    "content_digest",
    "twin_id",
    "content",
    "policy_digest",
    "received_at",
    "key_version",
)


_RECORD_ROW = attrgetter(*_RECORD_COLUMNS)


def insert_records(session: WriteSession, records: Iterable[StoredRecord]) -> None:
    """Insert records under ids that were allocated for them."""
    rows = sorted(map(_RECORD_ROW, records), key=_FIRST)
    insert_rows(session, _table(tables.Record), _RECORD_COLUMNS, rows)


def save_records(session: WriteSession, records: Iterable[StoredRecord]) -> None:
    """Bring the stored records of the same ids to this state."""
    insert_rows(
        session,
        _table(tables.Record),
        _RECORD_COLUMNS,
        sorted(map(_RECORD_ROW, records), key=_FIRST),
        replace=_RECORD_COLUMNS[3:],
    )


_FACT_COLUMNS: dict[type[Any], tuple[str, ...]] = {
    tables.Observation: (
        "subject_id",
        "concept_id",
        "day",
        "record_id",
        "part",
        "month",
        "value",
        "value_concept_id",
        "encounter_id",
    ),
    tables.Condition: (
        "subject_id",
        "concept_id",
        "record_id",
        "onset_month",
        "abatement_month",
    ),
    tables.Visit: ("subject_id", "day", "record_id", "month", "class_concept_id"),
    tables.SummaryFact: (
        "clinic_id",
        "concept_id",
        "month",
        "record_id",
        "ward",
        "day",
        "value",
    ),
}
_DELETE_FACTS = tuple(
    f"DELETE FROM {table.__tablename__} WHERE record_id {{among}}"
    for table in _FACT_COLUMNS
)


def delete_facts(session: WriteSession, record_ids: Collection[int]) -> None:
    """Take the integer rows of records away."""
    for statement in _DELETE_FACTS:
        execute_among(session, statement, record_ids)


def delete_records(session: WriteSession, record_ids: Collection[int]) -> None:
    """Take records away with their aliases and integer rows; nothing is left."""
    delete_facts(session, record_ids)
    execute_among(session, "DELETE FROM alias WHERE record_id {among}", record_ids)
    execute_among(session, "DELETE FROM record WHERE id {among}", record_ids)


def insert_facts(
    session: WriteSession,
    facts: dict[type[Any], list[tuple[Any, ...]]],
    *,
    new: Collection[int] = (),
) -> None:
    """
    Insert integer rows, by table, in the order of that table's columns.

    Of a record that says the same twice one row stays; those of *new* records, which
    had none before, meet no others.
    """
    for model, rows in facts.items():
        table, columns = _table(model), _FACT_COLUMNS[model]
        place = columns.index("record_id")
        by_key = {row[: len(table.primary_key)]: row for row in reversed(rows)}
        ordered = [by_key[key] for key in sorted(by_key)]
        first = [row for row in ordered if row[place] in new]
        again = [row for row in ordered if row[place] not in new]
        insert_rows(session, table, columns, first)
        insert_rows(session, table, columns, again, keep_existing=True)


def _table(model: type[Any]) -> Any:  # noqa: ANN401  (SQLModel has no type for it)
    return model.__table__


def record_of(row: Row) -> StoredRecord:
    """Return a row of ``SELECT`` as a record."""
    id_, type_, source_id, clinic_id, subject_id, encounter_id, version, state = row[:8]
    sent_order, digest, content_digest, twin_id, *kept = row[8:]
    content, policy_digest, received_at, key_version = kept
    return StoredRecord(
        id=id_,
        type=RecordType(type_),
        source_id=source_id,
        clinic_id=clinic_id,
        subject_id=subject_id,
        encounter_id=encounter_id,
        version=version,
        state=State(state),
        sent_order=sent_order,
        digest=digest,
        content_digest=content_digest,
        twin_id=twin_id,
        content=content,
        policy_digest=policy_digest,
        received_at=received_at,
        key_version=key_version,
    )
