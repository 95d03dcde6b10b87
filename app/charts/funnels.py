"""
Funnel limits around a target, and how much more clinics differ than by chance.

============================  ==================  ======================  ===========
kind                          y                   s                       outlying z
============================  ==================  ======================  ===========
proportion x / n              asin sqrt(x / n)    1 / (2 sqrt n)          winsorised
standardised ratio x / e      log(x / e)          1 / sqrt e              left out
ratio of counts x / n         log((x+½) / (n+½))  sqrt(1/(x+½)+1/(n+½))   winsorised
============================  ==================  ======================  ===========

z = (y - target's y) / s. A ratio of no event at all is taken as ½ / (e + ½). Limits
are the target's y -+ 1.960 and 3.090 times sqrt(s² + tau²), on the scale of values; s
is that of what the target expects. Of a standardised ratio they are exact Poisson
limits where tau² is 0, never narrower than these elsewhere, and 0 wherever no event at
all is not unusual.
Source: Spiegelhalter, Qual Saf Health Care 2005;14:347-351, and Stat Med
2005;24:1185-1202; for standardised ratios the method of NHS Digital's SHMI.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from math import asin, exp, floor, log, log1p, pi, sin, sqrt
from typing import NamedTuple

import msgspec
from scipy.special import gammaincinv

from app.charts.binomials import Z_95
from app.charts.poissons import exact_interval

Z_998 = 3.090232306167813
"""The standard normal quantile of 0.999."""
TAILS = {Z_95: 0.025, Z_998: 0.001}
TRIM = 0.1
"""The share of z scores that is winsorised, or left out, at either end."""


class FunnelKind(StrEnum):
    """What clinics are compared by."""

    PROPORTION = "proportion"
    STANDARDISED_RATIO = "standardised-ratio"
    RATIO_OF_COUNTS = "ratio-of-counts"


class Overdispersion(msgspec.Struct, frozen=True):
    """
    How much more clinics differ than chance alone makes them.

    ``phi`` is the mean squared z score without the outlying ones; ``tau2`` the variance
    between clinics on the scale of y, 0 where chance is enough.
    """

    phi: float
    tau2: float


class FunnelLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The funnel at one denominator, on the scale of the values."""

    denominator: float
    lower_95: float
    upper_95: float
    lower_998: float
    upper_998: float


class _Scale(NamedTuple):
    """How values become y and come back, and what s is there."""

    y: Callable[[float, float], float]
    target_y: Callable[[float], float]
    value: Callable[[float], float]
    s: Callable[[float, float], float]


class Scores(msgspec.Struct, frozen=True):
    """Clinics' z scores and standard deviations s, in the clinics' order."""

    z: tuple[float, ...]
    s: tuple[float, ...]


def scores_of(
    numerators: Sequence[float],
    denominators: Sequence[float],
    *,
    target: float,
    kind: FunnelKind = FunnelKind.PROPORTION,
) -> Scores:
    """
    Return how far clinics are from *target*.

    Args:
        numerators: of each clinic.
        denominators: of each clinic, > 0; of standardised ratios expected events.
        target: what clinics are compared with: a proportion in [0, 1], a ratio > 0.
        kind: what the values are.
    """
    scale, middle = _SCALES[kind], _SCALES[kind].target_y(target)
    pairs = [*zip(numerators, denominators, strict=True)]
    deviations = [scale.s(x, n) for x, n in pairs]
    distances = [scale.y(x, n) - middle for x, n in pairs]
    return Scores(
        tuple(d / s for d, s in zip(distances, deviations, strict=True)),
        tuple(deviations),
    )


def overdispersion(
    scores: Scores, *, kind: FunnelKind = FunnelKind.PROPORTION
) -> Overdispersion:
    """
    Return phi and tau2 of at least two clinics, without the outlying ones.

    phi = sum z² / N; tau² = max(0, (N phi - (N - 1)) / (sum w - sum w² / sum w)), where
    w = 1 / s². Of standardised ratios the outlying ones are left out, else winsorised.

    Source: DerSimonian and Laird, Control Clin Trials 1986;7:177-188.
    """
    if kind is FunnelKind.STANDARDISED_RATIO:
        kept = _within(scores.z)
        z, s = ([column[i] for i in kept] for column in (scores.z, scores.s))
    else:
        z, s = _winsorised(scores.z), [*scores.s]
    count = len(z)
    phi = sum(each * each for each in z) / count
    weights = [1 / (each * each) for each in s]
    scale = sum(weights) - sum(w * w for w in weights) / sum(weights)
    return Overdispersion(phi, tau2=max(0.0, (count * phi - (count - 1)) / scale))


