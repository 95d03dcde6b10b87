"""De-identified records into the store: each counted once, by whatever door."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum

import msgspec

from app.deid.pseudonyms import digest_aliases, names_of
from app.domain.clinics import Source
from app.domain.errors import (
    BusinessRuleError,
    MalformedError,
    PreconditionFailedError,
    ServiceError,
)
from app.domain.records import (
    Alias,
    AliasKind,
    AliasTarget,
    Content,
    DeidentifiedRecord,
    HubTarget,
    RecordType,
    Target,
)
from app.fhir.criteria import VersionMatch
from app.services.blocks import Erased
from app.services.facts import fact_rows
from app.services.groups import Groups, Regrouped
from app.services.hub import Hub
from app.services.identities import Identities
from app.store import records, subjects
from app.store.audits import Act, record_act
from app.store.exchanges import sent_together
from app.store.records import State, StoredRecord
from app.store.sessions import WriteSession, tried
from app.store.ties import Tie, TieKind

_CONTENT: msgspec.json.Decoder[Content] = msgspec.json.Decoder(Content)


class Effect(StrEnum):
    """What became of a submission."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class Submission(msgspec.Struct, kw_only=True):
    """
    One de-identified record on its way into the store.

    ``index`` is its place in the delivery, ``expression`` the FHIRPath of the resource.
    ``hub_record`` is the record that a hub id in its URL names.
    ``condition`` are the aliases of a conditional create or update; with
    ``create_only`` a match leaves the stored record as it is. ``if_match`` are the
    versions it may have; ``if_none_match`` asks that there be none; ``may_replace``
    refuses to replace a stored record that is out of the sender's scope.
    """

    index: int
    expression: str
    record: DeidentifiedRecord
    hub_record: int | None = None
    condition: tuple[Alias, ...] = ()
    create_only: bool = False
    if_match: VersionMatch | None = None
    if_none_match: bool = False
    may_replace: Callable[[StoredRecord], None] | None = None

    @property
    def names(self) -> tuple[Alias, ...]:
        """Return the aliases of the record, its condition's included."""
        return (*self.record.aliases, *self.condition)

    @property
    def targets(self) -> Iterator[Target]:
        """Yield what the record refers to."""
        for target in (self.record.subject, self.record.encounter, *self.record.links):
            if target is not None:
                yield target


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a submission: the record as it is now."""

    stored: StoredRecord
    version: int
    effect: Effect

    @property
    def record_id(self) -> int:
        """Return the hub's number of the record."""
        return self.stored.id

    @property
    def type(self) -> RecordType:
        """Return the type of the record."""
        return self.stored.type


Outcome = Receipt | ServiceError

PHASES = (
    frozenset({RecordType.PATIENT}),
    frozenset({RecordType.ENCOUNTER}),
    frozenset({RecordType.OBSERVATION, RecordType.CONDITION}),
)
"""A reference points to an earlier phase, so entries may come in any order."""


def store(
    session: WriteSession,
    hub: Hub,
    source: Source,
    submissions: Sequence[Submission],
    *,
    atomic: bool,
) -> dict[int, Outcome]:
    """
    Store *submissions* of one source; return an outcome for each index.

    With *atomic* the first refusal is raised and nothing is stored; without it a
    refused submission leaves the others alone. What two deliveries do at once comes
    out as if they had come one after the other.
    """
    return tried(
        session,
        lambda: _Delivery(session, hub, source).store(submissions, atomic=atomic),
    )


def check_identity(submission: Submission) -> None:
    """Refuse what corrects a record and does not say which."""
    is_named = submission.names or submission.hub_record
    if submission.record.needs_identity and not is_named:
        msg = "A correction needs the id or an identifier of what it corrects"
        raise BusinessRuleError(msg, expression=f"{submission.expression}.status")


def withdraw(session: WriteSession, hub: Hub, source: Source, record_id: int) -> None:
    """Take a record out of every count; nothing where it counts no more."""
    tried(session, lambda: _Delivery(session, hub, source).withdraw(record_id))


def _patient_keys(submissions: Iterable[Submission]) -> Iterator[bytes]:
    """Yield what the patients of a delivery are named by, if only by their content."""
    for submission in submissions:
        for target in submission.targets:
            if isinstance(target, AliasTarget) and target.type is RecordType.PATIENT:
                yield from (alias.key for alias in target.aliases)
        if submission.record.type is RecordType.PATIENT:
            names = submission.names or submission.record.content_digests
            yield from (alias.key for alias in names)


