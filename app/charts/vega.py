"""
Charts as Vega-Lite specifications, from the same numbers as the answers.

Colours are Okabe and Ito's, which colour-blind people can tell apart, and what a colour
says a shape says too. Sizes suit a phone: text stays legible at a width of 360 pixels.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from msgspec import to_builtins

from app.charts.comparison import ClinicPoint, Comparison, Zone
from app.charts.descriptions import (
    ZONES,
    chart_description,
    chart_subtitle,
    comparison_description,
    comparison_subtitle,
)
from app.charts.lines import ChartKind
from app.charts.measure_charts import ChartPoint, ControlChart
from app.charts.vega_layers import (
    BLUE,
    CLINIC,
    EXPECTED,
    GREY,
    HEIGHT,
    INK,
    KNOWN_CAUSE,
    PALE,
    PROVISIONAL,
    SCHEMA,
    SPECIAL,
    WHITE,
    WIDTH,
    Spec,
    curve,
    end_labels,
    label,
    looks,
    marks,
    mean_axis,
    proportion_axis,
    rate_axis,
    sheet,
    steps,
    time_axis,
)
from app.charts.vega_notes import Note, note_layers, note_lines, phase_layers
from app.domain.calendar import first_day
from app.domain.counts import Basis, Withheld
from app.domain.scales import Scale

SHARE = "Share of patients"
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
    y = value_axis(chain.from_iterable(drawn), chart)
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
    y = value_axis(chain.from_iterable(drawn), chart) | {"axis": None}
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


def funnel_spec(
    comparison: Comparison,
    *,
    title: str,
    names: Mapping[int, str],
    own: int | None = None,
) -> Spec:
    """
    Return the funnel plot of a comparison.

    Args:
        comparison: the clinics' numbers.
        title: what is compared, and when.
        names: what to call each clinic, by id.
        own: the clinic that looks, named in the picture wherever it lies.
    """
    shown = [point for point in comparison.points if not point.withheld]
    reach = ((curve.lower_998, curve.upper_998) for curve in comparison.curves)
    values = [point.value for point in shown]
    drawn = chain(values, chain.from_iterable(reach))
    y = scale_axis(drawn, comparison.scale, share=SHARE)
    words = [comparison_subtitle(comparison), *_absent(comparison, names)]
    description = comparison_description(comparison, title=title)
    rows = [_clinic_row(point, names) for point in shown]
    return {
        **sheet(title, words, description),
        "encoding": {"x": _denominator_axis(comparison)},
        "layer": [
            *_funnel_lines(comparison, y),
            marks(
                rows,
                {"field": "value", **y},
                kinds={row["kind"] for row in rows},
                scale=comparison.scale,
            ),
            *_clinic_labels(
                comparison, rows, y, own=None if own is None else names[own]
            ),
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


def _clinic_row(point: ClinicPoint, names: Mapping[int, str]) -> Spec:
    return {
        "name": names[point.clinic_id],
        "value": point.value,
        "numerator": point.numerator,
        "denominator": point.denominator,
        "kind": ZONES[point.zone] if point.zone else CLINIC,
    }


def value_axis(drawn: Iterable[float | None], chart: ControlChart) -> Spec:
    """Return the axis of what a control chart is drawn of, with its unit."""
    share = "Share" if chart.basis is Basis.SUMMARIES else SHARE
    return scale_axis(drawn, chart.scale, share=share, what=DRAWN.get(chart.chart))


def scale_axis(
    drawn: Iterable[float | None], scale: Scale, *, share: str, what: str | None = None
) -> Spec:
    """Return the axis of values of a scale; *what* they are, if not its values."""
    if scale.is_mean:
        unit = f" ({scale.unit_name})" if scale.unit_name else ""
        return mean_axis(drawn, scale, title=f"{what or 'Mean'}{unit}")
    if scale.per is not None:
        title = f"{what or 'Events'} per {scale.per:,}"
        return rate_axis(drawn, scale, title=title)
    return proportion_axis(drawn, title=what or share)


def _time_axis(chart: ControlChart) -> Spec:
    return time_axis([point.interval_start for point in chart.points], chart.interval)


def _denominator_axis(comparison: Comparison) -> Spec:
    sizes: list[float] = [p.denominator for p in comparison.points if p.denominator]
    sizes += [curve.denominator for curve in comparison.curves]
    ends = [min(sizes, default=0), max(sizes, default=1)]
    what = "Patients" if comparison.scale.per is None else "Exposure"
    title = f"{what} (denominator)"
    return {
        "field": "denominator",
        "type": "quantitative",
        "scale": {"domain": ends, "nice": False, "zero": False},
        "axis": {"title": title, "grid": False, "tickCount": 5},
    }


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


def _funnel_lines(comparison: Comparison, y: Spec) -> Iterator[Spec]:
    if comparison.target is None or not comparison.curves:
        return
    target = {"datum": comparison.target, **y}
    yield {
        "data": {"values": [{}]},
        "mark": {"type": "rule", "color": INK, "strokeWidth": 1.2},
        "encoding": {"x": {"value": 0}, "x2": {"value": WIDTH}, "y": target},
    }
    curves = {"values": [to_builtins(curve) for curve in comparison.curves]}
    for level, dash in (("95", [4, 3]), ("998", [1, 0])):
        for end in ("lower", "upper"):
            look = {"color": GREY, "strokeWidth": 1.2, "strokeDash": dash}
            yield {"data": curves, **curve(f"{end}_{level}", y, **look)}
    last = comparison.curves[-1]
    ends = [
        (f"network {comparison.target:{y['axis']['format']}}", comparison.target),
        ("99.8 %", last.upper_998),
        ("95 %", last.upper_95),
        ("99.8 %", last.lower_998),
        ("95 %", last.lower_95),
    ]
    yield from end_labels(ends, y)


def _clinic_labels(
    comparison: Comparison, rows: Sequence[Spec], y: Spec, *, own: str | None
) -> Iterator[Spec]:
    """Yield the names of the clinics beyond the limits, and of the one that looks."""
    middle = max((row["denominator"] for row in rows), default=0) / 2
    for row in rows:
        if row["name"] != own and row["kind"] in {ZONES[Zone.INSIDE], CLINIC}:
            continue
        is_left = row["denominator"] <= middle
        is_high = row["value"] >= (comparison.target or 0.0)
        yield label(
            row,
            y,
            align="left" if is_left else "right",
            dx=5 if is_left else -5,
            dy=-10 if is_high else 12,
            color=INK,
        )


def _absent(comparison: Comparison, names: Mapping[int, str]) -> Iterator[str]:
    """Yield which clinics are not in the picture, by reason."""
    for reason in Withheld:
        absent = [
            names[point.clinic_id]
            for point in comparison.points
            if point.withheld is reason
        ]
        if absent:
            yield f"{reason.replace('-', ' ').capitalize()}: {', '.join(absent)}"
