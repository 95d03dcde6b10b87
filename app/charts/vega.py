"""Control charts and spark lines as Vega-Lite, from the numbers of the answers."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from app.charts.descriptions import chart_description, chart_subtitle
from app.charts.lines import ChartKind
from app.charts.measure_charts import ChartPoint, ControlChart
from app.charts.vega_layers import (
    BLUE,
    EXPECTED,
    GREY,
    HEIGHT,
    INK,
    KNOWN_CAUSE,
    PALE,
    PROVISIONAL,
    SCHEMA,
    SHARE,
    SPECIAL,
    WHITE,
    Spec,
    curve,
    end_labels,
    looks,
    marks,
    scale_axis,
    sheet,
    steps,
    time_axis,
)
from app.charts.vega_notes import Note, note_layers, note_lines, phase_layers
from app.domain.calendar import first_day
from app.domain.counts import Basis

DRAWN = {ChartKind.S: "Standard deviation", ChartKind.MR: "Moving range"}
"""What else than the measure's values a chart is drawn of."""
SPARK_WIDTH, SPARK_HEIGHT = 120, 28
AXIS_MARKS = {"value": HEIGHT - 7}
"""Where intervals without a value stand: just above the time axis."""


def control_chart_spec(
    chart: ControlChart, *, title: str, notes: Sequence[Note] = ()
) -> Spec:
    """
    Return the picture of a control chart.

    The centre line is solid, the 3-sigma limits are dashed steps; both start anew with
    each phase, whose start is marked. Intervals without a value stand on the time axis
    as marks of their own. *notes* are flags at their months, told under the title.
    """
    rows = [_point_row(point) for point in chart.points]
    drawn = ((p.value, p.lower_limit, p.upper_limit) for p in chart.points)
    y = _value_axis(chain.from_iterable(drawn), chart)
    with_value = [row for row in rows if row["value"] is not None]
    without = [row for row in rows if row["value"] is None]
    kinds = {row["kind"] for row in rows}
    words = [chart_subtitle(chart), *note_lines(notes)]
    description = chart_description(chart, title=title, notes=note_lines(notes))
    return {
        **sheet(title, words, description),
        "data": {"values": rows},
        "encoding": {"x": _time_axis(chart)},
        "layer": [
            steps("lower_limit", y, color=GREY, strokeDash=[4, 3]),
            steps("upper_limit", y, color=GREY, strokeDash=[4, 3]),
            steps("center_line", y, color=INK),
            curve("value", y, color=BLUE, strokeWidth=1.2, opacity=0.6),
            *phase_layers(chart.phases, height=HEIGHT),
            *note_layers(notes),
            *_line_labels(chart, y),
            marks(with_value, {"field": "value", **y}, kinds=kinds, scale=chart.scale),
            marks(without, AXIS_MARKS, kinds=kinds, scale=chart.scale),
        ],
    }


def spark_line_spec(chart: ControlChart, *, title: str) -> Spec:
    """Return a small picture without axes: the line, its last point, special causes."""
    rows = [_point_row(point) for point in chart.points]
    last = [row for row in rows if row["value"] is not None][-1:]
    shown = [row for row in rows if row["kind"] == SPECIAL or row in last]
    drawn = ((point.value, point.center_line) for point in chart.points)
    y = _value_axis(chain.from_iterable(drawn), chart) | {"axis": None}
    dots = {"type": "point", "size": 24, "opacity": 1}
    return {
        "$schema": SCHEMA,
        "description": chart_description(chart, title=title),
        "width": SPARK_WIDTH,
        "height": SPARK_HEIGHT,
        "config": {"view": {"stroke": None}, "background": WHITE, "padding": 2},
        "data": {"values": rows},
        "encoding": {"x": _time_axis(chart) | {"axis": None}},
        "layer": [
            steps("center_line", y, color=PALE),
            curve("value", y, color=BLUE, strokeWidth=1.5),
            {
                "data": {"values": shown},
                "mark": dots,
                "encoding": {"y": {"field": "value", **y}, **looks(legend=None)},
            },
        ],
    }


def _point_row(point: ChartPoint) -> Spec:
    return {
        "start": first_day(point.interval_start).isoformat(),
        "value": point.value,
        "numerator": point.numerator,
        "denominator": point.denominator,
        "center_line": point.center_line,
        "lower_limit": point.lower_limit,
        "upper_limit": point.upper_limit,
        "phase": point.phase,
        "kind": _kind(point),
    }


def _kind(point: ChartPoint) -> str:
    if point.withheld is not None:
        return point.withheld.replace("-", " ")
    if point.provisional:
        return PROVISIONAL
    if point.signals:
        return SPECIAL
    return KNOWN_CAUSE if point.excluded else EXPECTED


def _value_axis(drawn: Iterable[float | None], chart: ControlChart) -> Spec:
    """Return the axis of what a control chart is drawn of, with its unit."""
    share = "Share" if chart.basis is Basis.SUMMARIES else SHARE
    return scale_axis(drawn, chart.scale, share=share, what=DRAWN.get(chart.chart))


def _time_axis(chart: ControlChart) -> Spec:
    return time_axis([point.interval_start for point in chart.points], chart.interval)


def _line_labels(chart: ControlChart, y: Spec) -> Iterator[Spec]:
    last = chart.points[-1]
    lines = {
        "median" if chart.chart is ChartKind.RUN else "mean": last.center_line,
        "upper": last.upper_limit,
        "lower": last.lower_limit,
    }
    written = y["axis"]["format"]
    known = [
        (f"{name} {at:{written}}", at) for name, at in lines.items() if at is not None
    ]
    yield from end_labels(known, y)
