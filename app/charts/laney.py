"""Laney's sigma_z: how much more points vary than their own counts explain."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import sqrt
from statistics import fmean

from app.charts.lines import Frame, Values

MEAN_RANGE_OF_TWO = 1.128
"""d2 for n = 2: the mean moving range of independent normal values, in sigmas."""
OVERDISPERSED = 1.2
"""The sigma_z above which p' replaces p, and u' replaces u."""

Variance = Callable[[float], float]


def sigma_z(
    values: Values,
    sizes: Values,
    centers: Sequence[float | None],
    *,
    variance: Variance,
    within: Frame,
) -> float | None:
    """
    Return mean |z_i - z_(i-1)| / 1.128 over the baselines, ranges within phases.

    z_i is ``(value_i - center) / sqrt(variance(center) / size_i)``. None where no two
    points of a phase's baseline have one.

    Args:
        values: proportions or rates.
        sizes: denominators or exposures, in the unit that values are per.
        centers: the pooled value of each point's phase.
        variance: of one unit, as a function of the centre: p (1 - p), or u.
        within: the phases and the baseline.

    Source: Laney, Quality Engineering 2002;14:531-537.
    """
    scores: dict[int, list[float]] = {}
    rows = zip(values, sizes, centers, within.phases, within.baseline, strict=True)
    for value, size, center, phase, counted in rows:
        if not counted or value is None or not size or center is None:
            continue
        if (of_one := variance(center)) > 0:
            scores.setdefault(phase, []).append((value - center) / sqrt(of_one / size))
    ranges = [abs(b - a) for z in scores.values() for a, b in pairwise(z)]
    return fmean(ranges) / MEAN_RANGE_OF_TWO if ranges else None


def widening(ratio: float | None) -> float:
    """Return what sigma is multiplied by: sigma_z, and never less than 1."""
    return max(1.0, ratio or 1.0)
