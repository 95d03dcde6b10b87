"""
Funnel limits for proportions, on the arcsine square-root scale.

On that scale a proportion of n has the standard deviation 1 / (2 sqrt(n)), whatever the
proportion, so a numerator of zero needs no special case.
Source: Spiegelhalter, Qual Saf Health Care 2005;14:347-351, and Stat Med
2005;24:1185-1202.
"""

from collections.abc import Sequence
from math import asin, floor, pi, sin, sqrt

import msgspec

from app.charts.binomials import Z_95

Z_998 = 3.090232306167813
"""The standard normal quantile of 0.999."""
TRIM = 0.1
"""The share of z scores that is winsorised at either end."""


class Overdispersion(msgspec.Struct, frozen=True):
    """
    How much more clinics differ than chance alone makes them.

    ``phi`` is the mean squared z score after winsorising; ``tau2`` the variance between
    clinics on the arcsine scale, 0 where chance is enough.
    """

    phi: float
    tau2: float


class FunnelLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The funnel at one denominator; proportions in [0, 1]."""

    denominator: int
    lower_95: float
    upper_95: float
    lower_998: float
    upper_998: float


def overdispersion(
    numerators: Sequence[int], denominators: Sequence[int], *, target: float
) -> Overdispersion:
    """
    Return phi and tau2 (DerSimonian-Laird) of at least two clinics around *target*.

    Args:
        numerators: of each clinic.
        denominators: of each clinic, at least 1.
        target: the proportion that clinics are compared with, in [0, 1].
    """
    pairs = zip(numerators, denominators, strict=True)
    scores = [2 * sqrt(n) * (_angle(x / n) - _angle(target)) for x, n in pairs]
    count = len(scores)
    phi = sum(z * z for z in _winsorised(scores)) / count
    weights = [4 * n for n in denominators]
    scale = sum(weights) - sum(w * w for w in weights) / sum(weights)
    return Overdispersion(phi, tau2=max(0.0, (count * phi - (count - 1)) / scale))


def funnel_limits(
    denominator: int, *, target: float, tau2: float = 0.0
) -> FunnelLimits:
    """Return the 95 % and 99.8 % limits around *target* at *denominator* >= 1."""
    sigma = sqrt(1 / (4 * denominator) + tau2)
    middle = _angle(target)
    return FunnelLimits(
        denominator=denominator,
        lower_95=_proportion(middle - Z_95 * sigma),
        upper_95=_proportion(middle + Z_95 * sigma),
        lower_998=_proportion(middle - Z_998 * sigma),
        upper_998=_proportion(middle + Z_998 * sigma),
    )


def _angle(proportion: float) -> float:
    return asin(sqrt(proportion))


def _proportion(angle: float) -> float:
    return sin(min(max(angle, 0.0), pi / 2)) ** 2


def _winsorised(scores: Sequence[float]) -> list[float]:
    low, high = _quantile(scores, TRIM), _quantile(scores, 1 - TRIM)
    return [min(max(score, low), high) for score in scores]


def _quantile(values: Sequence[float], share: float) -> float:
    """Return a quantile, interpolated between the order statistics (type 7)."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
