"""
The map of a source: loaded or taken away, and what was stored before counted anew.

What is kept of a record stays as it is; the map is applied where facts are made of it,
so what counts is the same whether the map came before the records or after them.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from app.deid.concept_maps import KeyedMap, Skipped, keyed_map
from app.domain.clinics import Source
from app.domain.errors import NotFoundError
from app.domain.records import content_of
from app.domain.translations import local_codes
from app.fhir.concept_maps import parse_concept_map
from app.services.hub import Hub
from app.services.refreshes import RECORDS_AT_ONCE, remake_facts
from app.store import clinics, concept_maps, subjects
from app.store.concept_maps import MappedCode, MapRow
from app.store.meetings import keep_others_out
from app.store.records import StoredRecord
from app.store.sessions import ReadSession, WriteSession, write_session

Json = dict[str, Any]


class Recounted(msgspec.Struct, frozen=True, kw_only=True):
    """What a change of a map came to: records that count anew, and of how many."""

    records: int
    people: int


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken of a map: how many local codes, and what was not."""

    codes: int
    skipped: Counter[Skipped]
    recounted: Recounted


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A map in words, as a list shows it; its fields are the list's columns."""

    clinic: str
    source: str
    codes: str
    skipped: str
    loaded: str
    state: str


def load(hub: Hub, resource: Json, *, clinic: str, source: str) -> Loaded:
    """
    Let a ConceptMap be the map of a source, in place of one that it had.

    Who was stopped half-way loads it again, and what was left is done.

    Raises:
        NotFoundError: there is no such clinic or source.
        ServiceError: the map can't be read, or a target may not be kept; the element
            is told, never a code.
    """
    stated = parse_concept_map(resource)
    with write_session(hub.engine) as session:
        known = clinics.required_source(session, clinic=clinic, name=source)
        keyed = keyed_map(
            stated,
            keys=hub.keys,
            source=known,
            network_codes=hub.policy.network_codes,
        )
        changed = _replace(session, hub, known, keyed)
    recounted = _settle(hub, known, changed, at_end=_mark_settled)
    return Loaded(codes=keyed.codes, skipped=keyed.skipped, recounted=recounted)


def remove(hub: Hub, *, clinic: str, source: str) -> Recounted:
    """
    Take the map of a source away: its local codes count as themselves again.

    Raises:
        NotFoundError: there is no such clinic or source, or it has no map.
    """
    nothing = KeyedMap(frozenset(), 0, Counter())
    with write_session(hub.engine) as session:
        known = clinics.required_source(session, clinic=clinic, name=source)
        if concept_maps.find_map(session, known.source_id) is None:
            msg = "The source has no map"
            raise NotFoundError(msg)
        changed = _replace(session, hub, known, nothing)
    return _settle(hub, known, changed, at_end=concept_maps.forget_map)


def lines(session: ReadSession, hub: Hub) -> list[Line]:
    """Return every map in words, by clinic and source."""
    maps = {row.source_id: row for row in concept_maps.all_maps(session)}
    sizes = concept_maps.mapped_sizes(session)
    return [
        Line(
            clinic=code,
            source=name,
            codes=str(sizes.get((source.source_id, hub.keys.current), 0)),
            skipped=str(row.skipped),
            loaded=f"{datetime.fromtimestamp(row.loaded_at / 1000, UTC):%Y-%m-%d}",
            state="in use" if row.settled else "unfinished: load or remove it again",
        )
        for code, name, source in clinics.all_sources(session)
        if (row := maps.get(source.source_id)) is not None
    ]


def _replace(
    session: WriteSession, hub: Hub, source: Source, keyed: KeyedMap
) -> set[str] | None:
    """
    Let *keyed* be what counts from now on; return the digests that it changes.

    None: all of them may, since an earlier change was not finished.
    """
    keep_others_out(session, source.clinic_id)
    before = concept_maps.find_map(session, source.source_id)
    ids = hub.concepts.ids(session, {each.target for each in keyed.mapped})
    old = concept_maps.mapped_codes(session, source.source_id)
    new = {MappedCode(m.digest, ids[m.target], m.key_version) for m in keyed.mapped}
    concept_maps.replace_mapped_codes(session, source.source_id, new)
    row = MapRow(source.source_id, hub.clock(), keyed.skipped.total(), settled=False)
    concept_maps.keep_map(session, row)
    if before is not None and not before.settled:
        return None
    return {each.code for each in old ^ new}


def _mark_settled(session: WriteSession, source_id: int) -> None:
    row = concept_maps.find_map(session, source_id)
    if row is not None:
        concept_maps.keep_map(session, row._replace(settled=True))


def _settle(
    hub: Hub,
    source: Source,
    changed: set[str] | None,
    *,
    at_end: Callable[[WriteSession, int], None],
) -> Recounted:
    """
    Make the facts again of what has one of the *changed* codes, and have it counted.

    A transaction for some records each, with no delivery of the clinic in between.
    """
    done, people, last_id = 0, set[int](), 0
    while True:
        with write_session(hub.engine) as session:
            keep_others_out(session, source.clinic_id)
            chunk = concept_maps.records_with_local_codes(
                session, source.source_id, after=last_id, limit=RECORDS_AT_ONCE
            )
            if not chunk:
                at_end(session, source.source_id)
                return Recounted(records=done, people=len(people))
            some = [record for record in chunk if _has_any(record, changed)]
            counted = remake_facts(session, hub, some)
            subjects.mark_dirty(
                session, [(i, source.clinic_id) for i in counted], now=hub.clock()
            )
        done += len(some)
        people |= counted
        last_id = chunk[-1].id


def _has_any(record: StoredRecord, codes: Iterable[str] | None) -> bool:
    """Return whether a record has one of some local codes."""
    if codes is None or record.content is None:
        return True
    return not local_codes(content_of(record.content)).isdisjoint(codes)
