"""Charts and clinic comparisons of what a viewer may see, as numbers and pictures."""

import json
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any

import msgspec
import vl_convert

from app.charts import vega
from app.charts.comparison import Comparison, compare_clinics
from app.charts.measure_charts import ControlChart, measure_chart
from app.charts.rules import RuleSet
from app.charts.shifts import Shift, suggested_shift
from app.domain.counts import Basis, Interval, ReleasedCell
from app.domain.errors import NotFoundError
from app.services.catalogue import find_measure
from app.services.counts import measure_rows
from app.services.hub import Hub
from app.services.releases import latest
from app.services.series import Series, Viewer, Wanted, find_series
from app.store import clinics, releases, tables
from app.store.sessions import ReadSession

REMEMBERED_PICTURES = 512
"""Some 30 kB each."""


class Picture(StrEnum):
    """What a chart can be had as, beside its numbers."""

    SVG = "svg"
    PNG = "png"
    SPECIFICATION = "vl.json"


MEDIA_TYPES = {
    Picture.SVG: "image/svg+xml",
    Picture.PNG: "image/png",
    Picture.SPECIFICATION: "application/json",
}


class ChartOf(msgspec.Struct, frozen=True, kw_only=True):
    """A series with its control chart; and a change in it, if one is likely."""

    series: Series
    chart: ControlChart
    shift: Shift | None


class ComparisonOf(msgspec.Struct, frozen=True, kw_only=True):
    """Every clinic on one measure in one interval, with the clinics' names."""

    series: Series
    comparison: Comparison
    clinics: dict[int, tables.Clinic]


def find_chart(
    session: ReadSession,
    hub: Hub,
    viewer: Viewer,
    measure_id: str,
    wanted: Wanted,
    *,
    rule_set: RuleSet,
) -> ChartOf:
    """Return the control chart of a series that *viewer* may see."""
    series = find_series(session, hub, viewer, measure_id, wanted)
    if not series.cells:
        msg = "Nothing is published of this series"
        raise NotFoundError(msg)
    basis = series.page.basis
    chart = measure_chart(
        series.cells,
        basis=basis,
        improvement=series.page.improvement_notation,
        rule_set=rule_set,
    )
    return ChartOf(
        series=series, chart=chart, shift=suggested_shift(series.cells, basis=basis)
    )


def compare(
    session: ReadSession, hub: Hub, viewer: Viewer, measure_id: str, wanted: Wanted
) -> ComparisonOf:
    """
    Return the clinics of the viewer's release side by side.

    Without an interval asked for, it is the width at which most clinics publish, and
    the newest interval of that width that has a network total.
    """
    cells = released_cells(session, hub, viewer, measure_id)
    interval = wanted.interval or _usual_width(cells)
    network = find_series(
        session,
        hub,
        viewer,
        measure_id,
        msgspec.structs.replace(wanted, clinic=None, interval=interval),
    )
    totals = [cell for cell in network.cells if cell.denominator is not None]
    if not totals:
        msg = "No network total of this width is published"
        raise NotFoundError(msg)
    total = totals[-1]
    comparison = compare_clinics(
        _beside(total, cells, basis=network.page.basis),
        network=total,
        improvement=network.page.improvement_notation,
    )
    names = {row.id: row for row in clinics.all_clinics(session) if row.id is not None}
    series = msgspec.structs.replace(network, cells=(total,))
    return ComparisonOf(series=series, comparison=comparison, clinics=names)


def released_cells(
    session: ReadSession, hub: Hub, viewer: Viewer, measure_id: str
) -> list[ReleasedCell]:
    """Return what the viewer's newest release says of single clinics."""
    find_measure(hub, measure_id)
    release = latest(session, viewer.audience)
    row = measure_rows(session, hub).get(measure_id)
    if release is None or row is None:
        msg = "Nothing has been released yet"
        raise NotFoundError(msg)
    cells = releases.read_cells(session, release.id, measure_id=row.id)
    return [
        cell
        for cell in cells.get(row.id, [])
        if cell.clinic_id is not None and cell.stratum == 0
    ]


def _usual_width(cells: Sequence[ReleasedCell]) -> Interval:
    """Return the width at which most clinics publish; of several the widest."""
    published = {
        (cell.clinic_id, cell.interval) for cell in cells if cell.withheld is None
    }
    counts = Counter(interval for _, interval in published)
    return max(
        Interval, key=lambda width: (counts[width], width.months), default=Interval.YEAR
    )


def _beside(
    total: ReleasedCell, cells: Sequence[ReleasedCell], *, basis: Basis
) -> list[ReleasedCell]:
    """
    Return each clinic's cell that stands for the same time as *total*.

    A latest status is that of its interval's last day, whatever the width; visits can
    be compared within one width only.
    """
    end = total.interval_start + total.interval.months
    if basis is Basis.VISITS:
        same = [cell for cell in cells if cell.interval is total.interval]
    else:
        same = list(cells)
    ending = [
        cell for cell in same if cell.interval_start + cell.interval.months == end
    ]
    return list({cell.clinic_id: cell for cell in ending}.values())


def draw_chart(found: ChartOf, picture: Picture) -> str | bytes:
    """Return a control chart as *picture*."""
    name = "Network" if found.series.clinic is None else found.series.clinic.name
    title = f"{found.series.page.title}: {name}"
    return drawn(vega.control_chart_spec(found.chart, title=title), picture)


def draw_comparison(found: ComparisonOf, picture: Picture) -> str | bytes:
    """Return a funnel plot of clinics as *picture*."""
    names = {clinic_id: row.name for clinic_id, row in found.clinics.items()}
    title = found.series.page.title
    spec = vega.funnel_spec(found.comparison, names=names, title=title)
    return drawn(spec, picture)


def drawn(spec: dict[str, Any], picture: Picture) -> str | bytes:
    """Return a Vega-Lite specification drawn; a PNG at twice the size, for print."""
    return _rendered(json.dumps(spec), picture)


@lru_cache(maxsize=REMEMBERED_PICTURES)
def _rendered(spec: str, picture: Picture) -> str | bytes:
    """Return a picture, remembered: drawing takes a tenth of a second."""
    if picture is Picture.SVG:
        return str(vl_convert.vegalite_to_svg(spec))
    if picture is Picture.PNG:
        return bytes(vl_convert.vegalite_to_png(spec, scale=2))
    return spec
