"""Series of a release: of the network, of a clinic, of a cohort."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from app.disclosure.releases import not_published
from app.domain.counts import Interval, ReleasedCell
from app.domain.errors import MalformedError, NotFoundError
from app.services.catalogue import find_measure, page_of, stratum_number
from app.services.cohort_series import find_cells, required_cohort
from app.services.editions import Edition, find_clinic
from app.services.series import Series, Wanted, chosen_cells
from app.store.cohorts import Cohort

NETWORK = "Network"
ENOUGH_SHOWN = 0.5
"""The share of a width's intervals that must be published for it to be shown first."""


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
        cells=chosen_cells(cells, wanted, interval, stratum),
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


def check_cohort(wanted: Wanted) -> None:
    """Refuse to tell of a cohort what is told of others only."""
    if wanted.clinic is not None:
        msg = "Ask for a clinic or for a cohort"
        raise MalformedError(msg, expression="cohort")
    if wanted.stratum is not None:
        msg = "Strata are told of the network, not of cohorts"
        raise MalformedError(msg, expression="stratum")


def _of_cohort(edition: Edition, measure_id: str, wanted: Wanted, code: str) -> Series:
    """Return a cohort's series, of what is published of its clinics."""
    check_cohort(wanted)
    cohort = required_cohort(edition, code)
    network = released_series(
        edition, measure_id, msgspec.structs.replace(wanted, cohort=None)
    )
    whole = msgspec.structs.replace(network, name=cohort.name, cohort=cohort)
    found = find_cells(
        _unstratified(edition.cells.get(measure_id, ())),
        cohort,
        basis=whole.page.basis,
        asked=wanted.interval,
    )
    newest = msgspec.structs.replace(
        whole,
        interval=found.interval,
        cells=chosen_cells(found.cells, wanted, found.interval, 0),
        behind=found.behind,
        widths=found.widths,
        notes=edition.notes.beside(measure_id, clinic_id=None, cohort_id=cohort.id),
    )
    earlier = _earlier_of_cohort(edition, newest, cohort, wanted)
    return msgspec.structs.replace(newest, earlier=earlier)


def _earlier_of_cohort(
    edition: Edition, newest: Series, cohort: Cohort, wanted: Wanted
) -> tuple[Series, ...]:
    """Return the parts that definitions of before make of a cohort's clinics."""
    found = []
    for version in edition.earlier.get(newest.page.id, ()):
        page = page_of(version.measure)
        cells = _unstratified(version.cells)
        before = find_cells(cells, cohort, basis=page.basis, asked=newest.interval)
        part = msgspec.structs.replace(
            newest,
            page=page,
            cells=chosen_cells(before.cells, wanted, newest.interval, 0),
            behind=before.behind,
            earlier=(),
            restatements=version.restated,
        )
        found.append(part)
    return tuple(each for each in found if each.cells)


def _unstratified(cells: Sequence[ReleasedCell]) -> list[ReleasedCell]:
    return [cell for cell in cells if cell.stratum == 0]


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
        chosen = chosen_cells(cells, wanted, newest.interval, stratum)
        page = page_of(version.measure)
        found.append(
            msgspec.structs.replace(
                newest, page=page, cells=chosen, restatements=version.restated
            )
        )
    return tuple(each for each in found if each.cells)


def clinic_cells(edition: Edition, measure_id: str) -> list[ReleasedCell]:
    """Return what a release has of a measure's clinics, strata left out."""
    return [
        cell
        for cell in _unstratified(edition.cells.get(measure_id, ()))
        if cell.clinic_id is not None
    ]


def usual_width(cells: Sequence[ReleasedCell]) -> Interval:
    """Return the width at which most of the clinics publish; of several the finest."""
    published = {
        (cell.clinic_id, cell.interval) for cell in cells if cell.withheld is None
    }
    counts = Counter(interval for _, interval in published)
    return max(Interval, key=lambda width: (counts[width], -width.months))


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
