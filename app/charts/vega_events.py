"""The picture of what lay between a clinic's single events, for its own eyes."""

from collections.abc import Sequence
from datetime import date
from itertools import chain

from app.charts.descriptions import event_description, event_subtitle
from app.charts.event_charts import EventChart, EventPoint
from app.charts.vega import AXIS_MARKS
from app.charts.vega_layers import (
    BLUE,
    EXPECTED,
    GREY,
    INK,
    SPECIAL,
    UNKNOWN,
    Spec,
    curve,
    end_labels,
    marks,
    sheet,
    steps,
)
from app.domain.scales import Scale

WHOLE = Scale(unit="1")
"""Days and opportunities have no unit that UCUM would write beside them."""


def event_chart_spec(
    chart: EventChart, days: Sequence[date], *, title: str, unit: str
) -> Spec:
    """
    Return the picture of a t or g chart.

    Args:
        chart: at least one point.
        days: of the event that ends each point, in time order.
        title: what happened, and where.
        unit: what lay between: ``days`` or ``opportunities``.
    """
    rows = [_row(point, day) for point, day in zip(chart.points, days, strict=True)]
    known = [row for row in rows if row["value"] is not None]
    unknown = [row for row in rows if row["value"] is None]
    y = _axis(rows, title=f"{unit.capitalize()} between events")
    kinds = {row["kind"] for row in rows}
    return {
        **sheet(
            title,
            [event_subtitle(chart)],
            event_description(chart, title=title, unit=unit),
        ),
        "data": {"values": rows},
        "encoding": {"x": _day_axis()},
        "layer": [
            steps("lower_limit", y, color=GREY, strokeDash=[4, 3]),
            steps("upper_limit", y, color=GREY, strokeDash=[4, 3]),
            steps("center_line", y, color=INK),
            curve("value", y, color=BLUE, strokeWidth=1.2, opacity=0.6),
            *end_labels(_ends(rows), y),
            marks(known, {"field": "value", **y}, kinds=kinds, scale=WHOLE),
            marks(unknown, AXIS_MARKS, kinds=kinds, scale=WHOLE),
        ],
    }  # fmt: skip


def _row(point: EventPoint, day: date) -> Spec:
    lines = point.lines
    return {
        "start": day.isoformat(),
        "value": point.value,
        "numerator": None,
        "denominator": None,
        "center_line": lines.center_line if lines else None,
        "lower_limit": lines.lower_limit if lines else None,
        "upper_limit": lines.upper_limit if lines else None,
        "phase": 1,
        "kind": _kind(point),
    }


def _kind(point: EventPoint) -> str:
    if point.value is None:
        return UNKNOWN
    return SPECIAL if point.signals else EXPECTED


def _axis(rows: Sequence[Spec], *, title: str) -> Spec:
    drawn = chain.from_iterable((row["value"], row["upper_limit"]) for row in rows)
    high = max((number for number in drawn if number is not None), default=1.0)
    return {
        "type": "quantitative",
        "scale": {"domain": [0, 1.06 * max(high, 1.0)], "nice": False, "zero": True},
        "axis": {"title": title, "format": ",.0f", "tickCount": 5, "ticks": False},
    }


def _day_axis() -> Spec:
    return {
        "field": "start",
        "type": "temporal",
        "scale": {"type": "utc", "padding": 8},
        "axis": {"title": "Day of the event", "format": "%b %Y", "tickCount": 5,
                 "grid": False, "labelOverlap": "greedy"},
    }  # fmt: skip


def _ends(rows: Sequence[Spec]) -> list[tuple[str, float]]:
    if not rows:
        return []
    names = {"mean": "center_line", "upper": "upper_limit", "lower": "lower_limit"}
    return [
        (f"{name} {at:.0f}", at)
        for name, field in names.items()
        if (at := rows[-1][field]) is not None
    ]
