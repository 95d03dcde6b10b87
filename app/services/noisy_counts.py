"""Ad hoc counts of the network, for what no release has: with noise, on a budget."""

import hashlib
from math import ceil

import msgspec

from app.disclosure.noise import noisy
from app.domain.counts import Basis, Interval
from app.domain.errors import BusinessRuleError, NotSupportedError
from app.measures.definitions import Measure, Scoring
from app.services.hub import Hub
from app.services.participation import active_clinics
from app.services.previews import counted_by
from app.services.releases import closed_before
from app.store import noisy_counts
from app.store.leases import take_lease
from app.store.noisy_counts import NoisyCount
from app.store.sessions import (
    ReadSession,
    WriteSession,
    read_session,
    write_session,
)

MILLIONTHS = 1_000_000


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """What was told so far; ``budget`` and ``spent`` in millionths of epsilon."""

    budget: int
    spent: int
    counts: tuple[NoisyCount, ...]


def read_ledger(session: ReadSession, hub: Hub) -> Ledger:
    """
    Return what was told, and what is left.

    Raises:
        NotSupportedError: the network allows none.
    """
    rules = hub.audiences.noise
    if rules is None:
        msg = "Counts with noise are off: the audiences file has no [noise]"
        raise NotSupportedError(msg, expression="noise")
    counts = tuple(noisy_counts.all_counts(session))
    return Ledger(
        budget=round(rules.budget_epsilon * MILLIONTHS),
        spent=sum(count.epsilon_millionths for count in counts),
        counts=counts,
    )


def ask(
    hub: Hub, measure: Measure, *, interval: Interval, start: int, epsilon: float
) -> NoisyCount:
    """
    Return how many people of the network *measure* counts, with noise.

    The same question, of the same definition and interval, is answered with the same
    numbers for good and costs once: noise that could be drawn again would wear off.

    *measure* may be loaded or not; *start* is the month number that the interval
    begins with; *epsilon* what it may cost: the noise has the scale 1 / epsilon.

    Raises:
        NotSupportedError: the network allows none, or it counts no people.
        BusinessRuleError: the interval is open, or too little is left.
    """
    if measure.basis is Basis.SUMMARIES or measure.scoring is not Scoring.PROPORTION:
        msg = "Only proportions of people are counted with noise"
        raise NotSupportedError(msg, expression="measure")
    if start % interval.months or start + interval.months > closed_before(hub):
        msg = "The interval is none, or its data lock has not passed"
        raise BusinessRuleError(msg, expression="start")
    question = _digest(measure, interval, start)
    with read_session(hub.engine) as session:
        told = _told(read_ledger(session, hub), question)
    if told is not None:
        return told
    groups = _groups(hub, measure, interval, start)
    numerator, others, uncounted = noisy(groups, epsilon=epsilon)
    count = NoisyCount(
        question=question,
        asked_at=hub.clock(),
        measure_code=measure.id,
        interval_months=interval.months,
        interval_start=start,
        epsilon_millionths=ceil(epsilon * MILLIONTHS),
        numerator=numerator,
        others=others,
        uncounted=uncounted,
    )
    with write_session(hub.engine) as session:
        return _charge(session, hub, count)


def _digest(measure: Measure, interval: Interval, start: int) -> str:
    asked = f"{measure.digest} {interval.value} {start}"
    return hashlib.sha256(asked.encode()).hexdigest()


def _told(ledger: Ledger, question: str) -> NoisyCount | None:
    return next((c for c in ledger.counts if c.question == question), None)


def _charge(session: WriteSession, hub: Hub, count: NoisyCount) -> NoisyCount:
    """Write an answer down and return it, or the one that another was first with."""
    # The lease's row is held to the end: no two spend the same.
    take_lease(session, "noise", holder="ledger", now=count.asked_at, seconds=0)
    ledger = read_ledger(session, hub)
    told = _told(ledger, count.question)
    if told is None and ledger.spent + count.epsilon_millionths > ledger.budget:
        msg = "The budget has not so much left"
        raise BusinessRuleError(msg, expression="epsilon")
    if told is None:
        noisy_counts.add_count(session, count)
    return told or count


def _groups(
    hub: Hub, measure: Measure, interval: Interval, start: int
) -> tuple[int, int, int]:
    """Return the people in the numerator, in the denominator alone, and in neither."""
    with read_session(hub.engine) as session:
        found = counted_by(
            session,
            hub,
            measure,
            interval=interval,
            clinic_ids=active_clinics(session),
            months=range(start, start + interval.months),
        )
    numerator = sum(cell.numerator for cell in found)
    denominator = sum(cell.denominator for cell in found)
    population = sum(cell.population for cell in found)
    return numerator, denominator - numerator, population - denominator
