"""What a caller may see of a measure: released for all, live for the clinic itself."""

from collections.abc import Sequence

import msgspec

from app.disclosure.own_views import own_cells
from app.domain.calendar import FOREVER, month_of_day
from app.domain.clinics import Audience, Principal
from app.domain.counts import Interval, ReleasedCell
from app.domain.errors import NotFoundError, NotSupportedError
from app.measures.definitions import Measure
from app.services.catalogue import (
    MeasurePage,
    find_measure,
    page_of,
    stratum_number,
)
from app.services.counts import measure_rows, true_cells
from app.services.hub import Hub
from app.services.releases import closed_before, latest, today_number
from app.store import clinics, recounts, releases, tables
from app.store.recounts import MeasureRow
from app.store.sessions import ReadSession


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """Who looks: an audience, and the clinic whose own live numbers are theirs."""

    audience: Audience
    clinic_id: int | None = None

    @classmethod
    def of(cls, principal: Principal) -> "Viewer":
        """Return the viewer that an access token speaks for."""
        source = principal.source
        return cls(
            audience=principal.audience,
            clinic_id=None if source is None else source.clinic_id,
        )


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a measure: months are month numbers, ``until`` exclusive."""

    clinic: str | None = None
    cohort: str | None = None
    stratum: str | None = None
    interval: Interval | None = None
    since: int = 0
    until: int = FOREVER


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """
    One measure, interval by interval.

    ``clinic`` None is the network. A live series has no ``release_id``; its numbers
    are complete up to ``counted_up_to``, epoch milliseconds.
    """

    page: MeasurePage
    clinic: tables.Clinic | None
    stratum_name: str | None
    interval: Interval
    cells: tuple[ReleasedCell, ...]
    audience: Audience | None
    release_id: int | None
    counted_up_to: int | None
    policy_digest: str


def find_series(
    session: ReadSession, hub: Hub, viewer: Viewer, measure_id: str, wanted: Wanted
) -> Series:
    """Return what *viewer* may see: their own clinic's live series, else a released."""
    measure = find_measure(hub, measure_id)
    refuse_cohort(wanted.cohort)
    row = measure_rows(session, hub).get(measure_id)
    clinic = _clinic(session, viewer, wanted.clinic)
    if row is None:
        msg = "The measure is yet to be counted"
        raise NotFoundError(msg)
    if clinic is not None and clinic.id == viewer.clinic_id:
        return _live(session, hub, measure, row, clinic, wanted)
    return _released(session, viewer, measure, row, clinic, wanted)


def _clinic(
    session: ReadSession, viewer: Viewer, code: str | None
) -> tables.Clinic | None:
    """Return the clinic of *code* where *viewer* may know of it."""
    if code is None:
        return None
    clinic = clinics.required_clinic(session, code)
    if clinic.status != "active" and clinic.id != viewer.clinic_id:
        msg = "No clinic of that code"
        raise NotFoundError(msg)
    return clinic


def _live(
    session: ReadSession,
    hub: Hub,
    measure: Measure,
    row: MeasureRow,
    clinic: tables.Clinic,
    wanted: Wanted,
) -> Series:
    """Return a clinic's own true numbers, up to this month."""
    assert clinic.id is not None
    this_month = month_of_day(today_number(hub))
    cells = true_cells(
        session, measure, row, clinics={clinic.id}, before_month=this_month + 1
    )
    own = own_cells(cells, clinic_id=clinic.id, closed_before=closed_before(hub))
    since = recounts.waiting_since(session, clinic_id=clinic.id)
    stratum = stratum_number(measure, wanted.stratum)
    usual = Interval.QUARTER if stratum else Interval.MONTH
    interval = wanted.interval or usual
    return Series(
        page=page_of(measure),
        clinic=clinic,
        stratum_name=wanted.stratum,
        interval=interval,
        cells=_chosen(own, wanted, interval, stratum),
        audience=None,
        release_id=None,
        counted_up_to=since or hub.clock(),
        policy_digest=hub.policy.digest,
    )


def _released(
    session: ReadSession,
    viewer: Viewer,
    measure: Measure,
    row: MeasureRow,
    clinic: tables.Clinic | None,
    wanted: Wanted,
) -> Series:
    """Return what the newest release of the viewer's audience says."""
    release = latest(session, viewer.audience)
    if release is None:
        msg = "Nothing has been released yet"
        raise NotFoundError(msg)
    clinic_id = None if clinic is None else clinic.id
    cells = [
        cell
        for cell in releases.read_cells(session, release.id, measure_id=row.id).get(
            row.id, []
        )
        if cell.clinic_id == clinic_id
    ]
    stratum = stratum_number(measure, wanted.stratum)
    interval = wanted.interval or _finest(cells, stratum=stratum)
    return Series(
        page=page_of(measure),
        clinic=clinic,
        stratum_name=wanted.stratum,
        interval=interval,
        cells=_chosen(cells, wanted, interval, stratum),
        audience=viewer.audience,
        release_id=release.id,
        counted_up_to=None,
        policy_digest=release.policy_digest,
    )


def _finest(cells: Sequence[ReleasedCell], *, stratum: int) -> Interval:
    """Return the finest width at which there are cells."""
    widths = {cell.interval for cell in cells if cell.stratum == stratum}
    return min(widths, key=lambda width: width.months, default=Interval.MONTH)


def _chosen(
    cells: Sequence[ReleasedCell], wanted: Wanted, interval: Interval, stratum: int
) -> tuple[ReleasedCell, ...]:
    """Return the cells of one width and stratum within the months asked for."""
    return tuple(
        cell
        for cell in cells
        if cell.interval is interval
        and cell.stratum == stratum
        and wanted.since <= cell.interval_start < wanted.until
    )


def refuse_cohort(cohort: str | None) -> None:
    """Refuse a cohort: none is defined yet."""
    if cohort is not None:
        msg = "No cohort of that name"
        raise NotSupportedError(msg)
