"""Who is who: aliases to records, and placeholders for those yet to come."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from app.deid.dates import kept_moment
from app.deid.pseudonyms import names_of
from app.domain.clinics import Source
from app.domain.errors import (
    BusinessRuleError,
    ForbiddenError,
    NotFoundError,
    PreconditionFailedError,
)
from app.domain.records import (
    Alias,
    AliasKind,
    EntryTarget,
    HubTarget,
    RecordType,
    Target,
)
from app.services.hub import Hub
from app.store import records, subjects
from app.store.meetings import meet
from app.store.records import State, StoredRecord
from app.store.sessions import WriteSession
from app.store.subjects import StoredSubject


class Identities:
    """
    The records that one transaction meets or makes, by alias and by id.

    Everything known is read at the start in a few queries, and locked; what is new or
    changed is written at the end in a few more. Nothing here decides whether a
    resource is new: that is intake's.

    ``entries`` are the records that a Bundle's entries became; ``kinds`` says by what
    kinds of names records are known, of those that were looked up or named here.
    """

    def __init__(self, session: WriteSession, hub: Hub, source: Source) -> None:
        self.now = hub.clock()
        self.received_at = kept_moment(self.now, keeping=hub.policy.keeping)
        self.source = source
        self._session = session
        self._policy_digest = hub.policy.digest
        self._key_version = hub.keys.current
        self._known: dict[bytes, int] = {}
        self._free_ids: list[int] = []
        self._expected = 0
        self._new_aliases: list[tuple[Alias, int]] = []
        self._outdated: set[bytes] = set()
        self._changed: set[int] = set()
        self._changed_subjects: set[int] = set()
        self.created: set[int] = set()
        self.entries: dict[int, int] = {}
        self.kinds: set[tuple[int, AliasKind]] = set()
        self.records: dict[int, StoredRecord] = {}
        self.subjects: dict[int, StoredSubject] = {}

    def load(
        self,
        keys: Collection[bytes],
        hub_ids: Collection[int],
        *,
        mentions: Collection[bytes] = (),
        patients: Collection[bytes],
        expected: int,
        alone: bool,
    ) -> None:
        """
        Read all that *keys* and *hub_ids* name, of which *expected* may be new.

        *mentions* are the keys of what is only referred to.

        No other transaction writes about the people whom *patients* name meanwhile, or,
        with *alone*, about anybody of the clinic: who joins or parts people needs it. A
        record may have been erased while this one waited for it: it is not here.
        """
        met = meet(
            self._session,
            clinic_id=self.source.clinic_id,
            alone=alone,
            patients=patients,
            names=keys,
            mentions=mentions,
            ids=hub_ids,
            expected=expected,
        )
        self._known = {key: i for key, i in met.named.items() if i in met.records}
        self._free_ids = met.free_ids
        named = len(keys) + len(mentions) - len(met.named)
        self._expected = expected + named - len(met.free_ids)
        self.records.update(met.records)
        self._note_subjects(met.subjects)

    def add_records(self, ids: Iterable[int]) -> None:
        """Read the records of *ids* and the subjects that they are about."""
        wanted = set(ids) - self.records.keys()
        if not wanted:
            return
        self.records.update(records.lock_by_id(self._session, wanted))
        about = {self.records[i].subject_id for i in wanted if i in self.records}
        self._add_subjects(about - self.subjects.keys())

    def _add_subjects(self, ids: set[int]) -> None:
        """Read subjects and those that they are joined to."""
        self._note_subjects(subjects.lock_subjects(self._session, ids))

    def _note_subjects(self, found: Mapping[int, StoredSubject]) -> None:
        self.subjects.update(found)
        joined = {s.joined_to for s in found.values() if s.joined_to is not None}
        if missing := joined - self.subjects.keys():
            self._add_subjects(missing)

    def look_up_kinds(self, ids: Collection[int]) -> None:
        """Read by what kinds of names the records of *ids* are known."""
        self.kinds |= records.kinds_of_names(self._session, ids)

    def found(self, aliases: Iterable[Alias]) -> set[int]:
        """Return the records that *aliases* name."""
        return {self._known[a.key] for a in aliases if a.key in self._known}

    def unknown(self, keys: Iterable[bytes]) -> set[bytes]:
        """Return those of *keys* that name nothing."""
        return {key for key in keys if key not in self._known}

    def only(self, aliases: Iterable[Alias], *, expression: str) -> int | None:
        """Return the one record that *aliases* name, or None; refuse several."""
        found = self.found(aliases)
        if len(found) > 1:
            msg = "The id and identifiers belong to different records"
            raise PreconditionFailedError(msg, expression=expression)
        return next(iter(found), None)

    def is_ours(self, record_id: int) -> bool:
        """Return whether a record is of the source that sends."""
        return self.records[record_id].source_id == self.source.source_id

    def own(self, record_id: int, *, type_: RecordType, expression: str) -> int:
        """Return a hub id that may be written under; refuse all others."""
        record = self.records.get(record_id)
        if (
            record is None
            or record.type is not type_
            or record.clinic_id != self.source.clinic_id
        ):
            msg = f"No {type_.fhir_name} of that id; the hub gives its ids itself"
            raise NotFoundError(msg, expression=expression)
        if not self.is_ours(record_id):
            msg = "The record belongs to another source of the clinic"
            raise ForbiddenError(msg, expression=expression)
        return record_id

    def name(self, record_id: int, aliases: Iterable[Alias]) -> None:
        """
        Let *aliases* name a record from now on.

        Takes each name under every key version. Only those of the current one are kept:
        where an older key found the record, the new name takes the old one's place.
        """
        for alias in aliases:
            known = self._known.get(alias.key)
            if alias.key_version != self._key_version:
                if known == record_id:
                    self._outdated.add(alias.key)
            elif known is None:
                self._known[alias.key] = record_id
                self._new_aliases.append((alias, record_id))

    def renew(self, record_id: int, aliases: Sequence[Alias]) -> None:
        """Let those of *aliases* that name a record do so by the current key."""
        for name in names_of(aliases):
            if record_id in self.found(name):
                self.name(record_id, name)

    def has_other_id(self, record_id: int, aliases: Iterable[Alias]) -> bool:
        """
        Return whether a record has an id, and none of those among *aliases*.

        A current record without an id of its sender's has the hub's, which was told.
        """
        ids = [alias for alias in aliases if alias.kind is AliasKind.ID]
        if not ids or record_id in self.found(ids):
            return False
        if self.records[record_id].state is State.CURRENT:
            return True
        kinds = records.kinds_of_names(self._session, [record_id])
        return (record_id, AliasKind.ID) in kinds

    def target(
        self, target: Target, *, type_: RecordType, expression: str
    ) -> int | None:
        """Return the id of the record that *target* names; None: not here yet."""
        if isinstance(target, EntryTarget):
            return self._of_entry(target, type_, expression)
        if isinstance(target, HubTarget):
            return self._of_hub(target, type_, expression)
        return min(self.found(target.aliases), default=None)

    def patient(self, target: Target, *, expression: str) -> int:
        """Return the id of the Patient that *target* names, making a placeholder."""
        return self._resolve(target, RecordType.PATIENT, None, expression)

    def encounter(self, target: Target, *, subject_id: int, expression: str) -> int:
        """Return the id of the Encounter, about *subject_id*, as ``patient`` does."""
        return self._resolve(target, RecordType.ENCOUNTER, subject_id, expression)

    def _resolve(
        self, target: Target, type_: RecordType, about: int | None, expression: str
    ) -> int:
        known = self.target(target, type_=type_, expression=expression)
        if isinstance(target, EntryTarget | HubTarget):
            assert known is not None
            return known
        if known is None:
            known = self.create(type_, subject_id=about).id
        self.name(known, target.aliases)
        return known

    def _of_entry(self, target: EntryTarget, type_: RecordType, expression: str) -> int:
        record_id = self.entries.get(target.index)
        if record_id is None or self.records[record_id].type is not type_:
            msg = f"The reference names an entry that is no stored {type_.fhir_name}"
            raise BusinessRuleError(msg, expression=expression)
        return record_id

    def _of_hub(self, target: HubTarget, type_: RecordType, expression: str) -> int:
        record = self.records.get(target.record_id)
        if record is None or record.clinic_id != self.source.clinic_id:
            msg = "The reference names no record of this clinic"
            raise BusinessRuleError(msg, expression=expression)
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
            source_id=self.source.source_id,
            clinic_id=self.source.clinic_id,
            subject_id=record_id if subject_id is None else subject_id,
            encounter_id=0,
            version=0,
            state=State.PLACEHOLDER,
            sent_order=None,
            digest=None,
            content=None,
            policy_digest=self._policy_digest,
            received_at=self.received_at,
            key_version=self._key_version,
        )
        self.records[record_id] = record
        self.created.add(record_id)
        if type_ is RecordType.PATIENT:
            self.subjects[record_id] = StoredSubject(
                id=record_id, clinic_id=self.source.clinic_id
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

    def counted(self, subject_id: int) -> StoredSubject:
        """Return the subject that counts for *subject_id*: itself, unless joined."""
        subject = self.subjects[subject_id]
        return self.subjects[subject.joined_to] if subject.joined_to else subject

    def change_subject(self, subject: StoredSubject) -> None:
        """Note that *subject* is to be written."""
        self._changed_subjects.add(subject.id)

    def forget_outdated(self) -> None:
        """Take away the names of older keys whose place new ones take."""
        records.delete_aliases(self._session, self._outdated)

    def write(self) -> None:
        """Write what is new or changed."""
        known, new = self.records, self.created
        records.insert_records(self._session, [known[i] for i in new])
        changed = [known[i] for i in self._changed - new]
        records.save_records(self._session, changed)
        subjects.save_subjects(
            self._session, [self.subjects[i] for i in self._changed_subjects]
        )
        records.insert_aliases(self._session, self._new_aliases)
