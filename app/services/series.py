"""What a series is: one measure, interval by interval, of somebody to somebody."""

from collections.abc import Mapping, Sequence

import msgspec

from app.disclosure.restatements import block_of
from app.domain.calendar import FOREVER
from app.domain.clinics import Audience, Principal
from app.domain.counts import Basis, Interval, ReleasedCell
from app.domain.visit_capture import NOT_PUBLISHED, VisitCapture
from app.services.catalogue import MeasurePage
from app.store import tables
from app.store.annotations import Annotation
from app.store.cohorts import Cohort
from app.store.restatements import RestatementRow


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

    @property
    def newest(self) -> ReleasedCell | None:
        """Return the newest cell that has a value."""
        told = [cell for cell in self.cells if cell.withheld is None]
        return told[-1] if told else None

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


def chosen_cells(
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
