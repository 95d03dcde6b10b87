"""
A cohort's cells, from the published cells of its clinics and from nothing else.

A function of what its readers have already gives nobody away: whoever reads a cohort
could have added the same numbers up. So no rule of suppression is needed here, and
none could be broken.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from app.domain.counts import Basis, Interval, ReleasedCell, Withheld

SUMMED = ("denominator", "numerator", "population", "scored")
VALUES = ("value_sum", "value_squares")


class CohortCell(msgspec.Struct, frozen=True, kw_only=True):
    """A cohort's cell, and of how many of its clinics the counts are."""

    cell: ReleasedCell
    clinics: int


def common_width(
    cells: Iterable[ReleasedCell], clinic_ids: Collection[int], *, basis: Basis
) -> Interval | None:
    """
    Return the finest width of which all of a cohort's clinics publish.

    A clinic without a cell had nobody to count and has no say. Of a latest status a
    finer cell stands for a wider interval that ends with it; people who came are not
    added up over time, so elsewhere all clinics must have one width. None: they have
    none in common, or one of them publishes nothing.
    """
    widths: dict[int, set[Interval]] = defaultdict(set)
    for cell in cells:
        if cell.clinic_id is not None and cell.clinic_id in clinic_ids:
            found = widths[cell.clinic_id]
            if cell.withheld is not Withheld.NOT_PUBLISHED:
                found.add(cell.interval)
    if not widths or not all(widths.values()):
        return None
    if basis is Basis.LATEST_STATUS:
        finest = [min(found, key=_length) for found in widths.values()]
        return max(finest, key=_length)
    common = set.intersection(*widths.values())
    return min(common, key=_length, default=None)


def cohort_cells(
    cells: Sequence[ReleasedCell],
    clinic_ids: Collection[int],
    *,
    interval: Interval,
    basis: Basis,
) -> list[CohortCell]:
    """
    Return a cohort's cells of one width, in time order.

    Counts are sums over its clinics; of means the sums of values and of squares. Where
    a clinic is withheld, so is the cohort, suppressed before all; one without data adds
    nothing. What any of them is not told of is not told; percentiles never are.

    Args:
        cells: an audience's cells of a measure, totals only; others are passed over.
        clinic_ids: the cohort.
        interval: the width, one that all clinics publish (``common_width``).
        basis: under latest status a finer cell that ends with an interval is its own.
    """
    found = cells_by_interval(cells, clinic_ids, interval=interval, basis=basis)
    return [
        _sum(list(of_interval.values()), interval=interval, start=start)
        for start, of_interval in found.items()
    ]


def cells_by_interval(
    cells: Sequence[ReleasedCell],
    clinic_ids: Collection[int],
    *,
    interval: Interval,
    basis: Basis,
) -> dict[int, dict[int, ReleasedCell]]:
    """
    Return one cell a clinic of each interval of a width, by its start, in time order.

    Under latest status a finer cell that ends with an interval stands for it.
    """
    by_start: dict[int, dict[int, ReleasedCell]] = defaultdict(dict)
    for cell in cells:
        start = cell.interval_start + cell.interval.months - interval.months
        if (
            cell.clinic_id in clinic_ids
            and cell.stratum == 0
            and start % interval.months == 0
            and (cell.interval is interval or _stands_for(cell, interval, basis))
        ):
            _keep_widest(by_start[start], cell)
    return {start: by_start[start] for start in sorted(by_start)}


def _length(interval: Interval) -> int:
    return interval.months


def _stands_for(cell: ReleasedCell, interval: Interval, basis: Basis) -> bool:
    is_finer = cell.interval.months < interval.months
    return basis is Basis.LATEST_STATUS and is_finer


def _keep_widest(known: dict[int, ReleasedCell], cell: ReleasedCell) -> None:
    """Keep one cell a clinic, its own of the width where it has one."""
    assert cell.clinic_id is not None
    before = known.get(cell.clinic_id)
    if before is None or before.interval.months < cell.interval.months:
        known[cell.clinic_id] = cell


def _sum(
    cells: Sequence[ReleasedCell], *, interval: Interval, start: int
) -> CohortCell:
    """Return the sum of one interval's cells, a clinic each."""
    like = msgspec.structs.replace(
        cells[0], clinic_id=None, interval=interval, interval_start=start
    )
    reasons = {cell.withheld for cell in cells} - {None, Withheld.NO_DATA}
    told = [cell for cell in cells if cell.withheld is None]
    if reasons:
        why = _first_of(reasons)
    elif not told:
        why = Withheld.NO_DATA
    else:
        sums: Mapping[str, int | None] = {
            name: _added(told, name) for name in (*SUMMED, *VALUES)
        }
        added = msgspec.structs.replace(
            like, **sums, quantiles=(), withheld=None, provisional=False
        )
        return CohortCell(cell=added, clinics=len(told))
    return CohortCell(cell=like.blank(why), clinics=0)


def _first_of(reasons: Collection[Withheld | None]) -> Withheld:
    """Return the reason to give: that a clinic is suppressed, before any other."""
    if Withheld.SUPPRESSED in reasons:
        return Withheld.SUPPRESSED
    return min(reason for reason in reasons if reason is not None)


def _added(cells: Sequence[ReleasedCell], name: str) -> int | None:
    """Return the sum of one number; None where any cell does not tell it."""
    numbers = [getattr(cell, name) for cell in cells]
    return None if None in numbers else sum(numbers)
