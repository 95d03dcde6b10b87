"""What a control chart found, in sentences for people."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import groupby

from app.charts.descriptions import interval_label
from app.charts.measure_charts import ChartSignal, ControlChart
from app.charts.rules import Rule
from app.charts.shifts import Shift
from app.domain.counts import Basis, Interval


class Verdict(StrEnum):
    """What the search for signals came to."""

    FOUND = "found"
    NONE_FOUND = "none found"
    NOT_SEARCHED = "not searched"


FINDINGS = {
    Rule.BEYOND_LIMITS: "Beyond the limits, which chance alone rarely does: {when}.",
    Rule.LONG_RUN: (
        "{count} points in a row on one side of the centre line, more than chance "
        "would give: {span}."
    ),
    Rule.FEW_CROSSINGS: (
        "The points cross the centre line less often than chance would make them: "
        "the level is not the same throughout."
    ),
}
"""Sentences for the rules that the dashboard searches with."""


def sentences(chart: ControlChart, shift: Shift | None) -> Iterator[str]:
    """Yield what a chart says: its signals, a likely change, and what it leaves out."""
    yield from _signals(chart)
    if verdict(chart) is Verdict.NONE_FOUND:
        yield "No signals: nothing here that chance alone would not often do."
    if shift is not None:
        yield _shift(shift, chart)
    yield from (remark.text for remark in chart.remarks)


def verdict(chart: ControlChart) -> Verdict:
    """Return whether the chart has signals, or none, or was not searched."""
    if chart.signals:
        return Verdict.FOUND
    has_limits = any(point.upper_limit is not None for point in chart.points)
    if chart.basis is not Basis.LATEST_STATUS and has_limits:
        return Verdict.NONE_FOUND
    return Verdict.NOT_SEARCHED


def _signals(chart: ControlChart) -> Iterator[str]:
    """Yield a sentence for each finding; points beyond the limits share one."""
    by_rule = groupby(chart.signals, key=lambda signal: signal.rule)
    for rule, signals in by_rule:
        if rule is Rule.BEYOND_LIMITS:
            points = [start for each in signals for start in each.interval_starts]
            yield _sentence(rule, points, chart.interval)
        else:
            yield from (_of(signal, chart.interval) for signal in signals)


def _of(signal: ChartSignal, interval: Interval) -> str:
    return _sentence(signal.rule, signal.interval_starts, interval)


def _sentence(rule: Rule, starts: Sequence[int], interval: Interval) -> str:
    names = [interval_label(start, interval) for start in starts]
    return FINDINGS[rule].format(
        count=len(names), when=", ".join(names), span=f"{names[0]} to {names[-1]}"
    )


def _shift(shift: Shift, chart: ControlChart) -> str:
    """Return when and how far the level most likely changed, and whether for good."""
    interval, rose = chart.interval, shift.after > shift.before
    which = "better" if rose == (chart.improvement == "increase") else "worse"
    before, after = map(chart.scale.text, (shift.before, shift.after))
    first = interval_label(shift.first, interval)
    last = interval_label(shift.last, interval)
    surely = "" if first == last else f" (95 % sure: between {first} and {last})"
    return (
        f"The level most likely changed in "
        f"{interval_label(shift.interval_start, interval)}{surely}, from "
        f"{before} to {after}: a change for the {which}. "
        "This is a suggestion; the lines of the chart do not depend on it."
    )
