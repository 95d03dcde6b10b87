"""What the maps of sources say of local codes, which are keyed digests here."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import bindparam, text

from app.domain.terminology import LOCAL, Coding
from app.store import tables
from app.store.bulk import insert_rows
from app.store.records import SELECT, StoredRecord, record_of
from app.store.sessions import ReadSession, WriteSession, connection_of


class MapRow(NamedTuple):
    """A source's map as it lies in the store; see ``tables.ConceptMap``."""

    source_id: int
    loaded_at: int
    skipped: int
    settled: bool


class MappedCode(NamedTuple):
    """A keyed digest and the id of the concept that it counts as."""

    code: str
    target_id: int
    key_version: int


Targets = dict[tuple[int, str], tuple[Coding, ...]]
"""What local codes count as, by source and digest."""

_MAPS = text("SELECT source_id, loaded_at, skipped, settled FROM concept_map")
_SIZES = text(
    "SELECT source_id, key_version, COUNT(DISTINCT code) FROM concept_mapping "
    "GROUP BY source_id, key_version"
)
_KEEP_MAP = text(
    "INSERT INTO concept_map (source_id, loaded_at, skipped, settled) "
    "VALUES (:source_id, :loaded_at, :skipped, :settled) "
    "ON CONFLICT (source_id) DO UPDATE SET loaded_at = excluded.loaded_at, "
    "skipped = excluded.skipped, settled = excluded.settled"
)
_FORGET_MAP = text("DELETE FROM concept_map WHERE source_id = :source_id")
_CODES = text(
    "SELECT code, target_id, key_version FROM concept_mapping "
    "WHERE source_id = :source_id"
)
_AMONG = "m.source_id IN :sources AND m.code IN :codes"
_TARGETS = text(
    "SELECT m.source_id, m.code, c.system, c.code AS target FROM concept_mapping m "
    f"JOIN concept c ON c.id = m.target_id WHERE {_AMONG} "
    "ORDER BY m.source_id, m.code, c.system, c.code"
).bindparams(bindparam("sources", expanding=True), bindparam("codes", expanding=True))
_KNOWN = text(
    f"SELECT m.code, m.target_id FROM concept_mapping m WHERE {_AMONG}"
).bindparams(bindparam("sources", expanding=True), bindparam("codes", expanding=True))
_FORGET_CODES = text("DELETE FROM concept_mapping WHERE source_id = :source_id")
_WITH_LOCAL_CODES = text(
    f"{SELECT}WHERE r.source_id = :source_id AND r.id > :after AND r.state = 1 "
    f"AND r.twin_id IS NULL AND r.content LIKE '%{LOCAL}%' ORDER BY r.id LIMIT :limit"
)
_TABLE: Any = tables.ConceptMapping


def all_maps(session: ReadSession) -> list[MapRow]:
    """Return the maps that are loaded, or being taken away."""
    return [MapRow._make(row) for row in connection_of(session).execute(_MAPS)]


def find_map(session: ReadSession, source_id: int) -> MapRow | None:
    """Return a source's map, if it has one."""
    return next((m for m in all_maps(session) if m.source_id == source_id), None)


def keep_map(session: WriteSession, row: MapRow) -> None:
    """Note that a source has a map, in place of one that it had."""
    connection_of(session).execute(_KEEP_MAP, row._asdict())


def forget_map(session: WriteSession, source_id: int) -> None:
    """Note that a source has no map any more."""
    connection_of(session).execute(_FORGET_MAP, {"source_id": source_id})


def mapped_sizes(session: ReadSession) -> dict[tuple[int, int], int]:
    """Return how many codes are mapped, by source and key version."""
    rows = connection_of(session).execute(_SIZES)
    return {(source_id, version): count for source_id, version, count in rows}


def mapped_codes(session: ReadSession, source_id: int) -> set[MappedCode]:
    """Return all that a source's map says."""
    rows = connection_of(session).execute(_CODES, {"source_id": source_id})
    return {MappedCode._make(row) for row in rows}


def replace_mapped_codes(
    session: WriteSession, source_id: int, mapped: Iterable[MappedCode]
) -> None:
    """Let *mapped* be all that a source's map says."""
    connection_of(session).execute(_FORGET_CODES, {"source_id": source_id})
    _add(session, source_id, mapped)


def renew_mapped_codes(
    session: WriteSession,
    source_id: int,
    former: Mapping[str, Collection[str]],
    *,
    key_version: int,
) -> None:
    """
    Let codes that are mapped under a *former* digest be so under the current one.

    *former* has the digests under older keys, by those of *key_version*.
    """
    asked = {*former, *(code for codes in former.values() for code in codes)}
    if not asked:
        return
    values = {"sources": [source_id], "codes": sorted(asked)}
    known: dict[str, set[int]] = {}
    for code, target_id in connection_of(session).execute(_KNOWN, values):
        known.setdefault(code, set()).add(target_id)
    _add(
        session,
        source_id,
        (
            MappedCode(code, target_id, key_version)
            for code, older in former.items()
            if code not in known
            for target_id in {t for each in older for t in known.get(each, ())}
        ),
    )


def find_targets(session: ReadSession, asked: Collection[tuple[int, str]]) -> Targets:
    """Return what those of *asked* (source, digest) that are mapped count as."""
    if not asked:
        return {}
    values = {
        "sources": sorted({source_id for source_id, _ in asked}),
        "codes": sorted({code for _, code in asked}),
    }
    found: dict[tuple[int, str], list[Coding]] = {}
    for row in connection_of(session).execute(_TARGETS, values):
        coding = Coding(row.system, row.target)
        found.setdefault((row.source_id, row.code), []).append(coding)
    return {place: tuple(codings) for place, codings in found.items()}


def records_with_local_codes(
    session: ReadSession, source_id: int, *, after: int, limit: int
) -> list[StoredRecord]:
    """Return a source's next records that count and have a local code, by their id."""
    values = {"source_id": source_id, "after": after, "limit": limit}
    rows = connection_of(session).execute(_WITH_LOCAL_CODES, values)
    return [record_of(row) for row in rows]


def _add(session: WriteSession, source_id: int, mapped: Iterable[MappedCode]) -> None:
    rows = sorted((source_id, *each) for each in mapped)
    columns = ("source_id", *MappedCode._fields)
    insert_rows(session, _TABLE.__table__, columns, rows, keep_existing=True)
