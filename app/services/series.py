"""What a caller may see of a measure: released for all, live for the clinic itself."""

from collections.abc import Mapping, Sequence

import msgspec

from app.disclosure.own_views import own_cells
from app.disclosure.releases import not_published
from app.disclosure.restatements import block_of
from app.domain.calendar import FOREVER, month_of_day
from app.domain.clinics import Audience, Principal
from app.domain.counts import Basis, Interval, ReleasedCell
from app.domain.errors import MalformedError, NotFoundError
from app.domain.records import Precision
from app.domain.visit_capture import NOT_PUBLISHED, VisitCapture
from app.measures.definitions import Measure
from app.services.catalogue import (
    MeasurePage,
    find_measure,
    page_of,
    refuse_variant,
    stratum_number,
)
from app.services.chart_notes import Notes, find_own_notes
from app.services.cohort_series import find_cells, required_cohort
from app.services.counts import true_cells
from app.services.cubes import has_numerator
from app.services.definitions import Served, served_measures
from app.services.editions import Edition, find_clinic, required_edition
from app.services.hub import Hub
from app.services.policies import check_width, widths
from app.services.releases import closed_before, today_number
from app.services.summaries import own_series_cells, refuse_between
from app.services.visit_captures import find_captures
from app.store import clinics, recounts, tables
from app.store.annotations import Annotation
from app.store.cohorts import Cohort
from app.store.recounts import MeasureRow
from app.store.restatements import RestatementRow
from app.store.sessions import ReadSession

NETWORK = "Network"
ENOUGH_SHOWN = 0.5
"""The share of a width's intervals that must be published for it to be shown first."""


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

    ``clinic`` None is the network. ``name`` is what the viewer may call it: a clinic,
    a cohort or the network. ``widths`` are those there is anything of. A live
    series has no ``release_id``; its numbers are complete up to ``counted_up_to``,
    epoch milliseconds. ``captures`` are those of a live series, by interval start.
    ``earlier`` is what was published by definitions of before, never of the same time.
    ``notes`` are what people said and decided about the whole of it. Of a ``cohort``,
    ``behind`` is how many of its clinics each interval's counts are of.
    """

    page: MeasurePage
    clinic: tables.Clinic | None
    name: str
    stratum_name: str | None
    interval: Interval
    cells: tuple[ReleasedCell, ...]
    widths: tuple[Interval, ...]
    audience: Audience | None
    release_id: int | None
    counted_up_to: int | None
    policy_digest: str
    captures: Mapping[int, VisitCapture] = {}
    earlier: tuple["Series", ...] = ()
    restatements: Sequence[RestatementRow] = ()
    notes: tuple[Annotation, ...] = ()
    cohort: Cohort | None = None
    behind: Mapping[int, int] = {}

    def restated_in(self, cell: ReleasedCell) -> int | None:
        """Return the release that gave a cell its numbers, if it had others before."""
        width, start = cell.interval, cell.interval_start
        found = [
            row.release_id
            for row in self.restatements
            if block_of(width, start, months=row.months) == row.month
            and start + width.months <= row.published_before
        ]
        return max(found, default=None)

    def visit_capture(self, interval_start: int) -> VisitCapture | None:
        """Return what is told of an interval's visits; None where no people count."""
        if self.page.basis is Basis.SUMMARIES:
            return None
        if self.release_id is not None:
            return NOT_PUBLISHED
        return self.captures.get(interval_start)


def find_series(
    session: ReadSession, hub: Hub, viewer: Viewer, measure_id: str, wanted: Wanted
) -> Series:
    """Return what *viewer* may see: their own clinic's live series, else a released."""
    measure = find_measure(hub, measure_id)
    refuse_between(measure)
    if wanted.cohort is not None:
        _check_cohort(wanted)
    if wanted.stratum is not None and wanted.interval not in {None, Interval.QUARTER}:
        msg = "Strata are told quarter by quarter: ask for interval=quarter"
        raise MalformedError(msg, expression="interval")
    if wanted.interval or wanted.stratum:
        check_width(hub, wanted.interval or Interval.QUARTER)
    own = _own_clinic(session, viewer, wanted.clinic)
    if own is not None:
        return _live(session, hub, measure_id, own, wanted)
    refuse_variant(measure)
    edition = required_edition(session, hub, viewer.audience, measure_id=measure_id)
    return released_series(edition, measure_id, wanted)


def _check_cohort(wanted: Wanted) -> None:
    """Refuse what is not told of a cohort."""
    if wanted.clinic is not None:
        msg = "Ask for a clinic or for a cohort"
        raise MalformedError(msg, expression="cohort")
    if wanted.stratum is not None:
        msg = "Strata are told of the network, not of cohorts"
        raise MalformedError(msg, expression="stratum")


