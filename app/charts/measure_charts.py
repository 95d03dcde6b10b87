"""The control chart of one measure's released series, kept honest."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import compress, groupby

import msgspec

from app.charts import rules
from app.charts.control_charts import OVERDISPERSED, proportion_chart, u_chart
from app.charts.lines import ChartKind, Fit, Frame, Lines, Phase, frame
from app.charts.measurement_charts import xbar_chart
from app.charts.remarks import (
    MIN_FROZEN_POINTS,
    MIN_POINTS,
    Remark,
    RemarkCode,
    remark_on,
)
from app.charts.rules import Rule, RuleSet, Signal
from app.domain.counts import Basis, Interval, ReleasedCell, Withheld
from app.domain.scales import PROPORTION, Scale


class ChartPoint(msgspec.Struct, frozen=True, kw_only=True):
    """
    One interval on a control chart; values are in the chart's scale.

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


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """The points that a phase's lines come from: how many, first and last interval."""

    phase: int
    points: int
    first: int
    last: int
    frozen: bool


class ControlChart(msgspec.Struct, frozen=True, kw_only=True):
    """
    The control chart of a measure's series, with all that it was made by.

    ``improvement`` is the measure's improvement notation, ``increase`` or ``decrease``.
    ``sigma_z`` is None where the points do not tell it, or may not.
    """

    chart: ChartKind
    reason: str
    rule_set: RuleSet
    sigma_method: str
    sigma_z: float | None
    basis: Basis
    interval: Interval
    improvement: str
    scale: Scale
    baselines: tuple[Baseline, ...]
    points: tuple[ChartPoint, ...]
    signals: tuple[ChartSignal, ...]
    remarks: tuple[Remark, ...]


def measure_chart(
    cells: Sequence[ReleasedCell],
    *,
    basis: Basis,
    improvement: str,
    scale: Scale = PROPORTION,
    rule_set: RuleSet = RuleSet.ANHOEJ,
    phases: Sequence[Phase] = (),
    excluded: Collection[int] = (),
) -> ControlChart:
    """
    Return the control chart of a measure's series.

    Args:
        cells: one clinic's or the network's, of one stratum, at least one.
        basis: what a unit of the measure is.
        improvement: the measure's improvement notation, ``increase`` or ``decrease``.
        scale: what the values are.
        rule_set: the rules to search for signals with.
        phases: accepted shifts and frozen baselines, as month numbers.
        excluded: month numbers of points with a known cause: in no line and no run.
    """
    series = without_gaps(cells)
    frozen = [phase for phase in phases if phase.baseline_end is not None]
    short = [phase for phase in frozen if _is_short(phase, series, excluded)]
    kept = [Phase(start=at.start) if at in short else at for at in phases]
    within = _frame(series, kept, excluded)
    fit = _fit(series, within, scale)
    judged = _judged(series, fit, basis)
    found = rules.find_signals(
        judged,
        fit.lines,
        rule_set=rule_set,
        phases=within.phases,
        excluded=_positions(series, excluded),
    )
    return ControlChart(
        chart=fit.chart,
        reason=_reason(fit),
        rule_set=rule_set,
        sigma_method=fit.sigma_method,
        sigma_z=fit.sigma_z,
        basis=basis,
        interval=series[0].interval,
        improvement=improvement,
        scale=scale,
        baselines=tuple(_baselines(series, fit, within)),
        points=tuple(_points(series, fit, within, found, excluded)),
        signals=tuple(_signal(signal, series) for signal in found),
        remarks=tuple(map(remark_on, _codes(series, fit, basis, short))),
    )


def without_gaps(cells: Sequence[ReleasedCell]) -> list[ReleasedCell]:
    """Return *cells* in time order, and one without data for each that is absent."""
    known = {cell.interval_start: cell for cell in cells}
    step = cells[0].interval.months
    return [
        known.get(start) or _no_data(start, cells[0])
        for start in range(min(known), max(known) + 1, step)
    ]


def is_closed(cell: ReleasedCell) -> bool:
    """Return whether the cell has a value that will not change any more."""
    return bool(cell.told[1]) and not cell.provisional


def _no_data(interval_start: int, like: ReleasedCell) -> ReleasedCell:
    blank = like.blank(Withheld.NO_DATA)
    return msgspec.structs.replace(blank, interval_start=interval_start)


def _is_short(
    phase: Phase, series: Sequence[ReleasedCell], excluded: Collection[int]
) -> bool:
    """Return whether a frozen baseline has too few points to stand."""
    assert phase.baseline_end is not None
    span = range(phase.start, phase.baseline_end)
    closed = (cell.interval_start for cell in series if is_closed(cell))
    return sum(at in span and at not in excluded for at in closed) < MIN_FROZEN_POINTS


def _frame(
    series: Sequence[ReleasedCell], phases: Sequence[Phase], excluded: Collection[int]
) -> Frame:
    open_ = {cell.interval_start for cell in series if not is_closed(cell)}
    return frame(
        [cell.interval_start for cell in series],
        phases=phases,
        excluded=open_.union(excluded),
    )


def _fit(series: Sequence[ReleasedCell], within: Frame, scale: Scale) -> Fit:
    """Return the lines of the series, as far as they may and can be told."""
    if any(cell.withheld is Withheld.SUPPRESSED for cell in series):
        return _points_alone(series, scale)
    if not any(within.baseline):
        return _points_alone(series, scale)
    fit = _chart(series, within, scale)
    usable = Counter(compress(within.phases, within.baseline))
    return msgspec.structs.replace(
        fit,
        lines=tuple(
            line if line is None or usable[phase] >= MIN_POINTS else _center(line)
            for line, phase in zip(fit.lines, within.phases, strict=True)
        ),
    )


