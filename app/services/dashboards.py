"""What people see on the dashboard: an audience's newest release, and nothing else."""

from collections.abc import Sequence
from itertools import dropwhile
from typing import Any

import msgspec

from app.charts import vega
from app.charts.descriptions import chart_description
from app.charts.measure_charts import ChartPoint, measure_chart
from app.charts.rules import RuleSet
from app.charts.shifts import suggested_shift
from app.domain.counts import Interval, ReleasedCell
from app.domain.errors import NotFoundError
from app.services.catalogue import (
    MeasurePage,
    find_measure,
    page_of,
    strata_of,
    stratum_number,
)
from app.services.charts import ChartOf, Picture, drawn
from app.services.editions import Edition, find_clinic
from app.services.series import Series, Wanted

ENOUGH_SHOWN = 0.5
"""The share of a width's intervals that must be published for it to be shown first."""


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """
    One series on a page.

    ``series`` has every interval; ``found`` is the chart from the first published one
    on, None where none is published. ``widths`` are those there is anything of.
    """

    page: MeasurePage
    wanted: Wanted
    name: str
    widths: tuple[Interval, ...]
    series: Series
    found: ChartOf | None

    @property
    def newest(self) -> ReleasedCell | None:
        """Return the newest cell that is published."""
        shown = [cell for cell in self.series.cells if cell.withheld is None]
        return shown[-1] if shown else None

    @property
    def newest_complete(self) -> ReleasedCell | None:
        """Return the newest cell of which completeness is published too."""
        shown = [cell for cell in self.series.cells if cell.population]
        return shown[-1] if shown else None

    @property
    def last(self) -> ReleasedCell | None:
        """Return the newest cell, published or not."""
        return self.series.cells[-1] if self.series.cells else None

    @property
    def points(self) -> list[tuple[ReleasedCell, ChartPoint | None]]:
        """Return every cell with its point on the chart, the newest first."""
        drawn = self.found.chart.points if self.found else ()
        by_start = {point.interval_start: point for point in drawn}
        return [
            (cell, by_start.get(cell.interval_start))
            for cell in reversed(self.series.cells)
        ]

    @property
    def title(self) -> str:
        """Return what the series is called."""
        return f"{self.page.title}: {self.name}"

    @property
    def description(self) -> str:
        """Return what a screen reader says of the chart."""
        assert self.found is not None
        return chart_description(self.found.chart, title=self.title)


def find_panels(edition: Edition) -> list[Panel]:
    """Return the network's panel of each measure."""
    return [
        find_panel(edition, measure.id, Wanted()) for measure in edition.hub.measures
    ]


def find_panel(edition: Edition, measure_id: str, wanted: Wanted) -> Panel:
    """
    Return a series of the release with its chart.

    Without an interval asked for it is the finest width of which at least half is
    published, else the width of which most is.

    Raises:
        NotFoundError: no measure or stratum of that name.
        ForbiddenError: the audience does not see clinics.
    """
    measure = find_measure(edition.hub, measure_id)
    clinic = None if wanted.clinic is None else find_clinic(edition, wanted.clinic)
    stratum = stratum_number(measure, wanted.stratum)
    clinic_id = None if clinic is None else clinic.id
    cells = [
        cell
        for cell in edition.cells.get(measure_id, ())
        if cell.clinic_id == clinic_id and cell.stratum == stratum
    ]
    interval = wanted.interval or _shown_first(cells)
    page = page_of(measure)
    series = Series(
        page=page,
        clinic=clinic,
        stratum_name=wanted.stratum,
        interval=interval,
        cells=tuple(cell for cell in cells if cell.interval is interval),
        audience=edition.release.audience,
        release_id=edition.release.id,
        counted_up_to=None,
        policy_digest=edition.release.policy_digest,
    )
    return Panel(
        page=page,
        wanted=msgspec.structs.replace(wanted, interval=interval),
        name=_series_name(edition, clinic_id, wanted.stratum),
        widths=tuple(w for w in Interval if any(cell.interval is w for cell in cells)),
        series=series,
        found=_chart(series),
    )


def _series_name(edition: Edition, clinic_id: int | None, stratum: str | None) -> str:
    name = "Network" if clinic_id is None else edition.name_of(clinic_id)
    return name if stratum is None else f"{name}, {stratum_label(stratum)}"


def stratum_label(name: str) -> str:
    """Return a stratum as people say it: ``age:6-12`` is age 6 to 11."""
    _, _, band = name.partition(":")
    low, _, high = band.partition("-")
    if not low.isdigit():
        return f"age {band}"
    return f"age {low} to {int(high) - 1}" if high else f"age {low} and over"


def _shown_first(cells: Sequence[ReleasedCell]) -> Interval:
    shares = {
        width: sum(cell.withheld is None for cell in of_width) / len(of_width)
        for width in Interval
        if (of_width := [cell for cell in cells if cell.interval is width])
    }
    for width, share in shares.items():
        if share >= ENOUGH_SHOWN:
            return width
    return max(shares, key=lambda width: shares[width], default=Interval.MONTH)


def _chart(series: Series) -> ChartOf | None:
    """Return the chart of what follows the intervals that begin the series unseen."""
    cells = tuple(dropwhile(lambda cell: cell.withheld is not None, series.cells))
    if not cells:
        return None
    basis = series.page.basis
    chart = measure_chart(
        cells,
        basis=basis,
        improvement=series.page.improvement_notation,
        rule_set=RuleSet.ANHOEJ,
    )
    return ChartOf(
        series=msgspec.structs.replace(series, cells=cells),
        chart=chart,
        shift=suggested_shift(cells, basis=basis),
    )


def newest_strata(edition: Edition, measure_id: str) -> dict[str, ReleasedCell]:
    """Return each stratum in the newest quarter of which any is published."""
    cells = edition.cells.get(measure_id, ())
    shown = [c.interval_start for c in cells if c.stratum and c.withheld is None]
    names = strata_of(find_measure(edition.hub, measure_id))
    return {
        names[cell.stratum - 1]: cell
        for cell in cells
        if cell.stratum and cell.interval_start == max(shown, default=None)
    }


def draw_chart(panel: Panel) -> str:
    """Return a panel's control chart as SVG; the page around it has the title."""
    found = _required(panel)
    spec = vega.control_chart_spec(found.chart, title=panel.title)
    return draw_untitled(spec)


def draw_spark_line(panel: Panel) -> str:
    """Return a panel's spark line as SVG."""
    found = _required(panel)
    return draw_untitled(vega.spark_line_spec(found.chart, title=panel.title))


def _required(panel: Panel) -> ChartOf:
    if panel.found is None:
        msg = "Nothing is published of this series"
        raise NotFoundError(msg)
    return panel.found


def draw_untitled(spec: dict[str, Any]) -> str:
    """Return a Vega-Lite specification as SVG, without its title."""
    picture = drawn(spec | {"title": None}, Picture.SVG)
    assert isinstance(picture, str)
    return picture
