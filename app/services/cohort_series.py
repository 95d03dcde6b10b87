"""A cohort's series: what its clinics' published cells add up to."""

import msgspec

from app.disclosure.audiences import ClinicsShown
from app.disclosure.cohorts import cohort_cells, common_width
from app.domain.counts import Basis, Interval, ReleasedCell, Withheld
from app.domain.errors import ForbiddenError, NotFoundError
from app.services.editions import Edition
from app.store.cohorts import Cohort


class CohortCells(msgspec.Struct, frozen=True, kw_only=True):
    """
    A cohort's cells of one width.

    ``behind`` is how many of its clinics the counts of an interval are of, by start.
    """

    interval: Interval
    cells: tuple[ReleasedCell, ...]
    behind: dict[int, int]
    widths: tuple[Interval, ...]


def required_cohort(edition: Edition, code: str) -> Cohort:
    """
    Return the cohort of *code* where the readers of the release see clinics.

    Raises:
        ForbiddenError: the audience does not see clinics.
        NotFoundError: there is none of that code.
    """
    if edition.rules.clinics is ClinicsShown.NONE:
        msg = "Cohorts are shown to members only. Open your members' link first."
        raise ForbiddenError(msg)
    for cohort in edition.notes.cohorts:
        if cohort.code == code:
            return cohort
    msg = "No cohort of that name"
    raise NotFoundError(msg)


def find_cells(
    cells: list[ReleasedCell], cohort: Cohort, *, basis: Basis, asked: Interval | None
) -> CohortCells:
    """
    Return a cohort's cells of the width *asked* for, or of the finest there is.

    Where its clinics have no such width, the network's intervals are marked as not
    published.
    """
    ids = cohort.clinics
    finest = common_width(cells, ids, basis=basis)
    is_status = basis is Basis.LATEST_STATUS
    widths = tuple(
        width
        for width in Interval
        if finest is not None
        and (width is finest or (is_status and width.months > finest.months))
    )
    interval = asked or finest or Interval.YEAR
    if interval in widths:
        found = cohort_cells(cells, ids, interval=interval, basis=basis)
        return CohortCells(
            interval=interval,
            cells=tuple(each.cell for each in found),
            behind={each.cell.interval_start: each.clinics for each in found},
            widths=widths,
        )
    marked = tuple(
        cell.blank(Withheld.NOT_PUBLISHED)
        for cell in cells
        if cell.clinic_id is None and cell.interval is interval
    )
    return CohortCells(interval=interval, cells=marked, behind={}, widths=widths)
