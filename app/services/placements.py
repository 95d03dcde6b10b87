"""Where submissions belong: the record that each is a version of, and its subject."""

from collections.abc import Iterator, Sequence

import msgspec

from app.deid.pseudonyms import digest_aliases, names_of
from app.domain.errors import PreconditionFailedError
from app.domain.records import (
    NOBODY,
    AliasKind,
    AliasTarget,
    DeidentifiedRecord,
    EntryTarget,
    HubTarget,
    RecordType,
)
from app.services.blocks import Erased, ErasedError
from app.services.groups import Groups
from app.services.identities import Identities
from app.services.patients import holders, own_names, own_patient
from app.services.preconditions import check_match, check_stored
from app.services.submissions import Submission
from app.store import records
from app.store.blocks import renew_blocks
from app.store.records import StoredRecord
from app.store.sessions import WriteSession


class Placed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    A submission whose references are resolved; ``record_id`` None is yet unknown.

    ``counted_id`` is who counts for its subject. A Patient has neither yet.
    """

    submission: Submission
    record_id: int | None
    subject_id: int | None
    counted_id: int | None
    encounter_id: int
    digests: tuple[bytes, ...]

    @property
    def record(self) -> DeidentifiedRecord:
        """Return the de-identified record that was submitted."""
        return self.submission.record


class Placements:
    """
    The places of a delivery's submissions.

    A record is found by its names, and where it has none by its content.
    """

    def __init__(
        self, session: WriteSession, identities: Identities, groups: Groups
    ) -> None:
        self._session = session
        self._identities = identities
        self._groups = groups
        self._erased = Erased()
        self._by_digest: dict[bytes, list[int]] = {}
        self._passed: dict[tuple[bytes, frozenset[AliasKind]], int] = {}
        self._people: set[int] = set()

    def load(self, submissions: Sequence[Submission]) -> None:
        """Read what the delivery names or refers to."""
        keys: set[bytes] = set()
        mentions: set[bytes] = set()
        hub_ids: set[int] = set()
        patients: set[bytes] = set()
        for submission in submissions:
            patients.update(submission.patient_keys)
            keys.update(alias.key for alias in submission.names)
            if submission.hub_record is not None:
                hub_ids.add(submission.hub_record)
            for target in submission.targets:
                if isinstance(target, AliasTarget):
                    mentions.update(alias.key for alias in target.aliases)
                elif isinstance(target, HubTarget):
                    hub_ids.add(target.record_id)
        types = {submission.record.type for submission in submissions}
        self._identities.load(
            keys,
            hub_ids,
            mentions=mentions - keys,
            patients=patients,
            expected=len(submissions),
            alone=RecordType.PATIENT in types,
        )
        unknown = self._identities.unknown(patients)
        self._erased = Erased.among(self._session, unknown)

    def place(self, submission: Submission) -> Placed:
        """Find the record by its names, and those it refers to."""
        self._refuse_erased(submission)
        record_id = self._named(submission)
        known = self._identities.records
        check_stored(submission, None if record_id is None else known[record_id])
        subject_id, encounter_id = self._resolve_references(submission)
        counted_id = subject_id and self._identities.counted(subject_id).id
        return Placed(
            submission=submission,
            record_id=record_id,
            subject_id=subject_id,
            counted_id=counted_id,
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

    def _refuse_erased(self, submission: Submission) -> None:
        """Refuse what is about an erased person, who stays blocked by the new key."""
        try:
            self._erased.refuse(
                submission.record,
                submission.condition,
                expression=submission.expression,
            )
        except ErasedError:
            targets = (t for t in submission.targets if isinstance(t, AliasTarget))
            names = [*names_of(submission.names), *(t.aliases for t in targets)]
            renew_blocks(self._session, self._erased.renewals(names))
            raise

    def _named(self, submission: Submission) -> int | None:
        """Return the record that the submission's names name, if they name one."""
        type_, at = submission.record.type, submission.expression
        hub_record = submission.hub_record
        if hub_record is not None:
            self._identities.own(hub_record, type_=type_, expression=at)
        if not submission.create_only:
            check_match(submission, self._met(submission), self._identities)
        if type_ is RecordType.PATIENT:
            return own_patient(
                submission, identities=self._identities, groups=self._groups
            )
        named = self._identities.only(submission.names, expression=at)
        if hub_record is None or named in {None, hub_record}:
            self._refuse_moved(submission, hub_record or named)
            return hub_record or named
        msg = "The id and identifiers belong to different records"
        raise PreconditionFailedError(msg, expression=at)

    def _refuse_moved(self, submission: Submission, named: int | None) -> None:
        """Refuse a report under the name of another measure's, month's or ward's."""
        own = [a for a in submission.names if a.kind is AliasKind.REPORT]
        if own and named is not None and named not in self._identities.found(own):
            msg = "A report of another measure, month or ward has this id: withdraw it"
            raise PreconditionFailedError(msg, expression=submission.expression)

    def _met(self, submission: Submission) -> set[int]:
        """Return what the submission's condition finds; of Patients the source's."""
        condition, identities = submission.condition, self._identities
        if submission.record.type is not RecordType.PATIENT or not condition:
            return identities.found(condition)
        met = holders(condition, identities, self._groups)
        return {i for i in met if identities.is_ours(i)}

    def _resolve_references(self, submission: Submission) -> tuple[int | None, int]:
        """
        Return the ids of subject and encounter; a Patient has neither yet.

        The encounter is looked for first: a refusal leaves no placeholder behind.
        """
        record, at = submission.record, submission.expression
        for link in record.links:
            if isinstance(link, HubTarget):
                self._identities.patient(link, expression=f"{at}.link")
        if record.type is RecordType.PATIENT:
            return None, 0
        if record.subject is None:
            return NOBODY, 0
        if isinstance(record.encounter, EntryTarget | HubTarget):
            self._identities.target(
                record.encounter,
                type_=RecordType.ENCOUNTER,
                expression=f"{at}.encounter",
            )
        subject_id = self._identities.patient(
            record.subject, expression=f"{at}.subject"
        )
        if record.encounter is None:
            return subject_id, 0
        encounter_id = self._identities.encounter(
            record.encounter, subject_id=subject_id, expression=f"{at}.encounter"
        )
        return subject_id, encounter_id

    def look_up_digests(self, placed: Sequence[Placed]) -> None:
        """Read the records that have the content of those not found by a name."""
        known = self._by_digest
        unknown = {
            (each.counted_id, digest)
            for each in placed
            if each.record_id is None
            for digest in each.digests
            if digest not in known
        }
        found = records.find_by_digest(
            self._session, unknown, source_id=self._identities.source.source_id
        )
        ids = [stored.id for same in found.values() for stored in same]
        self._identities.add_records(ids)
        self._identities.look_up_kinds(ids)
        for digest, same in found.items():
            self._by_digest[digest] = [stored.id for stored in same]

    def settle(self, placed: Placed) -> StoredRecord:
        """Return the record that *placed* is a version of, known by its names now."""
        submission, identities = placed.submission, self._identities
        stored = self._record_of(placed)
        if placed.record.type is RecordType.PATIENT:
            self._people.add(stored.id)
        if submission.create_only and stored.id in self._met(submission):
            identities.renew(stored.id, submission.names)
        else:
            names = submission.names
            if placed.record.type is RecordType.PATIENT:
                names = own_names(submission, stored, identities=identities)
            identities.name(stored.id, names)
            for alias in submission.names:
                identities.kinds.add((stored.id, alias.kind))
        identities.entries[submission.index] = stored.id
        return stored

    def _record_of(self, placed: Placed) -> StoredRecord:
        """Return the record of *placed*, made where there is none."""
        known, record_id = self._identities.records, placed.record_id
        if record_id is None and self._is_named_now(placed.submission):
            record_id = self._named(placed.submission)
            if record_id is not None:
                check_stored(placed.submission, known[record_id])
        if record_id is None:
            record_id = self._same_content(placed)
        if record_id is not None:
            return known[record_id]
        stored = self._identities.create(
            placed.record.type, subject_id=placed.subject_id
        )
        self._by_digest.setdefault(placed.digests[0], []).append(stored.id)
        return stored

    def _is_named_now(self, submission: Submission) -> bool:
        """Return whether an entry before this one may have made what it names."""
        is_patient = submission.record.type is RecordType.PATIENT
        return is_patient or bool(self._identities.found(submission.names))

    def _same_content(self, placed: Placed) -> int | None:
        """
        Return a record of the same content that may be the same.

        It is not where both have an id, or both an identifier: those would have met;
        and two Patients of one Bundle are two people, however alike they look.
        """
        kinds = frozenset(alias.kind for alias in placed.submission.names)
        return next(
            (
                record_id
                for digest in placed.digests
                for record_id in self._nameless(digest, kinds)
            ),
            None,
        )

    def _nameless(self, digest: bytes, kinds: frozenset[AliasKind]) -> Iterator[int]:
        """
        Yield records of that content which have no name of such kinds.

        Who has one keeps it, and is passed over once: a thousand Patients who look
        alike are not compared each with each.
        """
        same, known = self._by_digest.get(digest, ()), self._identities.kinds
        start = self._passed.get((digest, kinds), 0)
        for position in range(start, len(same)):
            record_id = same[position]
            is_named = any((record_id, kind) in known for kind in kinds)
            if not is_named and record_id not in self._people:
                yield record_id
                return
            self._passed[digest, kinds] = position + 1
