"""
People who come to clinics, month by month, and what is told of them: small and random.

Their counts are made person by person and width by width, the slow and obvious way, so
they are what counts of people can be.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

from hypothesis import strategies as st

from app.disclosure.blocks import Published
from app.disclosure.cubes import Slot
from app.disclosure.states import States, states_of
from app.disclosure.truths import Lines
from app.domain.counts import Basis, Interval, ReleasedCell

JANUARY = 12 * 2024
ABSENT, UNSCORED, FAILING, MEETING = range(4)
STATES = states_of(has_numerator=True, has_exceptions=False, counts_unscored=False)
History = tuple[int, ...]
"""What somebody is in each month of a year."""
MONTHS = [(Interval.MONTH, JANUARY + i) for i in range(12)]
QUARTERS = [(Interval.QUARTER, JANUARY + i) for i in range(0, 12, 3)]
YEARS = [(Interval.YEAR, JANUARY)]


class Crowd(NamedTuple):
    """The people of each clinic, and what of their counts is told, by clinic or all."""

    people: Mapping[int, Sequence[History]]
    told: frozenset[tuple[int | None, Slot]]
    complete: frozenset[tuple[int | None, Slot]]
    """Of these it is told, too, how many could not be scored."""
    slots: Sequence[Slot]


def state_in(history: History, slot: Slot) -> int:
    """Return what somebody is in an interval: as at the last visit that decides."""
    interval, start = slot
    visits = history[start - JANUARY : start - JANUARY + interval.months]
    decided = [state for state in visits if state in {FAILING, MEETING}]
    return decided[-1] if decided else max(visits, default=ABSENT)


def counts(people: Sequence[History], slot: Slot) -> tuple[int, int, int]:
    """Return how many of some people meet a measure, fail, and could not be scored."""
    states = [state_in(history, slot) for history in people]
    return states.count(MEETING), states.count(FAILING), states.count(UNSCORED)


def published(crowd: Crowd, *, states: States = STATES) -> Published:
    """Return what is told of a crowd, with what is behind it."""
    everybody = [history for own in crowd.people.values() for history in own]
    groups: dict[int | None, Sequence[History]] = {None: everybody}
    groups.update((clinic, own) for clinic, own in crowd.people.items())
    seen = {
        (who, *slot, 0): cell(who, slot, counts(groups[who], slot), crowd)
        for who, slot in crowd.told
    }
    lines: Lines = {
        (slot,): {clinic: counts(own, slot) for clinic, own in crowd.people.items()}
        for slot in crowd.slots
    }
    return Published(
        measure_id=1,
        basis=Basis.VISITS,
        states=states,
        seen=seen,
        lines=lines,
        fresh=frozenset(lines),
    )


def cell(
    who: int | None, slot: Slot, people: tuple[int, int, int], crowd: Crowd
) -> ReleasedCell:
    """Return a cell that is told."""
    meeting, failing, unscored = people
    whole = meeting + failing + unscored if (who, slot) in crowd.complete else None
    return ReleasedCell(
        clinic_id=who,
        interval=slot[0],
        interval_start=slot[1],
        population=whole,
        scored=None if whole is None else meeting + failing,
        denominator=meeting + failing,
        numerator=meeting,
    )


@st.composite
def crowds(draw, *, months: int = 3, most: int = 6, clinics: int = 5) -> Crowd:
    """Return a quarter, or a year, of 2 to 5 clinics of a few people each."""
    states = st.sampled_from([ABSENT, ABSENT, UNSCORED, FAILING, MEETING])
    history = st.tuples(*[states] * months)
    people = draw(
        st.lists(st.lists(history, max_size=most), min_size=2, max_size=clinics)
    )
    slots = [slot for slot in MONTHS if slot[1] < JANUARY + months]
    slots += [slot for slot in QUARTERS if slot[1] < JANUARY + months]
    slots += YEARS if months == len(MONTHS) else []
    places = [(who, slot) for who in (None, *range(len(people))) for slot in slots]
    share = draw(st.sampled_from([1, 2, 4]))
    told = frozenset(
        place
        for place in places
        if draw(st.integers(0, 3)) < (3 if place[0] is None else share)
    )
    complete = frozenset(place for place in told if draw(st.booleans()))
    return Crowd(dict(enumerate(people)), told, complete, slots)


def history_kinds(months: int) -> Sequence[History]:
    """Return everything that somebody can be over some months."""
    return list(product(range(4), repeat=months))
