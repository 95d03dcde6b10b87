"""What people see on the dashboard: an audience's newest release, and nothing else."""

from collections.abc import Mapping, Sequence
from itertools import dropwhile
from typing import Any

import msgspec

from app.charts import vega
from app.charts.comparison import ClinicPoint
from app.charts.descriptions import chart_description, comparison_description
from app.charts.measure_charts import ChartPoint, measure_chart
from app.charts.rules import RuleSet
from app.charts.shifts import suggested_shift
from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.domain.clinics import Audience
from app.domain.counts import Interval, ReleasedCell
from app.domain.errors import ForbiddenError, NotFoundError
from app.services.catalogue import (
    MeasurePage,
    find_measure,
    page_of,
    strata_of,
    stratum_number,
)
from app.services.charts import ChartOf, ComparisonOf, Picture, compare, drawn
from app.services.counts import measure_rows
from app.services.hub import Hub
from app.services.releases import latest
from app.services.series import Series, Viewer, Wanted
from app.store import clinics, releases, tables
from app.store.releases import ReleaseRow
from app.store.sessions import ReadSession

ENOUGH_SHOWN = 0.5
"""The share of a width's intervals that must be published for it to be shown first."""


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """
    A release opened for reading, whole or one measure of it.

    ``cells`` are by the measure's id. ``clinics`` are those that it tells anything of;
    none where its readers see no single clinics.
    """

    hub: Hub
    release: ReleaseRow
    rules: AudienceRules
    cells: Mapping[str, Sequence[ReleasedCell]]
    clinics: Mapping[int, tables.Clinic]

    def name_of(self, clinic_id: int) -> str:
        """Return what the readers of the release may call a clinic."""
        clinic = self.clinics[clinic_id]
        is_named = self.rules.clinics is ClinicsShown.NAMED
        return clinic.name if is_named else clinic.code


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


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """A clinic on one measure, and the network in the clinic's newest interval."""

    panel: Panel
    network: ReleasedCell | None


class ClinicLine(msgspec.Struct, frozen=True, kw_only=True):
    """
    One clinic beside the others: its newest published cell, else its newest.

    ``point`` is its place in the comparison, if it has one.
    """

    clinic: tables.Clinic
    name: str
    cell: ReleasedCell
    point: ClinicPoint | None


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """Every clinic on one measure; ``comparison`` None: no interval can be compared."""

    lines: tuple[ClinicLine, ...]
    comparison: ComparisonOf | None

    @property
    def description(self) -> str:
        """Return what a screen reader says of the funnel plot."""
        assert self.comparison is not None
        title = self.comparison.series.page.title
        return comparison_description(self.comparison.comparison, title=title)


def open_edition(
    session: ReadSession, hub: Hub, audience: Audience, *, measure_id: str | None = None
) -> Edition | None:
    """Return the newest release of an audience, if there is one."""
    release = latest(session, audience)
    if release is None:
        return None
    rows = measure_rows(session, hub)
    only = rows.get(measure_id) if measure_id else None
    kept = releases.read_cells(
        session, release.id, measure_id=None if only is None else only.id
    )
    told_of = {cell.clinic_id for cells in kept.values() for cell in cells}
    return Edition(
        hub=hub,
        release=release,
        rules=hub.audiences.rules(audience),
        cells={name: kept.get(row.id, []) for name, row in rows.items()},
        clinics={
            row.id: row
            for row in clinics.all_clinics(session)
            if row.id is not None and row.id in told_of
        },
    )


def find_panels(edition: Edition) -> list[Panel]:
    """Return the network's panel of each measure."""
    return [
        find_panel(edition, measure.id, Wanted()) for measure in edition.hub.measures
    ]


def find_scorecard(edition: Edition, code: str) -> list[Score]:
    """Return the measures that the release tells of a clinic, the network beside it."""
    panels = [
        find_panel(edition, measure.id, Wanted(clinic=code))
        for measure in edition.hub.measures
    ]
    return [
        Score(panel=panel, network=_network_beside(edition, panel))
        for panel in panels
        if panel.series.cells
    ]


