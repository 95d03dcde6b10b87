"""De-identified records into the store: each counted once, by whatever door."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.deid.pseudonyms import digest_aliases
from app.domain.clinics import Source
from app.domain.errors import (
    BusinessRuleError,
    BusyError,
    PreconditionFailedError,
    ServiceError,
)
from app.domain.records import (
    Alias,
    AliasKind,
    AliasTarget,
    Content,
    DeidentifiedRecord,
    Patient,
    RecordType,
)
from app.services.facts import fact_rows
from app.services.hub import Hub
from app.services.identities import Identities, fill_missing
from app.store import records, subjects
from app.store.records import State, StoredRecord
from app.store.sessions import WriteSession

TRIES = 5
SEXES = {"male": 1, "female": 2, "other": 3}


class Effect(StrEnum):
    """What became of a submission."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class Submission(msgspec.Struct, kw_only=True):
    """
    One de-identified record on its way into the store.

    ``index`` is its place in the delivery, ``expression`` the FHIRPath of the resource.
    ``condition`` are the aliases of a conditional create or update; with ``create_only``
    a match leaves the stored record as it is. ``if_match`` is the version it must
    have; ``if_none_match`` asks that there be none.
    """

    index: int
    expression: str
    record: DeidentifiedRecord
    condition: tuple[Alias, ...] = ()
    create_only: bool = False
    if_match: int | None = None
    if_none_match: bool = False


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a submission."""

    record_id: int
    type: RecordType
    version: int
    effect: Effect


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
    subjects_named = _subject_keys(submissions)
    for _ in range(TRIES):
        try:
            with session.begin_nested():
                records.lock_subjects(session, subjects_named)
                return _Delivery(session, hub, source).store(submissions, atomic=atomic)
        except IntegrityError:
            continue  # another delivery took an alias first: look again
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            continue
    msg = "Other deliveries about the same patients are under way"
    raise BusyError(msg)


def _subject_keys(submissions: Sequence[Submission]) -> set[bytes]:
    keys: set[bytes] = set()
    for submission in submissions:
        record = submission.record
        if record.type is RecordType.PATIENT:
            keys.update(alias.key for alias in record.aliases)
        elif isinstance(record.subject, AliasTarget):
            keys.update(alias.key for alias in record.subject.aliases)
    return keys


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
        self._now = hub.clock()
        self._identities = Identities(
            session,
            source,
            policy_digest=hub.policy.digest,
            key_version=hub.keys.current,
            now=self._now,
        )
        self._entries: dict[int, int] = {}
        self._by_digest: dict[bytes, list[int]] = {}
        self._with_own_id: set[int] = set()
        self._written: dict[int, Content] = {}
        self._stale: set[int] = set()
        self._dirty: set[int] = set()
        self._joined: set[int] = set()

    def store(
        self, submissions: Sequence[Submission], *, atomic: bool
    ) -> dict[int, Outcome]:
        """Decide each submission in the order of references, then write."""
        self._identities.load(submission.record for submission in submissions)
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
            self._join_links(placed)
        self._write()
        return outcomes

    def _place(self, submission: Submission) -> _Placed:
        """Find the record by its aliases, and those it refers to."""
        record = submission.record
        record_id = self._own_record(submission)
        self._check_preconditions(submission, record_id)
        subject_id, encounter_id = self._resolve_references(submission)
        return _Placed(
            submission=submission,
            record_id=record_id,
            subject_id=subject_id,
            encounter_id=encounter_id,
            digests=tuple(
                alias.key
                for alias in digest_aliases(
                    record.content_digests, subject=subject_id, encounter=encounter_id
                )
            ),
        )

    def _own_record(self, submission: Submission) -> int | None:
        """Return the record that the submission's aliases name, if they name one."""
        aliases = _names(submission)
        if submission.record.type is not RecordType.PATIENT:
            return self._identities.only(aliases, expression=submission.expression)
        found = self._identities.found(aliases)
        self._joined |= self._identities.join(found)
        by_id = self._identities.found(
            alias for alias in aliases if alias.kind is AliasKind.ID
        )
        return min(by_id or found, default=None)

    def _check_preconditions(
        self, submission: Submission, record_id: int | None
    ) -> None:
        record = submission.record
        if record.needs_identity and not _names(submission):
            msg = "A correction needs the id or an identifier of what it corrects"
            raise BusinessRuleError(msg, expression=f"{submission.expression}.status")
        stored = None if record_id is None else self._identities.records[record_id]
        here = stored is not None and stored.state is State.CURRENT
        if submission.if_none_match and here:
            msg = "If-None-Match: the record is here already"
            raise PreconditionFailedError(msg, expression=submission.expression)
        if submission.if_match is not None and (
            stored is None or not here or stored.version != submission.if_match
        ):
            msg = "If-Match: the record has another version"
            raise PreconditionFailedError(msg, expression=submission.expression)

    def _resolve_references(self, submission: Submission) -> tuple[int | None, int]:
        """Return the ids of subject and encounter; a Patient has neither yet."""
        record = submission.record
        if record.subject is None:
            return None, 0
        subject_id = self._identities.resolve(
            record.subject,
            type_=RecordType.PATIENT,
            about=None,
            entries=self._entries,
            expression=f"{submission.expression}.subject",
        )
        if record.encounter is None:
            return subject_id, 0
        encounter_id = self._identities.resolve(
            record.encounter,
            type_=RecordType.ENCOUNTER,
            about=subject_id,
            entries=self._entries,
            expression=f"{submission.expression}.encounter",
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
        self._with_own_id |= records.with_own_id(self._session, ids)
        for digest, same in found.items():
            self._by_digest[digest] = [stored.id for stored in same]

    def _same_content(self, placed: _Placed) -> int | None:
        """Return a record of the same content that is not known by another id."""
        has_id = any(a.kind is AliasKind.ID for a in placed.record.aliases)
        same = (i for digest in placed.digests for i in self._by_digest.get(digest, ()))
        return next((i for i in same if not (has_id and i in self._with_own_id)), None)

    def _decide(self, placed: _Placed) -> Receipt:
        """Create, update or leave alone; return what became of it."""
        stored = self._stored(placed)
        before = stored.version
        new = stored.state is not State.CURRENT
        self._identities.name(stored.id, _names(placed.submission))
        self._entries[placed.submission.index] = stored.id
        if self._changes(stored, placed):
            self._apply(stored, placed)
        created = new and stored.version != before
        effect = Effect.CREATED if created else Effect.UPDATED
        return Receipt(
            record_id=stored.id,
            type=stored.type,
            version=stored.version,
            effect=effect if stored.version != before else Effect.UNCHANGED,
        )

    def _stored(self, placed: _Placed) -> StoredRecord:
        """Return the record that *placed* is a version of, made where there is none."""
        record_id = placed.record_id
        if record_id is None:  # an entry before this one may have made it
            record_id = self._own_record(placed.submission)
        if record_id is None:
            record_id = self._same_content(placed)
        if record_id is not None:
            return self._identities.records[record_id]
        stored = self._identities.create(
            placed.record.type, subject_id=placed.subject_id
        )
        self._by_digest.setdefault(placed.digests[0], []).append(stored.id)
        if any(a.kind is AliasKind.ID for a in placed.record.aliases):
            self._with_own_id.add(stored.id)
        return stored

    def _changes(self, stored: StoredRecord, placed: _Placed) -> bool:
        """Return whether *placed* is news: no repetition, and not older than ours."""
        record = placed.record
        if stored.state is State.PLACEHOLDER:
            return True
        if (record.sent_order or 0) < (stored.sent_order or 0):
            return False
        if record.entered_in_error:
            return stored.state is not State.WITHDRAWN
        if stored.state is State.WITHDRAWN:
            return True
        return not placed.submission.create_only and stored.digest not in placed.digests

    def _apply(self, stored: StoredRecord, placed: _Placed) -> None:
        """Make *stored* the version that *placed* is."""
        record = placed.record
        if stored.state is not State.PLACEHOLDER:
            self._stale.add(stored.id)
            self._dirty.add(stored.subject_id)
        stored.version += 1
        stored.state = State.WITHDRAWN if record.entered_in_error else State.CURRENT
        stored.sent_order = record.sent_order
        stored.digest = placed.digests[0]
        stored.content = msgspec.json.encode(record.content).decode()
        stored.policy_digest = record.policy_digest
        stored.received_at = self._now
        stored.encounter_id = placed.encounter_id
        if placed.subject_id is not None:
            stored.subject_id = placed.subject_id
        if isinstance(record.content, Patient):
            self._describe_subject(stored, record.content)
        self._written[stored.id] = record.content
        self._dirty.add(stored.subject_id)
        self._identities.change(stored)

    def _describe_subject(self, stored: StoredRecord, patient: Patient) -> None:
        subject = self._identities.subjects[stored.id]
        withdrawn = stored.state is State.WITHDRAWN
        subject.birth_month = None if withdrawn else patient.birth_month
        subject.death_month = None if withdrawn else patient.death_month
        subject.sex = None if withdrawn else SEXES.get(patient.sex or "")
        self._identities.change_subject(subject)
        counted = self._identities.counted(subject.id)
        if counted is not subject:
            fill_missing(counted, subject)
            self._identities.change_subject(counted)

    def _join_links(self, placed: Sequence[_Placed]) -> None:
        """Join the subjects of Patients that say they replace one another."""
        for each in placed:
            own = self._entries.get(each.submission.index)
            if own is None or not each.record.links:
                continue
            others = [
                self._identities.resolve(
                    link,
                    type_=RecordType.PATIENT,
                    about=None,
                    entries=self._entries,
                    expression=f"{each.submission.expression}.link",
                )
                for link in each.record.links
            ]
            self._joined |= self._identities.join([own, *others])

    def _write(self) -> None:
        """Write records, names, facts and who is to be counted again."""
        self._identities.write()
        records.delete_facts(self._session, self._stale)
        current = [
            (self._identities.records[record_id], content)
            for record_id, content in self._written.items()
            if self._identities.records[record_id].state is State.CURRENT
        ]
        rows = fact_rows(
            current,
            counted=lambda subject_id: self._identities.counted(subject_id).id,
            units=self._hub.units,
            concept_ids=lambda codings: self._hub.concepts.ids(self._session, codings),
        )
        records.insert_facts(self._session, rows)
        counted = {self._identities.counted(i).id for i in self._dirty}
        subjects.mark_dirty(
            self._session,
            [(i, self._source.clinic_id) for i in counted | self._joined],
            now=self._now,
        )


def _names(submission: Submission) -> tuple[Alias, ...]:
    """Return the aliases of a submission, its condition's included."""
    return (*submission.record.aliases, *submission.condition)
