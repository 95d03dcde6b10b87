"""Difference events of clinics -> cells: running sums, interval by interval."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Protocol

from app.domain.counts import Basis, Cell, Interval


class Event(Protocol):
    """What changes in one clinic, grain and stratum from a month on."""

    @property
    def clinic_id(self) -> int:
        """Return whose it is."""

    @property
    def grain(self) -> int:
        """Return the length of its intervals in months."""

    @property
    def stratum(self) -> int:
        """Return the position in the stratifier, 0 without one."""

    @property
    def month(self) -> int:
        """Return the month number from which on it counts."""

    @property
    def population(self) -> int:
        """Return the change of the population."""

    @property
    def scored(self) -> int:
        """Return the change of the scored."""

    @property
    def denominator(self) -> int:
        """Return the change of the denominator."""

    @property
    def numerator(self) -> int:
        """Return the change of the numerator."""


def cells(
    events: Iterable[Event],
    *,
    basis: Basis,
    interval: Interval,
    first_month: int,
    last_month: int,
    strata: bool,
) -> list[Cell]:
    """
    Return a cell for each clinic and interval, also where nobody counts.

    Args:
        events: Of one measure, in any order.
        basis: Of visits each grain has events of its own; of latest status there is
            one, and a quarter or year is the state of its last month.
        interval: How long a cell is.
        first_month: A month number; its interval is the first.
        last_month: The last interval ends with it, or before.
        strata: One cell for each stratum that any clinic has, instead of the total.
    """
    grain = 1 if basis is Basis.LATEST_STATUS else interval.months
    changes: dict[tuple[int, int], list[Event]] = defaultdict(list)
    for event in events:
        stratum = event.stratum if strata else 0
        changes[event.clinic_id, stratum] += [event] if event.grain == grain else []
    clinics = sorted({clinic_id for clinic_id, _ in changes})
    strata_found = sorted({stratum for _, stratum in changes})
    starts = _starts(interval, first_month, last_month)
    ahead = interval.months - 1 if basis is Basis.LATEST_STATUS else 0
    return [
        Cell(
            clinic_id=clinic_id,
            interval=interval,
            interval_start=start,
            stratum=stratum,
            population=population,
            scored=scored,
            denominator=denominator,
            numerator=numerator,
        )
        for clinic_id in clinics
        for stratum in strata_found
        for start, (population, scored, denominator, numerator) in zip(
            starts,
            _states(changes[clinic_id, stratum], [start + ahead for start in starts]),
            strict=True,
        )
    ]


def _starts(interval: Interval, first_month: int, last_month: int) -> range:
    """Return the first months of the intervals."""
    step = interval.months
    return range(first_month - first_month % step, last_month - step + 2, step)


def _states(
    events: list[Event], months: Iterable[int]
) -> Iterator[tuple[int, int, int, int]]:
    """Yield the four counts in each of *months*, which ascend."""
    ahead = sorted(events, key=lambda event: event.month, reverse=True)
    state = (0, 0, 0, 0)
    for month in months:
        while ahead and ahead[-1].month <= month:
            event = ahead.pop()
            state = (
                state[0] + event.population,
                state[1] + event.scored,
                state[2] + event.denominator,
                state[3] + event.numerator,
            )
        yield state
