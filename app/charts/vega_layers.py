"""
The sheet, axes, marks and colours that all pictures share, as Vega-Lite.

Colours are Okabe and Ito's, which colour-blind people can tell apart, and what a colour
says a shape says too. Sizes suit a phone: text stays legible at a width of 360 pixels.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from textwrap import wrap
from typing import Any

from app.charts.comparison import Zone
from app.charts.descriptions import ZONES
from app.domain.calendar import first_day
from app.domain.counts import Interval
from app.domain.scales import PROPORTION, Scale

Spec = dict[str, Any]

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
FONT = "Arimo"
FONTS = f"{FONT}, 'Liberation Sans', Arial, Helvetica, sans-serif"
"""One embedded font, then those of the same widths, then any."""
WIDTH, HEIGHT = 360, 240
SUBTITLE_LENGTH = 66
"""Characters of a subtitle that fit the width."""
TITLE_LENGTH = 46
SHARE = "Share of patients"
TICKS = 6
TICK_STEPS = {
    Interval.MONTH: (1, 2, 3, 4, 6, 12, 24, 60, 120),
    Interval.QUARTER: (1, 2, 4, 8, 20, 40),
    Interval.YEAR: (1, 2, 5, 10, 20, 50),
}
FINE = 0.1
"""An axis that spans less shows tenths of a percent."""
FINE_MEANS = 0.5
"""An axis of means that spans less shows hundredths."""
COARSE_RATES = 2.0
"""An axis of rates that spans more shows tenths."""
LABEL_GAP = 0.06
"""The share of the height that keeps two labels apart."""

BLUE, VERMILION, GREY, INK = "#0072B2", "#D55E00", "#6B6B6B", "#222222"
AMBER = "#A66F00"
"""Okabe and Ito's orange, darkened until it has a contrast of 3 to 1 on white."""
PALE, WHITE = "#B8BDC3", "#FFFFFF"

EXPECTED, SPECIAL, PROVISIONAL = "as expected", "special cause", "provisional"
KNOWN_CAUSE, CLINIC, UNKNOWN = "known cause", "clinic", "not known"
CROSS = "M-1,-1L1,1M-1,1L1,-1"
LOOKS: dict[str, tuple[str, str, str]] = {
    EXPECTED: ("circle", BLUE, BLUE),
    SPECIAL: ("diamond", VERMILION, VERMILION),
    PROVISIONAL: ("circle", BLUE, WHITE),
    KNOWN_CAUSE: ("triangle-up", GREY, PALE),
    "suppressed": (CROSS, INK, WHITE),
    "no data": ("square", GREY, WHITE),
    "not published": ("triangle-down", GREY, WHITE),
    "events missing": ("triangle-left", GREY, WHITE),
    "exposure missing": ("triangle-right", GREY, WHITE),
    "no exposure": ("stroke", GREY, WHITE),
    UNKNOWN: ("square", GREY, WHITE),
    ZONES[Zone.INSIDE]: ("circle", BLUE, BLUE),
    ZONES[Zone.BEYOND_95]: ("triangle-up", AMBER, AMBER),
    ZONES[Zone.BEYOND_998]: ("diamond", VERMILION, VERMILION),
    CLINIC: ("circle", BLUE, BLUE),
}
"""Shape, stroke and fill of each kind of point."""

TIME_FORMATS = {
    Interval.MONTH: "%b %Y",
    Interval.QUARTER: "Q%q %Y",
    Interval.YEAR: "%Y",
}
CONFIG: Spec = {
    "font": FONTS,
    "background": WHITE,
    "padding": 8,
    "view": {"stroke": None},
    "title": {
        "anchor": "start",
        "frame": "group",
        "fontSize": 16,
        "fontWeight": "normal",
        "color": INK,
        "subtitleFontSize": 13,
        "subtitleColor": GREY,
        "subtitlePadding": 5,
        "offset": 12,
    },
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 13,
        "titleFontWeight": "normal",
        "labelColor": GREY,
        "titleColor": GREY,
        "gridColor": "#EEEEEE",
        "tickColor": PALE,
        "domainColor": PALE,
    },
    "legend": {
        "orient": "bottom",
        "columns": 3,
        "labelFontSize": 13,
        "labelColor": INK,
        "labelLimit": 0,
        "symbolSize": 80,
    },
}


def sheet(title: str, words: Iterable[str], description: str) -> Spec:
    """Return what a picture has around its layers; *words* go under the title."""
    subtitle = [line for text in words for line in wrap(text, SUBTITLE_LENGTH)]
    return {
        "$schema": SCHEMA,
        "description": description,
        "title": {"text": wrap(title, TITLE_LENGTH), "subtitle": subtitle},
        "width": WIDTH,
        "height": HEIGHT,
        "config": CONFIG,
    }


def proportion_axis(drawn: Iterable[float | None], *, title: str = "") -> Spec:
    """Return the percent axis of all that is *drawn*, with a margin for marks."""
    numbers = [number for number in drawn if number is not None]
    low, high = min(numbers, default=0.0), max(numbers, default=1.0)
    margin = max(0.01, 0.12 * (high - low))
    low, high = max(0.0, low - margin), min(1.0, high + margin / 2)
    return {
        "type": "quantitative",
        "scale": {"domain": [low, high], "nice": False, "zero": False},
        "axis": {
            "title": title,
            "format": ".0%" if high - low >= FINE else ".1%",
            "tickCount": 5,
            "ticks": False,
        },
    }


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


