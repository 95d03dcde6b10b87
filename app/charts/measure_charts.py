"""The control chart of one measure's released series, kept honest."""

from collections.abc import Collection, Iterator, Sequence

import msgspec

from app.charts import rules
from app.charts.assurances import Assurance, assurance
from app.charts.baselines import (
    Baseline,
    baselines,
    frame_of,
    is_closed,
    is_short,
    without_limits,
    young_phases,
)
from app.charts.chart_choices import check_choice, chosen_fit, reason_for
from app.charts.explanations import explanation
from app.charts.lines import ChartKind, Fit, Frame, Lines, Phase
from app.charts.remarks import Remark, RemarkCode, remark_on
from app.charts.rules import Rule, RuleSet, Signal
from app.domain.counts import Basis, Interval, ReleasedCell, Withheld
from app.domain.scales import PROPORTION, Scale


class ChartPoint(msgspec.Struct, frozen=True, kw_only=True):
    """
    One interval on a control chart; values are what the chart is drawn of.

    ``interval_start`` is a month number. ``value`` is None where ``withheld`` says why.
    ``signals`` names the rules in whose finding this point stands out.
    """

    interval_start: int
    value: float | None
    numerator: int | None
    denominator: int | None
    center_line: float | None = None
    lower_limit: float | None = None
    upper_limit: float | None = None
    lower_2_sigma: float | None = None
    upper_2_sigma: float | None = None
    signals: tuple[Rule, ...] = ()
    withheld: Withheld | None = None
    provisional: bool = False
    excluded: bool = False
    phase: int = 1


class ChartSignal(msgspec.Struct, frozen=True, kw_only=True):
    """One finding: the rule, its phase, and the intervals that make it."""

    rule: Rule
    phase: int
    interval_starts: tuple[int, ...]


class ControlChart(msgspec.Struct, frozen=True, kw_only=True):
    """
    The control chart of a measure's series, with all that it was made by.

    ``improvement`` is the measure's improvement notation, ``increase`` or ``decrease``.
    ``sigma_z`` is None where the points do not tell it, or may not. ``phases`` are
    those whose lines are drawn, number 1 first, without a frozen baseline that was too
    short to stand. ``explanation`` says why the limits vary.
    """

    chart: ChartKind
    reason: str
    rule_set: RuleSet
    sigma_method: str
    sigma_method_version: str
    sigma_z: float | None
    basis: Basis
    interval: Interval
    improvement: str
    scale: Scale
    phases: tuple[Phase, ...]
    baselines: tuple[Baseline, ...]
    points: tuple[ChartPoint, ...]
    signals: tuple[ChartSignal, ...]
    explanation: str
    assurance: Assurance
    remarks: tuple[Remark, ...]


def measure_chart(
    cells: Sequence[ReleasedCell],
    *,
    basis: Basis,
    improvement: str,
    scale: Scale = PROPORTION,
    rule_set: RuleSet = RuleSet.ANHOEJ,
    chart: ChartKind | None = None,
    screened: bool = False,
    phases: Sequence[Phase] = (),
    excluded: Collection[int] = (),
    target: float | None = None,
) -> ControlChart:
    """
    Return the control chart of a measure's series.

    Args:
        cells: one clinic's or the network's, of one stratum, at least one.
        basis: what a unit of the measure is.
        improvement: the measure's improvement notation, ``increase`` or ``decrease``.
        scale: what the values are.
        rule_set: the rules to search for signals with.
        chart: which chart; None is the one that fits what the values are.
        screened: leave wild moving ranges out of an XmR or MR chart's sigma.
        phases: accepted shifts and frozen baselines, as month numbers.
        excluded: month numbers of points with a known cause: in no line and no run.
        target: the measure's published aim, in the unit of its values.

    Raises:
        MalformedError: the chart does not fit the values; names the parameter.
    """
    check_choice(chart, screened=screened, scale=scale)
    series = without_gaps(cells)
    short = [phase for phase in phases if is_short(phase, series, excluded)]
    kept = [Phase(start=at.start) if at in short else at for at in phases]
    within = frame_of(series, kept, excluded)
    fit = _fit(series, within, scale, chart=chart, screened=screened)
    applied = RuleSet.SHEWHART if fit.chart is ChartKind.MR else rule_set
    found = rules.find_signals(
        _judged(series, fit, within, basis),
        fit.lines,
        rule_set=applied,
        phases=within.phases,
        excluded=_positions(series, excluded),
    )
    return ControlChart(
        chart=fit.chart,
        reason=reason_for(fit, scale=scale, is_chosen=chart is not None),
        rule_set=applied,
        sigma_method=fit.sigma_method,
        sigma_method_version=fit.sigma_method_version,
        sigma_z=fit.sigma_z,
        basis=basis,
        interval=series[0].interval,
        improvement=improvement,
        scale=scale,
        phases=within.known,
        baselines=tuple(baselines(series, fit, within)),
        points=tuple(_points(series, fit, within, found, excluded)),
        signals=tuple(_signal(signal, series) for signal in found),
        explanation=explanation(fit, sizes=_sizes(series, scale), phases=within.phases),
        assurance=assurance(
            fit.chart,
            _newest_limits(series, fit),
            target=target,
            improvement=improvement,
            scale=scale,
        ),
        remarks=tuple(map(remark_on, _codes(series, fit, within, basis, short))),
    )


