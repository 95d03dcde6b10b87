"""Charts and clinic comparisons of what a viewer may see, as numbers and pictures."""

import json
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from itertools import dropwhile
from typing import Any

import msgspec
import vl_convert

from app.charts import vega
from app.charts.comparison import Comparison, compare_clinics
from app.charts.measure_charts import ControlChart, measure_chart
from app.charts.rules import RuleSet
from app.charts.shifts import Shift, suggested_shift
from app.disclosure.releases import not_published
from app.domain.annotations import ChartView
from app.domain.counts import Basis, Interval, ReleasedCell
from app.domain.errors import NotFoundError
from app.services.catalogue import (
    MeasurePage,
    find_measure,
    page_of,
    refuse_variant,
)
from app.services.chart_notes import Applied, applied
from app.services.editions import Edition
from app.services.hub import Hub
from app.services.series import Series, Viewer, Wanted, find_series, released_series
from app.store.annotations import Annotation
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
    """
    A series with its control chart; and a change in it, if one is likely.

    The change is looked for in the last phase of those that were ``applied``.
    """

    series: Series
    chart: ControlChart
    shift: Shift | None
    applied: Applied

    @property
    def tests_of_change(self) -> list[Annotation]:
        """Return what was tried in the time of the chart."""
        cells = self.series.cells
        span = range(
            cells[0].interval_start,
            cells[-1].interval_start + cells[-1].interval.months,
        )
        return [
            each
            for each in self.series.notes
            if not each.kind.is_decision and each.month in span
        ]


class ComparisonOf(msgspec.Struct, frozen=True, kw_only=True):
    """Every clinic on one measure in one interval; the edition knows their names."""

    series: Series
    comparison: Comparison
    edition: Edition


def find_chart(
    session: ReadSession,
    hub: Hub,
    viewer: Viewer,
    measure_id: str,
    wanted: Wanted,
    *,
    rule_set: RuleSet,
    view: ChartView = ChartView.ACCEPTED,
) -> ChartOf:
    """Return the control chart of a series that *viewer* may see."""
    series = find_series(session, hub, viewer, measure_id, wanted)
    found = chart_of(series, rule_set=rule_set, view=view)
    if found is None:
        msg = "Nothing is published of this series"
        raise NotFoundError(msg)
    return found


def chart_of(
    series: Series,
    *,
    rule_set: RuleSet = RuleSet.ANHOEJ,
    view: ChartView = ChartView.ACCEPTED,
) -> ChartOf | None:
    """
    Return the control chart of a series, or None where nothing of it is published.

    It begins at the first published interval: what was withheld before would take the
    lines from all that came after.
    """
    cells = tuple(dropwhile(lambda cell: cell.withheld is not None, series.cells))
    if not cells:
        return None
    basis = series.page.basis
    decided = applied(
        series.notes,
        [cell.interval_start for cell in cells],
        interval=cells[0].interval,
        view=view,
    )
    chart = measure_chart(
        cells,
        basis=basis,
        improvement=series.page.improvement_notation,
        scale=series.page.scale,
        rule_set=rule_set,
        phases=decided.lines,
        excluded=decided.excluded,
    )
    return ChartOf(
        series=msgspec.structs.replace(series, cells=cells),
        chart=chart,
        shift=suggested_shift(decided.open_cells(cells), basis=basis)
        if series.page.scale.is_proportion
        else None,
        applied=decided,
    )


def compare(edition: Edition, measure_id: str, wanted: Wanted) -> ComparisonOf:
    """
    Return the clinics of a release side by side.

    Without an interval asked for, it is the width at which most clinics publish, and
    the newest interval of that width that has a network total.

    Raises:
        NotFoundError: there is no such total, or the measure is a mean or a variant.
    """
    measure = find_measure(edition.hub, measure_id)
    refuse_variant(measure)
    page = page_of(measure)
    refuse_rate(page, "Clinics are not compared on rates; see their series")
    if page.scale.is_mean:
        msg = (
            "Clinics are not compared by means: a funnel plot is one of proportions. "
            "Each clinic's series has its mean, deviation and percentiles."
        )
        raise NotFoundError(msg)
    cells = [
        cell
        for cell in edition.cells.get(measure_id, ())
        if cell.clinic_id is not None and cell.stratum == 0
    ]
    interval = wanted.interval or _usual_width(cells)
    whole = msgspec.structs.replace(wanted, clinic=None, interval=interval)
    network = released_series(edition, measure_id, whole)
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
    series = msgspec.structs.replace(network, cells=(total,))
    return ComparisonOf(series=series, comparison=comparison, edition=edition)


def refuse_rate(page: MeasurePage, message: str) -> None:
    """Refuse what is drawn for proportions only."""
    if page.scale.per is not None:
        raise NotFoundError(message)


def _usual_width(cells: Sequence[ReleasedCell]) -> Interval:
    """Return the width at which most clinics publish; of several the finest."""
    published = {
        (cell.clinic_id, cell.interval) for cell in cells if cell.withheld is None
    }
    counts = Counter(interval for _, interval in published)
    return max(
        Interval,
        key=lambda width: (counts[width], -width.months),
        default=Interval.YEAR,
    )


def _beside(
    total: ReleasedCell, cells: Sequence[ReleasedCell], *, basis: Basis
) -> list[ReleasedCell]:
    """
    Return each clinic's cell that stands for the same time as *total*.

    A latest status is that of its interval's last day, whatever the width; visits and
    index events can be compared within one width only. A clinic that has none is marked
    so.
    """
    end = total.interval_start + total.interval.months
    if basis is not Basis.LATEST_STATUS:
        same = [cell for cell in cells if cell.interval is total.interval]
    else:
        same = list(cells)
    ending = [
        cell for cell in same if cell.interval_start + cell.interval.months == end
    ]
    marks = {
        cell.clinic_id: not_published(total, clinic_id=cell.clinic_id)
        for cell in cells
        if cell.clinic_id is not None
    }
    return list((marks | {cell.clinic_id: cell for cell in ending}).values())


def draw_chart(found: ChartOf, picture: Picture) -> str | bytes:
    """Return a control chart as *picture*."""
    refuse_rate(found.series.page, "There is no picture of rates; see the chart")
    title = f"{found.series.page.title}: {found.series.name}"
    return drawn(vega.control_chart_spec(found.chart, title=title), picture)


def draw_comparison(found: ComparisonOf, picture: Picture) -> str | bytes:
    """Return a funnel plot of clinics as *picture*."""
    names = {
        clinic_id: found.edition.name_of(clinic_id)
        for clinic_id in found.edition.clinics
    }
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