def mean_axis(drawn: Iterable[float | None], scale: Scale, *, title: str = "") -> Spec:
    """Return the axis of means of all that is *drawn*, with a margin for marks."""
    numbers = [number for number in drawn if number is not None]
    low, high = min(numbers, default=0.0), max(numbers, default=1.0)
    margin = max(0.1, 0.12 * (high - low))
    return {
        "type": "quantitative",
        "scale": {
            "domain": [low - margin, high + margin / 2],
            "nice": False,
            "zero": False,
        },
        "axis": {
            "title": title,
            "format": scale.number_format if high - low >= FINE_MEANS else ".2f",
            "tickCount": 5,
            "ticks": False,
        },
    }


def rate_axis(drawn: Iterable[float | None], scale: Scale, *, title: str = "") -> Spec:
    """Return the axis of rates of all that is *drawn*, from 0 where they are near."""
    numbers = [number for number in drawn if number is not None]
    low, high = min(numbers, default=0.0), max(numbers, default=1.0)
    margin = max(0.05, 0.12 * (high - low))
    return {
        "type": "quantitative",
        "scale": {
            "domain": [max(0.0, low - margin), high + margin / 2],
            "nice": False,
            "zero": False,
        },
        "axis": {
            "title": title,
            "format": scale.number_format if high - low < COARSE_RATES else ".1f",
            "tickCount": 5,
            "ticks": False,
        },
    }


def time_axis(interval_starts: Sequence[int], interval: Interval) -> Spec:
    """Return the axis of intervals, labelled at their first day."""
    return {
        "field": "start",
        "type": "temporal",
        "scale": {"type": "utc", "padding": 8},
        "axis": {
            "title": interval.capitalize(),
            "format": TIME_FORMATS[interval],
            "values": _ticks(interval_starts, interval),
            "grid": False,
        },
    }


def _ticks(interval_starts: Sequence[int], interval: Interval) -> list[str]:
    """Return a few dates, evenly apart, of points that are there."""
    widths = TICK_STEPS[interval]
    step = next((n for n in widths if len(interval_starts) <= n * TICKS), widths[-1])
    return [first_day(start).isoformat() for start in interval_starts[::step]]


def curve(field: str, y: Spec, **look: object) -> Spec:
    """Return a line through *field*, broken where it is null."""
    return {
        "mark": {"type": "line", "invalid": "break-paths-show-path-domains", **look},
        "encoding": {"y": {"field": field, **y}},
    }


def steps(field: str, y: Spec, **look: object) -> Spec:
    """Return a line that is level around each point and starts anew with each phase."""
    layer = curve(field, y, interpolate="step", strokeWidth=1.2, **look)
    layer["encoding"]["detail"] = {"field": "phase"}
    return layer


def marks(
    rows: Sequence[Spec],
    y: Spec,
    *,
    kinds: Collection[str],
    scale: Scale = PROPORTION,
) -> Spec:
    """Return the points of *rows* at *y*, with a legend of *kinds* of points."""
    shown = [kind for kind in LOOKS if kind in kinds]
    return {
        "data": {"values": [*rows]},
        "mark": {"type": "point", "size": 55, "opacity": 1, "strokeWidth": 1.5},
        "encoding": {
            "y": y,
            # Vega finds no size for a legend of nothing, nor for the picture.
            **looks(legend={"title": None, "values": shown} if shown else None),
            "tooltip": [
                {"field": "kind"},
                {"field": "value", "format": scale.number_format},
                {"field": "numerator"},
                {"field": "denominator"},
            ],
        },
    }


def looks(*, legend: Spec | None) -> Spec:
    """Return the channels that show what kind of point each is."""
    ranges = zip(*LOOKS.values(), strict=True)
    return {
        channel: {
            "field": "kind",
            "type": "nominal",
            "scale": {"domain": [*LOOKS], "range": [*values]},
            "legend": legend,
        }
        for channel, values in zip(("shape", "stroke", "fill"), ranges, strict=True)
    }


def label(row: Spec, y: Spec, **look: object) -> Spec:
    """Return the name of a row, written at its value."""
    return {
        "data": {"values": [row]},
        "mark": {"type": "text", "fontSize": 12, "color": GREY, **look},
        "encoding": {"y": {"field": "value", **y}, "text": {"field": "name"}},
    }


def end_labels(ends: Iterable[tuple[str, float]], y: Spec) -> Iterator[Spec]:
    """Yield what lines are called, at their right end, where a label has room."""
    low, high = y["scale"]["domain"]
    taken: list[float] = []
    for name, at in ends:
        if any(abs(at - other) < LABEL_GAP * (high - low) for other in taken):
            continue
        taken.append(at)
        layer = label({"name": name, "value": at}, y, align="left", dx=4)
        layer["encoding"]["x"] = {"value": WIDTH}
        yield layer
