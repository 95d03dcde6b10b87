"""Who is who: aliases to records, placeholders for those yet to come, joins."""

from collections.abc import Iterable, Mapping

from app.domain.clinics import Source
from app.domain.errors import (
    BusinessRuleError,
    NotFoundError,
    PreconditionFailedError,
)
from app.domain.records import (
    Alias,
    AliasTarget,
    DeidentifiedRecord,
    EntryTarget,
    HubTarget,
    RecordType,
    Target,
)
from app.store import records, subjects
from app.store.records import State, StoredRecord
from app.store.sessions import WriteSession
from app.store.subjects import StoredSubject


class Identities:
    """
    The records that one transaction meets or makes, by alias and by id.

    Everything known is read at the start in a few queries; what is new or changed is
    written at the end in a few more. Nothing here decides whether a resource is new:
    that is intake's.
    """

    def __init__(
        self,
        session: WriteSession,
        source: Source,
        *,
        policy_digest: str,
        key_version: int,
        now: int,
    ) -> None:
        self._session = session
        self._source = source
        self._policy_digest = policy_digest
        self._key_version = key_version
        self._now = now
        self._known: dict[bytes, int] = {}
        self._free_ids: list[int] = []
        self._new_aliases: list[tuple[Alias, int]] = []
        self._changed: set[int] = set()
        self._changed_subjects: set[int] = set()
        self.records: dict[int, StoredRecord] = {}
        self.subjects: dict[int, StoredSubject] = {}

    def load(self, submitted: Iterable[DeidentifiedRecord]) -> None:
        """Read all that *submitted* names, and reserve ids for what is new."""
        keys: set[bytes] = set()
        hub_ids: set[int] = set()
        count = 0
        for record in submitted:
            count += 1
            keys.update(alias.key for alias in record.aliases)
            for target in (record.subject, record.encounter, *record.links):
                if isinstance(target, AliasTarget):
                    keys.update(alias.key for alias in target.aliases)
                elif isinstance(target, HubTarget):
                    hub_ids.add(target.record_id)
        self._known = records.find_by_alias(self._session, keys)
        self.add_records({*self._known.values(), *hub_ids})
        self._expected = count + len(keys) - len(self._known)

    def add_records(self, ids: Iterable[int]) -> None:
        """Read the records of *ids* and the subjects that they are about."""
        wanted = set(ids) - self.records.keys()
        self.records.update(records.find_by_id(self._session, wanted))
        about = {self.records[i].subject_id for i in wanted if i in self.records}
        self._add_subjects(about - self.subjects.keys())

    def _add_subjects(self, ids: set[int]) -> None:
        found = subjects.find_subjects(self._session, ids)
        self.subjects.update(found)
        joined = {s.joined_to for s in found.values() if s.joined_to is not None}
        if missing := joined - self.subjects.keys():
            self._add_subjects(missing)

    def found(self, aliases: Iterable[Alias]) -> set[int]:
        """Return the records that *aliases* name."""
        return {self._known[a.key] for a in aliases if a.key in self._known}

    def only(self, aliases: Iterable[Alias], *, expression: str) -> int | None:
        """Return the one record that *aliases* name, or None; refuse several."""
        found = self.found(aliases)
        if len(found) > 1:
            msg = "The id and identifiers belong to different records"
            raise PreconditionFailedError(msg, expression=expression)
        return next(iter(found), None)

    def name(self, record_id: int, aliases: Iterable[Alias]) -> None:
        """
        Let *aliases* name a record from now on.

        Only those of the current key version are kept: a record that was found by an
        older key gets a name under the new one.
        """
        for alias in aliases:
            if alias.key_version == self._key_version and alias.key not in self._known:
                self._known[alias.key] = record_id
                self._new_aliases.append((alias, record_id))

    def resolve(
        self,
        target: Target,
        *,
        type_: RecordType,
        about: int | None,
        entries: Mapping[int, int],
        expression: str,
    ) -> int:
        """
        Return the id of the record that *target* names, making a placeholder.

        *about* is the subject of a placeholder encounter; None for a subject itself.
        *entries* maps a Bundle entry to the record it became.
        """
        if isinstance(target, EntryTarget):
            return self._of_entry(target, type_, entries, expression)
        if isinstance(target, HubTarget):
            return self._of_hub(target, type_, expression)
        known = min(self.found(target.aliases), default=None)
        if known is None:
            known = self.create(type_, subject_id=about).id
        self.name(known, target.aliases)
        return known

    def _of_entry(
        self,
        target: EntryTarget,
        type_: RecordType,
        entries: Mapping[int, int],
        expression: str,
    ) -> int:
        record_id = entries.get(target.index)
        if record_id is None or self.records[record_id].type is not type_:
            msg = f"The reference names an entry that is no stored {type_.fhir_name}"
            raise BusinessRuleError(msg, expression=expression)
        return record_id

    def _of_hub(self, target: HubTarget, type_: RecordType, expression: str) -> int:
        record = self.records.get(target.record_id)
        if record is None or record.clinic_id != self._source.clinic_id:
            msg = "The reference names no record of this clinic"
            raise NotFoundError(msg, expression=expression)
        if record.type is not type_:
            msg = f"The reference names no {type_.fhir_name}"
            raise BusinessRuleError(msg, expression=expression)
        return record.id

    def create(self, type_: RecordType, *, subject_id: int | None) -> StoredRecord:
        """Return a new placeholder; a Patient is its own subject."""
        record_id = self._next_id()
        record = StoredRecord(
            id=record_id,
            type=type_,
            source_id=self._source.source_id,
            clinic_id=self._source.clinic_id,
            subject_id=record_id if subject_id is None else subject_id,
            encounter_id=0,
            version=0,
            state=State.PLACEHOLDER,
            sent_order=None,
            digest=None,
            content=None,
            policy_digest=self._policy_digest,
            received_at=self._now,
        )
        self.records[record_id] = record
        self._changed.add(record_id)
        if type_ is RecordType.PATIENT:
            self.subjects[record_id] = StoredSubject(
                id=record_id, clinic_id=self._source.clinic_id
            )
            self._changed_subjects.add(record_id)
        return record

    def _next_id(self) -> int:
        if not self._free_ids:
            wanted = max(1, self._expected)
            self._free_ids = records.allocate_ids(self._session, wanted)
            self._expected = 0
        return self._free_ids.pop(0)

    def change(self, record: StoredRecord) -> None:
        """Note that *record* is to be written."""
        self._changed.add(record.id)

    def change_subject(self, subject: StoredSubject) -> None:
        """Note that *subject* is to be written."""
        self._changed_subjects.add(subject.id)

    def counted(self, subject_id: int) -> StoredSubject:
        """Return the subject that counts for *subject_id*: itself, unless joined."""
        subject = self.subjects[subject_id]
        while subject.joined_to is not None:
            subject = self.subjects[subject.joined_to]
        return subject

    def join(self, subject_ids: Iterable[int]) -> set[int]:
        """
        Let several subjects count as one; return those whose counts change.

        The oldest stays. Records keep the subject they came with, so that a join can
        be undone.
        """
        roots = sorted({self.counted(i).id for i in subject_ids})
        if len(roots) < 2:  # noqa: PLR2004  (a join takes two)
            return set()
        stays = self.subjects[roots[0]]
        for root in roots[1:]:
            joined = self.subjects[root]
            joined.joined_to = stays.id
            fill_missing(stays, joined)
            self.change_subject(joined)
            subjects.move_facts(self._session, from_subject=root, to_subject=stays.id)
        self.change_subject(stays)
        return set(roots)

    def write(self) -> None:
        """Write what is new or changed."""
        changed = [self.records[i] for i in self._changed]
        records.save_records(self._session, changed)
        subjects.save_subjects(
            self._session, [self.subjects[i] for i in self._changed_subjects]
        )
        records.insert_aliases(self._session, self._new_aliases)


def fill_missing(subject: StoredSubject, other: StoredSubject) -> None:
    """Give *subject* what only *other* knows of the same patient."""
    for field in ("birth_month", "sex", "death_month"):
        if getattr(subject, field) is None:
            setattr(subject, field, getattr(other, field))
