"""What clinics count themselves: true cells, a clinic's own series, its events."""

from collections.abc import Collection

import msgspec

from app.disclosure.summary_rates import own_summary_cells
from app.domain.counts import Cell, Interval, ReleasedCell, SummaryCell
from app.domain.errors import ForbiddenError, NotFoundError
from app.measures.definitions import Between, Measure
from app.measures.gaps import Gap, days_between, opportunities_between
from app.measures.summaries import (
    Counted,
    Role,
    counted_concepts,
    months,
    true_cells,
    widened,
)
from app.services.catalogue import MeasurePage, find_measure, page_of
from app.services.hub import Hub
from app.store import clinics, summaries, tables
from app.store.concepts import all_concepts
from app.store.sessions import ReadSession


class Gaps(msgspec.Struct, frozen=True, kw_only=True):
    """A clinic's events, and what lay between one and the next."""

    page: MeasurePage
    clinic: tables.Clinic
    between: Between
    gaps: list[Gap]
    counted_up_to: int


def summary_true_cells(
    session: ReadSession,
    measure: Measure,
    *,
    clinic_ids: Collection[int],
    before_month: int,
) -> list[Cell]:
    """Return what *clinic_ids* counted, at every width, where they sent all of it."""
    found = _months(session, measure, clinic_ids=clinic_ids, before_month=before_month)
    return true_cells(
        cell for interval in Interval for cell in widened(found, interval)
    )


def own_series_cells(
    session: ReadSession,
    measure: Measure,
    *,
    clinic_id: int,
    interval: Interval,
    before_month: int,
    closed_before: int,
) -> list[ReleasedCell]:
    """Return what one clinic counted itself, as it sees it."""
    found = _months(session, measure, clinic_ids=[clinic_id], before_month=before_month)
    return own_summary_cells(
        widened(found, interval), until=before_month, closed_before=closed_before
    )


def _months(
    session: ReadSession,
    measure: Measure,
    *,
    clinic_ids: Collection[int],
    before_month: int,
) -> list[SummaryCell]:
    """Return the months of which anything was sent."""
    assert measure.summary is not None
    if measure.summary.between is not None:
        return []
    counted = counted_concepts(measure, all_concepts(session))
    sums = summaries.read_sums(
        session, concept_ids=counted.keys(), clinic_ids=clinic_ids
    )
    found = months(measure, sums, counted)
    return [cell for cell in found if cell.interval_start < before_month]


def find_gaps(
    session: ReadSession,
    hub: Hub,
    clinic_id: int | None,
    measure_id: str,
    *,
    clinic_code: str | None,
) -> Gaps:
    """
    Return a clinic's own events and what lay between them.

    Raises:
        ForbiddenError: the caller is no clinic, or asks about another one.
        NotFoundError: the measure is of something else.
    """
    measure = find_measure(hub, measure_id)
    clinic = next((c for c in clinics.all_clinics(session) if c.id == clinic_id), None)
    if clinic is None or clinic.id is None or clinic_code not in {None, clinic.code}:
        msg = "Single events are for the eyes of their own clinic only"
        raise ForbiddenError(msg)
    if measure.summary is None or measure.summary.between is None:
        msg = "The measure counts nothing between events; see its series"
        raise NotFoundError(msg)
    counted = counted_concepts(measure, all_concepts(session))
    return Gaps(
        page=page_of(measure),
        clinic=clinic,
        between=measure.summary.between,
        gaps=_gaps(session, measure.summary.between, counted, clinic.id),
        counted_up_to=hub.clock(),
    )


def _gaps(
    session: ReadSession,
    between: Between,
    counted: dict[int, Counted],
    clinic_id: int,
) -> list[Gap]:
    rows = summaries.read_dated(
        session, concept_ids=counted.keys(), clinic_id=clinic_id
    )
    events = [row for row in rows if counted[row.concept_id].role is Role.EVENTS]
    if between is Between.DAYS:
        return days_between(events)
    exposure = [row for row in rows if counted[row.concept_id].role is Role.EXPOSURE]
    return opportunities_between(events, exposure)


def has_series(measure: Measure) -> bool:
    """Return whether there are intervals: not of what is counted between events."""
    return measure.summary is None or measure.summary.between is None


def refuse_between(measure: Measure) -> None:
    """Refuse a series of what is counted from event to event."""
    if not has_series(measure):
        msg = "The measure has no series: a clinic sees its own under events"
        raise NotFoundError(msg)
