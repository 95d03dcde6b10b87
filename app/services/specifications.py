"""Each thing that can be drawn as its Vega-Lite specification, for every door."""

from app.charts import vega
from app.charts.gap_charts import GapLimits
from app.charts.vega_events import event_chart_spec
from app.charts.vega_expectations import expectation_spec
from app.charts.vega_funnels import funnel_spec
from app.charts.vega_layers import Spec
from app.charts.vega_multiples import multiples_spec
from app.domain.calendar import date_of_day
from app.domain.errors import NotFoundError
from app.services.charts import (
    ChartOf,
    ChartWanted,
    ComparisonOf,
    chart_events,
    notes_on,
)
from app.services.estimates import EstimateOf
from app.services.multiples import MultiplesOf
from app.services.summaries import Gaps


def chart_of(found: ChartOf, *, title: str | None = None) -> Spec:
    """Return a control chart, with the tests of change in its time."""
    notes = notes_on(found)
    return vega.control_chart_spec(found.chart, title=title or found.title, notes=notes)


def spark_line_of(found: ChartOf, *, title: str | None = None) -> Spec:
    """Return a control chart as a line of the height of text."""
    return vega.spark_line_spec(found.chart, title=title or found.title)


def funnel_of(found: ComparisonOf, *, own: int | None = None) -> Spec:
    """Return the funnel plot of clinics; that of the id *own* is named in it."""
    edition = found.edition
    return funnel_spec(
        found.comparison,
        names={clinic_id: edition.name_of(clinic_id) for clinic_id in edition.clinics},
        title=found.series.page.title,
        own=own,
    )


def multiples_of(found: MultiplesOf) -> Spec:
    """Return a small chart of every clinic."""
    return multiples_spec(found.multiples, title=f"{found.page.title}: every clinic")


def events_of(found: Gaps, *, asked: ChartWanted) -> Spec:
    """
    Return the t or g chart of a clinic's own events.

    Raises:
        NotFoundError: nothing lies between events yet.
    """
    chart = chart_events(found, asked=asked, limits=GapLimits.EXACT)
    if not chart.points:
        msg = "Nothing lies between events yet: a chart takes two of them"
        raise NotFoundError(msg)
    return event_chart_spec(
        chart,
        [date_of_day(gap.day) for gap in found.gaps],
        title=f"{found.page.title}: {found.clinic.name}",
        unit=found.between.value,
    )


def estimate_of(found: EstimateOf) -> Spec:
    """
    Return what came of a project.

    Raises:
        NotFoundError: no interval of it is published.
    """
    if not found.estimate.intervals:
        msg = "Nothing is published of this series"
        raise NotFoundError(msg)
    return expectation_spec(
        found.estimate,
        title=f"{found.project.project.name}: {found.page.title}",
        interval=found.interval,
        scale=found.page.scale,
    )
