"""What a delivery changes in the store: decided by record, written at its end."""

from collections import Counter
from collections.abc import Iterator

import msgspec

from app.deid.dates import kept_moment
from app.domain.records import NOBODY, Content, RecordType, content_of
from app.services.facts import fact_rows
from app.services.groups import Regrouped
from app.services.hub import Hub
from app.services.identities import Identities
from app.services.placements import Placed
from app.services.translations import as_counted
from app.store import concept_maps, records, subjects, summaries
from app.store.audits import Act, record_act
from app.store.exchanges import sent_together
from app.store.records import State, StoredRecord
from app.store.sessions import WriteSession


class Changes:
    """
    The records that one transaction writes anew, and whom that concerns.

    ``written`` are the contents that are new, or under a new key, by record.
    """

    def __init__(self, session: WriteSession, hub: Hub, identities: Identities) -> None:
        self.written: dict[int, Content] = {}
        self._session = session
        self._hub = hub
        self._identities = identities
        self._stale: set[int] = set()
        self._dirty: set[int] = set()
        self._acts: Counter[tuple[Act, RecordType]] = Counter()
        self._former_codes: dict[str, tuple[str, ...]] = {}
        self._former_wards: dict[str, tuple[str, ...]] = {}

    def take(self, placed: Placed, stored: StoredRecord) -> None:
        """Let *stored* be what *placed* says, where that is news."""
        is_new = stored.state is not State.CURRENT
        self._former_codes |= placed.record.former_codes
        self._former_wards |= placed.record.former_wards
        if is_news(placed, stored):
            self._apply(placed, stored)
        else:
            self._renew(placed, stored)
            if placed.record_id == stored.id:
                self._restate(placed, stored)
        if is_new or not placed.submission.create_only:
            self._note_order(stored, placed.record.sent_order)

    def withdraw(self, stored: StoredRecord, *, came: int | None = None) -> None:
        """Take *stored* out of every count, as was said now or when that *came*."""
        self._stale.add(stored.id)
        self._turn(stored, State.WITHDRAWN, came=came)

    def _apply(self, placed: Placed, stored: StoredRecord) -> None:
        """Make *stored* the version that *placed* is."""
        record = placed.record
        if stored.state is not State.PLACEHOLDER:
            self._stale.add(stored.id)
            self._dirty.add(stored.subject_id)
        stored.twin_id = None
        stored.encounter_id = placed.encounter_id
        if placed.subject_id is not None:
            stored.subject_id = placed.subject_id
        self._take_content(placed, stored)
        state = State.WITHDRAWN if record.entered_in_error else State.CURRENT
        self._turn(stored, state, came=placed.submission.received_at)

    def _take_content(self, placed: Placed, stored: StoredRecord) -> None:
        """Let *stored* have the content of *placed*, under the current key."""
        record = placed.record
        stored.digest = placed.digests[0]
        stored.content_digest = record.content_digests[0].key
        stored.key_version = record.key_version
        stored.content = msgspec.json.encode(record.content).decode()
        stored.policy_digest = record.policy_digest
        self.written[stored.id] = record.content

    def _renew(self, placed: Placed, stored: StoredRecord) -> None:
        """
        Let what an older key names be named by the current one: the same came again.

        It is no new version. Its local codes and its ward have new digests too.
        """
        if stored.digest not in placed.digests[1:]:
            return
        self._stale.add(stored.id)
        self._dirty.add(stored.subject_id)
        self._take_content(placed, stored)
        self._identities.change(stored)

    def _turn(self, stored: StoredRecord, state: State, *, came: int | None) -> None:
        """Make a version in *state*; a withdrawal and its end are acts."""
        if stored.state is State.CURRENT and state is State.WITHDRAWN:
            self._acts[Act.WITHDRAW, stored.type] += 1
        if stored.state is State.WITHDRAWN and state is State.CURRENT:
            self._acts[Act.RESTORE, stored.type] += 1
        stored.state = state
        stored.version += 1
        stored.received_at = self._identities.received_at
        if came is not None:
            stored.received_at = kept_moment(came, keeping=self._hub.policy.keeping)
        self._dirty.add(stored.subject_id)
        self._identities.change(stored)

    def _restate(self, placed: Placed, stored: StoredRecord) -> None:
        """Note by which name of its patient the same record came now."""
        is_only_once = placed.submission.create_only
        if is_only_once or placed.subject_id is None or _is_late(placed, stored):
            return
        if stored.subject_id != placed.subject_id and stored.digest in placed.digests:
            stored.subject_id = placed.subject_id
            self._identities.change(stored)

    def _note_order(self, stored: StoredRecord, sent: int | None) -> None:
        """Remember the newest order that was sent, of a repetition too."""
        if sent is not None and (stored.sent_order is None or stored.sent_order < sent):
            stored.sent_order = sent
            self._identities.change(stored)

    def write(self, regrouped: Regrouped) -> None:
        """Write records, names, facts, acts and who is to be counted again."""
        counted = self._identities.counted
        source = self._identities.source
        concept_maps.renew_mapped_codes(
            self._session,
            source.source_id,
            self._former_codes,
            key_version=self._hub.keys.current,
        )
        rows = fact_rows(
            as_counted(self._session, list(self._counting(regrouped))),
            counted=lambda subject_id: counted(subject_id).id,
            units=self._hub.units,
            keeping=self._hub.policy.keeping,
            concept_ids=lambda codings: self._hub.concepts.ids(self._session, codings),
        )
        clinic_id = source.clinic_id
        touched = {counted(i).id for i in self._dirty - {NOBODY}} | regrouped.touched
        records.delete_facts(self._session, self._stale | regrouped.doubled)
        self._identities.forget_outdated()
        with sent_together(self._session):
            self._identities.write()
            records.insert_facts(self._session, rows, new=self._identities.created)
            subjects.mark_dirty(
                self._session,
                [(i, clinic_id) for i in touched],
                now=self._identities.now,
            )
        summaries.rename_wards(self._session, clinic_id, self._former_wards)
        self._write_acts(regrouped)

    def _counting(self, regrouped: Regrouped) -> Iterator[tuple[StoredRecord, Content]]:
        """Yield the records whose facts are to be made, with their contents."""
        known = self._identities.records
        for record_id in regrouped.returned - self.written.keys():
            stored = known[record_id]
            if stored.counts and stored.content is not None:
                yield stored, content_of(stored.content)
        for record_id, content in self.written.items():
            if known[record_id].counts:
                yield known[record_id], content

    def _write_acts(self, regrouped: Regrouped) -> None:
        """Write down what was taken back and who counts as one, if any."""
        acts = self._acts
        acts[Act.JOIN, RecordType.PATIENT] = regrouped.joined
        acts[Act.PART, RecordType.PATIENT] = regrouped.parted
        for (act, type_), count in acts.items():
            if count:
                record_act(
                    self._session,
                    act,
                    count,
                    now=self._identities.now,
                    record_type=type_,
                )


def is_news(placed: Placed, stored: StoredRecord) -> bool:
    """Return whether *placed* is news: no repetition, and not older than *stored*."""
    record = placed.record
    if stored.state is State.PLACEHOLDER:
        return True
    if _is_late(placed, stored):
        return False
    if record.entered_in_error:
        return stored.state is not State.WITHDRAWN
    if stored.state is State.WITHDRAWN:
        return True
    if placed.submission.create_only:
        return False
    is_of_policy = stored.policy_digest == record.policy_digest
    return not is_of_policy or stored.digest not in placed.digests


def _is_late(placed: Placed, stored: StoredRecord) -> bool:
    came = placed.submission.received_at
    return is_overtaken(stored, sent=placed.record.sent_order, came=came)


def is_overtaken(stored: StoredRecord, *, sent: int | None, came: int | None) -> bool:
    """
    Return whether the stored one is newer than what is said of it now.

    By the sender's own order (*sent*), else as it *came*; both in epoch milliseconds.
    What waited to be stored came before what was stored at once meanwhile. Where less
    than days are kept that is told by the month or year alone, and so hardly ever.
    """
    if sent is not None and stored.sent_order is not None:
        return sent < stored.sent_order
    return came is not None and came < stored.received_at
