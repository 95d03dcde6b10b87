"""A clinic's own true numbers as series, for its own eyes."""

from collections.abc import Mapping, Sequence

import msgspec

from app.disclosure.own_views import own_cells
from app.domain.calendar import month_of_day
from app.domain.counts import Interval, ReleasedCell
from app.domain.errors import NotFoundError
from app.domain.records import Precision
from app.domain.visit_capture import VisitCapture
from app.measures.definitions import Measure
from app.services.catalogue import page_of, stratum_number
from app.services.chart_notes import Notes, find_own_notes
from app.services.counts import true_cells
from app.services.cubes import has_numerator
from app.services.definitions import Served, served_measures
from app.services.hub import Hub
from app.services.policies import widths
from app.services.releases import closed_before, today_number
from app.services.series import Series, Wanted, chosen_cells
from app.services.summaries import own_series_cells
from app.services.visit_captures import find_captures
from app.store import recounts, tables
from app.store.recounts import MeasureRow
from app.store.sessions import ReadSession


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """What all live series of a clinic have in common, read once."""

    clinic: tables.Clinic
    clinic_id: int
    served: Mapping[str, Served]
    notes: Notes
    counted_up_to: int


def open_live(session: ReadSession, hub: Hub, clinic: tables.Clinic) -> Live:
    """Open a clinic's own true numbers, for its own eyes."""
    assert clinic.id is not None
    since = recounts.waiting_since(session, clinic_id=clinic.id)
    served = served_measures(session, hub)
    return Live(
        clinic=clinic,
        clinic_id=clinic.id,
        served={name: each for name, each in served.items() if each.row.counted},
        notes=find_own_notes(session, clinic.id),
        counted_up_to=since or hub.clock(),
    )


def live_series(
    session: ReadSession, hub: Hub, live: Live, measure_id: str, wanted: Wanted
) -> Series:
    """
    Return a clinic's own true numbers, up to this month; nothing of its visits.

    Raises:
        NotFoundError: the measure is yet to be counted.
    """
    if measure_id not in live.served:
        msg = "The measure is yet to be counted"
        raise NotFoundError(msg)
    measure, row = live.served[measure_id].measure, live.served[measure_id].row
    stratum = stratum_number(measure, wanted.stratum)
    usual = Interval.QUARTER if stratum else hub.policy.keeping.finest
    interval = wanted.interval or usual
    own = _own(session, hub, measure, row, clinic_id=live.clinic_id, interval=interval)
    return Series(
        page=page_of(measure),
        clinic=live.clinic,
        name=live.clinic.name,
        stratum_name=wanted.stratum,
        interval=interval,
        cells=chosen_cells(own, wanted, interval, stratum),
        widths=widths(hub),
        audience=None,
        release_id=None,
        counted_up_to=live.counted_up_to,
        policy_digest=hub.policy.digest,
        notes=()
        if stratum
        else live.notes.beside(measure_id, clinic_id=live.clinic_id, cohort_id=None),
    )


def find_live_series(
    session: ReadSession,
    hub: Hub,
    measure_id: str,
    clinic: tables.Clinic,
    wanted: Wanted,
) -> Series:
    """Return a clinic's own true numbers, and how many of its visits it sent."""
    live = open_live(session, hub, clinic)
    series = live_series(session, hub, live, measure_id, wanted)
    measure = live.served[measure_id].measure
    captures = _captures(session, hub, measure, live.clinic_id, series.cells)
    return msgspec.structs.replace(series, captures=captures)


def _captures(
    session: ReadSession,
    hub: Hub,
    measure: Measure,
    clinic_id: int,
    cells: Sequence[ReleasedCell],
) -> Mapping[int, VisitCapture]:
    """Return visit captures; without days several visits of a month are not told."""
    if hub.policy.keeping.dates is not Precision.DAY:
        return {}
    return find_captures(session, measure, clinic_id, cells)


def _own(
    session: ReadSession,
    hub: Hub,
    measure: Measure,
    row: MeasureRow,
    *,
    clinic_id: int,
    interval: Interval,
) -> list[ReleasedCell]:
    """Return a clinic's true counts up to this month; of summaries of one width."""
    next_month = month_of_day(today_number(hub)) + 1
    locked = closed_before(hub)
    if measure.summary is not None:
        return own_series_cells(
            session,
            measure,
            clinic_id=clinic_id,
            interval=interval,
            before_month=next_month,
            closed_before=locked,
        )
    cells = true_cells(
        session,
        measure,
        row,
        clinics={clinic_id},
        before_month=next_month,
        keeping=hub.policy.keeping,
        widths=(interval,),
    )
    return own_cells(
        cells,
        clinic_id=clinic_id,
        has_numerator=has_numerator(measure),
        closed_before=locked,
    )
