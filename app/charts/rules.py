"""
Rules that tell special cause from common cause, and the sets they come in.

A rule looks at one phase at a time, without its missing points. What becomes of points
on the line is told by the set (`Ties`), since its authors each say otherwise.
"""

from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum
from itertools import groupby

import msgspec

from app.charts import finders
from app.charts.finders import Finder, Points, Stretch
from app.charts.lines import Lines, Values


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
    NHS_MDC_6 = "nhs-mdc-6"
    IHI_RUN = "ihi-run"
    PROVOST_MURRAY = "provost-murray"

    @property
    def version(self) -> str:
        """Return the version, raised when the same points would get other signals."""
        return BOOKS[self].version


class Ties(StrEnum):
    """
    What a point on the centre line is to a run, and a repeated value to a trend.

    It ends them (`break`), or is passed over, neither counted nor in the way (`skip`).
    """

    BREAK = "break"
    SKIP = "skip"


class RuleBook(msgspec.Struct, frozen=True, kw_only=True):
    """A set's rules, in the order of its source, and how they treat ties."""

    rules: tuple[Rule, ...]
    ties: Ties
    source: str
    version: str = "1"


class Signal(msgspec.Struct, frozen=True):
    """
    One finding of one rule, with the positions of the points that make it.

    For a rule about the phase as a whole these are all its points off the line.
    """

    rule: Rule
    phase: int
    points: Points


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
    book = BOOKS[rule_set]
    return tuple(
        Signal(rule, phase, points)
        for phase, stretch in _stretches(values, lines, phases)
        for rule in book.rules
        for points in FINDERS[rule](_judged(stretch, rule, book.ties, excluded))
    )


def standing_out(point: int, found: Sequence[Signal]) -> tuple[Rule, ...]:
    """Return the rules in whose findings the point at a position stands out."""
    return tuple(
        signal.rule
        for signal in found
        if signal.rule.is_about_points and point in signal.points
    )


def _judged(
    stretch: Stretch, rule: Rule, ties: Ties, excluded: Collection[int]
) -> Stretch:
    """Return the points that a rule looks at."""
    if rule is Rule.BEYOND_LIMITS:
        return stretch
    known = stretch.where([point not in excluded for point in stretch.points])
    if ties is Ties.BREAK:
        return known
    if rule in TRENDS:
        return known.without_repeats()
    return known.off_the_line() if rule in RUNS else known


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
        yield phase, finders.stretch_of(usable)


FINDERS: dict[Rule, Finder] = {
    Rule.BEYOND_LIMITS: finders.beyond_limits,
    Rule.LONG_RUN: finders.long_run,
    Rule.FEW_CROSSINGS: finders.few_crossings,
    Rule.SIX_ON_A_SIDE: finders.on_a_side(6),
    Rule.SEVEN_ON_A_SIDE: finders.on_a_side(7),
    Rule.EIGHT_ON_A_SIDE: finders.on_a_side(8),
    Rule.NINE_ON_A_SIDE: finders.on_a_side(9),
    Rule.FIVE_TREND: finders.trend(5),
    Rule.SIX_TREND: finders.trend(6),
    Rule.SEVEN_TREND: finders.trend(7),
    Rule.ALTERNATING: finders.alternating(14),
    Rule.TWO_OF_THREE: finders.beyond(2, 3, 2),
    Rule.TWO_OF_THREE_ON_A_SIDE: finders.beyond(2, 3, 2, one_side=True),
    Rule.FOUR_OF_FIVE: finders.beyond(4, 5, 1),
    Rule.FIFTEEN_WITHIN: finders.fifteen_within,
    Rule.EIGHT_OUTSIDE: finders.eight_outside,
    Rule.FEW_RUNS: finders.few_runs,
    Rule.MANY_RUNS: finders.many_runs,
}
TRENDS = {Rule.FIVE_TREND, Rule.SIX_TREND, Rule.SEVEN_TREND}
RUNS = {
    Rule.LONG_RUN,
    Rule.FEW_CROSSINGS,
    Rule.SIX_ON_A_SIDE,
    Rule.SEVEN_ON_A_SIDE,
    Rule.EIGHT_ON_A_SIDE,
    Rule.NINE_ON_A_SIDE,
    Rule.FEW_RUNS,
    Rule.MANY_RUNS,
}
BOOKS: dict[RuleSet, RuleBook] = {
    RuleSet.ANHOEJ: RuleBook(
        rules=(Rule.BEYOND_LIMITS, Rule.LONG_RUN, Rule.FEW_CROSSINGS),
        ties=Ties.SKIP,
        source="Anhoej and Olesen, PLoS ONE 2014;9:e113825; and 3 sigma",
    ),
    RuleSet.SHEWHART: RuleBook(
        rules=(Rule.BEYOND_LIMITS,),
        ties=Ties.BREAK,
        source="Shewhart, Economic Control of Quality of Manufactured Product, 1931",
    ),
    RuleSet.WESTERN_ELECTRIC: RuleBook(
        rules=(
            Rule.BEYOND_LIMITS,
            Rule.TWO_OF_THREE,
            Rule.FOUR_OF_FIVE,
            Rule.EIGHT_ON_A_SIDE,
        ),
        ties=Ties.BREAK,
        source="Western Electric, Statistical Quality Control Handbook, 1956",
    ),
    RuleSet.NELSON: RuleBook(
        rules=(
            Rule.BEYOND_LIMITS,
            Rule.NINE_ON_A_SIDE,
            Rule.SIX_TREND,
            Rule.ALTERNATING,
            Rule.TWO_OF_THREE,
            Rule.FOUR_OF_FIVE,
            Rule.FIFTEEN_WITHIN,
            Rule.EIGHT_OUTSIDE,
        ),
        ties=Ties.BREAK,
        source="Nelson, J Quality Technology 1984;16:237-239",
    ),
    RuleSet.NHS_MDC: RuleBook(
        rules=(
            Rule.BEYOND_LIMITS,
            Rule.SEVEN_TREND,
            Rule.TWO_OF_THREE_ON_A_SIDE,
            Rule.SEVEN_ON_A_SIDE,
        ),
        ties=Ties.BREAK,
        source="NHS England, Making data count; as NHSRplotthedots has it",
    ),
    RuleSet.NHS_MDC_6: RuleBook(
        rules=(
            Rule.BEYOND_LIMITS,
            Rule.SIX_TREND,
            Rule.TWO_OF_THREE_ON_A_SIDE,
            Rule.SIX_ON_A_SIDE,
        ),
        ties=Ties.BREAK,
        source="NHS England, Making data count, with runs of 6 as its workbook allows",
    ),
    RuleSet.IHI_RUN: RuleBook(
        rules=(
            Rule.SIX_ON_A_SIDE,
            Rule.FIVE_TREND,
            Rule.FEW_RUNS,
            Rule.MANY_RUNS,
        ),
        ties=Ties.SKIP,
        source="Perla, Provost and Murray, BMJ Qual Saf 2011;20:46-51",
    ),
    RuleSet.PROVOST_MURRAY: RuleBook(
        rules=(
            Rule.BEYOND_LIMITS,
            Rule.EIGHT_ON_A_SIDE,
            Rule.SIX_TREND,
            Rule.TWO_OF_THREE,
            Rule.FIFTEEN_WITHIN,
        ),
        ties=Ties.SKIP,
        source="Provost and Murray, The Health Care Data Guide, 2011, fig. 4.11",
    ),
}
