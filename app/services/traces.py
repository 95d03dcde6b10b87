"""What became of a clinic's own resources, asked by its own names; nothing is kept."""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from app.deid.pseudonyms import hub_id_aliases
from app.deid.records import target_of
from app.domain.clinics import Principal, Source
from app.domain.records import Alias, AliasTarget, HubTarget, RecordType, Target
from app.fhir.questions import Question, parse_questions
from app.services.authorization import check_reach, required_source
from app.services.blocks import Erased
from app.services.hub import Hub
from app.smart.scopes import Interaction
from app.store import records
from app.store.records import State, StoredRecord
from app.store.refusals import StoredRefusal, find_refusals
from app.store.sessions import ReadSession
from app.store.ties import TieKind, ties_touching

INTERACTIONS: tuple[Interaction, ...] = ("c", "r", "u", "d", "s")


class Fate(StrEnum):
    """What became of a resource."""

    STORED = "stored"
    WITHDRAWN = "withdrawn"
    PLACEHOLDER = "placeholder"
    PURGED = "purged"
    DISCARDED = "discarded"
    REFUSED = "refused"
    UNKNOWN = "unknown"


_FATES = {State.CURRENT: Fate.STORED, State.WITHDRAWN: Fate.WITHDRAWN}


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """The answer about one resource; ``refusal`` is later than what is stored."""

    fate: Fate
    record: StoredRecord | None = None
    refusal: StoredRefusal | None = None


def trace(
    session: ReadSession, hub: Hub, principal: Principal, body: Mapping[str, Any]
) -> list[Trace]:
    """
    Return what became of each resource that *body* asks about, in its order.

    Raises:
        ForbiddenError: a type that no scope of the caller's is about.
    """
    source = required_source(principal)
    questions = parse_questions(body, source=source)
    for type_ in {question.type for question in questions}:
        if type_ is not None:
            check_reach(principal, type_.fhir_name, *INTERACTIONS)
    targets = [_target(question, hub, source) for question in questions]
    known = _Known(session, hub, source, [t for t in targets if t is not None])
    return [
        Trace(fate=Fate.DISCARDED) if target is None else known.trace(target)
        for target in targets
    ]


def _target(question: Question, hub: Hub, source: Source) -> Target | None:
    """Return the record that is asked about; None: its type is not kept."""
    if question.type is None:
        return None
    return target_of(
        question.reference,
        question.type,
        path=question.path,
        keys=hub.keys,
        source=source,
        entries={},
    )


class _Known:
    """All that the store says of what is asked, read at once."""

    def __init__(
        self,
        session: ReadSession,
        hub: Hub,
        source: Source,
        targets: Sequence[Target],
    ) -> None:
        self._clinic_id = source.clinic_id
        self._keys = hub.keys
        names = [t for t in targets if isinstance(t, AliasTarget)]
        keys = {alias.key for name in names for alias in name.aliases}
        self._by_key = records.find_by_alias(session, keys)
        hub_ids = {t.record_id for t in targets if isinstance(t, HubTarget)}
        self._records = records.find_by_id(session, {*self._by_key.values(), *hub_ids})
        self._held = self._holders(session)
        self._refusals = find_refusals(session, keys, now=hub.clock())
        absent = [
            alias.key
            for target in targets
            if _type_of(target) is RecordType.PATIENT
            for alias in self._aliases(target)
            if alias.key not in self._by_key
        ]
        self._erased = Erased.among(session, absent)

    def trace(self, target: Target) -> Trace:
        """Return what became of the record that *target* names."""
        keys = {alias.key for alias in self._aliases(target)}
        record = self._record(target, keys)
        refusal = max(
            (self._refusals[key] for key in keys if key in self._refusals),
            key=lambda refusal: refusal.refused_at,
            default=None,
        )
        if record is not None and record.state is not State.PLACEHOLDER:
            is_news = refusal and refusal.refused_at > record.received_at
            return Trace(
                fate=_FATES[record.state],
                record=record,
                refusal=refusal if is_news else None,
            )
        if record is None and self._erased.holds(keys):
            return Trace(fate=Fate.PURGED)
        if refusal is not None:
            return Trace(fate=Fate.REFUSED, record=record, refusal=refusal)
        fate = Fate.UNKNOWN if record is None else Fate.PLACEHOLDER
        return Trace(fate=fate, record=record)

    def _aliases(self, target: Target) -> tuple[Alias, ...]:
        if isinstance(target, AliasTarget):
            return target.aliases
        if isinstance(target, HubTarget):
            return hub_id_aliases(target.record_id, keys=self._keys)
        return ()

    def _record(self, target: Target, keys: Collection[bytes]) -> StoredRecord | None:
        """Return the clinic's record; of a Patient's identifier, the Patient."""
        if isinstance(target, HubTarget):
            found = self._records.get(target.record_id)
        else:
            named = (self._by_key[key] for key in keys if key in self._by_key)
            found = next((self._held.get(i, self._records.get(i)) for i in named), None)
        if found is None or found.clinic_id != self._clinic_id:
            return None
        return found if found.type is _type_of(target) else None

    def _holders(self, session: ReadSession) -> dict[int, StoredRecord]:
        """Return the Patient that each placeholder is an identifier of."""
        nodes = {
            i
            for i in self._by_key.values()
            if i in self._records
            and self._records[i].state is State.PLACEHOLDER
            and self._records[i].type is RecordType.PATIENT
        }
        held = {
            tie.other_id: tie.record_id
            for tie in sorted(ties_touching(session, nodes), reverse=True)
            if tie.kind is TieKind.IDENTIFIER and tie.other_id in nodes
        }
        found = records.find_by_id(session, set(held.values()))
        return {node: found[i] for node, i in held.items() if i in found}


def _type_of(target: Target) -> RecordType | None:
    return target.type if isinstance(target, AliasTarget | HubTarget) else None
