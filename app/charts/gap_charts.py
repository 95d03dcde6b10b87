"""
Charts of what lies between single events: times (t), whole days or opportunities (g).

They are for the clinic's own eyes: each point is about one event. Formulas and sources
stand in ``docs/charts.md``.
"""

from collections.abc import Sequence
from enum import StrEnum
from math import ceil, log, log1p, sqrt
from statistics import fmean

from app.charts.lines import (
    SIGMA_LEVELS,
    TAILS,
    ChartKind,
    Fit,
    Frame,
    Lines,
    Values,
    each,
    for_each_phase,
    present,
)
from app.charts.measurement_charts import xmr_chart

TIME_ROOT = 3.6
"""The root that makes exponential times nearly normal."""


class Counting(StrEnum):
    """What a g chart counts: 0 or more *between* two events, 1 or more *to* one."""

    BETWEEN = "between"
    TO = "to"

    @property
    def least(self) -> int:
        """Return the smallest count there can be."""
        return int(self is Counting.TO)


class GapLimits(StrEnum):
    """How a g chart's limits are made: quantiles, or multiples of sigma."""

    EXACT = "exact"
    SIGMA = "3-sigma"


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


def g_chart(
    counts: Values,
    *,
    within: Frame,
    counting: Counting = Counting.BETWEEN,
    limits: GapLimits = GapLimits.EXACT,
) -> Fit:
    """
    Return the chart of whole numbers from event to event, geometric ones if steady.

    With m the mean, sigma is ``sqrt(m (m + 1))`` of counts *between* two events and
    ``sqrt(m (m - 1))`` of trials *to* an event (the event's own trial is one). Limits
    of three of them around m alarm on 1.8 % of steady points; exact ones, the
    quantiles of the geometric distribution with that mean, on 0.14 %. The centre line
    is its median, about 0.69 m: half of the points lie on either side, as rules about
    runs ask.

    Args:
        counts: whole numbers, from 0 between and from 1 to an event.
        within: the phases and the baseline.
        counting: which of the two the counts are.
        limits: exact, or 3-sigma for comparison with other programs.

    Source: Benneyan, Health Care Management Science 2001;4:305-318 (limits); Provost
    and Murray, The Health Care Data Guide, 2011, ch. 7 (the median).
    """
    made = _quantile_lines if limits is GapLimits.EXACT else _sigma_lines
    least = counting.least
    means = for_each_phase(
        within, counts, lambda points: fmean(present(counts, points))
    )
    formula = f"sqrt(m (m {'-' if least else '+'} 1))"
    method = {
        GapLimits.EXACT: "quantiles of the geometric distribution with mean m",
        GapLimits.SIGMA: f"geometric: {formula} around the mean m",
    }[limits]
    return Fit(
        chart=ChartKind.G,
        sigma_method=f"{method}; the centre line is its median",
        values=tuple(counts),
        lines=each(means, lambda _, mean: _raised(made(mean - least), least)),
        exact=frozenset(range(len(counts)) if limits is GapLimits.EXACT else ()),
    )


def geometric_quantile(tail: float, mean: float) -> int:
    """
    Return the smallest count x >= 0 with P(X <= x) >= *tail*, X geometric from 0.

    ``P(X <= x) = 1 - (m / (m + 1))^(x + 1)``, m the *mean*, not below 0.
    """
    if mean <= 0:
        return 0
    return max(0, ceil(log1p(-tail) / -log1p(1 / mean)) - 1)


def _median(mean: float) -> float:
    """
    Return where half of the points lie on either side, as nearly as whole numbers may.

    It is half-way between two of them, so that no point lies on the line.
    """
    return max(0.0, round(log(2) / log1p(1 / mean)) - 0.5) if mean > 0 else 0.0


def _quantile_lines(mean: float) -> Lines:
    middle = _median(mean)
    return Lines(
        center_line=middle,
        lower=tuple(
            min(middle, geometric_quantile(TAILS[k], mean)) for k in SIGMA_LEVELS
        ),
        upper=tuple(
            max(middle, geometric_quantile(1 - TAILS[k], mean)) for k in SIGMA_LEVELS
        ),
    )


def _sigma_lines(mean: float) -> Lines:
    middle, sigma = _median(mean), sqrt(mean * (mean + 1))
    return Lines(
        center_line=middle,
        lower=tuple(max(0.0, min(middle, mean - k * sigma)) for k in SIGMA_LEVELS),
        upper=tuple(mean + k * sigma for k in SIGMA_LEVELS),
    )


def _raised(line: Lines, least: int) -> Lines:
    """Return the lines of counts that begin at *least*."""

    def up(levels: Sequence[float]) -> tuple[float, ...]:
        return tuple(level + least for level in levels)

    return Lines(
        center_line=line.center_line + least, lower=up(line.lower), upper=up(line.upper)
    )


def _powered(line: Lines) -> Lines:
    return Lines(
        center_line=line.center_line**TIME_ROOT,
        lower=tuple(max(0.0, root) ** TIME_ROOT for root in line.lower),
        upper=tuple(root**TIME_ROOT for root in line.upper),
    )
