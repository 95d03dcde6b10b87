"""How much a measure changed with a project: from what is published, and no more."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from app.charts.interventions import ChangeEstimate, estimated_change
from app.charts.panels import ProjectPoint
from app.disclosure.cohorts import cells_by_interval
from app.domain.counts import Basis, Interval, ReleasedCell
from app.domain.errors import MalformedError
from app.services.catalogue import MeasurePage, find_measure, page_of
from app.services.editions import required_edition
from app.services.hub import Hub
from app.services.parties import Party
from app.services.projects import ProjectPage, find_project
from app.services.released_series import clinic_cells, usual_width
from app.store.sessions import ReadSession


class EstimateOf(msgspec.Struct, frozen=True, kw_only=True):
    """
    The change that came with a project, and what it is estimated from.

    ``unpublished`` is how many of the project's clinics publish nothing of the width.
    """

    project: ProjectPage
    page: MeasurePage
    interval: Interval
    release_id: int
    estimate: ChangeEstimate
    unpublished: int


def find_estimate(
    session: ReadSession, hub: Hub, party: Party, code: str, measure_id: str | None
) -> EstimateOf:
    """
    Return the change that came with a project in one of its measures.

    Raises:
        ForbiddenError: the party sees no single clinics.
        MalformedError: the measure is none of the project's.
        NotFoundError: there is no such project, or nothing is released.
    """
    found = find_project(session, hub, party, code)
    chosen = _chosen(found, measure_id)
    edition = required_edition(session, hub, party.audience, measure_id=chosen)
    measure = edition.measures.get(chosen, find_measure(hub, chosen))
    page = page_of(measure)
    cells = clinic_cells(edition, chosen)
    starts = found.project.starts
    interval = usual_width([cell for cell in cells if cell.clinic_id in starts])
    points = [*_points(cells, starts, interval=interval, basis=page.basis)]
    seen = {point.clinic_id for point in points}
    return EstimateOf(
        project=found,
        page=page,
        interval=interval,
        release_id=edition.release.id,
        estimate=estimated_change(
            points,
            interval=interval,
            project=found.project.name,
            measure=page.title,
            scale=page.scale,
        ),
        unpublished=len(starts.keys() - seen),
    )


def _chosen(found: ProjectPage, measure_id: str | None) -> str:
    """Return the measure asked for; the project's first where none is."""
    measures = found.project.measures
    if measure_id is None:
        return measures[0]
    if measure_id not in measures:
        msg = "The measure is none that the project set out to improve"
        raise MalformedError(msg, expression="measure")
    return measure_id


def _points(
    cells: Sequence[ReleasedCell],
    starts: Mapping[int, int],
    *,
    interval: Interval,
    basis: Basis,
) -> Iterator[ProjectPoint]:
    """Yield the published intervals of every clinic, in the project or not."""
    ids = {cell.clinic_id for cell in cells if cell.clinic_id is not None}
    found = cells_by_interval(cells, ids, interval=interval, basis=basis)
    for start, of_interval in found.items():
        for clinic_id, cell in of_interval.items():
            yield ProjectPoint(
                clinic_id=clinic_id,
                interval_start=start,
                numerator=cell.numerator,
                denominator=cell.denominator,
                takes_part=clinic_id in starts,
                starts=starts.get(clinic_id),
            )
