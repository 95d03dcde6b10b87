"""When a series changed level: a likelihood estimate, suggested and never applied."""

from collections.abc import Sequence
from itertools import accumulate
from math import exp

import msgspec

from app.charts.binomials import log_likelihood
from app.charts.control_charts import p_chart
from app.charts.lines import frame
from app.charts.measure_charts import is_closed
from app.charts.remarks import MIN_POINTS
from app.domain.counts import Basis, ReleasedCell, Withheld

MIN_SIDE = 3
"""Points that must lie before a step, and after it."""
ENOUGH_EVIDENCE = 6.0
"""The log-likelihood ratio that makes a suggestion: by chance in 1 % of series."""
LEVEL = 0.95


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """
    The most likely single step in a series of proportions.

    The three month numbers are those of the first interval after the step: the best
    estimate, and the first and last of the intervals that hold 95 % of the likelihood.
    ``before`` and ``after`` are pooled proportions in [0, 1]. ``evidence`` is the
    natural log-likelihood ratio of a step against none, divided by ``dispersion``, the
    between-point variance in multiples of the binomial (at least 1).
    """

    interval_start: int
    first: int
    last: int
    before: float
    after: float
    evidence: float
    dispersion: float


def suggested_shift(cells: Sequence[ReleasedCell], *, basis: Basis) -> Shift | None:
    """
    Return the step that a series of proportions gives enough evidence for, if any.

    To look for a further step after an accepted one, hand in the last phase alone.
    Series of latest status have no independent points, and series with a suppressed
    point show nothing that depends on it: neither gets a suggestion.
    """
    if basis is Basis.LATEST_STATUS:
        return None
    if any(cell.withheld is Withheld.SUPPRESSED for cell in cells):
        return None
    closed = sorted(filter(is_closed, cells), key=lambda cell: cell.interval_start)
    if len(closed) < MIN_POINTS:
        return None
    shift = most_likely_shift(
        [cell.interval_start for cell in closed],
        [cell.numerator or 0 for cell in closed],
        [cell.denominator or 0 for cell in closed],
    )
    return shift if shift.evidence >= ENOUGH_EVIDENCE else None


def most_likely_shift(
    interval_starts: Sequence[int],
    numerators: Sequence[int],
    denominators: Sequence[int],
) -> Shift:
    """
    Return the maximum-likelihood step of a binomial series.

    Each place with three points or more on either side is weighed by the likelihood of
    a step there, with both proportions at their best; the interval is the smallest set
    of places that holds 95 % of the weight.

    Args:
        interval_starts: month numbers, ascending, at least six.
        numerators: of each interval.
        denominators: of each interval, at least 1.

    Source: Hinkley and Hinkley, Biometrika 1970;57:477-488 (the estimate).
    """
    upto = [*accumulate(numerators)], [*accumulate(denominators)]
    x_all, n_all = upto[0][-1], upto[1][-1]
    dispersion = _dispersion(numerators, denominators)

    def evidence(place: int) -> float:
        x, n = upto[0][place - 1], upto[1][place - 1]
        split = log_likelihood(x, n) + log_likelihood(x_all - x, n_all - n)
        return (split - log_likelihood(x_all, n_all)) / dispersion

    places = range(MIN_SIDE, len(interval_starts) - MIN_SIDE + 1)
    found = {place: evidence(place) for place in places}
    best = max(found, key=lambda place: found[place])
    likely = _likely(found)
    x, n = upto[0][best - 1], upto[1][best - 1]
    return Shift(
        interval_start=interval_starts[best],
        first=interval_starts[min(likely)],
        last=interval_starts[max(likely)],
        before=x / n,
        after=(x_all - x) / (n_all - n),
        evidence=found[best],
        dispersion=dispersion,
    )


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


def _dispersion(numerators: Sequence[int], denominators: Sequence[int]) -> float:
    """Return sigma_z squared, at least 1: one step hardly moves it."""
    whole = frame(range(len(numerators)))
    sigma_z = p_chart(numerators, denominators, within=whole).sigma_z
    return max(1.0, sigma_z or 1.0) ** 2
