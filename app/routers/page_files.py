"""What pages link to beside pages: every picture as SVG and PNG, every table as CSV."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app.domain.errors import ForbiddenError, NotFoundError
from app.routers import page_tables
from app.routers.dependencies import HubDependency, ReadSession
from app.routers.readers import PageReader, Part, Reader
from app.routers.series_answers import series_answer, series_csv
from app.routers.templates import PAGE_HEADERS
from app.services import (
    catalogue,
    dashboards,
    editions,
    own_numbers,
    page_pictures,
    page_scorecards,
    project_pages,
    release_pages,
    specifications,
    standings,
)
from app.services.chart_notes import find_notes
from app.services.dashboards import Panel
from app.services.live_series import open_live
from app.services.page_pictures import Drawing, Look, PictureKind, Scheme
from app.services.pictures import MEDIA_TYPES, Picture, Pictures
from app.services.releases import latest

KEPT = {"Cache-Control": "private, max-age=86400, immutable"}
"""A picture names its release and the notes beside it, which never change."""
OWN = {"Cache-Control": "private, no-store"}
"""A clinic's own live numbers stay in no cache of a browser that others may use."""

router = APIRouter(include_in_schema=False)


def find_pictures(request: Request) -> Pictures:
    """Return the pictures that this application has drawn."""
    pictures: Pictures = request.app.state.pictures
    return pictures


def find_look(
    picture: Picture,
    scheme: Annotated[Scheme, Query()] = Scheme.LIGHT,
    titled: Annotated[bool, Query()] = False,  # noqa: FBT002  (a query parameter)
) -> Look:
    """Return how a picture is to be drawn; one for another program has its title."""
    alone = titled or picture is not Picture.SVG
    return Look(picture=picture, scheme=scheme, titled=alone)


AppPictures = Annotated[Pictures, Depends(find_pictures)]
PageLook = Annotated[Look, Depends(find_look)]


@router.get("/overview.csv")
def download_overview(
    reader: Reader, hub: HubDependency, session: ReadSession
) -> Response:
    """Return the newest published numbers of every measure as CSV."""
    edition = editions.required_edition(session, hub, reader.audience)
    return page_tables.panels_csv(dashboards.find_panels(edition))


@router.get("/measures/{measure_id}/series.csv")
def download_series(
    measure_id: str,
    reader: Reader,
    part: Part,
    hub: HubDependency,
    session: ReadSession,
) -> Response:
    """Return a series of the release as CSV."""
    edition = editions.required_edition(
        session, hub, reader.audience, measure_id=measure_id
    )
    panel = dashboards.find_panel(edition, measure_id, part)
    return series_csv(series_answer(panel.series))


@router.get("/measures/{measure_id}/clinics.csv")
def download_clinics(
    measure_id: str, reader: Reader, hub: HubDependency, session: ReadSession
) -> Response:
    """Return each clinic's newest published interval as CSV."""
    page = catalogue.page_of(catalogue.find_measure(hub, measure_id))
    edition = editions.required_edition(
        session, hub, reader.audience, measure_id=measure_id
    )
    return page_tables.clinics_csv(standings.find_beside(edition, measure_id), page)


@router.get("/measures/{measure_id}/strata.csv")
def download_strata(
    measure_id: str, reader: Reader, hub: HubDependency, session: ReadSession
) -> Response:
    """Return the newest published strata as CSV."""
    page = catalogue.page_of(catalogue.find_measure(hub, measure_id))
    edition = editions.required_edition(
        session, hub, reader.audience, measure_id=measure_id
    )
    return page_tables.strata_csv(dashboards.newest_strata(edition, measure_id), page)


@router.get("/measures/{measure_id}/annotations.csv")
def download_annotations(
    measure_id: str,
    reader: Reader,
    part: Part,
    hub: HubDependency,
    session: ReadSession,
) -> Response:
    """Return what was tried and decided beside a chart as CSV."""
    edition = editions.required_edition(
        session, hub, reader.audience, measure_id=measure_id
    )
    panel = dashboards.find_panel(edition, measure_id, part)
    return page_tables.notes_csv(panel.series.notes)


@router.get("/measures/{measure_id}/own.csv")
def download_own_series(
    measure_id: str,
    reader: Reader,
    part: Part,
    hub: HubDependency,
    session: ReadSession,
) -> Response:
    """Return the signed-in clinic's own live series as CSV."""
    panel = _own_panel(reader, measure_id, part, hub, session)
    answer = series_csv(series_answer(panel.series))
    answer.headers.update(PAGE_HEADERS | OWN)
    return answer


@router.get("/measures/{measure_id}/own-{kind}.{picture}")
def draw_own(
    measure_id: str,
    kind: PictureKind,
    look: PageLook,
    reader: Reader,
    part: Part,
    hub: HubDependency,
    session: ReadSession,
) -> Response:
    """Draw the signed-in clinic's own live numbers."""
    panel = _own_panel(reader, measure_id, part, hub, session)
    drawn = page_pictures.draw_spec(page_pictures.panel_spec(panel, kind), look)
    return _picture(drawn, look, OWN)


