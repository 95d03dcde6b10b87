"""
The chart of what lay between a clinic's single events, for its own eyes.

Days between events are drawn as a t chart. Two events of one day lie 0 days apart,
which a t chart can't show and nobody may merge: with such points it is a g chart of
whole days, and so are opportunities.
"""

from collections.abc import Iterator, Sequence

import msgspec

from app.charts import rules
from app.charts.baselines import without_limits, young_phases
from app.charts.explanations import explanation
from app.charts.gap_charts import GapLimits, g_chart, t_chart
from app.charts.lines import ChartKind, Fit, Frame, Lines, Phase, frame
from app.charts.remarks import Remark, RemarkCode, remark_on
from app.charts.rules import Rule, RuleSet, Signal
from app.domain.errors import MalformedError

Counts = Sequence[int | None]


class EventPoint(msgspec.Struct, frozen=True, kw_only=True):
    """
    What lay between two events, with its lines.

    ``value`` is None where it is not known. ``signals`` names the rules in whose
    finding this point stands out.
    """

    value: int | None
    lines: Lines | None
    signals: tuple[Rule, ...]


class EventChart(msgspec.Struct, frozen=True, kw_only=True):
    """
    A t or g chart, with all that it was made by; the more between events, the better.

    ``signals`` hold positions among ``points``, which are in time order.
    """

    chart: ChartKind
    reason: str
    rule_set: RuleSet
    sigma_method: str
    sigma_method_version: str
    points: tuple[EventPoint, ...]
    signals: tuple[Signal, ...]
    explanation: str
    remarks: tuple[Remark, ...]


def event_chart(
    values: Counts,
    *,
    are_days: bool,
    rule_set: RuleSet = RuleSet.ANHOEJ,
    chart: ChartKind | None = None,
    limits: GapLimits = GapLimits.EXACT,
    phases: Sequence[Phase] = (),
) -> EventChart:
    """
    Return the chart of whole days, or opportunities, between single events.

    Args:
        values: in time order, 0 or more, None where not known.
        are_days: whether they are days rather than opportunities.
        rule_set: the rules to search for signals with.
        chart: t or g; None is t for days of which none is 0, otherwise g.
        limits: how a g chart's are made.
        phases: where lines begin anew, as positions.

    Raises:
        MalformedError: the chart does not fit; names the parameter.
    """
    drawn = _chart(values, are_days=are_days, asked=chart)
    if not any(value is not None for value in values):
        return _empty(values, rule_set)
    unknown = [point for point, value in enumerate(values) if value is None]
    within = frame(range(len(values)), phases=phases, excluded=unknown)
    young = young_phases(within)
    fit = without_limits(_fit(drawn, values, within, limits), within, young)
    found = rules.find_signals(
        [
            None if phase in young else value
            for value, phase in zip(fit.values, within.phases, strict=True)
        ],
        fit.lines,
        rule_set=rule_set,
        phases=within.phases,
    )
    return EventChart(
        chart=fit.chart,
        reason=_reason(fit, are_days=are_days, is_chosen=chart is not None),
        rule_set=rule_set,
        sigma_method=fit.sigma_method,
        sigma_method_version=fit.sigma_method_version,
        points=tuple(_points(values, fit, found)),
        signals=found,
        explanation=explanation(fit, sizes=fit.values, phases=within.phases),
        remarks=tuple(map(remark_on, _codes(fit, young, limits))),
    )


def _chart(values: Counts, *, are_days: bool, asked: ChartKind | None) -> ChartKind:
    fits_t = are_days and 0 not in values
    if asked is None:
        return ChartKind.T if fits_t else ChartKind.G
    if asked not in {ChartKind.T, ChartKind.G}:
        msg = "Single events are drawn as t or g"
        raise MalformedError(msg, expression="chart")
    if asked is ChartKind.T and not fits_t:
        msg = "A t chart is of days above 0, and these are opportunities or have a 0"
        raise MalformedError(msg, expression="chart")
    return asked


def _fit(chart: ChartKind, values: Counts, within: Frame, limits: GapLimits) -> Fit:
    if chart is ChartKind.T:
        return t_chart(values, within=within)
    return g_chart(values, within=within, limits=limits)


def _reason(fit: Fit, *, are_days: bool, is_chosen: bool) -> str:
    name = f"A {fit.chart} chart"
    if is_chosen:
        return f"{name}, because the caller chose it."
    if fit.chart is ChartKind.T:
        return f"{name}, because the points are days between events, all above 0."
    if are_days:
        return (
            f"{name}, because the points are days between events and some fell on one "
            "day: those are points of 0 days, which a t chart has no place for."
        )
    return f"{name}, because the points count the opportunities between events."


def _empty(values: Counts, rule_set: RuleSet) -> EventChart:
    return EventChart(
        chart=ChartKind.POINTS,
        reason="The points alone: see the remarks.",
        rule_set=rule_set,
        sigma_method="none",
        sigma_method_version="1",
        points=tuple(
            EventPoint(value=value, lines=None, signals=()) for value in values
        ),
        signals=(),
        explanation="There are no limits: see the remarks.",
        remarks=(remark_on(RemarkCode.NO_GAPS),),
    )


def _points(values: Counts, fit: Fit, found: Sequence[Signal]) -> Iterator[EventPoint]:
    for point, (value, lines) in enumerate(zip(values, fit.lines, strict=True)):
        yield EventPoint(
            value=value,
            lines=lines,
            signals=rules.standing_out(point, found),
        )


def _codes(fit: Fit, young: set[int], limits: GapLimits) -> Iterator[RemarkCode]:
    if young:
        yield RemarkCode.TOO_FEW_POINTS
    if fit.chart is ChartKind.G and limits is GapLimits.SIGMA:
        yield RemarkCode.SIGMA_OF_GAPS