class _Placed(msgspec.Struct, kw_only=True):
    """A submission whose references are resolved; ``record_id`` None is yet unknown."""

    submission: Submission
    record_id: int | None
    subject_id: int | None
    encounter_id: int
    digests: tuple[bytes, ...]

    @property
    def record(self) -> DeidentifiedRecord:
        return self.submission.record


class _Delivery:
    """One try at storing a delivery within its transaction."""

    def __init__(self, session: WriteSession, hub: Hub, source: Source) -> None:
        self._session = session
        self._hub = hub
        self._source = source
        self._identities = Identities(session, hub, source)
        self._groups = Groups(session, self._identities)
        self._erased = Erased()
        self._entries: dict[int, int] = {}
        self._by_digest: dict[bytes, list[int]] = {}
        self._kinds: set[tuple[int, AliasKind]] = set()
        self._people: set[int] = set()
        self._written: dict[int, Content] = {}
        self._stale: set[int] = set()
        self._dirty: set[int] = set()
        self._regrouped = Regrouped()
        self._acts: Counter[tuple[Act, RecordType]] = Counter()

    def store(
        self, submissions: Sequence[Submission], *, atomic: bool
    ) -> dict[int, Outcome]:
        """Decide each submission in the order of references, then write."""
        self._load(submissions)
        outcomes: dict[int, Outcome] = {}

        def refuse(submission: Submission, error: ServiceError) -> None:
            if atomic:
                raise error
            outcomes[submission.index] = error

        for phase in PHASES:
            placed: list[_Placed] = []
            for submission in submissions:
                if submission.record.type in phase:
                    try:
                        placed.append(self._place(submission))
                    except ServiceError as error:
                        refuse(submission, error)
            self._look_up_digests(placed)
            for each in placed:
                try:
                    outcomes[each.submission.index] = self._decide(each)
                except ServiceError as error:
                    refuse(each.submission, error)
            if RecordType.PATIENT in phase:
                self._hear_links(placed, atomic=atomic)
                self._regrouped = self._groups.regroup()
        self._write()
        return outcomes

    def withdraw(self, record_id: int) -> None:
        """Take back a record that counts; what it said of others goes with it."""
        self._identities.load((), [record_id], patients=(), expected=0, alone=True)
        stored = self._identities.records.get(record_id)
        if stored is None or stored.state is not State.CURRENT:
            return
        stored.version += 1
        stored.received_at = self._identities.now
        self._turn(stored, State.WITHDRAWN)
        self._identities.change(stored)
        self._stale.add(record_id)
        self._dirty.add(stored.subject_id)
        if stored.type is RecordType.PATIENT:
            self._groups.say(record_id, ())
            self._regrouped = self._groups.regroup()
        self._write()

    def _load(self, submissions: Sequence[Submission]) -> None:
        """Read what the delivery names or refers to."""
        keys: set[bytes] = set()
        hub_ids: set[int] = set()
        for submission in submissions:
            keys.update(alias.key for alias in submission.names)
            if submission.hub_record is not None:
                hub_ids.add(submission.hub_record)
            for target in submission.targets:
                if isinstance(target, AliasTarget):
                    keys.update(alias.key for alias in target.aliases)
                elif isinstance(target, HubTarget):
                    hub_ids.add(target.record_id)
        patients = set(_patient_keys(submissions))
        types = {submission.record.type for submission in submissions}
        self._identities.load(
            keys,
            hub_ids,
            patients=patients,
            expected=len(submissions),
            alone=RecordType.PATIENT in types,
        )
        unknown = self._identities.unknown(patients)
        self._erased = Erased.among(self._session, unknown)

    def _place(self, submission: Submission) -> _Placed:
        """Find the record by its names, and those it refers to."""
        self._erased.refuse(
            submission.record, submission.condition, expression=submission.expression
        )
        record_id = self._own_record(submission)
        self._check_preconditions(submission, record_id)
        subject_id, encounter_id = self._resolve_references(submission)
        counted_id = subject_id and self._identities.counted(subject_id).id
        return _Placed(
            submission=submission,
            record_id=record_id,
            subject_id=subject_id,
            encounter_id=encounter_id,
            digests=tuple(
                alias.key
                for alias in digest_aliases(
                    submission.record.content_digests,
                    subject=counted_id,
                    encounter=encounter_id,
                )
            ),
        )

    def _own_record(self, submission: Submission) -> int | None:
        """Return the record that the submission's names name, if they name one."""
        type_, at = submission.record.type, submission.expression
        hub_record = submission.hub_record
        if hub_record is not None:
            self._identities.own(hub_record, type_=type_, expression=at)
        if not submission.create_only:
            self._check_match(submission)
        if type_ is RecordType.PATIENT:
            return self._own_patient(submission)
        named = self._identities.only(submission.names, expression=at)
        if hub_record is None or named in {None, hub_record}:
            return hub_record or named
        msg = "The id and identifiers belong to different records"
        raise PreconditionFailedError(msg, expression=at)

    def _own_patient(self, submission: Submission) -> int | None:
        """
        Return the Patient's record: of its condition, its id, or its identifiers.

        Two ids are two records, however they are tied; a Patient that came without an
        id may be given one later.
        """
        if submission.hub_record is not None:
            return submission.hub_record
        if submission.condition and (met := self._holders(submission.condition)):
            return self._only_one(met, expression=submission.expression)
        ids = _of_kind(AliasKind.ID, submission.names)
        if by_id := self._identities.found(ids):
            return min(by_id)
        identifiers = _of_kind(AliasKind.IDENTIFIER, submission.names)
        held = self._holders(identifiers)
        if not ids:
            return min(held or self._identities.found(identifiers), default=None)
        kinds = records.kinds_of_names(self._session, held) | self._kinds
        return min((i for i in held if (i, AliasKind.ID) not in kinds), default=None)

    def _holders(self, identifiers: Sequence[Alias]) -> set[int]:
        """Return the Patients that *identifiers* are of."""
        nodes = self._identities.found(identifiers)
        if not nodes:
            return set()
        known = self._identities.records
        own = {i for i in nodes if known[i].state is not State.PLACEHOLDER}
        held = self._groups.holders(nodes)
        self._identities.add_records(held)
        return own | held

    def _only_one(self, patients: set[int], *, expression: str) -> int:
        """Return the Patient that a condition means, of the source itself if it can."""
        known, own = self._identities.records, self._source.source_id
        ours = {i for i in patients if known[i].source_id == own} or patients
        if len(ours) > 1:
            msg = "The condition names several Patients"
            raise PreconditionFailedError(msg, expression=expression)
        return min(ours)

    def _check_preconditions(
        self, submission: Submission, record_id: int | None
    ) -> None:
        at = submission.expression
        check_identity(submission)
        stored = None if record_id is None else self._identities.records[record_id]
        here = stored is not None and stored.state is State.CURRENT
        if stored is not None and here and submission.may_replace is not None:
            submission.may_replace(stored)
        if submission.if_none_match and here:
            msg = "If-None-Match: the record is here already"
            raise PreconditionFailedError(msg, expression=at)
        if submission.if_match is not None and (
            stored is None or not here or not submission.if_match.allows(stored.version)
        ):
            msg = "If-Match: the record has another version"
            raise PreconditionFailedError(msg, expression=at)

    def _check_match(self, submission: Submission) -> None:
        """Refuse a conditional update whose match has another id than its body."""
        for matched in self._identities.found(submission.condition):
            record = submission.record
            if submission.hub_record is not None:
                is_other = submission.hub_record != matched
            else:
                is_other = self._identities.has_other_id(matched, record.aliases)
            if is_other:
                msg = "The condition names a record of another id"
                raise MalformedError(msg, expression=f"{submission.expression}.id")

    def _resolve_references(self, submission: Submission) -> tuple[int | None, int]:
        """
        Return the ids of subject and encounter; a Patient has neither yet.

        The encounter is looked for first: a refusal leaves no placeholder behind.
        """
        record, at = submission.record, submission.expression
        for link in record.links:
            if isinstance(link, HubTarget):
                self._patient_of(link, submission)
        if record.subject is None:
            return None, 0
        if record.encounter is not None:
            self._identities.target(
                record.encounter,
                type_=RecordType.ENCOUNTER,
                entries=self._entries,
                expression=f"{at}.encounter",
            )
        subject_id = self._identities.resolve(
            record.subject,
            type_=RecordType.PATIENT,
            about=None,
            entries=self._entries,
            expression=f"{at}.subject",
        )
        if record.encounter is None:
            return subject_id, 0
        encounter_id = self._identities.resolve(
            record.encounter,
            type_=RecordType.ENCOUNTER,
            about=subject_id,
            entries=self._entries,
            expression=f"{at}.encounter",
        )
        return subject_id, encounter_id

    def _look_up_digests(self, placed: Sequence[_Placed]) -> None:
        """Read the records that have the content of those not found by a name."""
        unknown = {
            digest
            for each in placed
            if each.record_id is None
            for digest in each.digests
        }
        unknown -= self._by_digest.keys()
        found = records.find_by_digest(
            self._session, unknown, source_id=self._source.source_id
        )
        ids = [stored.id for same in found.values() for stored in same]
        self._identities.add_records(ids)
        self._kinds |= records.kinds_of_names(self._session, ids)
        for digest, same in found.items():
            self._by_digest[digest] = [stored.id for stored in same]

    def _same_content(self, placed: _Placed) -> int | None:
        """
        Return a record of the same content that may be the same.

        It is not where both have an id, or both an identifier: those would have met;
        and two Patients of one Bundle are two people, however alike they look.
        """
        kinds = {alias.kind for alias in placed.submission.names}
        same = (i for digest in placed.digests for i in self._by_digest.get(digest, ()))
        return next(
            (
                i
                for i in same
                if not any((i, kind) in self._kinds for kind in kinds)
                and i not in self._people
            ),
            None,
        )

    def _decide(self, placed: _Placed) -> Receipt:
        """Create, update or leave alone; return what became of it."""
        stored = self._stored(placed)
        before = stored.version
        new = stored.state is not State.CURRENT
        names = placed.submission.names
        if placed.record.type is RecordType.PATIENT:
            self._people.add(stored.id)
            names = self._patients_own(stored, names)
        self._identities.name(stored.id, names)
        self._kinds.update((stored.id, alias.kind) for alias in placed.submission.names)
        self._entries[placed.submission.index] = stored.id
        if self._changes(stored, placed):
            self._apply(stored, placed)
        elif placed.record_id == stored.id and placed.subject_id is not None:
            self._restate(stored, placed)
        if placed.record.type is RecordType.PATIENT:
            self._hear_identifiers(stored, placed)
        if new or not placed.submission.create_only:
            self._note_order(stored, placed.record.sent_order)
        created = new and stored.version != before
        effect = Effect.CREATED if created else Effect.UPDATED
        is_same = stored.version == before
        return Receipt(
            stored=stored,
            version=stored.version,
            effect=Effect.UNCHANGED if is_same else effect,
        )

    def _patients_own(
        self, stored: StoredRecord, names: tuple[Alias, ...]
    ) -> tuple[Alias, ...]:
        """
        Return what names a Patient's own record: its id, else its first identifier.

        Its other identifiers name subjects of their own, tied to it, so that they
        can come apart again.
        """
        if ids := _of_kind(AliasKind.ID, names):
            return ids
        if stored.id not in self._identities.created or self._identities.found(names):
            return ()
        return next(iter(names_of(names)), ())

    def _stored(self, placed: _Placed) -> StoredRecord:
        """Return the record that *placed* is a version of, made where there is none."""
        record_id = placed.record_id
        if record_id is None:  # an entry before this one may have made it
            record_id = self._own_record(placed.submission)
            if record_id is not None:
                self._check_preconditions(placed.submission, record_id)
        if record_id is None:
            record_id = self._same_content(placed)
        if record_id is not None:
            return self._identities.records[record_id]
        stored = self._identities.create(
            placed.record.type, subject_id=placed.subject_id
        )
        self._by_digest.setdefault(placed.digests[0], []).append(stored.id)
        return stored

    def _changes(self, stored: StoredRecord, placed: _Placed) -> bool:
        """Return whether *placed* is news: no repetition, and not older than ours."""
        record = placed.record
        if stored.state is State.PLACEHOLDER:
            return True
        if _is_before(record.sent_order, stored.sent_order):
            return False
        if record.entered_in_error:
            return stored.state is not State.WITHDRAWN
        if stored.state is State.WITHDRAWN:
            return True
        return not placed.submission.create_only and stored.digest not in placed.digests

    def _restate(self, stored: StoredRecord, placed: _Placed) -> None:
        """Note by which name of its patient the same record came now."""
        is_older = _is_before(placed.record.sent_order, stored.sent_order)
        if is_older or placed.submission.create_only or placed.subject_id is None:
            return
        if stored.subject_id != placed.subject_id and stored.digest in placed.digests:
            stored.subject_id = placed.subject_id
            self._identities.change(stored)

    def _apply(self, stored: StoredRecord, placed: _Placed) -> None:
        """Make *stored* the version that *placed* is."""
        record = placed.record
        if stored.state is not State.PLACEHOLDER:
            self._stale.add(stored.id)
            self._dirty.add(stored.subject_id)
        stored.version += 1
        self._turn(
            stored, State.WITHDRAWN if record.entered_in_error else State.CURRENT
        )
        stored.twin_id = None
        stored.digest = placed.digests[0]
        stored.content_digest = record.content_digests[0].key
        stored.content = msgspec.json.encode(record.content).decode()
        stored.policy_digest = record.policy_digest
        stored.received_at = self._identities.now
        stored.encounter_id = placed.encounter_id
        if placed.subject_id is not None:
            stored.subject_id = placed.subject_id
        self._written[stored.id] = record.content
        self._dirty.add(stored.subject_id)
        self._identities.change(stored)

    def _note_order(self, stored: StoredRecord, sent: int | None) -> None:
        """Remember the newest order that was sent, of a repetition too."""
        if sent is not None and (stored.sent_order is None or stored.sent_order < sent):
            stored.sent_order = sent
            self._identities.change(stored)

    def _turn(self, stored: StoredRecord, state: State) -> None:
        """Let *stored* be in another state; a withdrawal and its end are acts."""
        if stored.state is State.CURRENT and state is State.WITHDRAWN:
            self._acts[Act.WITHDRAW, stored.type] += 1
        if stored.state is State.WITHDRAWN and state is State.CURRENT:
            self._acts[Act.RESTORE, stored.type] += 1
        stored.state = state

    def _hear_identifiers(self, stored: StoredRecord, placed: _Placed) -> None:
        """Tie a Patient to those who have its identifiers, and to nobody else yet."""
        if not self._speaks(stored, placed):
            return
        identifiers = _of_kind(AliasKind.IDENTIFIER, placed.submission.names)
        targets = (AliasTarget(n, RecordType.PATIENT) for n in names_of(identifiers))
        nodes = [self._patient_of(target, placed.submission) for target in targets]
        self._groups.say(
            stored.id, [Tie(stored.id, node, TieKind.IDENTIFIER) for node in nodes]
        )

    def _hear_links(self, placed: Sequence[_Placed], *, atomic: bool) -> None:
        """Tie the Patients among *placed* to those that they link to, all here now."""
        for each in placed:
            own = self._entries.get(each.submission.index)
            if own is None or not self._speaks(self._identities.records[own], each):
                continue
            for link in each.record.links:
                try:
                    other = self._patient_of(link, each.submission)
                except BusinessRuleError:  # its entry was refused, and says so itself
                    if atomic:
                        raise
                    continue
                self._groups.add(Tie(own, other, TieKind.LINK))

    def _speaks(self, stored: StoredRecord, placed: _Placed) -> bool:
        """
        Return whether a Patient says now who it is.

        A repetition says nothing new, unless it has links: to other entries of its
        Bundle, which its digest leaves out.
        """
        is_news = stored.id in self._written or placed.record.links
        return bool(is_news) and stored.digest in placed.digests

    def _patient_of(self, target: Target, submission: Submission) -> int:
        return self._identities.resolve(
            target,
            type_=RecordType.PATIENT,
            about=None,
            entries=self._entries,
            expression=f"{submission.expression}.link",
        )

    def _write(self) -> None:
        """Write records, names, facts, acts and who is to be counted again."""
        rows = fact_rows(
            list(self._counting()),
            counted=lambda subject_id: self._identities.counted(subject_id).id,
            units=self._hub.units,
            concept_ids=lambda codings: self._hub.concepts.ids(self._session, codings),
        )
        counted = {self._identities.counted(i).id for i in self._dirty}
        touched = counted | self._regrouped.touched
        records.delete_facts(self._session, self._stale | self._regrouped.doubled)
        with sent_together(self._session):
            self._identities.write()
            records.insert_facts(self._session, rows)
            subjects.mark_dirty(
                self._session,
                [(i, self._source.clinic_id) for i in touched],
                now=self._identities.now,
            )
        self._write_acts()

    def _counting(self) -> Iterator[tuple[StoredRecord, Content]]:
        """Yield the records whose facts are to be made, with their contents."""
        known = self._identities.records
        for record_id in self._regrouped.returned - self._written.keys():
            if known[record_id].counts and known[record_id].content is not None:
                yield known[record_id], _CONTENT.decode(known[record_id].content or "")
        for record_id, content in self._written.items():
            if known[record_id].counts:
                yield known[record_id], content

    def _write_acts(self) -> None:
        """Write down what was taken back and who counts as one, if any."""
        now = self._identities.now
        for (act, type_), count in self._acts.items():
            record_act(self._session, act, count, now=now, record_type=type_)
        patients = RecordType.PATIENT
        for act, count in (
            (Act.JOIN, self._regrouped.joined),
            (Act.PART, self._regrouped.parted),
        ):
            if count:
                record_act(self._session, act, count, now=now, record_type=patients)


def _of_kind(kind: AliasKind, aliases: Iterable[Alias]) -> tuple[Alias, ...]:
    return tuple(alias for alias in aliases if alias.kind is kind)


def _is_before(sent: int | None, stored: int | None) -> bool:
    """Return whether the sender's own order says that the stored one is newer."""
    return sent is not None and stored is not None and sent < stored
