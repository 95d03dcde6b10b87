"""
Charts of values: medians, individual values, moving ranges, subgroups.

A missing value is None; a moving range steps over it. Any series of values may be
drawn, a proportion's too, where the caller wants no model of its counts.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import exp, lgamma, sqrt
from statistics import fmean, median

from app.charts.laney import MEAN_RANGE_OF_TWO
from app.charts.lines import (
    ChartKind,
    Fit,
    Frame,
    Lines,
    Values,
    around,
    each,
    for_each_phase,
    present,
)

RANGE_LIMIT = 3.267
"""D4 for n = 2: three sigmas of a moving range, in mean moving ranges."""


def run_chart(values: Values, *, within: Frame) -> Fit:
    """Return the run chart of *values*: their median, no limits."""
    medians = for_each_phase(
        within, values, lambda points: median(present(values, points))
    )
    return Fit(
        chart=ChartKind.RUN,
        sigma_method="none: the centre line is the median",
        values=tuple(values),
        lines=each(medians, lambda _, middle: Lines(center_line=middle)),
    )


def xmr_chart(values: Values, *, within: Frame, screened: bool = False) -> Fit:
    """
    Return the chart of individual values, sigma from the mean moving range.

    Limits are ``mean +- k mR / 1.128``; a phase with one baseline point has none.

    Args:
        values: in time order.
        within: the phases and the baseline.
        screened: leave moving ranges of 3.267 times their mean and more out, once
            (Nelson, J Quality Technology 1982;14:172-173). It changes the limits
            (6.95 to 4.60 in one published case), so the method's name says it.
    """

    def summary(points: Sequence[int]) -> tuple[float, float | None]:
        individuals = present(values, points)
        moves = [abs(after - before) for before, after in pairwise(individuals)]
        ranges = _screened(moves) if screened else moves
        sigma = fmean(ranges) / MEAN_RANGE_OF_TWO if ranges else None
        return fmean(individuals), sigma

    def lines(_: int, of_phase: tuple[float, float | None]) -> Lines:
        mean, sigma = of_phase
        return Lines(center_line=mean) if sigma is None else around(mean, sigma)

    suffix = ", ranges from 3.267 mR left out" if screened else ", all ranges"
    return Fit(
        chart=ChartKind.XMR,
        sigma_method="mean moving range / 1.128" + suffix,
        values=tuple(values),
        lines=each(for_each_phase(within, values, summary), lines),
    )


def mr_chart(values: Values, *, within: Frame, screened: bool = False) -> Fit:
    """
    Return the chart of the moving ranges of *values*: mR, from 0 to 3.267 mR.

    Two neighbouring ranges share a value: only the limit tells of a special cause.

    Args:
        values: in time order.
        within: the phases and the baseline.
        screened: as in the XmR chart.
    """
    ranges = tuple(_moving_ranges(values))

    def center(points: Sequence[int]) -> float:
        found = present(ranges, points)
        return fmean(_screened(found) if screened else found)

    share = (RANGE_LIMIT - 1) / 3
    suffix = ", ranges from 3.267 mR left out" if screened else ", all ranges"
    return Fit(
        chart=ChartKind.MR,
        sigma_method="mean moving range x (3.267 - 1) / 3" + suffix,
        values=ranges,
        lines=each(
            for_each_phase(within, ranges, center),
            lambda _, mean: around(mean, mean * share, floor=0.0),
        ),
    )


def xbar_chart(
    means: Values, deviations: Values, sizes: Sequence[int], *, within: Frame
) -> Fit:
    """
    Return the chart of subgroup means: ``mean +- k s / (c4 sqrt(n_i))``.

    Args:
        means: of each subgroup, None where it is empty.
        deviations: sample standard deviations, None where n is below 2.
        sizes: of each subgroup.
        within: the phases and the baseline.

    Source: Montgomery, Introduction to Statistical Quality Control, 7th ed., ch. 6.
    """

    def center(points: Sequence[int]) -> float:
        total = sum(sizes[i] * (means[i] or 0.0) for i in points)
        return total / sum(sizes[i] for i in points)

    spread = _pooled(deviations, sizes, within)

    def lines(point: int, mean: float) -> Lines:
        n, deviation = sizes[point], spread[point]
        if deviation is None or deviations[point] is None:
            return Lines(center_line=mean)
        return around(mean, deviation / (c4(n) * sqrt(n)))

    return Fit(
        chart=ChartKind.XBAR,
        sigma_method="pooled standard deviation / (c4 sqrt(n))",
        values=tuple(means),
        lines=each(for_each_phase(within, means, center), lines),
    )


def s_chart(deviations: Values, sizes: Sequence[int], *, within: Frame) -> Fit:
    """
    Return the chart of subgroup deviations: ``s +- k s sqrt(1 - c4^2) / c4``, from 0.

    Args:
        deviations: sample standard deviations, None where n is below 2.
        sizes: of each subgroup.
        within: the phases and the baseline.
    """

    def lines(point: int, deviation: float) -> Lines:
        if deviations[point] is None:
            return Lines(center_line=deviation)
        factor = c4(sizes[point])
        return around(deviation, deviation * sqrt(1 - factor**2) / factor, floor=0.0)

    return Fit(
        chart=ChartKind.S,
        sigma_method="pooled standard deviation x sqrt(1 - c4^2) / c4",
        values=tuple(deviations),
        lines=each(_pooled(deviations, sizes, within), lines),
    )


def c4(size: int) -> float:
    """Return E(s) / sigma of *size* >= 2 normal values."""
    return sqrt(2 / (size - 1)) * exp(lgamma(size / 2) - lgamma((size - 1) / 2))


def _moving_ranges(values: Values) -> Iterator[float | None]:
    """Yield each value's distance from the last one that was not missing."""
    last = None
    for value in values:
        yield None if last is None or value is None else abs(value - last)
        last = last if value is None else value


def _screened(ranges: Sequence[float]) -> Sequence[float]:
    """Return *ranges* without those of 3.267 times their mean and more."""
    if not ranges:
        return ranges
    limit = RANGE_LIMIT * fmean(ranges)
    return [moving for moving in ranges if moving < limit] or ranges


def _pooled(
    deviations: Values, sizes: Sequence[int], within: Frame
) -> list[float | None]:
    """Return the mean deviation of subgroups of one size, else the pooled one."""

    def summary(points: Sequence[int]) -> float:
        found = present(deviations, points)
        if len({sizes[i] for i in points}) == 1:
            return fmean(found)
        weights = [sizes[i] - 1 for i in points]
        squares = sum(w * s * s for w, s in zip(weights, found, strict=True))
        return sqrt(squares / sum(weights))

    return for_each_phase(within, deviations, summary)