def _chart(series: Sequence[ReleasedCell], within: Frame, scale: Scale) -> Fit:
    """Return the X-bar chart of means, the u chart of rates, the p or p' chart."""
    if scale.is_mean:
        return xbar_chart(
            [cell.mean for cell in series],
            [cell.deviation for cell in series],
            [cell.denominator or 0 for cell in series],
            within=within,
        )
    if scale.per is None:
        return proportion_chart(
            [cell.numerator for cell in series],
            [cell.denominator for cell in series],
            within=within,
        )
    events, exposures = zip(*(cell.told for cell in series), strict=True)
    units = [None if n is None else n / scale.per for n in exposures]
    return u_chart(events, units, within=within)


def _points_alone(series: Sequence[ReleasedCell], scale: Scale) -> Fit:
    return Fit(
        chart=ChartKind.POINTS,
        sigma_method="none",
        values=tuple(map(scale.value, series)),
        lines=(None,) * len(series),
    )


def _center(lines: Lines) -> Lines:
    return Lines(center_line=lines.center_line)


def _judged(
    series: Sequence[ReleasedCell], fit: Fit, basis: Basis
) -> list[float | None]:
    """Return the values that rules may look at."""
    may_signal = basis is not Basis.LATEST_STATUS
    return [
        value if may_signal and is_closed(cell) and line and line.upper else None
        for cell, value, line in zip(series, fit.values, fit.lines, strict=True)
    ]


def _positions(
    series: Sequence[ReleasedCell], interval_starts: Collection[int]
) -> set[int]:
    return {
        i for i, cell in enumerate(series) if cell.interval_start in interval_starts
    }


def _lacks_limits(value: float | None, line: Lines | None) -> bool:
    return value is not None and line is not None and not line.upper


def _reason(fit: Fit) -> str:
    if fit.chart is ChartKind.POINTS:
        return "The points alone: see the remarks."
    if fit.chart is ChartKind.XBAR:
        return "An X-bar chart, because the measure is a mean of people's values."
    if fit.chart is ChartKind.U:
        return "A u chart, because the measure is a rate of events by exposure."
    if fit.sigma_z is None:
        return "A p chart, because the measure is a proportion."
    found = f"between-point variation is {fit.sigma_z:.2f} times the binomial"
    if fit.chart is ChartKind.P:
        return (
            f"A p chart, because the measure is a proportion and its {found}, "
            f"not above {OVERDISPERSED}."
        )
    return (
        f"A p' chart, because the measure is a proportion and its {found}, "
        f"above {OVERDISPERSED}."
    )


def _baselines(
    series: Sequence[ReleasedCell], fit: Fit, within: Frame
) -> Iterator[Baseline]:
    rows = zip(series, fit.lines, within.phases, within.frozen, strict=True)
    used = (row for row in compress(rows, within.baseline) if row[1])
    for phase, group in groupby(used, key=lambda row: row[2]):
        points = [*group]
        yield Baseline(
            phase=phase,
            points=len(points),
            first=points[0][0].interval_start,
            last=points[-1][0].interval_start,
            frozen=points[0][3],
        )


def _points(
    series: Sequence[ReleasedCell],
    fit: Fit,
    within: Frame,
    found: Sequence[Signal],
    excluded: Collection[int],
) -> Iterator[ChartPoint]:
    rows = zip(series, fit.values, fit.lines, within.phases, strict=True)
    for position, (cell, value, line, phase) in enumerate(rows):
        lower, upper = (line.lower, line.upper) if line else ((), ())
        yield ChartPoint(
            interval_start=cell.interval_start,
            value=value,
            numerator=cell.numerator,
            denominator=cell.denominator,
            center_line=line.center_line if line else None,
            lower_limit=lower[2] if lower else None,
            upper_limit=upper[2] if upper else None,
            lower_2_sigma=lower[1] if lower else None,
            upper_2_sigma=upper[1] if upper else None,
            signals=tuple(_standing_out(position, found)),
            withheld=cell.withheld or (Withheld.NO_DATA if value is None else None),
            provisional=cell.provisional,
            excluded=cell.interval_start in excluded,
            phase=phase,
        )


def _standing_out(position: int, found: Sequence[Signal]) -> Iterator[Rule]:
    for signal in found:
        if signal.rule.is_about_points and position in signal.points:
            yield signal.rule


def _signal(signal: Signal, series: Sequence[ReleasedCell]) -> ChartSignal:
    return ChartSignal(
        rule=signal.rule,
        phase=signal.phase,
        interval_starts=tuple(series[i].interval_start for i in signal.points),
    )


def _codes(
    series: Sequence[ReleasedCell], fit: Fit, basis: Basis, short: Sequence[Phase]
) -> Iterator[RemarkCode]:
    if any(cell.withheld is Withheld.SUPPRESSED for cell in series):
        yield RemarkCode.SUPPRESSED_POINT
    elif fit.chart is ChartKind.POINTS:
        yield RemarkCode.NO_DATA
    elif basis is Basis.LATEST_STATUS:
        yield RemarkCode.LATEST_STATUS
    if any(map(_lacks_limits, fit.values, fit.lines)):
        yield RemarkCode.TOO_FEW_POINTS
    if short:
        yield RemarkCode.SHORT_BASELINE
    if any(cell.provisional for cell in series):
        yield RemarkCode.PROVISIONAL
