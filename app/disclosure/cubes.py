"""True cells -> lines: which cells add up to which, interval by interval."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import sub

import msgspec

from app.disclosure.terms import ALWAYS, Terms
from app.domain.counts import Basis, Cell, Interval

UNSTRATIFIED = -1
"""The part of a total that no stratum holds; never shown."""

Slot = tuple[Interval, int]
"""A width and a start: one interval."""


Table = dict[int, dict[int, Cell]]
"""Clinics' cells of one interval, by stratum and clinic."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """
    The clinics' cells of one span, which add up to the network's.

    ``slots`` are the intervals that show these very numbers, finest first: a latest
    status on 31 December is December's, the fourth quarter's and the year's. ``cells``
    are those of each clinic that takes part; where ``is_whole`` is False somebody began
    or left meanwhile, and their sum must not be told.
    """

    slots: tuple[Slot, ...]
    cells: Mapping[int, Cell]
    is_whole: bool = True


def lines(
    cells: Sequence[Cell],
    *,
    basis: Basis,
    closed_before: int,
    terms: Terms = ALWAYS,
) -> Iterator[Line]:
    """
    Return the lines of a measure's totals, finest first, without gaps.

    A clinic takes part from the first interval in which its population has anybody;
    where it has no cell after that in its term, it is there with zeros.
    """
    for interval in _widths(basis):
        own = [cell for cell in cells if cell.interval is interval and not cell.stratum]
        begun = _first_starts(own)
        found = {(cell.clinic_id, cell.interval_start): cell for cell in own}
        end = closed_before - interval.months + 1
        for start in range(min(begun.values(), default=end), end, interval.months):
            span = (start, start + interval.months)
            taking_part = sorted(
                clinic
                for clinic in begun
                if begun[clinic] <= start and terms.takes_part(clinic, *span)
            )
            if start < terms.since or not taking_part:
                continue
            yield Line(
                slots=_slots(interval, start, basis),
                cells={
                    clinic: found.get((clinic, start)) or _nobody(clinic, start, own[0])
                    for clinic in taking_part
                },
                is_whole=terms.is_whole(*span),
            )


def quarters(cells: Sequence[Cell], *, block: range) -> Callable[[int], Table]:
    """
    Return what finds a quarter's totals and strata of *block*, by its start.

    A table has the clinics' cells by stratum and clinic, the totals as stratum 0; each
    stratum that anybody was ever in is there.
    """
    there = sorted({cell.stratum for cell in cells if cell.stratum in block})
    found: dict[int, Table] = {}
    for cell in cells:
        if cell.interval is Interval.QUARTER and cell.stratum in {0, *there}:
            table = found.setdefault(cell.interval_start, {})
            table.setdefault(cell.stratum, {})[cell.clinic_id] = cell
    return lambda start: {key: {} for key in (0, *there)} | found.get(start, {})


def strata(table: Table, *, totals: Mapping[int, Cell]) -> Table:
    """
    Return the strata of a quarter: clinics' cells by clinic.

    *totals* are the clinics that take part, with their cells; what those hold beyond
    the strata is the stratum ``UNSTRATIFIED``.
    """
    found = {
        stratum: {clinic: cells[clinic] for clinic in cells if clinic in totals}
        for stratum, cells in table.items()
        if stratum
    }
    rest = {
        clinic: _difference(
            table[0].get(clinic, total), [part.get(clinic) for part in found.values()]
        )
        for clinic, total in totals.items()
    }
    if any(cell.population for cell in rest.values()):
        found[UNSTRATIFIED] = rest
    return found


def _widths(basis: Basis) -> Sequence[Interval]:
    """Return the widths whose numbers are their own."""
    return [Interval.MONTH] if basis is Basis.LATEST_STATUS else list(Interval)


def _slots(interval: Interval, start: int, basis: Basis) -> tuple[Slot, ...]:
    """Return the intervals that show the numbers of this one."""
    if basis is not Basis.LATEST_STATUS:
        return ((interval, start),)
    end = start + interval.months
    return tuple((i, end - i.months) for i in Interval if end % i.months == 0)


def _first_starts(cells: Sequence[Cell]) -> dict[int, int]:
    """Return the first interval in which each clinic has anybody in the population."""
    begun: dict[int, int] = {}
    for cell in sorted(cells, key=lambda cell: cell.interval_start):
        if cell.population:
            begun.setdefault(cell.clinic_id, cell.interval_start)
    return begun


def empty(clinic: int, interval: Interval, start: int, stratum: int = 0) -> Cell:
    """Return the cell of a clinic that had nobody."""
    return Cell(
        clinic_id=clinic,
        interval=interval,
        interval_start=start,
        stratum=stratum,
        population=0,
        scored=0,
        denominator=0,
        numerator=0,
    )


def _nobody(clinic: int, start: int, like: Cell) -> Cell:
    """Return the cell of a clinic that had nobody, in the groups of another cell."""
    return msgspec.structs.replace(
        empty(clinic, like.interval, start),
        beyond=(0,) * len(like.beyond),
        beyond_population=(0,) * len(like.beyond_population),
    )


def _difference(total: Cell, parts: Sequence[Cell | None]) -> Cell:
    """Return what *total* holds beyond *parts*."""
    there = [part for part in parts if part is not None]
    return msgspec.structs.replace(
        total,
        stratum=UNSTRATIFIED,
        population=total.population - sum(part.population for part in there),
        scored=total.scored - sum(part.scored for part in there),
        denominator=total.denominator - sum(part.denominator for part in there),
        numerator=total.numerator - sum(part.numerator for part in there),
        beyond=_rest(total.beyond, [part.beyond for part in there]),
        beyond_population=_rest(
            total.beyond_population, [part.beyond_population for part in there]
        ),
        value_sum=total.value_sum - sum(part.value_sum for part in there),
        value_squares=total.value_squares - sum(part.value_squares for part in there),
        histogram=_bins_left(total, there),
    )


def _rest(whole: tuple[int, ...], parts: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Return *whole* without *parts*, group by group."""
    return (
        tuple(map(sub, whole, map(sum, zip(*parts, strict=True)))) if parts else whole
    )


def _bins_left(total: Cell, parts: Sequence[Cell]) -> tuple[tuple[int, int], ...]:
    """Return the histogram of whom *total* has beyond *parts*."""
    left = Counter(dict(total.histogram))
    for part in parts:
        left.subtract(dict(part.histogram))
    return tuple((begin, people) for begin, people in sorted(left.items()) if people)
