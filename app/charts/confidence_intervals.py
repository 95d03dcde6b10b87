"""The interval of one clinic's value, whatever its measure counts."""

from enum import StrEnum
from math import sqrt
from statistics import NormalDist

from scipy.special import stdtrit

from app.charts.binomials import wilson_interval
from app.charts.poissons import exact_interval
from app.domain.counts import ReleasedCell
from app.domain.scales import Scale

TAIL = 0.025
"""What a 95 % interval leaves beyond either end."""


class IntervalMethod(StrEnum):
    """How the interval of a value is computed."""

    WILSON = "wilson"
    EXACT_POISSON = "exact-poisson"
    STUDENT = "student-t"


def method_of(scale: Scale) -> IntervalMethod:
    """Return how intervals are computed on a scale."""
    if scale.is_mean:
        return IntervalMethod.STUDENT
    return IntervalMethod.WILSON if scale.per is None else IntervalMethod.EXACT_POISSON


def interval_of(
    cell: ReleasedCell, scale: Scale, *, tail: float = TAIL
) -> tuple[float, float] | None:
    """
    Return the interval of a cell's value, or None where it cannot be told.

    Of a mean it is mean -+ t sd / sqrt(n), with n - 1 degrees of freedom; for the
    others see ``wilson_interval`` and ``exact_interval``.
    """
    n, x = cell.denominator, cell.numerator
    if not n:
        return None
    if scale.is_mean:
        return _mean_interval(cell, n, tail)
    if x is None:
        return None
    if scale.per is None:
        return wilson_interval(x, n, z=NormalDist().inv_cdf(1 - tail))
    lower, upper = exact_interval(x, tail=tail)
    return scale.per * lower / n, scale.per * upper / n


def _mean_interval(
    cell: ReleasedCell, n: int, tail: float
) -> tuple[float, float] | None:
    if cell.mean is None or cell.deviation is None:
        return None
    reach = float(stdtrit(n - 1, 1 - tail)) * cell.deviation / sqrt(n)
    return cell.mean - reach, cell.mean + reach
