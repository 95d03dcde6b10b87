"""What people see on the dashboard: an audience's newest release, and nothing else."""

import msgspec

from app.charts.descriptions import chart_description
from app.charts.measure_charts import ChartPoint
from app.charts.vega_notes import note_lines
from app.domain.counts import ReleasedCell
from app.domain.errors import NotFoundError
from app.measures.definitions import Measure
from app.measures.strata import blocks
from app.services.catalogue import (
    MeasurePage,
    find_measure,
    published_measures,
    refuse_variant,
    stratum_names,
)
from app.services.charts import ChartOf, chart_of, notes_on
from app.services.editions import Edition
from app.services.hub import Hub
from app.services.released_series import released_series
from app.services.series import Series, Wanted

REST = ("unknown", "other")
"""The strata of who is in no other."""


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """
    One series on a page.

    ``series`` has every interval; ``found`` is the chart from the first published one
    on, None where none is published.
    """

    page: MeasurePage
    wanted: Wanted
    name: str
    series: Series
    found: ChartOf | None

    @property
    def newest(self) -> ReleasedCell | None:
        """Return the newest cell that has a value."""
        return self.series.newest

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
    def rank(self) -> int:
        """Return where the panel stands among others: first where signals are."""
        return 0 if self.found is not None and self.found.chart.signals else 1

    @property
    def description(self) -> str:
        """Return what a screen reader says of the chart."""
        assert self.found is not None
        return chart_description(self.found.chart, title=self.title, notes=self.flags)

    @property
    def flags(self) -> list[str]:
        """Return what the lettered flags on the chart stand for."""
        return [] if self.found is None else [*note_lines(notes_on(self.found))]


def find_panels(edition: Edition) -> list[Panel]:
    """Return the network's panel of each measure."""
    return [
        find_panel(edition, measure.id, Wanted())
        for measure in drawn_measures(edition.hub)
    ]


def drawn_measures(hub: Hub) -> list[Measure]:
    """Return the measures that pages show: all released ones that count people."""
    return [each for each in published_measures(hub) if each.summary is None]


def check_drawn(hub: Hub, measure_id: str) -> None:
    """Refuse a measure of which pages show nothing."""
    measure = find_measure(hub, measure_id)
    refuse_variant(measure)
    if measure not in drawn_measures(hub):
        msg = "Pages show nothing of what clinics count themselves; the API does"
        raise NotFoundError(msg)


def find_panel(edition: Edition, measure_id: str, wanted: Wanted) -> Panel:
    """
    Return a series of the release with its chart; see ``released_series``.

    Raises:
        NotFoundError: the measure is one of which pages show nothing.
    """
    check_drawn(edition.hub, measure_id)
    series = released_series(edition, measure_id, wanted)
    return Panel(
        page=series.page,
        wanted=msgspec.structs.replace(wanted, interval=series.interval),
        name=_series_name(series),
        series=series,
        found=chart_of(series),
    )


def _series_name(series: Series) -> str:
    stratum = series.stratum_name
    return f"{series.name}, {stratum_label(stratum)}" if stratum else series.name


def stratum_label(name: str) -> str:
    """Return a stratum as people say it: ``age:6-12`` is age 6 to 11."""
    stratifier, _, stratum = name.partition(":")
    low, dash, high = stratum.partition("-")
    if dash and low.isdigit() and (high.isdigit() or not high):
        years = f"{low} to {int(high) - 1}" if high else f"{low} and over"
        return f"{stratifier} {years}"
    if stratum in REST:
        return f"{stratifier} {stratum}"
    return stratum.replace("-", " ")


def newest_strata(
    edition: Edition, measure_id: str
) -> dict[str, dict[str, ReleasedCell]]:
    """
    Return the strata of each stratifier, by name.

    They are those of the newest quarter of which any of the stratifier is published.
    """
    loaded = find_measure(edition.hub, measure_id)
    measure = edition.measures.get(measure_id, loaded)
    names = stratum_names(measure)
    cells = edition.cells.get(measure_id, ())
    found: dict[str, dict[str, ReleasedCell]] = {}
    for stratifier, block in zip(measure.stratifiers, blocks(measure), strict=True):
        of_block = [cell for cell in cells if cell.stratum in block]
        shown = [cell.interval_start for cell in of_block if cell.withheld is None]
        newest = {
            names[cell.stratum - 1]: cell
            for cell in of_block
            if cell.interval_start == max(shown, default=None)
        }
        found |= {stratifier: newest} if newest else {}
    return found
