"""
Charts of counts: centre lines and limits as plain functions of the numbers.

A missing point is None: it is left out of every sum, and its lines are the centre line
and such limits as do not depend on n. Formulas and sources stand in ``docs/charts.md``.
"""

from collections.abc import Sequence
from math import sqrt
from statistics import fmean

from app.charts import binomials
from app.charts.laney import OVERDISPERSED, sigma_z, widening
from app.charts.lines import (
    SIGMA_LEVELS,
    TAILS,
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

SPARSE = 5
"""Below this expected count, on either side, normal limits of a proportion fail."""

Counts = Sequence[int | None]


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
    if not is_overdispersed(plain):
        return plain
    return p_prime_chart(numerators, denominators, within=within)


def u_chart(numerators: Values, exposures: Values, *, within: Frame) -> Fit:
    """
    Return the u chart of events by exposure.

    Limits are ``u +- k sqrt(u / n_i)``, not below 0. The rate is per unit of exposure:
    for events per 1,000 line days, hand in line days / 1000.

    Source: Montgomery, Introduction to Statistical Quality Control, 7th ed., ch. 7.
    """
    return _rates(numerators, exposures, within, prime=False)


def u_prime_chart(numerators: Values, exposures: Values, *, within: Frame) -> Fit:
    """
    Return Laney's u' chart: the u chart with sigma multiplied by sigma_z.

    A sigma_z below 1 counts as 1, so no limit is narrower than the u chart's.

    Source: Laney, Quality Engineering 2002;14:531-537.
    """
    return _rates(numerators, exposures, within, prime=True)


def rate_chart(numerators: Values, exposures: Values, *, within: Frame) -> Fit:
    """Return the u chart, or the u' chart where sigma_z is above 1.2."""
    plain = u_chart(numerators, exposures, within=within)
    if not is_overdispersed(plain):
        return plain
    return u_prime_chart(numerators, exposures, within=within)


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


def is_overdispersed(fit: Fit) -> bool:
    """Return whether points vary more than 1.2 times what their counts explain."""
    return fit.sigma_z is not None and fit.sigma_z > OVERDISPERSED


def _rates(numerators: Values, exposures: Values, within: Frame, *, prime: bool) -> Fit:
    values = _ratios(numerators, exposures)
    rates = _pooled(numerators, exposures, within, values)
    ratio = sigma_z(values, exposures, rates, variance=lambda rate: rate, within=within)
    factor = widening(ratio) if prime else 1.0

    def lines(point: int, rate: float) -> Lines:
        exposure = exposures[point]
        if values[point] is None or not exposure:
            return Lines(center_line=rate)
        return around(rate, sqrt(rate / exposure) * factor, floor=0.0)

    return Fit(
        chart=ChartKind.U_PRIME if prime else ChartKind.U,
        sigma_method="Poisson: sqrt(u / n)" + (" x sigma_z" if prime else ""),
        values=values,
        lines=each(rates, lines),
        sigma_z=ratio,
    )


def _proportions(
    numerators: Counts, denominators: Counts, within: Frame, *, prime: bool
) -> Fit:
    values = _ratios(numerators, denominators)
    pooled = _pooled(numerators, denominators, within, values)
    ratio = sigma_z(
        values, denominators, pooled, variance=lambda p: p * (1 - p), within=within
    )
    factor = widening(ratio) if prime else 1.0

    def lines(point: int, proportion: float) -> Lines:
        denominator = denominators[point]
        if values[point] is None or not denominator:
            return Lines(center_line=proportion)
        normal = _normal_lines(proportion, denominator, factor=factor)
        if not _is_sparse(proportion, denominator):
            return normal
        exact = _exact_lines(proportion, denominator)
        return exact if factor == 1.0 else _wider(normal, exact)

    return Fit(
        chart=ChartKind.P_PRIME if prime else ChartKind.P,
        sigma_method="binomial: sqrt(p (1 - p) / n)"
        + (" x sigma_z" if prime else "")
        + f", exact quantiles where n min(p, 1 - p) < {SPARSE}",
        values=values,
        lines=each(pooled, lines),
        sigma_z=ratio,
        exact=frozenset(
            point
            for point, (p, n) in enumerate(zip(pooled, denominators, strict=True))
            if p is not None and n and values[point] is not None and _is_sparse(p, n)
        ),
    )


def _is_sparse(proportion: float, denominator: int) -> bool:
    return denominator * min(proportion, 1 - proportion) < SPARSE


def _normal_lines(proportion: float, denominator: int, *, factor: float) -> Lines:
    sigma = sqrt(proportion * (1 - proportion) / denominator)
    return around(proportion, sigma * factor, floor=0.0, ceiling=1.0)


def _wider(one: Lines, other: Lines) -> Lines:
    return Lines(
        center_line=one.center_line,
        lower=tuple(map(min, one.lower, other.lower)),
        upper=tuple(map(max, one.upper, other.upper)),
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
