"""How likely a stretch of a series is at one level: of counts, events or means."""

from collections.abc import Callable, Sequence
from itertools import accumulate
from math import log
from typing import NamedTuple

from app.charts.binomials import log_likelihood
from app.charts.laney import Variance, sigma_z, widening
from app.charts.lines import Values, frame


class Levels(NamedTuple):
    """
    What a step in a series is weighed by.

    Both functions take a half-open stretch of positions: ``level`` is its best level,
    ``log_likelihood`` what the stretch has at it, but for a constant of the series.
    ``dispersion`` is the between-point variance in multiples of what counts or
    deviations explain, at least 1.
    """

    level: Callable[[int, int], float]
    log_likelihood: Callable[[int, int], float]
    dispersion: float


def of_proportions(numerators: Sequence[int], denominators: Sequence[int]) -> Levels:
    """Return the binomial levels of counts; denominators at least 1."""
    x, n = _sums(numerators), _sums(denominators)
    return Levels(
        level=lambda i, j: x(i, j) / n(i, j),
        log_likelihood=lambda i, j: log_likelihood(int(x(i, j)), int(n(i, j))),
        dispersion=_dispersion(
            _ratios(numerators, denominators), denominators, lambda p: p * (1 - p)
        ),
    )


def of_rates(events: Sequence[float], exposures: Sequence[float]) -> Levels:
    """
    Return the Poisson levels of events by exposure; exposures above 0.

    A stretch with x events in e has ``x log(x / e)`` at its best rate x / e: the rest,
    -x, adds up to the same wherever a step is.
    """
    x, e = _sums(events), _sums(exposures)

    def likelihood(i: int, j: int) -> float:
        return x(i, j) * log(x(i, j) / e(i, j)) if x(i, j) else 0.0

    return Levels(
        level=lambda i, j: x(i, j) / e(i, j),
        log_likelihood=likelihood,
        dispersion=_dispersion(
            _ratios(events, exposures), exposures, lambda rate: rate
        ),
    )


def of_means(
    means: Sequence[float], deviations: Values, sizes: Sequence[int]
) -> Levels | None:
    """
    Return the normal levels of subgroup means, or None where people do not differ.

    With s the pooled deviation, a stretch has ``-sum n_i (mean_i - mean)^2 / (2 s^2)``
    at its own weighted mean; without the squares of the values, which add up to the
    same, that is ``(sum n_i mean_i)^2 / (2 s^2 sum n_i)``.

    Args:
        means: of each subgroup.
        deviations: sample standard deviations, None where there is one person.
        sizes: of each subgroup, at least 1.
    """
    spread = [
        (size - 1, deviation)
        for size, deviation in zip(sizes, deviations, strict=True)
        if deviation is not None
    ]
    squares = sum(freedom * deviation**2 for freedom, deviation in spread)
    if not squares:
        return None
    variance = squares / sum(freedom for freedom, _ in spread)
    n, sums = _sums(sizes), [m * size for m, size in zip(means, sizes, strict=True)]
    # Around the mean of all, so that squares of small differences are not lost.
    whole = sum(sums) / sum(sizes)
    beyond = _sums([m - whole * size for m, size in zip(sums, sizes, strict=True)])
    return Levels(
        level=lambda i, j: whole + beyond(i, j) / n(i, j),
        log_likelihood=lambda i, j: beyond(i, j) ** 2 / (2 * variance * n(i, j)),
        dispersion=_dispersion(means, sizes, lambda _: variance),
    )


def _ratios(numerators: Sequence[float], sizes: Sequence[float]) -> list[float]:
    return [x / size for x, size in zip(numerators, sizes, strict=True)]


def _dispersion(
    values: Sequence[float], sizes: Sequence[float], variance: Variance
) -> float:
    """Return sigma_z squared, at least 1: one step hardly moves it."""
    pairs = zip(values, sizes, strict=True)
    center = sum(value * size for value, size in pairs) / sum(sizes)
    ratio = sigma_z(
        values,
        sizes,
        [center] * len(values),
        variance=variance,
        within=frame(range(len(values))),
    )
    return widening(ratio) ** 2


def _sums(values: Sequence[float]) -> Callable[[int, int], float]:
    """Return the sum of a stretch of *values*, from running totals."""
    upto = [0, *accumulate(values)]
    return lambda i, j: upto[j] - upto[i]
