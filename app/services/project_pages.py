"""Projects for people: who joined when, and what came of it in each measure."""

import msgspec

from app.services.dashboards import drawn_measures
from app.services.estimates import EstimateOf, find_estimate
from app.services.hub import Hub
from app.services.parties import Party
from app.services.projects import ProjectPage, find_project, find_projects
from app.services.releases import latest
from app.services.series import Viewer
from app.store.sessions import ReadSession

PAGE_READER = "dashboard"
"""What a browser is called where clients have names; it writes nothing."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """
    A measure that a project set out to improve; ``is_drawn``: it has a page.

    ``estimate`` is None where nothing is released.
    """

    measure_id: str
    title: str
    is_drawn: bool
    estimate: EstimateOf | None


class ProjectSheet(msgspec.Struct, frozen=True, kw_only=True):
    """A project with its outcomes."""

    page: ProjectPage
    outcomes: tuple[Outcome, ...]


def list_projects(session: ReadSession, hub: Hub, viewer: Viewer) -> list[ProjectPage]:
    """Return every project, for whoever sees single clinics."""
    return find_projects(session, hub, _party(viewer))


def find_sheet(
    session: ReadSession, hub: Hub, viewer: Viewer, code: str
) -> ProjectSheet:
    """Return a project with what came of it, from what is published."""
    party = _party(viewer)
    found = find_project(session, hub, party, code)
    known = {measure.id: measure.title for measure in hub.measures}
    drawn = {measure.id for measure in drawn_measures(hub)}
    is_released = latest(session, viewer.audience) is not None
    return ProjectSheet(
        page=found,
        outcomes=tuple(
            Outcome(
                measure_id=measure_id,
                title=known.get(measure_id, measure_id),
                is_drawn=measure_id in drawn,
                estimate=find_estimate(session, hub, party, code, measure_id)
                if is_released and measure_id in known
                else None,
            )
            for measure_id in found.project.measures
        ),
    )


def find_outcome(
    session: ReadSession, hub: Hub, viewer: Viewer, code: str, measure_id: str
) -> EstimateOf:
    """Return the change that came with a project in one of its measures."""
    return find_estimate(session, hub, _party(viewer), code, measure_id)


def _party(viewer: Viewer) -> Party:
    return Party(
        client_id=PAGE_READER, audience=viewer.audience, clinic=viewer.clinic_id
    )
