"""The dashboard: an audience's newest release as pages that people read."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import RedirectResponse

from app.routers.dependencies import HubDependency, ReadSession
from app.routers.readers import (
    MEMBERS_COOKIE,
    Newest,
    PageReader,
    Part,
    Reader,
    frame,
    keep,
)
from app.routers.templates import PAGE_HEADERS, page
from app.services import (
    catalogue,
    dashboards,
    editions,
    invitations,
    own_numbers,
    page_scorecards,
    project_pages,
    release_pages,
    standings,
)
from app.services.dashboards import Panel
from app.services.hub import Hub
from app.services.live_series import open_live
from app.services.series import Wanted

router = APIRouter(include_in_schema=False)


@router.get("/")
def show_overview(
    reader: Reader,
    hub: HubDependency,
    session: ReadSession,
    key: Annotated[str | None, Query()] = None,
) -> Response:
    """Show every measure; where a members' link is opened, let its holder in first."""
    if key is not None:
        return _let_in(hub, key)
    edition = editions.open_edition(session, hub, reader.audience)
    if edition is None:
        return page("nothing.html", **frame(hub, reader))
    return page(
        "overview.html",
        **frame(hub, reader, edition),
        panels=dashboards.find_panels(edition),
    )


def _let_in(hub: Hub, key: str) -> Response:
    """Give the browser the key of a link to keep, and lead it to the clean address."""
    seconds = invitations.open_link(hub, key)
    response = RedirectResponse("/", HTTPStatus.SEE_OTHER, headers=PAGE_HEADERS)
    keep(response, hub, MEMBERS_COOKIE, key, seconds=seconds)
    return response


@router.get("/measures/{measure_id}")
def show_measure(
    measure_id: str,
    reader: Reader,
    part: Part,
    hub: HubDependency,
    session: ReadSession,
) -> Response:
    """Show one measure: its chart, its clinics, its numbers and its definition."""
    catalogue.find_measure(hub, measure_id)
    edition = editions.open_edition(
        session, hub, reader.audience, measure_id=measure_id
    )
    if edition is None:
        return page("nothing.html", **frame(hub, reader))
    panel = dashboards.find_panel(edition, measure_id, part)
    return page(
        "measure.html",
        **frame(hub, reader, edition),
        measure=panel.page,
        panel=panel,
        live=_live_panel(reader, measure_id, part, hub, session),
        strata=dashboards.newest_strata(edition, measure_id),
        beside=standings.find_beside(edition, measure_id),
    )


def _live_panel(
    reader: PageReader, measure_id: str, part: Wanted, hub: Hub, session: ReadSession
) -> Panel | None:
    """Return the reader's own clinic live, where the page is about that clinic."""
    if reader.own is None or not reader.is_own(part.clinic):
        return None
    live = open_live(session, hub, reader.own.clinic)
    if measure_id not in live.served:
        return None
    return own_numbers.find_live_panel(session, hub, live, measure_id, part)


@router.get("/clinics")
def show_clinics(reader: Reader, hub: HubDependency, edition: Newest) -> Response:
    """Show every clinic on every measure."""
    editions.check_sees_clinics(edition)
    return page(
        "clinics.html",
        **frame(hub, reader, edition),
        board=standings.find_board(edition),
    )


@router.get("/clinics/{code}")
def show_clinic(
    code: str, reader: Reader, hub: HubDependency, session: ReadSession
) -> Response:
    """Show every measure of one clinic beside the network; to itself, live too."""
    if reader.own is not None and reader.is_own(code):
        return _own_page(reader, hub, session)
    edition = editions.required_edition(session, hub, reader.audience)
    clinic = editions.find_clinic(edition, code)
    return page(
        "clinic.html",
        **frame(hub, reader, edition),
        clinic=clinic,
        name=edition.name_of(clinic.id or 0),
        scores=page_scorecards.find_scores(edition, code),
    )


def _own_page(reader: PageReader, hub: Hub, session: ReadSession) -> Response:
    """Show a clinic its own live numbers, which need no release."""
    assert reader.own is not None
    clinic = reader.own.clinic
    edition = editions.open_edition(session, hub, reader.audience)
    scores = (
        page_scorecards.find_scores(edition, clinic.code)
        if edition is not None and clinic.id in edition.clinics
        else []
    )
    return page(
        "own.html",
        **frame(hub, reader, edition),
        clinic=clinic,
        scores=page_scorecards.find_own_scores(session, hub, clinic, scores),
        now=hub.clock(),
    )


@router.get("/releases")
def show_releases(reader: Reader, hub: HubDependency, session: ReadSession) -> Response:
    """Show what was published when, and under which rules."""
    return page(
        "releases.html",
        **frame(hub, reader),
        pages=release_pages.find_pages(session, hub, reader.audience),
    )


@router.get("/releases/{release_id}")
def show_release(
    release_id: int, reader: Reader, hub: HubDependency, session: ReadSession
) -> Response:
    """Show one release: how much of each measure is shown, and why not more."""
    return page(
        "release.html",
        **frame(hub, reader),
        release=release_pages.find_page(session, hub, reader.audience, release_id),
    )


@router.get("/projects")
def show_projects(reader: Reader, hub: HubDependency, session: ReadSession) -> Response:
    """Show what clinics set out to improve."""
    return page(
        "projects.html",
        **frame(hub, reader),
        projects=project_pages.list_projects(session, hub, reader.viewer),
    )


@router.get("/projects/{code}")
def show_project(
    code: str, reader: Reader, hub: HubDependency, session: ReadSession
) -> Response:
    """Show one project: who joined when, and what came of it."""
    edition = editions.open_edition(session, hub, reader.audience)
    return page(
        "project.html",
        **frame(hub, reader, edition),
        sheet=project_pages.find_sheet(session, hub, reader.viewer, code),
        names={} if edition is None else edition.names,
    )
