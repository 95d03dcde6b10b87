"""
Charts of measurements: moving ranges, subgroup means and deviations, times between.

Means of people's values are drawn of released numbers, which are hidden with their n;
times between single events are for the clinic's own eyes.
"""

from collections.abc import Iterator, Sequence
from math import exp, lgamma, sqrt
from statistics import fmean

from app.charts.control_charts import RANGE_LIMIT, xmr_chart
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

TIME_ROOT = 3.6
"""The root that makes exponential times nearly normal."""


def mr_chart(values: Values, *, within: Frame) -> Fit:
    """Return the chart of the moving ranges of *values*: mR, from 0 to 3.267 mR."""
    ranges = tuple(_moving_ranges(values))
    means = for_each_phase(within, ranges, lambda at: fmean(present(ranges, at)))
    share = (RANGE_LIMIT - 1) / 3
    return Fit(
        chart=ChartKind.MR,
        sigma_method="mean moving range x (3.267 - 1) / 3",
        values=ranges,
        lines=each(means, lambda _, mean: around(mean, mean * share, floor=0.0)),
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


def t_chart(times: Values, *, within: Frame) -> Fit:
    """
    Return the chart of times between events: an XmR chart of their 3.6th roots.

    Args:
        times: above 0, in any unit, which the lines are in too.
        within: the phases and the baseline.

    Source: Nelson, J Quality Technology 1994;26:239-240.
    """
    roots = [None if time is None else time ** (1 / TIME_ROOT) for time in times]
    fit = xmr_chart(roots, within=within)
    return Fit(
        chart=ChartKind.T,
        sigma_method="mean moving range / 1.128 of the 3.6th roots",
        values=tuple(times),
        lines=each(fit.lines, lambda _, line: _powered(line)),
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


def _powered(line: Lines) -> Lines:
    return Lines(
        center_line=line.center_line**TIME_ROOT,
        lower=tuple(max(0.0, root) ** TIME_ROOT for root in line.lower),
        upper=tuple(root**TIME_ROOT for root in line.upper),
    )


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
