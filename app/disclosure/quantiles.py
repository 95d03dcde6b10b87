"""Percentiles of people's values, exact on the grid of their histograms."""

from collections import Counter
from collections.abc import Iterable, Sequence

from app.domain.counts import QUANTILES, Cell

WHOLE = 100
"""Per cent."""


def quantile(histogram: Sequence[tuple[int, int]], percent: int) -> int:
    """
    Return where the bin begins that holds the percentile, in thousandths.

    Of n people in order of their values it is the bin of the one in place n percent /
    100, rounded up; so the median of an even number is the lower of the middle two.

    Args:
        histogram: pairs of where a bin begins and how many are in it, in order; at
            least one person.
        percent: above 0, at most 100.
    """
    people = sum(count for _, count in histogram)
    place = -(-people * percent // WHOLE)
    for begin, count in histogram:
        place -= count
        if place <= 0:
            return begin
    msg = "Nobody is in the histogram"
    raise ValueError(msg)


def merged(cells: Iterable[Cell]) -> tuple[tuple[int, int], ...]:
    """Return the histograms of *cells* added up."""
    bins: Counter[int] = Counter()
    for cell in cells:
        bins.update(dict(cell.histogram))
    return tuple(sorted(bins.items()))


def all_quantiles(cells: Sequence[Cell]) -> tuple[int, ...]:
    """Return every percentile of the values in *cells*; none without a value."""
    histogram = merged(cells)
    if not histogram:
        return ()
    return tuple(quantile(histogram, percent) for percent in QUANTILES)


def shown_quantiles(
    cells: Sequence[Cell], *, people: int, k: int
) -> tuple[int | None, ...]:
    """
    Return the percentiles of *cells* that k of *people* or more lie beyond.

    *people* are those that an onlooker does not know: of a pool, all but those of the
    clinic that has most.
    """
    return tuple(
        found if people * min(percent, WHOLE - percent) >= k * WHOLE else None
        for percent, found in zip(QUANTILES, all_quantiles(cells), strict=False)
    )
