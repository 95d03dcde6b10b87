"""The lines of a chart, and the phases and baselines that they come from."""

from bisect import bisect_right
from collections.abc import Callable, Container, Iterable, Sequence
from enum import StrEnum
from math import inf
from typing import TypeVar

import msgspec

SIGMA_LEVELS = (1, 2, 3)
TAILS = {1: 0.158655253931457, 2: 0.0227501319481792, 3: 0.00134989803163009}
"""P(Z > k) of a standard normal: what one side of exact limits may leave out."""

Values = Sequence[float | None]
T = TypeVar("T")


class ChartKind(StrEnum):
    """The charts, by the names they are published under; POINTS has no line at all."""

    POINTS = "points"
    RUN = "run"
    P = "p"
    P_PRIME = "p-prime"
    U = "u"
    U_PRIME = "u-prime"
    C = "c"
    XMR = "xmr"
    MR = "mr"
    XBAR = "xbar"
    S = "s"
    T = "t"
    G = "g"


class Lines(msgspec.Struct, frozen=True, kw_only=True):
    """
    Centre line and limits at one point, in the unit of the values.

    ``lower`` and ``upper`` hold the lines at one, two and three sigmas, in that order;
    both are empty where the point has a centre line alone.
    """

    center_line: float
    lower: tuple[float, ...] = ()
    upper: tuple[float, ...] = ()

    @property
    def lower_limit(self) -> float | None:
        """Return the line three sigmas below, if there is one."""
        return self.lower[2] if self.lower else None

    @property
    def upper_limit(self) -> float | None:
        """Return the line three sigmas above, if there is one."""
        return self.upper[2] if self.upper else None

    @property
    def lower_2_sigma(self) -> float | None:
        """Return the line two sigmas below, if there is one."""
        return self.lower[1] if self.lower else None

    @property
    def upper_2_sigma(self) -> float | None:
        """Return the line two sigmas above, if there is one."""
        return self.upper[1] if self.upper else None


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """
    A stretch of a series with lines of its own, as a person decided.

    Both numbers are places: positions, or month numbers. ``start`` is the place of the
    first point; a frozen baseline ends before ``baseline_end``, without one the lines
    come from the whole phase.
    """

    start: int
    baseline_end: int | None = None


class Frame(msgspec.Struct, frozen=True):
    """
    Which phase each point belongs to, and which points its lines come from.

    ``frozen`` says of each point whether its phase has a frozen baseline; ``known``
    holds the phases themselves, that of number 1 first.
    """

    phases: tuple[int, ...]
    baseline: tuple[bool, ...]
    frozen: tuple[bool, ...]
    known: tuple[Phase, ...]


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """
    A chart's arithmetic: one value and one set of lines for each point.

    ``lines`` is None where the point's phase has no baseline at all. ``sigma_z`` is
    Laney's ratio of the variation between points to that within them, for p, p', u and
    u'. ``exact`` tells the points whose limits are quantiles. The method's version is
    raised when the same data would get other lines.
    """

    chart: ChartKind
    sigma_method: str
    sigma_method_version: str = "1"
    values: tuple[float | None, ...]
    lines: tuple[Lines | None, ...]
    sigma_z: float | None = None
    exact: frozenset[int] = frozenset()


def frame(
    places: Sequence[int],
    *,
    phases: Iterable[Phase] = (),
    excluded: Container[int] = (),
) -> Frame:
    """
    Return the frame of a series with points at *places*, which ascend.

    Args:
        places: the position or the month number of each point.
        phases: where lines begin anew; what comes before them is a phase too.
        excluded: places of points that no line is computed from.
    """
    known = sorted(phases, key=lambda phase: phase.start)
    if not known or known[0].start > places[0]:
        known = [Phase(start=places[0]), *known]
    starts = [phase.start for phase in known]
    numbers = tuple(bisect_right(starts, place) for place in places)
    ends = [known[number - 1].baseline_end for number in numbers]
    return Frame(
        numbers,
        baseline=tuple(
            place not in excluded and (end is None or place < end)
            for place, end in zip(places, ends, strict=True)
        ),
        frozen=tuple(end is not None for end in ends),
        known=tuple(known),
    )


def around(
    center: float, sigma: float, *, floor: float = -inf, ceiling: float = inf
) -> Lines:
    """Return the lines at one, two and three sigmas, kept within the possible."""
    return Lines(
        center_line=center,
        lower=tuple(max(floor, center - k * sigma) for k in SIGMA_LEVELS),
        upper=tuple(min(ceiling, center + k * sigma) for k in SIGMA_LEVELS),
    )


def for_each_phase(
    within: Frame, values: Values, summary: Callable[[Sequence[int]], T]
) -> list[T | None]:
    """Return, for every point, *summary* of its phase's usable baseline positions."""
    usable: dict[int, list[int]] = {}
    for point, phase in enumerate(within.phases):
        if within.baseline[point] and values[point] is not None:
            usable.setdefault(phase, []).append(point)
    summaries = {phase: summary(points) for phase, points in usable.items()}
    return [summaries.get(phase) for phase in within.phases]


def each(
    summaries: Iterable[T | None], lines: Callable[[int, T], Lines]
) -> tuple[Lines | None, ...]:
    """Return *lines* of each point whose phase has a summary."""
    return tuple(
        None if summary is None else lines(point, summary)
        for point, summary in enumerate(summaries)
    )


def present(values: Values, points: Iterable[int]) -> list[float]:
    """Return those of *values* at *points* that are not missing."""
    return [value for point in points if (value := values[point]) is not None]
