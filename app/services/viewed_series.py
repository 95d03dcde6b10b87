"""A series as a caller may see it: released for all, live for the clinic itself."""

from app.domain.counts import Interval
from app.domain.errors import MalformedError
from app.services.catalogue import find_measure, refuse_variant
from app.services.editions import required_edition
from app.services.hub import Hub
from app.services.live_series import find_live_series
from app.services.policies import check_width
from app.services.released_series import check_cohort, released_series
from app.services.series import Series, Viewer, Wanted
from app.services.summaries import refuse_between
from app.store import clinics, tables
from app.store.sessions import ReadSession


def find_series(
    session: ReadSession, hub: Hub, viewer: Viewer, measure_id: str, wanted: Wanted
) -> Series:
    """Return what *viewer* may see: their own clinic's live series, else a released."""
    measure = find_measure(hub, measure_id)
    refuse_between(measure)
    if wanted.cohort is not None:
        check_cohort(wanted)
    if wanted.stratum is not None and wanted.interval not in {None, Interval.QUARTER}:
        msg = "Strata are told quarter by quarter: ask for interval=quarter"
        raise MalformedError(msg, expression="interval")
    if wanted.interval or wanted.stratum:
        check_width(hub, wanted.interval or Interval.QUARTER)
    own = own_clinic(session, viewer, wanted.clinic)
    if own is not None:
        return find_live_series(session, hub, measure_id, own, wanted)
    refuse_variant(measure)
    edition = required_edition(session, hub, viewer.audience, measure_id=measure_id)
    return released_series(edition, measure_id, wanted)


def own_clinic(
    session: ReadSession, viewer: Viewer, code: str | None
) -> tables.Clinic | None:
    """Return the clinic of *code* where it is the viewer's own, and so told live."""
    if code is None or viewer.clinic_id is None:
        return None
    clinic = clinics.find_clinic(session, code)
    return clinic if clinic is not None and clinic.id == viewer.clinic_id else None
