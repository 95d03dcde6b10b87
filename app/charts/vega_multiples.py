"""A small chart of every clinic on one measure, all on one scale, in one picture."""

from collections.abc import Iterator, Sequence
from itertools import chain

import msgspec

from app.charts.descriptions import better, interval_label
from app.charts.vega_layers import (
    BLUE,
    CONFIG,
    GREY,
    INK,
    SCHEMA,
    SHARE,
    Spec,
    curve,
    looks,
    scale_axis,
    time_axis,
)
from app.domain.calendar import first_day
from app.domain.counts import Interval, ReleasedCell
from app.domain.scales import Scale

COLUMNS = 4
PANEL_WIDTH, PANEL_HEIGHT = 150, 64
LONGEST_NAME = PANEL_WIDTH + 12
"""Of a longer name the panel shows the beginning, the description all."""
TICKS = 3
NETWORK, CLINIC = "network", "clinic"


class SmallChart(msgspec.Struct, frozen=True, kw_only=True):
    """A clinic's name, and its released cells in time order."""

    name: str
    cells: tuple[ReleasedCell, ...]


class Multiples(msgspec.Struct, frozen=True, kw_only=True):
    """
    Every clinic on one measure, and the network, at one width.

    ``improvement`` is the measure's improvement notation.
    """

    panels: tuple[SmallChart, ...]
    network: tuple[ReleasedCell, ...]
    interval: Interval
    scale: Scale
    improvement: str


def multiples_spec(found: Multiples, *, title: str) -> Spec:
    """
    Return a panel for each clinic: its line, and the network's in grey behind it.

    Intervals without a value are marks at a panel's foot. A clinic of which nothing is
    published has its panel, in which a word says so.
    """
    rows = [*_rows(found)]
    y = _axis(found)
    words = f"{better(found.improvement)}; the network in grey"
    return {
        "$schema": SCHEMA,
        "description": multiples_description(found, title=title),
        "title": {"text": [title], "subtitle": [words]},
        "config": CONFIG,
        "data": {"values": rows},
        "facet": {
            "field": "name",
            "type": "nominal",
            "title": None,
            "sort": [panel.name for panel in found.panels],
            "header": {
                "labelFontSize": 13,
                "labelLimit": LONGEST_NAME,
                "labelColor": INK,
                "labelAnchor": "start",
            },
        },
        "columns": min(COLUMNS, max(1, len(found.panels))),
        "spacing": {"row": 14, "column": 18},
        "spec": {
            "width": PANEL_WIDTH,
            "height": PANEL_HEIGHT,
            "encoding": {"x": _times(found)},
            "layer": [*_layers(y, {row["kind"] for row in rows if row["kind"]})],
        },
    }


def multiples_description(found: Multiples, *, title: str) -> str:
    """Return what a screen reader says of the panels: each clinic's newest value."""
    told = [f"{title}. Small charts of {len(found.panels)} clinics, all on one scale."]
    if newest := _newest(found.network):
        told.append(f"Network {_said(newest, found)}.")
    for panel in found.panels:
        newest = _newest(panel.cells)
        words = _said(newest, found) if newest else _why(panel)
        told.append(f"{panel.name}: {words}.")
    return " ".join(told)


def _said(cell: ReleasedCell, found: Multiples) -> str:
    value = found.scale.value(cell)
    assert value is not None
    when = interval_label(cell.interval_start, found.interval)
    return f"{found.scale.text(value)} in {when}"


def _newest(cells: Sequence[ReleasedCell]) -> ReleasedCell | None:
    told = [cell for cell in cells if cell.withheld is None]
    return told[-1] if told else None


def _why(panel: SmallChart) -> str:
    """Return why nothing of a clinic is shown."""
    reasons = [cell.withheld for cell in panel.cells if cell.withheld]
    return reasons[-1].replace("-", " ") if reasons else "not published"


def _rows(found: Multiples) -> Iterator[Spec]:
    for panel in found.panels:
        for cell in found.network:
            yield _row(panel, cell, found, of=NETWORK)
        for cell in panel.cells:
            yield _row(panel, cell, found, of=CLINIC)
        if _newest(panel.cells) is None and found.network:
            middle = found.network[len(found.network) // 2]
            yield _row(panel, middle, found, of="word") | {"word": _why(panel)}


def _row(panel: SmallChart, cell: ReleasedCell, found: Multiples, *, of: str) -> Spec:
    is_gap = of == CLINIC and cell.withheld and _newest(panel.cells)
    return {
        "name": panel.name,
        "of": of,
        "start": first_day(cell.interval_start).isoformat(),
        "value": found.scale.value(cell),
        "kind": cell.withheld.replace("-", " ") if is_gap and cell.withheld else "",
        "word": "",
    }


def _layers(y: Spec, kinds: set[str]) -> Iterator[Spec]:
    value = {"y": {"field": "value", **y}}
    yield _of(NETWORK, curve("value", y, color=GREY, strokeWidth=1, opacity=0.7))
    yield _of(CLINIC, curve("value", y, color=BLUE, strokeWidth=1.8))
    yield {
        "transform": [
            {"filter": f"datum.of == '{CLINIC}' && datum.value != null"},
            {
                "window": [{"op": "last_value", "field": "start", "as": "newest"}],
                "frame": [None, None],
                "groupby": ["name"],
                "sort": [{"field": "start"}],
            },
            {"filter": "datum.start == datum.newest"},
        ],
        "mark": {"type": "point", "filled": True, "size": 36, "color": BLUE},
        "encoding": value,
    }
    yield {
        "transform": [{"filter": "datum.kind != ''"}],
        "mark": {"type": "point", "size": 22, "opacity": 1, "strokeWidth": 1.2},
        "encoding": {
            "y": {"value": PANEL_HEIGHT - 5},
            **looks(legend={"title": None, "values": sorted(kinds)} if kinds else None),
        },
    }
    yield {
        "transform": [{"filter": "datum.of == 'word'"}],
        "mark": {"type": "text", "fontSize": 12, "color": GREY},
        "encoding": {"y": {"value": PANEL_HEIGHT - 8}, "text": {"field": "word"}},
    }


def _of(which: str, layer: Spec) -> Spec:
    return {"transform": [{"filter": f"datum.of == '{which}'"}], **layer}


def _axis(found: Multiples) -> Spec:
    everyone = (panel.cells for panel in found.panels)
    cells = chain(found.network, chain.from_iterable(everyone))
    y = scale_axis(map(found.scale.value, cells), found.scale, share=SHARE)
    y["axis"] |= {"title": None, "tickCount": TICKS, "labelFontSize": 11}
    return y


def _times(found: Multiples) -> Spec:
    starts = [cell.interval_start for cell in found.network]
    x = time_axis(starts, found.interval)
    ends = [first_day(at).isoformat() for at in (*starts[:1], *starts[-1:])]
    x["axis"] |= {"title": None, "values": ends, "labelFontSize": 11}
    x["axis"] |= {"labelAlign": {"expr": "datum.index == 0 ? 'left' : 'right'"}}
    return x
