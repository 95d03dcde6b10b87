"""
What rules look for: runs, trends, crossings and zones in one stretch of points.

A finder knows no names of rules, and does nothing about points on the line: a run ends
there, unless the stretch was handed in without them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from math import comb, isclose, log2

import msgspec

from app.charts import binomials
from app.charts.lines import Lines

ANHOEJ_TAIL = 0.05
"""The chance of as few crossings as a signal takes."""
IHI_TAIL = 0.025
"""The chance of as few, or as many, runs as a signal takes."""

Points = tuple[int, ...]
Key = int | bool


class Stretch(msgspec.Struct, frozen=True):
    """The usable points of one phase: their positions, values and lines."""

    points: Points
    values: tuple[float, ...]
    lines: tuple[Lines, ...]

    def sides(self, sigmas: int = 0) -> list[int]:
        """Return for each point 1 above the line at *sigmas*, -1 below, else 0."""
        pairs = zip(self.values, self.lines, strict=True)
        return [side(value, lines, sigmas) for value, lines in pairs]

    def where(self, kept: Sequence[object]) -> "Stretch":
        """Return the stretch of those points whose entry in *kept* is true."""
        rows = zip(self.points, self.values, self.lines, kept, strict=True)
        return stretch_of(row[:3] for row in rows if row[3])

    def off_the_line(self) -> "Stretch":
        """Return the stretch without the points on the centre line."""
        return self.where(self.sides())

    def without_repeats(self) -> "Stretch":
        """Return the stretch without the points that repeat the value before them."""
        moved = (before != after for before, after in pairwise(self.values))
        return self.where([True, *moved][: len(self.points)])


Finder = Callable[[Stretch], Iterable[Points]]


def side(value: float, lines: Lines, sigmas: int = 0) -> int:
    """Return 1 above, -1 below, 0 on or between the lines; 0 where there are none."""
    if sigmas and not lines.upper:
        return 0
    upper = lines.upper[sigmas - 1] if sigmas else lines.center_line
    lower = lines.lower[sigmas - 1] if sigmas else lines.center_line
    return _exceeds(value, upper) - _exceeds(lower, value)


def longest_run_limit(points: int) -> int:
    """
    Return the longest run that *points* >= 1 useful points may have (Anhoej).

    Source: Anhoej and Olesen, PLoS ONE 2014;9:e113825.
    """
    return round(log2(points)) + 3


def crossings_limit(points: int) -> int:
    """Return the fewest crossings that *points* >= 1 useful points may have."""
    return binomials.quantile(ANHOEJ_TAIL, points - 1, 0.5)


def stretch_of(rows: Iterable[tuple[int, float, Lines]]) -> Stretch:
    """Return the stretch of points, each with its value and lines."""
    points, values, lines = zip(*rows, strict=True) if (rows := [*rows]) else ((),) * 3
    return Stretch(points, values, lines)


def _exceeds(value: float, line: float) -> bool:
    """Return whether *value* is above *line* by more than the error of a sum."""
    return value > line and not isclose(value, line, rel_tol=1e-9)


def _runs(keys: Sequence[Key], length: int = 1) -> Iterator[range]:
    """Yield the positions of each run of an equal, true key of *length* or more."""
    start = 0
    for key, repeated in groupby(keys):
        run = range(start, start := start + len([*repeated]))
        if key and len(run) >= length:
            yield run


def _points(stretch: Stretch, run: range, *, more: int = 0) -> Points:
    """Return the points of a run of keys, each key spanning *more* further points."""
    return stretch.points[run.start : run.stop + more]


def beyond_limits(stretch: Stretch) -> Iterator[Points]:
    """Find each point beyond three sigmas."""
    pairs = zip(stretch.points, stretch.sides(3), strict=True)
    return ((point,) for point, beyond in pairs if beyond)


def long_run(stretch: Stretch) -> Iterator[Points]:
    """Find a run longer than chance gives (Anhoej); *stretch* is off the line."""
    if stretch.points:
        shortest = longest_run_limit(len(stretch.points)) + 1
        yield from on_a_side(shortest)(stretch)


def few_crossings(stretch: Stretch) -> Iterator[Points]:
    """Find fewer crossings than chance gives (Anhoej); *stretch* is off the line."""
    crossings = sum(before != after for before, after in pairwise(stretch.sides()))
    if stretch.points and crossings < crossings_limit(len(stretch.points)):
        yield stretch.points


def on_a_side(length: int) -> Finder:
    """Find *length* points on one side of the centre line."""

    def find(stretch: Stretch) -> Iterator[Points]:
        return (_points(stretch, run) for run in _runs(stretch.sides(), length))

    return find


def trend(length: int) -> Finder:
    """Find *length* points that rise, or fall."""

    def find(stretch: Stretch) -> Iterator[Points]:
        steps = _steps(stretch.values)
        return (_points(stretch, run, more=1) for run in _runs(steps, length - 1))

    return find


def alternating(length: int) -> Finder:
    """Find *length* points that go up and down by turns."""

    def find(stretch: Stretch) -> Iterator[Points]:
        turns = [a * b < 0 for a, b in pairwise(_steps(stretch.values))]
        return (_points(stretch, run, more=2) for run in _runs(turns, length - 2))

    return find


def _steps(values: Sequence[float]) -> list[int]:
    return [(after > before) - (after < before) for before, after in pairwise(values)]


def beyond(count: int, window: int, sigmas: int, *, one_side: bool = False) -> Finder:
    """
    Find *count* of *window* points beyond *sigmas* on one side.

    The finding is the points beyond; with *one_side* all of the window must lie on that
    side of the centre line, and is the finding.
    """

    def find(stretch: Stretch) -> Iterator[Points]:
        for at in (1, -1):
            beyond = [place == at for place in stretch.sides(sigmas)]
            needed = [not one_side or place == at for place in stretch.sides()]
            windows = [
                sum(beyond[i : i + window]) >= count and all(needed[i : i + window])
                for i in range(len(beyond) - window + 1)
            ]
            for run in _runs(windows):
                span = range(run.start, run.stop + window - 1)
                yield tuple(stretch.points[i] for i in span if one_side or beyond[i])

    return find


def fifteen_within(stretch: Stretch) -> Iterator[Points]:
    """Find 15 points within one sigma, on either side."""
    within = [
        bool(lines.upper) and not beyond
        for lines, beyond in zip(stretch.lines, stretch.sides(1), strict=True)
    ]
    return (_points(stretch, run) for run in _runs(within, 15))


def eight_outside(stretch: Stretch) -> Iterator[Points]:
    """Find 8 points outside one sigma, on either side."""
    outside = [beyond != 0 for beyond in stretch.sides(1)]
    return (_points(stretch, run) for run in _runs(outside, 8))


def few_runs(stretch: Stretch) -> Iterator[Points]:
    """Find fewer runs than 1 in 40 orders of the points have."""
    return _unlikely_runs(stretch, lambda runs, seen: runs <= seen)


def many_runs(stretch: Stretch) -> Iterator[Points]:
    """Find more runs than 1 in 40 orders of the points have."""
    return _unlikely_runs(stretch, lambda runs, seen: runs >= seen)


def _unlikely_runs(
    stretch: Stretch, as_extreme: Callable[[int, int], bool]
) -> Iterator[Points]:
    above = stretch.sides().count(1)
    below = stretch.sides().count(-1)
    if not above or not below:
        return
    seen = len([*groupby(stretch.sides())])
    chance = sum(
        run_chance(runs, above=above, below=below)
        for runs in range(2, above + below + 1)
        if as_extreme(runs, seen)
    )
    if chance <= IHI_TAIL:
        yield stretch.points


def run_chance(runs: int, *, above: int, below: int) -> float:
    """
    Return the chance of *runs* >= 2 runs among points above and below a line.

    Source: Swed and Eisenhart, Ann Math Stat 1943;14:66-87.
    """
    half, odd = divmod(runs, 2)
    ways = comb(above - 1, half - 1) * comb(below - 1, half - 1 + odd)
    ways += comb(above - 1, half - 1 + odd) * comb(below - 1, half - 1)
    return ways / comb(above + below, above)
