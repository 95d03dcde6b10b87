"""
Centre lines and limits of control charts, as plain functions of the numbers.

A missing point is None: it is left out of every sum, a moving range steps over it, and
its lines are the centre line and such limits as do not depend on n. Formulas and
sources stand in ``docs/charts.md``.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from statistics import fmean, median

from app.charts import binomials
from app.charts.lines import (
    SIGMA_LEVELS,
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

TAILS = {1: 0.158655253931457, 2: 0.0227501319481792, 3: 0.00134989803163009}
"""P(Z > k) of a standard normal: what one side of exact limits may leave out."""
MEAN_RANGE_OF_TWO = 1.128
"""d2 for n = 2: the mean moving range of independent normal values, in sigmas."""
RANGE_LIMIT = 3.267
"""D4 for n = 2: three sigmas of a moving range, in mean moving ranges."""
SPARSE = 5
"""Below this expected count, on either side, normal limits of a proportion fail."""
OVERDISPERSED = 1.2
"""The sigma_z above which the p' chart replaces the p chart."""

Counts = Sequence[int | None]


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


def p_chart(numerators: Counts, denominators: Counts, *, within: Frame) -> Fit:
    """
    Return the p chart of *numerators* out of *denominators*.

    Limits are ``p +- k sqrt(p (1 - p) / n_i)`` within [0, 1], where p pools the phase's
    baseline; where ``n_i min(p, 1 - p) < 5`` they are exact binomial quantiles.

    Source: Montgomery, Introduction to Statistical Quality Control, 7th ed., ch. 7.
    """
    return _proportions(numerators, denominators, within, prime=False)


def p_prime_chart(numerators: Counts, denominators: Counts, *, within: Frame) -> Fit:
    """
    Return Laney's p' chart: the p chart with sigma multiplied by sigma_z.

    A sigma_z below 1 counts as 1, and exact limits hold where they are the wider, so
    no limit is narrower than the p chart's.

    Source: Laney, Quality Engineering 2002;14:531-537.
    """
    return _proportions(numerators, denominators, within, prime=True)


def proportion_chart(numerators: Counts, denominators: Counts, *, within: Frame) -> Fit:
    """Return the p chart, or the p' chart where sigma_z is above 1.2."""
    plain = p_chart(numerators, denominators, within=within)
    if plain.sigma_z is None or plain.sigma_z <= OVERDISPERSED:
        return plain
    return p_prime_chart(numerators, denominators, within=within)


def u_chart(numerators: Values, exposures: Values, *, within: Frame) -> Fit:
    """
    Return the u chart of events by exposure.

    Limits are ``u +- k sqrt(u / n_i)``, not below 0. The rate is per unit of exposure:
    for events per 1,000 line days, hand in line days / 1000.
    """
    values = _ratios(numerators, exposures)
    rates = _pooled(numerators, exposures, within, values)

    def lines(point: int, rate: float) -> Lines:
        exposure = exposures[point]
        if values[point] is None or not exposure:
            return Lines(center_line=rate)
        return around(rate, sqrt(rate / exposure), floor=0.0)

    return Fit(
        chart=ChartKind.U,
        sigma_method="Poisson: sqrt(u / n)",
        values=values,
        lines=each(rates, lines),
    )


def c_chart(counts: Values, *, within: Frame) -> Fit:
    """Return the c chart of counts with equal exposure: ``c +- k sqrt(c)``, from 0."""
    means = for_each_phase(
        within, counts, lambda points: fmean(present(counts, points))
    )
    return Fit(
        chart=ChartKind.C,
        sigma_method="Poisson: sqrt(c)",
        values=tuple(counts),
        lines=each(means, lambda _, mean: around(mean, sqrt(mean), floor=0.0)),
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
        ranges = [abs(after - before) for before, after in pairwise(individuals)]
        if screened and ranges:
            limit = RANGE_LIMIT * fmean(ranges)
            ranges = [moving for moving in ranges if moving < limit] or ranges
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


def _proportions(
    numerators: Counts, denominators: Counts, within: Frame, *, prime: bool
) -> Fit:
    values = _ratios(numerators, denominators)
    pooled = _pooled(numerators, denominators, within, values)
    ratio = _sigma_z(values, denominators, pooled, within)
    factor = max(1.0, ratio or 1.0) if prime else 1.0

    def lines(point: int, proportion: float) -> Lines:
        denominator = denominators[point]
        if values[point] is None or not denominator:
            return Lines(center_line=proportion)
        return _binomial_lines(proportion, denominator, factor=factor)

    return Fit(
        chart=ChartKind.P_PRIME if prime else ChartKind.P,
        sigma_method="binomial: sqrt(p (1 - p) / n)"
        + (" x sigma_z" if prime else "")
        + f", exact quantiles where n min(p, 1 - p) < {SPARSE}",
        values=values,
        lines=each(pooled, lines),
        sigma_z=ratio,
    )


def _binomial_lines(proportion: float, denominator: int, *, factor: float) -> Lines:
    """Return normal lines times *factor*, or exact ones where counts are sparse."""
    sigma = sqrt(proportion * (1 - proportion) / denominator)
    normal = around(proportion, sigma * factor, floor=0.0, ceiling=1.0)
    if denominator * min(proportion, 1 - proportion) >= SPARSE:
        return normal
    exact = _exact_lines(proportion, denominator)
    if factor == 1.0:
        return exact
    return Lines(
        center_line=proportion,
        lower=tuple(map(min, normal.lower, exact.lower)),
        upper=tuple(map(max, normal.upper, exact.upper)),
    )


def _exact_lines(proportion: float, denominator: int) -> Lines:
    """
    Return binomial quantiles as lines.

    A quantile can fall on the far side of p (n = 1, p = 0.001); the line then is p
    itself, and the same counts are beyond it.
    """

    def line(tail: float) -> float:
        return binomials.quantile(tail, denominator, proportion) / denominator

    return Lines(
        center_line=proportion,
        lower=tuple(min(proportion, line(TAILS[k])) for k in SIGMA_LEVELS),
        upper=tuple(max(proportion, line(1 - TAILS[k])) for k in SIGMA_LEVELS),
    )


def _sigma_z(
    values: Values,
    denominators: Counts,
    centers: Sequence[float | None],
    within: Frame,
) -> float | None:
    """Return mean |z_i - z_(i-1)| / 1.128 over the baselines, ranges within phases."""
    scores: dict[int, list[float]] = {}
    rows = zip(
        values, denominators, centers, within.phases, within.baseline, strict=True
    )
    for value, n, p, phase, counted in rows:
        if not counted or value is None or not n or p is None or p * (1 - p) <= 0:
            continue
        scores.setdefault(phase, []).append((value - p) / sqrt(p * (1 - p) / n))
    ranges = [abs(b - a) for z in scores.values() for a, b in pairwise(z)]
    return fmean(ranges) / MEAN_RANGE_OF_TWO if ranges else None


def _ratios(numerators: Values, denominators: Values) -> tuple[float | None, ...]:
    return tuple(
        None if x is None or not n else x / n
        for x, n in zip(numerators, denominators, strict=True)
    )


def _pooled(
    numerators: Values, denominators: Values, within: Frame, values: Values
) -> list[float | None]:
    """Return sum x / sum n of each point's phase."""
    return for_each_phase(
        within,
        values,
        lambda points: (
            sum(present(numerators, points)) / sum(present(denominators, points))
        ),
    )