def _network_beside(edition: Edition, panel: Panel) -> ReleasedCell | None:
    """Return the network's published cell of a panel's newest interval, if any."""
    newest = panel.newest
    for cell in edition.cells[panel.page.id]:
        if (
            newest is not None
            and cell.clinic_id is None
            and cell.stratum == 0
            and cell.interval is newest.interval
            and cell.interval_start == newest.interval_start
            and cell.withheld is None
        ):
            return cell
    return None


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


def find_clinic(edition: Edition, code: str) -> tables.Clinic:
    """Return the clinic of *code* where the readers of the release see clinics."""
    if edition.rules.clinics is ClinicsShown.NONE:
        msg = "Single clinics are shown to members only. Open your members' link first."
        raise ForbiddenError(msg)
    for clinic in edition.clinics.values():
        if clinic.code == code:
            return clinic
    msg = "This release tells nothing of a clinic of that code"
    raise NotFoundError(msg)


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
    cells = tuple(
        dropwhile(lambda cell: cell.withheld is not None, series.cells),
    )
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


def find_beside(session: ReadSession, edition: Edition, measure_id: str) -> Beside:
    """Return every clinic on one measure, by name."""
    newest = _newest_of_clinics(edition.cells.get(measure_id, ()))
    found = _comparison(session, edition, measure_id)
    points = {p.clinic_id: p for p in found.comparison.points} if found else {}
    lines = [
        ClinicLine(
            clinic=edition.clinics[clinic_id],
            name=edition.name_of(clinic_id),
            cell=cell,
            point=points.get(clinic_id),
        )
        for clinic_id, cell in newest.items()
    ]
    return Beside(
        lines=tuple(sorted(lines, key=lambda line: line.name)), comparison=found
    )


def _comparison(
    session: ReadSession, edition: Edition, measure_id: str
) -> ComparisonOf | None:
    """Return the clinics that can be compared in one interval, if any can."""
    viewer = Viewer(audience=edition.release.audience)
    try:
        found = compare(session, edition.hub, viewer, measure_id, Wanted())
    except NotFoundError:
        return None
    values = [point.value for point in found.comparison.points]
    return None if all(value is None for value in values) else found


def _newest_of_clinics(cells: Sequence[ReleasedCell]) -> dict[int, ReleasedCell]:
    """Return each clinic's newest published cell, or its newest where none is."""
    newest: dict[int, ReleasedCell] = {}
    for cell in cells:
        if cell.clinic_id is None:
            continue
        before = newest.get(cell.clinic_id)
        if before is None or cell.withheld is None or before.withheld is not None:
            newest[cell.clinic_id] = cell
    return newest


def draw_chart(panel: Panel) -> str:
    """Return a panel's control chart as SVG; the page around it has the title."""
    found = _required(panel)
    spec = vega.control_chart_spec(found.chart, title=panel.title)
    return _untitled(spec)


def draw_spark_line(panel: Panel) -> str:
    """Return a panel's spark line as SVG."""
    found = _required(panel)
    return _untitled(vega.spark_line_spec(found.chart, title=panel.title))


def draw_funnel(beside: Beside, edition: Edition) -> str:
    """Return the funnel plot of clinics as SVG."""
    if beside.comparison is None:
        msg = "No interval of this measure can be compared"
        raise NotFoundError(msg)
    found = beside.comparison
    title = found.series.page.title
    names = {clinic_id: edition.name_of(clinic_id) for clinic_id in edition.clinics}
    spec = vega.funnel_spec(found.comparison, names=names, title=title)
    return _untitled(spec)


def _required(panel: Panel) -> ChartOf:
    if panel.found is None:
        msg = "Nothing is published of this series"
        raise NotFoundError(msg)
    return panel.found


def _untitled(spec: dict[str, Any]) -> str:
    picture = drawn(spec | {"title": None}, Picture.SVG)
    assert isinstance(picture, str)
    return picture
