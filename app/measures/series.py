"""Difference events of clinics -> cells: running sums, interval by interval."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from app.domain.counts import COUNTS, Basis, Cell, Interval
from app.measures.definitions import Measure, thousandths
from app.measures.strata import positions


class Event(Protocol):
    """
    What changes in a clinic, a grain, a combination of strata and a bin from a month.

    ``counts`` are in the order of ``app.domain.counts.COUNTS``.
    """

    @property
    def clinic_id(self) -> int:
        """Return whose it is."""

    @property
    def grain(self) -> int:
        """Return the length of its intervals in months."""

    @property
    def stratum(self) -> int:
        """Return the number of the combination of strata, 0 without stratifiers."""

    @property
    def bin(self) -> int:
        """Return the bin of the value, or below 0 what is missing."""

    @property
    def month(self) -> int:
        """Return the month number from which on it counts."""

    @property
    def counts(self) -> tuple[int, ...]:
        """Return the changes of the counts."""


_State = tuple[Sequence[int], Mapping[int, int]]
"""The counts, and how many people are in each bin."""
_NOTHING = (0,) * len(COUNTS)


def cells(
    events: Iterable[Event],
    *,
    measure: Measure,
    interval: Interval,
    first_month: int,
    last_month: int,
    strata: bool,
) -> list[Cell]:
    """
    Return a cell for each clinic and interval, also where nobody counts.

    Args:
        events: Of one measure, in any order.
        measure: Its definition. Of latest status there are events of one grain, and a
            quarter or year is the state of its last month; else each has its own.
        interval: How long a cell is.
        first_month: A month number; its interval is the first.
        last_month: The last interval ends with it, or before.
        strata: One cell for each stratum that any clinic has, instead of the total.
    """
    by_status = measure.basis is Basis.LATEST_STATUS
    grain = 1 if by_status else interval.months
    places: dict[int, list[int]] = {}
    changes: dict[tuple[int, int], list[Event]] = defaultdict(list)
    for event in events:
        if event.stratum not in places:
            places[event.stratum] = positions(measure, event.stratum) if strata else [0]
        for stratum in places[event.stratum]:
            of = changes[event.clinic_id, stratum]
            of += [event] if event.grain == grain else []
    clinics = sorted({clinic_id for clinic_id, _ in changes})
    strata_found = sorted({stratum for _, stratum in changes})
    starts = _starts(interval, first_month, last_month)
    ahead = interval.months - 1 if by_status else 0
    months = [start + ahead for start in starts]
    return [
        _cell(measure, clinic_id, interval, start, stratum, state)
        for clinic_id in clinics
        for stratum in strata_found
        for start, state in zip(
            starts, _states(changes[clinic_id, stratum], months), strict=True
        )
    ]


def _cell(
    measure: Measure,
    clinic_id: int,
    interval: Interval,
    start: int,
    stratum: int,
    state: _State,
) -> Cell:
    """Return the cell of one state."""
    counts, bins = state
    observation = measure.measure_observation
    first = 0 if observation is None else thousandths(observation.from_)
    population, excluded, excepted, scored, denominator, numerator, *values = counts
    return Cell(
        clinic_id=clinic_id,
        interval=interval,
        interval_start=start,
        stratum=stratum,
        population=population,
        excluded=excluded,
        excepted=excepted,
        scored=scored,
        denominator=denominator,
        numerator=numerator,
        value_sum=values[0],
        value_squares=values[1],
        histogram=()
        if observation is None
        else tuple((first + at, n) for at, n in sorted(bins.items()) if at >= 0 and n),
        missing=tuple((-at, n) for at, n in sorted(bins.items()) if at < 0 and n),
    )


def _starts(interval: Interval, first_month: int, last_month: int) -> range:
    """Return the first months of the intervals."""
    step = interval.months
    return range(first_month - first_month % step, last_month - step + 2, step)


def _states(events: list[Event], months: Iterable[int]) -> Iterator[_State]:
    """Yield the counts and bins in each of *months*, which ascend."""
    ahead = sorted(events, key=lambda event: event.month, reverse=True)
    counts: tuple[int, ...] = _NOTHING
    bins: Counter[int] = Counter()
    for month in months:
        while ahead and ahead[-1].month <= month:
            event = ahead.pop()
            counts = tuple(map(sum, zip(counts, event.counts, strict=True)))
            # Who is excluded has no bin; of the others each is in one.
            population, *_ = event.counts
            bins[event.bin] += population
        yield counts, dict(bins)
