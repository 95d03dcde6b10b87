"""Charts and clinic comparisons of what a viewer may see, as numbers."""

from collections.abc import Sequence
from itertools import dropwhile

import msgspec

from app.charts.comparison import Comparison, compare_clinics
from app.charts.event_charts import EventChart, event_chart
from app.charts.gap_charts import GapLimits
from app.charts.lines import ChartKind
from app.charts.measure_charts import ControlChart, measure_chart
from app.charts.rules import RuleSet
from app.charts.shifts import Shift, suggested_shift
from app.charts.variations import Variation, variations
from app.charts.vega_notes import Note
from app.disclosure.releases import not_published
from app.domain.annotations import ChartView
from app.domain.counts import Basis, ReleasedCell
from app.domain.errors import MalformedError, NotFoundError
from app.measures.definitions import Between
from app.services.catalogue import find_measure, refuse_variant
from app.services.chart_notes import Applied, applied
from app.services.editions import Edition
from app.services.hub import Hub
from app.services.released_series import clinic_cells, released_series, usual_width
from app.services.series import Series, Viewer, Wanted
from app.services.summaries import Gaps
from app.services.viewed_series import find_series
from app.store.annotations import Annotation
from app.store.sessions import ReadSession


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
    def title(self) -> str:
        """Return what a picture of it is called."""
        return f"{self.series.page.title}: {self.series.name}"

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


class VariationOf(msgspec.Struct, frozen=True, kw_only=True):
    """How much clinics differ on one measure, interval by interval."""

    series: Series
    variations: Sequence[Variation]


class ComparisonOf(msgspec.Struct, frozen=True, kw_only=True):
    """Every clinic on one measure in one interval; the edition knows their names."""

    series: Series
    comparison: Comparison
    edition: Edition


class ChartWanted(msgspec.Struct, frozen=True, kw_only=True):
    """
    How a caller wants a series charted.

    ``chart`` None is the one that fits it; ``screened`` leaves wild moving ranges out
    of an XmR or MR chart's sigma; ``view`` is with what was decided, or without.
    """

    rule_set: RuleSet = RuleSet.ANHOEJ
    chart: ChartKind | None = None
    screened: bool = False
    view: ChartView = ChartView.ACCEPTED


AS_IT_FITS = ChartWanted()


def find_chart(
    session: ReadSession,
    hub: Hub,
    viewer: Viewer,
    measure_id: str,
    wanted: Wanted,
    *,
    asked: ChartWanted = AS_IT_FITS,
) -> ChartOf:
    """Return the control chart of a series that *viewer* may see."""
    series = find_series(session, hub, viewer, measure_id, wanted)
    found = chart_of(series, asked=asked)
    if found is None:
        msg = "Nothing is published of this series"
        raise NotFoundError(msg)
    return found


def chart_of(series: Series, *, asked: ChartWanted = AS_IT_FITS) -> ChartOf | None:
    """
    Return the control chart of a series, or None where nothing of it is published.

    It begins at the first published interval: what was withheld before would take the
    lines from all that came after. A further shift is looked for in the last phase.
    """
    cells = tuple(dropwhile(lambda cell: cell.withheld is not None, series.cells))
    if not cells:
        return None
    page = series.page
    decided = applied(
        series.notes,
        [cell.interval_start for cell in cells],
        interval=cells[0].interval,
        view=asked.view,
    )
    made = measure_chart(
        cells,
        basis=page.basis,
        improvement=page.improvement_notation,
        scale=page.scale,
        rule_set=asked.rule_set,
        chart=asked.chart,
        screened=asked.screened,
        phases=decided.lines,
        excluded=decided.excluded,
        target=None if page.target is None else page.target[0],
    )
    return ChartOf(
        series=msgspec.structs.replace(series, cells=cells),
        chart=made,
        shift=suggested_shift(
            cells,
            basis=page.basis,
            scale=page.scale,
            since=made.phases[-1].start,
            excluded=decided.excluded,
        ),
        applied=decided,
    )


def chart_events(found: Gaps, *, asked: ChartWanted, limits: GapLimits) -> EventChart:
    """Return the chart of what lay between a clinic's own events."""
    if asked.screened:
        msg = "Charts of single events are not screened"
        raise MalformedError(msg, expression="screened")
    return event_chart(
        [gap.value for gap in found.gaps],
        are_days=found.between is Between.DAYS,
        rule_set=asked.rule_set,
        chart=asked.chart,
        limits=limits,
    )


def compare(edition: Edition, measure_id: str, wanted: Wanted) -> ComparisonOf:
    """
    Return the clinics of a release side by side.

    Without an interval asked for, it is the width at which most clinics publish, and
    the newest interval of that width that has a network total.

    Raises:
        NotFoundError: there is no such total, or the measure is a variant.
    """
    network, cells = clinics_beside(edition, measure_id, wanted)
    totals = [cell for cell in network.cells if cell.denominator is not None]
    if not totals:
        msg = "No network total of this width is published"
        raise NotFoundError(msg)
    total, page = totals[-1], network.page
    comparison = compare_clinics(
        _beside(total, cells, basis=page.basis),
        network=total,
        improvement=page.improvement_notation,
        scale=page.scale,
    )
    series = msgspec.structs.replace(network, cells=(total,))
    return ComparisonOf(series=series, comparison=comparison, edition=edition)


def find_variation(edition: Edition, measure_id: str, wanted: Wanted) -> VariationOf:
    """
    Return how much the clinics of a release differ, interval by interval.

    The width is that at which most clinics publish; those that publish no interval of
    it are not in it.
    """
    network, cells = clinics_beside(edition, measure_id, wanted)
    page = network.page
    sides = (
        (total, _beside(total, cells, basis=page.basis)) for total in network.cells
    )
    return VariationOf(series=network, variations=variations(sides, scale=page.scale))


def clinics_beside(
    edition: Edition, measure_id: str, wanted: Wanted
) -> tuple[Series, Sequence[ReleasedCell]]:
    """
    Return the network's series at the clinics' usual width, and their cells.

    Raises:
        MalformedError: a part of the network is asked for; clinics are whole.
    """
    refuse_variant(find_measure(edition.hub, measure_id))
    for element in ("clinic", "cohort", "stratum"):
        if getattr(wanted, element) is not None:
            msg = "Clinics are compared whole, all of them, around the network's value"
            raise MalformedError(msg, expression=element)
    cells = clinic_cells(edition, measure_id)
    interval = wanted.interval or usual_width(cells)
    whole = msgspec.structs.replace(wanted, interval=interval)
    return released_series(edition, measure_id, whole), cells


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


def notes_on(found: ChartOf) -> list[Note]:
    """Return the tests of change in the time of a chart, as its picture tells them."""
    return [
        Note(interval_start=each.month, text=each.what or "")
        for each in found.tests_of_change
    ]
