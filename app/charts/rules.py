"""
Rules that tell special cause from common cause, and the sets they come in.

A rule looks at one phase at a time, without its missing points. A point on the centre
line is on neither side of it: the Anhoej and IHI run rules drop such points, in all
other rules they break a run.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import groupby, pairwise
from math import comb, isclose, log2

import msgspec

from app.charts import binomials
from app.charts.lines import Lines, Values

ANHOEJ_TAIL = 0.05
"""The chance of as few crossings as a signal takes."""
IHI_TAIL = 0.025
"""The chance of as few, or as many, runs as a signal takes."""

Points = tuple[int, ...]
Key = int | bool


class Rule(StrEnum):
    """The rules, by the names that signals carry."""

    BEYOND_LIMITS = "beyond-3-sigma"
    LONG_RUN = "unusually-long-run"
    FEW_CROSSINGS = "unusually-few-crossings"
    SIX_ON_A_SIDE = "6-on-one-side"
    SEVEN_ON_A_SIDE = "7-on-one-side"
    EIGHT_ON_A_SIDE = "8-on-one-side"
    NINE_ON_A_SIDE = "9-on-one-side"
    FIVE_TREND = "5-point-trend"
    SIX_TREND = "6-point-trend"
    SEVEN_TREND = "7-point-trend"
    ALTERNATING = "14-alternating"
    TWO_OF_THREE = "2-of-3-beyond-2-sigma"
    TWO_OF_THREE_ON_A_SIDE = "3-on-one-side-2-beyond-2-sigma"
    FOUR_OF_FIVE = "4-of-5-beyond-1-sigma"
    FIFTEEN_WITHIN = "15-within-1-sigma"
    EIGHT_OUTSIDE = "8-outside-1-sigma"
    FEW_RUNS = "too-few-runs"
    MANY_RUNS = "too-many-runs"

    @property
    def is_about_points(self) -> bool:
        """Return whether single points stand out, rather than the phase as a whole."""
        return self not in {Rule.FEW_CROSSINGS, Rule.FEW_RUNS, Rule.MANY_RUNS}


class RuleSet(StrEnum):
    """The rule sets, by the names a caller may choose."""

    ANHOEJ = "anhoej"
    SHEWHART = "shewhart"
    WESTERN_ELECTRIC = "western-electric"
    NELSON = "nelson"
    NHS_MDC = "nhs-mdc"
    IHI_RUN = "ihi-run"


class Signal(msgspec.Struct, frozen=True):
    """
    One finding of one rule, with the positions of the points that make it.

    For a rule about the phase as a whole these are all its points off the line.
    """

    rule: Rule
    phase: int
    points: Points


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
        return _stretch(row[:3] for row in rows if row[3])


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


def find_signals(
    values: Values,
    lines: Sequence[Lines | None],
    *,
    rule_set: RuleSet,
    phases: Sequence[int],
    excluded: Collection[int] = (),
) -> tuple[Signal, ...]:
    """
    Return what the rules of *rule_set* find, phase by phase.

    Args:
        values: in time order, None where missing.
        lines: of each point.
        rule_set: which rules to apply.
        phases: the phase of each point, each phase in one piece.
        excluded: positions of points whose cause is known: still judged against the
            limits, but part of no run, trend or zone.
    """
    return tuple(
        Signal(rule, phase, points)
        for phase, stretch in _stretches(values, lines, phases)
        for rule in RULES[rule_set]
        for points in FINDERS[rule](_judged(stretch, rule, excluded))
    )


def _judged(stretch: Stretch, rule: Rule, excluded: Collection[int]) -> Stretch:
    if rule is Rule.BEYOND_LIMITS:
        return stretch
    return stretch.where([point not in excluded for point in stretch.points])


def _stretches(
    values: Values, lines: Sequence[Lines | None], phases: Sequence[int]
) -> Iterator[tuple[int, Stretch]]:
    rows = zip(range(len(values)), values, lines, phases, strict=True)
    for phase, group in groupby(rows, key=lambda row: row[3]):
        usable = (
            (point, value, line)
            for point, value, line, _ in group
            if value is not None and line is not None
        )
        yield phase, _stretch(usable)


def _stretch(rows: Iterable[tuple[int, float, Lines]]) -> Stretch:
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


def _beyond_limits(stretch: Stretch) -> Iterator[Points]:
    pairs = zip(stretch.points, stretch.sides(3), strict=True)
    return ((point,) for point, beyond in pairs if beyond)


def _long_run(stretch: Stretch) -> Iterator[Points]:
    useful = stretch.where(stretch.sides())
    if useful.points:
        shortest = longest_run_limit(len(useful.points)) + 1
        yield from _on_a_side(shortest)(useful)


def _few_crossings(stretch: Stretch) -> Iterator[Points]:
    useful = stretch.where(stretch.sides())
    crossings = sum(before != after for before, after in pairwise(useful.sides()))
    if useful.points and crossings < crossings_limit(len(useful.points)):
        yield useful.points


def _on_a_side(length: int, *, dropping: bool = False) -> Finder:
    def find(stretch: Stretch) -> Iterator[Points]:
        judged = stretch.where(stretch.sides()) if dropping else stretch
        return (_points(judged, run) for run in _runs(judged.sides(), length))

    return find


def _trend(length: int, *, dropping: bool = False) -> Finder:
    """Find *length* points that rise, or fall; *dropping* skips repeated values."""

    def find(stretch: Stretch) -> Iterator[Points]:
        moved = [True, *(a != b for a, b in pairwise(stretch.values))]
        judged = stretch.where(moved[: len(stretch.points)]) if dropping else stretch
        steps = _steps(judged.values)
        return (_points(judged, run, more=1) for run in _runs(steps, length - 1))

    return find


def _alternating(length: int) -> Finder:
    def find(stretch: Stretch) -> Iterator[Points]:
        turns = [a * b < 0 for a, b in pairwise(_steps(stretch.values))]
        return (_points(stretch, run, more=2) for run in _runs(turns, length - 2))

    return find


def _steps(values: Sequence[float]) -> list[int]:
    return [(after > before) - (after < before) for before, after in pairwise(values)]


def _beyond(count: int, window: int, sigmas: int, *, one_side: bool = False) -> Finder:
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


def _fifteen_within(stretch: Stretch) -> Iterator[Points]:
    within = [
        bool(lines.upper) and not beyond
        for lines, beyond in zip(stretch.lines, stretch.sides(1), strict=True)
    ]
    return (_points(stretch, run) for run in _runs(within, 15))


def _eight_outside(stretch: Stretch) -> Iterator[Points]:
    outside = [beyond != 0 for beyond in stretch.sides(1)]
    return (_points(stretch, run) for run in _runs(outside, 8))


def _few_runs(stretch: Stretch) -> Iterator[Points]:
    return _unlikely_runs(stretch, lambda runs, seen: runs <= seen)


def _many_runs(stretch: Stretch) -> Iterator[Points]:
    return _unlikely_runs(stretch, lambda runs, seen: runs >= seen)


def _unlikely_runs(
    stretch: Stretch, as_extreme: Callable[[int, int], bool]
) -> Iterator[Points]:
    useful = stretch.where(stretch.sides())
    above = useful.sides().count(1)
    below = len(useful.points) - above
    if not above or not below:
        return
    seen = len([*groupby(useful.sides())])
    chance = sum(
        run_chance(runs, above=above, below=below)
        for runs in range(2, above + below + 1)
        if as_extreme(runs, seen)
    )
    if chance <= IHI_TAIL:
        yield useful.points


def run_chance(runs: int, *, above: int, below: int) -> float:
    """
    Return the chance of *runs* >= 2 runs among points above and below a line.

    Source: Swed and Eisenhart, Ann Math Stat 1943;14:66-87.
    """
    half, odd = divmod(runs, 2)
    ways = comb(above - 1, half - 1) * comb(below - 1, half - 1 + odd)
    ways += comb(above - 1, half - 1 + odd) * comb(below - 1, half - 1)
    return ways / comb(above + below, above)


RULES: dict[RuleSet, tuple[Rule, ...]] = {
    RuleSet.ANHOEJ: (Rule.BEYOND_LIMITS, Rule.LONG_RUN, Rule.FEW_CROSSINGS),
    RuleSet.SHEWHART: (Rule.BEYOND_LIMITS,),
    RuleSet.WESTERN_ELECTRIC: (
        Rule.BEYOND_LIMITS,
        Rule.TWO_OF_THREE,
        Rule.FOUR_OF_FIVE,
        Rule.EIGHT_ON_A_SIDE,
    ),
    RuleSet.NELSON: (
        Rule.BEYOND_LIMITS,
        Rule.NINE_ON_A_SIDE,
        Rule.SIX_TREND,
        Rule.ALTERNATING,
        Rule.TWO_OF_THREE,
        Rule.FOUR_OF_FIVE,
        Rule.FIFTEEN_WITHIN,
        Rule.EIGHT_OUTSIDE,
    ),
    RuleSet.NHS_MDC: (
        Rule.BEYOND_LIMITS,
        Rule.SEVEN_TREND,
        Rule.TWO_OF_THREE_ON_A_SIDE,
        Rule.SEVEN_ON_A_SIDE,
    ),
    RuleSet.IHI_RUN: (
        Rule.SIX_ON_A_SIDE,
        Rule.FIVE_TREND,
        Rule.FEW_RUNS,
        Rule.MANY_RUNS,
    ),
}

FINDERS: dict[Rule, Finder] = {
    Rule.BEYOND_LIMITS: _beyond_limits,
    Rule.LONG_RUN: _long_run,
    Rule.FEW_CROSSINGS: _few_crossings,
    Rule.SIX_ON_A_SIDE: _on_a_side(6, dropping=True),
    Rule.SEVEN_ON_A_SIDE: _on_a_side(7),
    Rule.EIGHT_ON_A_SIDE: _on_a_side(8),
    Rule.NINE_ON_A_SIDE: _on_a_side(9),
    Rule.FIVE_TREND: _trend(5, dropping=True),
    Rule.SIX_TREND: _trend(6),
    Rule.SEVEN_TREND: _trend(7),
    Rule.ALTERNATING: _alternating(14),
    Rule.TWO_OF_THREE: _beyond(2, 3, 2),
    Rule.TWO_OF_THREE_ON_A_SIDE: _beyond(2, 3, 2, one_side=True),
    Rule.FOUR_OF_FIVE: _beyond(4, 5, 1),
    Rule.FIFTEEN_WITHIN: _fifteen_within,
    Rule.EIGHT_OUTSIDE: _eight_outside,
    Rule.FEW_RUNS: _few_runs,
    Rule.MANY_RUNS: _many_runs,
}
