"""
Who is one person: what the current Patients say of each other, followed to its end.

A Patient is tied to its identifiers and to those that its ``link`` names; subjects that
ties connect count as one. A join is nowhere decided, it follows from the ties, and so
does its end: without the tie the subjects count apart again.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from app.deid.pseudonyms import digest_about
from app.domain.records import AliasKind, Patient, RecordType
from app.services.identities import Identities
from app.store import records, subjects
from app.store.records import AboutRow, State, StoredRecord
from app.store.sessions import WriteSession
from app.store.subjects import StoredSubject
from app.store.ties import Tie, TieKind, replace_ties, ties_touching

SEXES = {"male": 1, "female": 2, "other": 3}
TWINNED = frozenset({RecordType.OBSERVATION, RecordType.CONDITION})
"""A visit that stands twice is one visit to every measure, and may be referred to."""

_PATIENT = msgspec.json.Decoder(Patient)


@dataclass(slots=True)
class Regrouped:
    """
    What came of new ties.

    ``touched`` are subjects to be counted again; ``returned`` records whose facts are
    to be made again, ``doubled`` those whose facts are to go; ``joined`` and ``parted``
    say how many subjects count with others now, or apart.
    """

    touched: set[int] = field(default_factory=set)
    returned: set[int] = field(default_factory=set)
    doubled: set[int] = field(default_factory=set)
    joined: int = 0
    parted: int = 0


class Groups:
    """The ties that one transaction meets, and what its Patients say anew."""

    def __init__(self, session: WriteSession, identities: Identities) -> None:
        self._session = session
        self._identities = identities
        self._said: dict[int, frozenset[Tie]] = {}
        self._said_before: set[int] = set()

    def say(self, record_id: int, ties: Iterable[Tie]) -> None:
        """Let the Patient of *record_id* say *ties* from now on, and no others."""
        self._said[record_id] = frozenset(t for t in ties if t.other_id != record_id)

    def add(self, tie: Tie) -> None:
        """Let a Patient that said something say *tie* too."""
        self.say(tie.record_id, {*self._said.get(tie.record_id, ()), tie})

    def holders(self, nodes: Collection[int]) -> set[int]:
        """Return the Patients that have one of *nodes* for an identifier."""
        stored = ties_touching(self._session, nodes)
        ties = {tie for tie in stored if tie.record_id not in self._said}
        ties.update(tie for said in self._said.values() for tie in said)
        return {
            tie.record_id
            for tie in ties
            if tie.other_id in nodes and tie.kind is TieKind.IDENTIFIER
        }

    def reach(self, start: Iterable[int]) -> tuple[set[int], set[Tie]]:
        """
        Return the subjects that ties connect with *start*, locked, and the ties.

        Who changes a tie holds its two subjects, so ties are read after their subjects
        are locked. What Patients say anew stands in place of what they said.
        """
        ties = {tie for said in self._said.values() for tie in said}
        members = set(start) | _ends(ties)
        asked = set(self._identities.created)
        while wanted := members - asked:
            self._identities.add_records(wanted)
            asked |= wanted
            found = ties_touching(self._session, wanted)
            old = {tie for tie in found if tie.record_id in self._said}
            self._said_before |= {tie.record_id for tie in old}
            ties |= found - old
            members |= _ends(found)
        return members, ties

    def regroup(self) -> Regrouped:
        """Let what was said take effect: who counts as one, and what is known of it."""
        regrouped = Regrouped()
        if not self._said:
            return regrouped
        members, ties = self.reach(self._said)
        said = (tie for each in self._said.values() for tie in each)
        replace_ties(self._session, self._said_before, said)
        groups = components(members, ties)
        moved = self._assign(groups, regrouped)
        self._move(moved)
        if moved:
            self._settle_twins(members, regrouped)
        for root, group in groups.items():
            self._describe(self._identities.subjects[root], group)
        self._said.clear()
        return regrouped

    def _assign(
        self, groups: Mapping[int, Collection[int]], regrouped: Regrouped
    ) -> list[int]:
        """Let the members of each group count as its root; return who moved."""
        moved = []
        for root, group in groups.items():
            for member in group:
                subject = self._identities.subjects[member]
                before = subject.joined_to or member
                if before == root:
                    continue
                subject.joined_to = None if member == root else root
                self._identities.change_subject(subject)
                if member in self._identities.created:
                    continue
                moved.append(member)
                regrouped.touched |= {before, root}
                regrouped.joined += member != root
                regrouped.parted += member == root
        return moved

    def _move(self, moved: Collection[int]) -> None:
        """
        Let what came about *moved* count for those that they count as now.

        Content is looked for by who counts for whom, so that is written at once.
        """
        subjects.save_subjects(
            self._session, [self._identities.subjects[i] for i in moved]
        )
        rows = records.about(self._session, moved)
        self._identities.add_records(row.id for row in rows)
        about = [self._identities.records[row.id] for row in rows]
        for record in about:
            if record.type is not RecordType.PATIENT and record.content_digest:
                record.digest = digest_about(
                    record.content_digest,
                    subject=self._identities.counted(record.subject_id).id,
                    encounter=record.encounter_id,
                )
        records.save_records(self._session, about)
        for member in moved:
            root = self._identities.counted(member).id
            subjects.move_facts(self._session, member, to_subject=root)

    def _settle_twins(self, members: Collection[int], regrouped: Regrouped) -> None:
        """
        Let one record count of those that a join shows to be the same resource.

        A resource without a name was sent once by the one name of its patient and once
        by the other. The twin keeps what it came with, and counts again where its
        patient is parted from the other's.
        """
        rows = {
            row.id: row
            for row in records.about(self._session, members)
            if row.type in TWINNED
        }
        twins = {row.id: row.twin_id for row in rows.values() if row.twin_id}
        for twin_id, counts_id in list(twins.items()):
            if not self._count_as_one(rows[twin_id], rows.get(counts_id)):
                del twins[twin_id]
                self._let_stand_for(twin_id, None)
                regrouped.returned.add(twin_id)
        alone = [
            row
            for row in rows.values()
            if row.state is State.CURRENT and row.id not in twins
        ]
        for same in _same_digest(alone):
            kinds = records.kinds_of_names(self._session, same)
            for twin_id, counts_id in matched(same, kinds):
                self._let_stand_for(twin_id, counts_id)
                regrouped.returned.discard(twin_id)
                regrouped.doubled.add(twin_id)

    def _count_as_one(self, one: AboutRow, other: AboutRow | None) -> bool:
        counted = self._identities.counted
        return (
            other is not None
            and counted(one.subject_id).id == counted(other.subject_id).id
        )

    def _let_stand_for(self, twin_id: int, counts_id: int | None) -> None:
        self._identities.add_records([twin_id])
        record = self._identities.records[twin_id]
        record.twin_id = counts_id
        records.save_records(self._session, [record])

    def _describe(self, subject: StoredSubject, group: Collection[int]) -> None:
        """
        Let the subject that counts say what the Patients of its group say.

        Where they differ the newest by their sender's order is believed, and of equals
        the first by its content, so that it does not matter which came first.
        """
        current = sorted(
            (
                record
                for record in map(self._identities.records.__getitem__, group)
                if record.state is State.CURRENT and record.content is not None
            ),
            key=_belief,
        )
        patients = [_PATIENT.decode(record.content or "") for record in current]
        subject.sex = _first(SEXES.get(patient.sex or "") for patient in patients)
        subject.birth_month = _first(patient.birth_month for patient in patients)
        subject.death_month = _first(patient.death_month for patient in patients)
        self._identities.change_subject(subject)


def components(members: Collection[int], ties: Iterable[Tie]) -> dict[int, list[int]]:
    """Return the connected components of *members* by their least member, sorted."""
    neighbours: dict[int, set[int]] = {member: set() for member in members}
    for tie in ties:
        neighbours[tie.record_id].add(tie.other_id)
        neighbours[tie.other_id].add(tie.record_id)
    groups: dict[int, list[int]] = {}
    seen: set[int] = set()
    for root in sorted(neighbours):
        if root in seen:
            continue
        group, todo = {root}, [root]
        while todo:
            new = neighbours[todo.pop()] - group
            group |= new
            todo += new
        seen |= group
        groups[root] = sorted(group)
    return groups


def matched(
    same: Collection[int], kinds: Collection[tuple[int, AliasKind]]
) -> Iterator[tuple[int, int]]:
    """
    Yield each of the *same* content that may be another, and which.

    Two that both have an id, or both an identifier, are two: they would have met.
    """
    named = {i: {kind for j, kind in kinds if i == j} for i in same}
    kept: dict[int, set[AliasKind]] = {}
    for record_id in sorted(named, key=lambda i: (-len(named[i]), i)):
        own = named[record_id]
        other = next((i for i, known in kept.items() if not known & own), None)
        if other is None:
            kept[record_id] = own
        else:
            kept[other] |= own
            yield record_id, other


def _same_digest(rows: Iterable[AboutRow]) -> list[list[int]]:
    by_digest: dict[bytes, list[int]] = {}
    for row in rows:
        if row.digest is not None:
            by_digest.setdefault(row.digest, []).append(row.id)
    return [same for same in by_digest.values() if len(same) > 1]


def _belief(record: StoredRecord) -> tuple[float, str]:
    order = float("-inf") if record.sent_order is None else record.sent_order
    return -order, record.content or ""


def _ends(ties: Iterable[Tie]) -> set[int]:
    return {end for tie in ties for end in (tie.record_id, tie.other_id)}


def _first(values: Iterable[int | None]) -> int | None:
    return next((value for value in values if value is not None), None)
