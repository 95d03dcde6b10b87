"""What charts say in words: subtitles, and descriptions for screen readers."""

from calendar import month_abbr
from collections import Counter
from collections.abc import Iterable, Iterator

from app.charts.comparison import Comparison, Zone
from app.charts.event_charts import EventChart
from app.charts.lines import ChartKind
from app.charts.measure_charts import ControlChart
from app.charts.remarks import RemarkCode
from app.domain.calendar import first_day
from app.domain.counts import Interval


def interval_label(interval_start: int, interval: Interval) -> str:
    """Return a month number as people write the interval: Jan 2024, Q1 2024, 2024."""
    start = first_day(interval_start)
    return {
        Interval.MONTH: f"{month_abbr[start.month]} {start.year}",
        Interval.QUARTER: f"Q{(start.month + 2) // 3} {start.year}",
        Interval.YEAR: f"{start.year}",
    }[interval]


def chart_description(
    chart: ControlChart, *, title: str, notes: Iterable[str] = ()
) -> str:
    """Return what a screen reader says of a control chart, and of notes on it."""
    told = [f"{note}." for note in notes]
    return " ".join([f"{title}.", *_chart_sentences(chart), *told])


def event_description(chart: EventChart, *, title: str, unit: str) -> str:
    """Return what a screen reader says of a chart of single events."""
    return " ".join([f"{title}.", *_event_sentences(chart, unit)])


def event_subtitle(chart: EventChart) -> str:
    """Return that more between events is better, and the signals or that none is."""
    findings = _findings(chart)
    found = f"signals: {findings}" if findings else "no signals"
    return f"Higher is better; {found}. For the clinic's own eyes"


def _event_sentences(chart: EventChart, unit: str) -> Iterator[str]:
    known = [point.value for point in chart.points if point.value is not None]
    yield f"Control chart ({chart.chart}) of {len(chart.points)} points."
    if known:
        yield f"Latest: {known[-1]} {unit} between two events."
    lines = chart.points[-1].lines if chart.points else None
    if lines is not None:
        yield f"Centre line {lines.center_line:.1f} {unit}."
    if lines is not None and lines.upper:
        yield f"Limits {lines.lower[-1]:.1f} to {lines.upper[-1]:.1f}."
    yield f"Signals: {_findings(chart) or 'none'}."
    yield from (remark.text for remark in chart.remarks)


def comparison_description(comparison: Comparison, *, title: str) -> str:
    """Return what a screen reader says of a funnel plot."""
    return " ".join([f"{title}.", *_comparison_sentences(comparison)])


def chart_subtitle(chart: ControlChart) -> str:
    """Return the direction of improvement, and the signals or why there are none."""
    return f"{better(chart.improvement)}; {_verdict(chart)}"


def comparison_subtitle(comparison: Comparison) -> str:
    """Return the direction of improvement, and what the limits allow for."""
    limits = "limits of chance alone, no clinic judged"
    if comparison.target is None:
        limits = "no network total, so no limits"
    elif comparison.phi is not None:
        limits = f"limits allow for overdispersion (phi {comparison.phi:.1f})"
    return f"{better(comparison.improvement)}; {limits}"


def better(improvement: str) -> str:
    """Return which way is better, in words."""
    return "Lower is better" if improvement == "decrease" else "Higher is better"


def _verdict(chart: ControlChart) -> str:
    if findings := _findings(chart):
        return f"signals: {findings}"
    codes = {remark.code for remark in chart.remarks}
    reasons = {
        RemarkCode.SUPPRESSED_POINT: "a point is suppressed, so no lines or signals",
        RemarkCode.NO_DATA: "no closed interval yet",
        RemarkCode.LATEST_STATUS: "latest status of each patient, so no signals",
        RemarkCode.TOO_FEW_POINTS: "too few points for limits",
    }
    return next((text for code, text in reasons.items() if code in codes), "no signals")


def _findings(chart: ControlChart | EventChart) -> str:
    rules = dict.fromkeys(signal.rule for signal in chart.signals)
    return ", ".join(rule.replace("-", " ") for rule in rules)


def _chart_sentences(chart: ControlChart) -> Iterator[str]:
    first, last, scale = chart.points[0], chart.points[-1], chart.scale
    plain = chart.chart is ChartKind.POINTS
    yield (
        f"{'Plot' if plain else f'Control chart ({chart.chart})'}, "
        f"{interval_label(first.interval_start, chart.interval)} to "
        f"{interval_label(last.interval_start, chart.interval)}."
    )
    valued = {p.interval_start: p.value for p in chart.points if p.value is not None}
    if valued:
        start, value = [*valued.items()][-1]
        when = interval_label(start, chart.interval)
        yield f"Latest value {scale.text(value)} in {when}."
    if last.center_line is not None:
        yield f"Centre line {scale.text(last.center_line)}."
    if last.lower_limit is not None and last.upper_limit is not None:
        yield (
            f"Limits {scale.text(last.lower_limit)} to {scale.text(last.upper_limit)}."
        )
    for phase in chart.phases[1:]:
        when = interval_label(phase.start, chart.interval)
        yield f"Lines begin anew in {when}, an accepted change of level."
    absent = Counter(point.withheld for point in chart.points if point.withheld)
    for reason, count in absent.items():
        yield f"Intervals with {reason.replace('-', ' ')}: {count}."
    yield f"Signals: {_findings(chart) or 'none'}."
    yield from (remark.text for remark in chart.remarks)


def _comparison_sentences(comparison: Comparison) -> Iterator[str]:
    yield f"Funnel plot of {len(comparison.points)} clinics."
    if comparison.target is not None:
        yield f"Network total {comparison.scale.text(comparison.target)}."
    zones = Counter(point.zone for point in comparison.points if point.zone)
    for zone in (Zone.INSIDE, Zone.BEYOND_95, Zone.BEYOND_998):
        if zones[zone]:
            yield f"{ZONES[zone].capitalize()}: {zones[zone]}."
    absent = Counter(point.withheld for point in comparison.points if point.withheld)
    for reason, count in absent.items():
        yield f"Clinics with {reason.replace('-', ' ')}: {count}."
    yield from (remark.text for remark in comparison.remarks)


ZONES = {
    Zone.INSIDE: "within 95 % limits",
    Zone.BEYOND_95: "beyond 95 % limits",
    Zone.BEYOND_998: "beyond 99.8 % limits",
}