def without_gaps(cells: Sequence[ReleasedCell]) -> list[ReleasedCell]:
    """Return *cells* in time order, and one without data for each that is absent."""
    known = {cell.interval_start: cell for cell in cells}
    step = cells[0].interval.months
    return [
        known.get(start) or _no_data(start, cells[0])
        for start in range(min(known), max(known) + 1, step)
    ]


def _no_data(interval_start: int, like: ReleasedCell) -> ReleasedCell:
    blank = like.blank(Withheld.NO_DATA)
    return msgspec.structs.replace(blank, interval_start=interval_start)


def _fit(
    series: Sequence[ReleasedCell],
    within: Frame,
    scale: Scale,
    *,
    chart: ChartKind | None,
    screened: bool,
) -> Fit:
    """Return the lines of the series, as far as they may and can be told."""
    is_hidden = any(cell.withheld is Withheld.SUPPRESSED for cell in series)
    if is_hidden or not any(within.baseline):
        return _points_alone(series, scale)
    fit = chosen_fit(series, scale=scale, within=within, chart=chart, screened=screened)
    return without_limits(fit, within, young_phases(within))


def _points_alone(series: Sequence[ReleasedCell], scale: Scale) -> Fit:
    return Fit(
        chart=ChartKind.POINTS,
        sigma_method="none",
        values=tuple(map(scale.value, series)),
        lines=(None,) * len(series),
    )


def _judged(
    series: Sequence[ReleasedCell], fit: Fit, within: Frame, basis: Basis
) -> list[float | None]:
    """Return the values that rules may look at: a run chart's have no limits."""
    may_signal = basis is not Basis.LATEST_STATUS
    young, is_run = young_phases(within), fit.chart is ChartKind.RUN
    rows = zip(series, fit.values, fit.lines, within.phases, strict=True)
    return [
        value
        if may_signal
        and is_closed(cell)
        and phase not in young
        and line
        and (line.upper or is_run)
        else None
        for cell, value, line, phase in rows
    ]


def _sizes(series: Sequence[ReleasedCell], scale: Scale) -> list[float | None]:
    """Return each point's denominator, or its exposure in the unit of a rate."""
    sizes = [cell.told[1] for cell in series]
    return [None if size is None else size / (scale.per or 1) for size in sizes]


def _newest_limits(series: Sequence[ReleasedCell], fit: Fit) -> Lines | None:
    """Return the lines of the newest closed point with limits, if there is one."""
    pairs = zip(reversed(series), reversed(fit.lines), strict=True)
    limited = (line for cell, line in pairs if is_closed(cell) and line and line.upper)
    return next(limited, None)


def _positions(
    series: Sequence[ReleasedCell], interval_starts: Collection[int]
) -> set[int]:
    return {
        i for i, cell in enumerate(series) if cell.interval_start in interval_starts
    }


def _points(
    series: Sequence[ReleasedCell],
    fit: Fit,
    within: Frame,
    found: Sequence[Signal],
    excluded: Collection[int],
) -> Iterator[ChartPoint]:
    rows = zip(series, fit.values, fit.lines, within.phases, strict=True)
    for position, (cell, value, line, phase) in enumerate(rows):
        yield ChartPoint(
            interval_start=cell.interval_start,
            value=value,
            numerator=cell.numerator,
            denominator=cell.denominator,
            center_line=line.center_line if line else None,
            lower_limit=line.lower_limit if line else None,
            upper_limit=line.upper_limit if line else None,
            lower_2_sigma=line.lower_2_sigma if line else None,
            upper_2_sigma=line.upper_2_sigma if line else None,
            signals=rules.standing_out(position, found),
            withheld=cell.withheld or (Withheld.NO_DATA if value is None else None),
            provisional=cell.provisional,
            excluded=cell.interval_start in excluded,
            phase=phase,
        )


def _signal(signal: Signal, series: Sequence[ReleasedCell]) -> ChartSignal:
    return ChartSignal(
        rule=signal.rule,
        phase=signal.phase,
        interval_starts=tuple(series[i].interval_start for i in signal.points),
    )


def _codes(
    series: Sequence[ReleasedCell],
    fit: Fit,
    within: Frame,
    basis: Basis,
    short: Sequence[Phase],
) -> Iterator[RemarkCode]:
    if any(cell.withheld is Withheld.SUPPRESSED for cell in series):
        yield RemarkCode.SUPPRESSED_POINT
    elif fit.chart is ChartKind.POINTS:
        yield RemarkCode.NO_DATA
    elif basis is Basis.LATEST_STATUS:
        yield RemarkCode.LATEST_STATUS
    young = young_phases(within)
    rows = zip(fit.values, fit.lines, within.phases, strict=True)
    if any(v is not None and line and phase in young for v, line, phase in rows):
        yield RemarkCode.TOO_FEW_POINTS
    if fit.chart is ChartKind.MR:
        yield RemarkCode.MOVING_RANGES
    if short:
        yield RemarkCode.SHORT_BASELINE
    if any(cell.provisional for cell in series):
        yield RemarkCode.PROVISIONAL