def tau_interval(scores: Scores) -> tuple[float, float]:
    """
    Return the 95 % interval of tau, the outlying clinics included.

    Q(t) = sum z² s² / (s² + t²) has a chi-square distribution with as many degrees of
    freedom as there are clinics, the target being given; the ends are where it is that
    distribution's 0.975 and 0.025 quantile, or 0.

    Source: Viechtbauer, Stat Med 2007;26:37-52 (the Q profile).
    """
    # Here, because loading it takes every command a tenth of a second to start.
    from scipy.optimize import brentq  # noqa: PLC0415

    pairs = [*zip(scores.z, scores.s, strict=True)]

    def excess(tau: float, quantile: float) -> float:
        return sum((z * s) ** 2 / (s * s + tau * tau) for z, s in pairs) - quantile

    def end(share: float) -> float:
        quantile = 2 * float(gammaincinv(len(pairs) / 2, share))
        if excess(0.0, quantile) <= 0:
            return 0.0
        beyond = sqrt(sum((z * s) ** 2 for z, s in pairs) / quantile)
        return float(brentq(excess, 0.0, beyond, args=(quantile,)))

    return end(1 - TAILS[Z_95]), end(TAILS[Z_95])


def funnel_limits(
    denominator: float,
    *,
    target: float,
    tau2: float = 0.0,
    kind: FunnelKind = FunnelKind.PROPORTION,
) -> FunnelLimits:
    """
    Return the 95 % and 99.8 % limits around *target* at *denominator*, > 0.

    Of standardised ratios the denominator is a number of expected events.
    """
    limits = _ratio_limits if kind is FunnelKind.STANDARDISED_RATIO else _limits
    lower_95, upper_95 = limits(denominator, target, tau2, Z_95, kind)
    lower_998, upper_998 = limits(denominator, target, tau2, Z_998, kind)
    return FunnelLimits(
        denominator=denominator,
        lower_95=lower_95,
        upper_95=upper_95,
        lower_998=lower_998,
        upper_998=upper_998,
    )


def _limits(
    denominator: float, target: float, tau2: float, z: float, kind: FunnelKind
) -> tuple[float, float]:
    """Return the limits *z* sigmas from the target."""
    scale = _SCALES[kind]
    s = scale.s(target * denominator, denominator)
    reach, middle = z * sqrt(s * s + tau2), scale.target_y(target)
    return scale.value(middle - reach), scale.value(middle + reach)


def _ratio_limits(
    expected: float, target: float, tau2: float, z: float, kind: FunnelKind
) -> tuple[float, float]:
    """Return the limits of a standardised ratio, exact where tau2 is 0."""
    counts = exact_interval(expected, tail=TAILS[z])
    lower, upper = (target * count / expected for count in counts)
    if tau2:
        wide = _limits(expected, target, tau2, z, kind)
        lower, upper = min(lower, wide[0]), max(upper, wide[1])
    return (0.0 if _no_event(expected, tau2) > TAILS[z] else lower), upper


def _no_event(expected: float, tau2: float) -> float:
    """
    Return how likely no event is where so many are expected.

    Poisson, or negative binomial of a rate that varies with tau2 between clinics.
    """
    return exp(-log1p(tau2 * expected) / tau2) if tau2 else exp(-expected)


def _proportion(angle: float) -> float:
    return sin(min(max(angle, 0.0), pi / 2)) ** 2


_SCALES = {
    FunnelKind.PROPORTION: _Scale(
        y=lambda x, n: asin(sqrt(x / n)),
        target_y=lambda target: asin(sqrt(target)),
        value=_proportion,
        s=lambda _, n: 1 / (2 * sqrt(n)),
    ),
    FunnelKind.STANDARDISED_RATIO: _Scale(
        y=lambda x, n: log(x / n) if x else log(0.5 / (n + 0.5)),
        target_y=log,
        value=exp,
        s=lambda _, n: 1 / sqrt(n),
    ),
    FunnelKind.RATIO_OF_COUNTS: _Scale(
        y=lambda x, n: log((x + 0.5) / (n + 0.5)),
        target_y=log,
        value=exp,
        s=lambda x, n: sqrt(1 / (x + 0.5) + 1 / (n + 0.5)),
    ),
}


def _winsorised(scores: Sequence[float]) -> list[float]:
    low, high = _quantile(scores, TRIM), _quantile(scores, 1 - TRIM)
    return [min(max(score, low), high) for score in scores]


def _within(scores: Sequence[float]) -> list[int]:
    """Return the places of those that are in neither outlying tenth, ties together."""
    count, tenths = len(scores), round(1 / TRIM)

    def tenth(score: float) -> int:
        below = sum(other < score for other in scores)
        same = sum(other == score for other in scores)
        return floor((below + (same + 1) / 2) * tenths / (count + 1))

    return [i for i, score in enumerate(scores) if 0 < tenth(score) < tenths - 1]


def _quantile(values: Sequence[float], share: float) -> float:
    """Return a quantile, interpolated between the order statistics (type 7)."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
