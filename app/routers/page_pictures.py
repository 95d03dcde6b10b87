"""Every picture of a page as SVG and PNG."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app.domain.errors import NotFoundError
from app.routers.dependencies import HubDependency, ReadSession
from app.routers.readers import OWN, OwnPanel, Part, Reader
from app.routers.templates import PAGE_HEADERS
from app.services import editions, page_pictures, project_pages, specifications
from app.services.chart_notes import find_notes
from app.services.page_pictures import Drawing, Look, PictureKind, Scheme
from app.services.pictures import MEDIA_TYPES, Picture, Pictures
from app.services.releases import latest

KEPT = {"Cache-Control": "private, max-age=86400, immutable"}
"""A picture names its release and the notes beside it, which never change."""

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


@router.get("/measures/{measure_id}/own-{kind}.{picture}")
def draw_own(kind: PictureKind, look: PageLook, panel: OwnPanel) -> Response:
    """Draw the signed-in clinic's own live numbers."""
    drawn = page_pictures.draw_spec(page_pictures.panel_spec(panel, kind), look)
    return _picture(drawn, look, OWN)


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


def _picture(drawn: str | bytes, look: Look, kept: dict[str, str]) -> Response:
    media_type = MEDIA_TYPES[look.picture]
    return Response(drawn, media_type=media_type, headers=PAGE_HEADERS | kept)