def _own_clinic(
    session: ReadSession, viewer: Viewer, code: str | None
) -> tables.Clinic | None:
    """Return the clinic of *code* where it is the viewer's own."""
    clinic = None if code is None else clinics.find_clinic(session, code)
    return clinic if clinic is not None and clinic.id == viewer.clinic_id else None


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
        cells=_chosen(own, wanted, interval, stratum),
        widths=widths(hub),
        audience=None,
        release_id=None,
        counted_up_to=live.counted_up_to,
        policy_digest=hub.policy.digest,
        notes=()
        if stratum
        else live.notes.beside(measure_id, clinic_id=live.clinic_id, cohort_id=None),
    )


def _live(
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


def released_series(edition: Edition, measure_id: str, wanted: Wanted) -> Series:
    """
    Return a series of a release, of the network, of one clinic or of a cohort.

    Without an interval asked for it is the finest width of which at least half is
    published, else the width of which most is. A clinic that publishes nothing of the
    width or stratum is marked so, interval by interval.

    Raises:
        NotFoundError: no measure or stratum of that name, or no such clinic in it, or
            no such cohort.
        ForbiddenError: the audience does not see clinics.
        MalformedError: a clinic or a stratum is asked for beside a cohort.
    """
    if wanted.cohort is not None:
        return _of_cohort(edition, measure_id, wanted, wanted.cohort)
    loaded = find_measure(edition.hub, measure_id)
    measure = edition.measures.get(measure_id, loaded)
    clinic = None if wanted.clinic is None else find_clinic(edition, wanted.clinic)
    clinic_id = None if clinic is None else clinic.id
    stratum = stratum_number(measure, wanted.stratum)
    of_stratum = [
        cell for cell in edition.cells.get(measure_id, ()) if cell.stratum == stratum
    ]
    cells = [cell for cell in of_stratum if cell.clinic_id == clinic_id]
    whole = [cell for cell in of_stratum if cell.clinic_id is None]
    interval = wanted.interval or _shown_first(cells or whole)
    if clinic_id is not None and not any(cell.interval is interval for cell in cells):
        cells += [not_published(cell, clinic_id=clinic_id) for cell in whole]
    newest = Series(
        page=page_of(measure),
        clinic=clinic,
        name=NETWORK if clinic_id is None else edition.name_of(clinic_id),
        stratum_name=wanted.stratum,
        interval=interval,
        cells=_chosen(cells, wanted, interval, stratum),
        widths=tuple(w for w in Interval if any(cell.interval is w for cell in cells)),
        audience=edition.release.audience,
        release_id=edition.release.id,
        counted_up_to=None,
        policy_digest=edition.release.policy_digest,
        restatements=edition.restated.get(measure_id, ()),
        notes=()
        if stratum
        else edition.notes.beside(measure_id, clinic_id=clinic_id, cohort_id=None),
    )
    return msgspec.structs.replace(newest, earlier=_earlier(edition, newest, wanted))


def _of_cohort(edition: Edition, measure_id: str, wanted: Wanted, code: str) -> Series:
    """Return a cohort's series, of what is published of its clinics."""
    _check_cohort(wanted)
    cohort = required_cohort(edition, code)
    whole = released_series(
        edition, measure_id, msgspec.structs.replace(wanted, cohort=None)
    )
    cells = [c for c in edition.cells.get(measure_id, ()) if c.stratum == 0]
    basis = whole.page.basis
    found = find_cells(cells, cohort, basis=basis, asked=wanted.interval)
    earlier = []
    for version in edition.earlier.get(measure_id, ()):
        of_it = [cell for cell in version.cells if cell.stratum == 0]
        page = page_of(version.measure)
        before = find_cells(of_it, cohort, basis=page.basis, asked=found.interval)
        chosen = _chosen(before.cells, wanted, found.interval, 0)
        part = msgspec.structs.replace(
            whole,
            page=page,
            cells=chosen,
            name=cohort.name,
            cohort=cohort,
            behind=before.behind,
            earlier=(),
            restatements=version.restated,
        )
        earlier.append(part)
    return msgspec.structs.replace(
        whole,
        name=cohort.name,
        cohort=cohort,
        interval=found.interval,
        cells=_chosen(found.cells, wanted, found.interval, 0),
        behind=found.behind,
        widths=found.widths,
        earlier=tuple(each for each in earlier if each.cells),
        notes=edition.notes.beside(measure_id, clinic_id=None, cohort_id=cohort.id),
    )


def _earlier(edition: Edition, newest: Series, wanted: Wanted) -> tuple[Series, ...]:
    """Return the parts of a series that were published by definitions of before."""
    clinic_id = None if newest.clinic is None else newest.clinic.id
    found = []
    for version in edition.earlier.get(newest.page.id, ()):
        try:
            stratum = stratum_number(version.measure, wanted.stratum)
        except NotFoundError:
            continue
        cells = [cell for cell in version.cells if cell.clinic_id == clinic_id]
        chosen = _chosen(cells, wanted, newest.interval, stratum)
        page = page_of(version.measure)
        found.append(
            msgspec.structs.replace(
                newest, page=page, cells=chosen, restatements=version.restated
            )
        )
    return tuple(each for each in found if each.cells)


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
