"""When a series changed level: a likelihood estimate, suggested and never applied."""

from collections.abc import Collection, Sequence
from math import exp

import msgspec

from app.charts.baselines import is_closed
from app.charts.likelihoods import Levels, of_means, of_proportions, of_rates
from app.charts.remarks import MIN_POINTS
from app.domain.counts import Basis, ReleasedCell, Withheld
from app.domain.scales import PROPORTION, Scale

MIN_SIDE = 3
"""Points that must lie before a step, and after it."""
ENOUGH_EVIDENCE = 6.0
"""The log-likelihood ratio that makes a suggestion: by chance in 1 % of series."""
LEVEL = 0.95


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """
    The most likely single step in a series.

    The three month numbers are those of the first interval after the step: the best
    estimate, and the first and last of the intervals that hold 95 % of the likelihood.
    ``before`` and ``after`` are pooled values in the series' unit. ``evidence`` is the
    natural log-likelihood ratio of a step against none, divided by ``dispersion``, the
    between-point variance in multiples of what counts or people's values explain (at
    least 1).
    """

    interval_start: int
    first: int
    last: int
    before: float
    after: float
    evidence: float
    dispersion: float


def suggested_shift(
    cells: Sequence[ReleasedCell],
    *,
    basis: Basis,
    scale: Scale = PROPORTION,
    since: int = 0,
    excluded: Collection[int] = (),
) -> Shift | None:
    """
    Return the step that a series gives enough evidence for, if any.

    Series of latest status have no independent points, and series with a suppressed
    point show nothing that depends on it: neither gets a suggestion.

    Args:
        cells: of one series.
        basis: what a unit of the measure is.
        scale: what the values are.
        since: the month number to look from: the start of the last accepted phase.
        excluded: month numbers of points with a known cause.
    """
    if basis is Basis.LATEST_STATUS:
        return None
    if any(cell.withheld is Withheld.SUPPRESSED for cell in cells):
        return None
    looked_at = [
        cell
        for cell in cells
        if cell.interval_start >= since and cell.interval_start not in excluded
    ]
    closed = sorted(filter(is_closed, looked_at), key=lambda cell: cell.interval_start)
    if len(closed) < MIN_POINTS:
        return None
    levels = _levels(closed, scale)
    if levels is None:
        return None
    starts = [cell.interval_start for cell in closed]
    shift = most_likely_shift(starts, levels)
    return shift if shift.evidence >= ENOUGH_EVIDENCE else None


def most_likely_shift(interval_starts: Sequence[int], levels: Levels) -> Shift:
    """
    Return the maximum-likelihood step of a series.

    Each place with three points or more on either side is weighed by the likelihood of
    a step there, with both levels at their best; the interval is the smallest set of
    places that holds 95 % of the weight.

    Args:
        interval_starts: month numbers, ascending, at least six.
        levels: what the series' stretches say, of as many points.

    Source: Hinkley and Hinkley, Biometrika 1970;57:477-488 (the estimate).
    """
    end = len(interval_starts)
    whole = levels.log_likelihood(0, end)

    def evidence(place: int) -> float:
        split = levels.log_likelihood(0, place) + levels.log_likelihood(place, end)
        return (split - whole) / levels.dispersion

    found = {place: evidence(place) for place in range(MIN_SIDE, end - MIN_SIDE + 1)}
    best = max(found, key=lambda place: found[place])
    likely = _likely(found)
    return Shift(
        interval_start=interval_starts[best],
        first=interval_starts[min(likely)],
        last=interval_starts[max(likely)],
        before=levels.level(0, best),
        after=levels.level(best, end),
        evidence=found[best],
        dispersion=levels.dispersion,
    )


def _levels(closed: Sequence[ReleasedCell], scale: Scale) -> Levels | None:
    """Return what weighs steps of such values."""
    denominators = [cell.denominator or 0 for cell in closed]
    if scale.is_mean:
        means = [cell.mean or 0.0 for cell in closed]
        return of_means(means, [cell.deviation for cell in closed], denominators)
    if scale.per is None:
        return of_proportions([cell.numerator or 0 for cell in closed], denominators)
    told = [cell.told for cell in closed]
    return of_rates([x or 0 for x, _ in told], [(n or 0) / scale.per for _, n in told])


def _likely(evidence: dict[int, float]) -> list[int]:
    """Return the fewest places that hold 95 % of the normalised likelihood."""
    highest = max(evidence.values())
    weights = {place: exp(value - highest) for place, value in evidence.items()}
    missing = LEVEL * sum(weights.values())
    likely = []
    for place in sorted(weights, key=lambda place: -weights[place]):
        if missing <= 0:
            break
        likely.append(place)
        missing -= weights[place]
    return likely
