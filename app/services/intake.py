"""
De-identified records into the store: each counted once, by whatever door.

A delivery is read in one go (``placements``), decided submission by submission in the
order of their references, and written in one go (``changes``).
"""

from collections.abc import Collection, Sequence

from app.domain.clinics import Source
from app.domain.errors import BusinessRuleError, ServiceError
from app.domain.records import RecordType
from app.services.changes import Changes, is_overtaken
from app.services.groups import Groups, Regrouped
from app.services.hub import Hub
from app.services.identities import Identities
from app.services.linkage import Linkage
from app.services.patients import hear_identifiers, hear_link
from app.services.placements import Placed, Placements
from app.services.policies import check_in_force
from app.services.submissions import Effect, Outcome, Receipt, Submission
from app.store.records import State, StoredRecord
from app.store.sessions import WriteSession, tried

__all__ = [
    "Effect",
    "Outcome",
    "Receipt",
    "Submission",
    "store",
    "withdraw",
    "withdraw_all",
]

PHASES = (
    frozenset({RecordType.PATIENT}),
    frozenset({RecordType.ENCOUNTER}),
    frozenset(
        {RecordType.OBSERVATION, RecordType.CONDITION, RecordType.MEASURE_REPORT}
    ),
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

    Raises:
        IntakeStoppedError: the policy has expired; whatever came is to come again.
    """
    if submissions:
        check_in_force(hub)
    return tried(
        session,
        lambda: _Delivery(session, hub, source).store(submissions, atomic=atomic),
    )


def withdraw(session: WriteSession, hub: Hub, source: Source, record_id: int) -> None:
    """Take a record out of every count; nothing where it counts no more."""
    tried(session, lambda: _Delivery(session, hub, source).withdraw(record_id))


def withdraw_all(
    session: WriteSession,
    hub: Hub,
    source: Source,
    record_ids: Collection[int],
    *,
    up_to: int | None,
    came: int | None = None,
) -> dict[int, RecordType]:
    """
    Take records out of every count; return those that counted, with their types.

    Not what is newer than *up_to* by the sender's order, or where that says nothing
    than when it *came* that they are gone, if that waited (epoch milliseconds).
    """
    return tried(
        session,
        lambda: _Delivery(session, hub, source).withdraw_all(
            record_ids, up_to=up_to, came=came
        ),
    )


class _Delivery:
    """One try at storing a delivery within its transaction."""

    def __init__(self, session: WriteSession, hub: Hub, source: Source) -> None:
        self._identities = Identities(session, hub, source)
        self._groups = Groups(session, self._identities)
        self._placements = Placements(session, self._identities, self._groups)
        self._changes = Changes(session, hub, self._identities)
        self._linkage = Linkage(session, hub)

    def store(
        self, submissions: Sequence[Submission], *, atomic: bool
    ) -> dict[int, Outcome]:
        """Decide each submission in the order of references, then write."""
        outcomes: dict[int, Outcome] = {}
        regrouped = Regrouped()

        def refuse(submission: Submission, error: ServiceError) -> None:
            if atomic:
                raise error
            outcomes[submission.index] = error

        self._placements.load(submissions)
        for phase in PHASES:
            placed: list[Placed] = []
            for submission in submissions:
                if submission.record.type not in phase:
                    continue
                try:
                    placed.append(self._placements.place(submission))
                except ServiceError as error:
                    refuse(submission, error)
            self._placements.look_up_digests(placed)
            for each in placed:
                try:
                    outcomes[each.submission.index] = self._decide(each)
                except ServiceError as error:
                    refuse(each.submission, error)
            if RecordType.PATIENT in phase:
                self._hear_links(placed, atomic=atomic)
                regrouped = self._groups.regroup()
        self._changes.write(regrouped)
        self._linkage.write(regrouped.touched)
        return outcomes

    def withdraw(self, record_id: int) -> None:
        """Take back a record that counts; what it said of others goes with it."""
        self.withdraw_all([record_id], up_to=None)

    def withdraw_all(
        self, record_ids: Collection[int], *, up_to: int | None, came: int | None = None
    ) -> dict[int, RecordType]:
        """Take back those of some records that count; see ``withdraw``."""
        self._identities.load((), record_ids, patients=(), expected=0, alone=True)
        known = (self._identities.records.get(record_id) for record_id in record_ids)
        current = [
            stored
            for stored in known
            if stored is not None
            and stored.state is State.CURRENT
            and not is_overtaken(stored, sent=up_to, came=came)
        ]
        for stored in current:
            self._changes.withdraw(stored, came=came)
            if stored.type is RecordType.PATIENT:
                self._groups.say(stored.id, ())
                self._linkage.forget(stored.id)
        if current:
            regrouped = self._groups.regroup()
            self._changes.write(regrouped)
            self._linkage.write(regrouped.touched)
        return {stored.id: stored.type for stored in current}

    def _decide(self, placed: Placed) -> Receipt:
        """Create, update or leave alone; return what became of it."""
        stored = self._placements.settle(placed)
        version, was_here = stored.version, stored.state is State.CURRENT
        self._changes.take(placed, stored)
        self._linkage.hear(placed, stored)
        if stored.type is RecordType.PATIENT and self._speaks(placed, stored):
            hear_identifiers(
                placed.submission,
                stored,
                identities=self._identities,
                groups=self._groups,
            )
        effect = Effect.UPDATED if was_here else Effect.CREATED
        return Receipt(
            stored=stored,
            version=stored.version,
            effect=Effect.UNCHANGED if stored.version == version else effect,
        )

    def _hear_links(self, placed: Sequence[Placed], *, atomic: bool) -> None:
        """Tie the Patients among *placed* to those that they link to, all here now."""
        identities = self._identities
        for each in placed:
            own = identities.entries.get(each.submission.index)
            if own is None or not self._speaks(each, identities.records[own]):
                continue
            for link in each.record.links:
                try:
                    hear_link(
                        link,
                        each.submission,
                        identities.records[own],
                        identities=identities,
                        groups=self._groups,
                    )
                except BusinessRuleError:  # its entry was refused, and says so itself
                    if atomic:
                        raise

    def _speaks(self, placed: Placed, stored: StoredRecord) -> bool:
        """
        Return whether a Patient says now who it is.

        A repetition says nothing new, unless it has links: to other entries of its
        Bundle, which its digest leaves out.
        """
        is_news = stored.id in self._changes.written or placed.record.links
        return bool(is_news) and stored.digest in placed.digests