def _own_panel(
    reader: PageReader,
    measure_id: str,
    part: Part,
    hub: HubDependency,
    session: ReadSession,
) -> Panel:
    """Return a live panel of the clinic that signed in: of that one and no other."""
    if reader.own is None:
        msg = "A clinic's own numbers are for its own people. Sign in first."
        raise ForbiddenError(msg)
    live = open_live(session, hub, reader.own.clinic)
    return own_numbers.find_live_panel(session, hub, live, measure_id, part)


@router.get("/measures/{measure_id}/{kind}.{picture}")
def draw_measure(
    measure_id: str,
    kind: PictureKind,
    look: PageLook,
    release: int,
    reader: Reader,
    part: Part,
    hub: HubDependency,
    session: ReadSession,
    pictures: AppPictures,
) -> Response:
    """Draw a picture of one release: the newest, for there are no others to see."""
    newest = latest(session, reader.audience)
    if newest is None or newest.id != release:
        msg = "There is a newer release; reload the page"
        raise NotFoundError(msg)
    drawing = Drawing(
        audience=reader.audience,
        release_id=release,
        measure_id=measure_id,
        kind=kind,
        part=part,
        look=look,
        notes=find_notes(session, hub.audiences.rules(reader.audience)).version,
    )

    def draw() -> str | bytes:
        edition = editions.required_edition(
            session, hub, reader.audience, measure_id=measure_id
        )
        return page_pictures.draw(edition, drawing)

    return _picture(pictures.find(drawing, draw), look, KEPT)


def _picture(drawn: str | bytes, look: Look, kept: dict[str, str]) -> Response:
    media_type = MEDIA_TYPES[look.picture]
    return Response(drawn, media_type=media_type, headers=PAGE_HEADERS | kept)


@router.get("/projects.csv")
def download_projects(
    reader: Reader, hub: HubDependency, session: ReadSession
) -> Response:
    """Return every project as CSV."""
    pages = project_pages.list_projects(session, hub, reader.viewer)
    return page_tables.projects_csv(pages)


@router.get("/projects/{code}/phases.csv")
def download_phases(
    code: str, reader: Reader, hub: HubDependency, session: ReadSession
) -> Response:
    """Return which clinics joined a project when as CSV."""
    sheet = project_pages.find_sheet(session, hub, reader.viewer, code)
    return page_tables.phases_csv(sheet.page)


@router.get("/projects/{code}/{measure_id}.csv")
def download_estimate(
    code: str,
    measure_id: str,
    reader: Reader,
    hub: HubDependency,
    session: ReadSession,
) -> Response:
    """Return what a project's clinics reached and what was expected as CSV."""
    found = project_pages.find_outcome(session, hub, reader.viewer, code, measure_id)
    return page_tables.estimate_csv(found)


@router.get("/projects/{code}/{measure_id}.{picture}")
def draw_estimate(
    code: str,
    measure_id: str,
    look: PageLook,
    reader: Reader,
    hub: HubDependency,
    session: ReadSession,
) -> Response:
    """Draw what a project's clinics reached beside what was expected."""
    found = project_pages.find_outcome(session, hub, reader.viewer, code, measure_id)
    drawn = page_pictures.draw_spec(specifications.estimate_of(found), look)
    return _picture(drawn, look, {})


@router.get("/clinics.csv")
def download_clinic_board(
    reader: Reader, hub: HubDependency, session: ReadSession
) -> Response:
    """Return every clinic on every measure as CSV."""
    edition = editions.required_edition(session, hub, reader.audience)
    editions.check_sees_clinics(edition)
    return page_tables.board_csv(standings.find_board(edition), edition)


@router.get("/clinics/{code}/scorecard.csv")
def download_scorecard(
    code: str, reader: Reader, hub: HubDependency, session: ReadSession
) -> Response:
    """Return a clinic's published scorecard as CSV."""
    edition = editions.required_edition(session, hub, reader.audience)
    editions.find_clinic(edition, code)
    return page_tables.scorecard_csv(page_scorecards.find_scores(edition, code))


@router.get("/clinics/{code}/own.csv")
def download_own_scorecard(
    code: str, reader: Reader, hub: HubDependency, session: ReadSession
) -> Response:
    """Return the signed-in clinic's own live scorecard as CSV."""
    if reader.own is None or not reader.is_own(code):
        msg = "A clinic's own numbers are for its own people. Sign in first."
        raise ForbiddenError(msg)
    scores = page_scorecards.find_own_scores(session, hub, reader.own.clinic, [])
    answer = page_tables.own_csv(scores)
    answer.headers.update(OWN)
    return answer


@router.get("/releases.csv")
def download_releases(
    reader: Reader, hub: HubDependency, session: ReadSession
) -> Response:
    """Return what was published when as CSV."""
    pages = release_pages.find_pages(session, hub, reader.audience)
    return page_tables.releases_csv(pages)


@router.get("/releases/{release_id}.csv")
def download_release(
    release_id: int, reader: Reader, hub: HubDependency, session: ReadSession
) -> Response:
    """Return what a release shows of each measure as CSV."""
    page = release_pages.find_page(session, hub, reader.audience, release_id)
    return page_tables.release_csv(page)


@router.get("/releases/{release_id}/restated.csv")
def download_restated(
    release_id: int, reader: Reader, hub: HubDependency, session: ReadSession
) -> Response:
    """Return what a release tells anew as CSV."""
    page = release_pages.find_page(session, hub, reader.audience, release_id)
    return page_tables.restated_csv(page)
