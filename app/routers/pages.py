"""The dashboard: an audience's newest release as pages that people read."""

from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Cookie, Depends, Query, Response
from fastapi.responses import RedirectResponse

from app.domain.clinics import Audience
from app.domain.counts import Interval
from app.domain.errors import NotFoundError
from app.routers import shaping
from app.routers.dependencies import HubDependency, ReadSession
from app.routers.templates import PAGE_HEADERS, page
from app.services import (
    catalogue,
    dashboards,
    editions,
    findings,
    invitations,
    standings,
)
from app.services.dashboards import Panel
from app.services.editions import Edition
from app.services.hub import Hub
from app.services.series import Wanted

MEMBERS_COOKIE = "catchment_members"
KEPT = {"Cache-Control": "private, max-age=86400, immutable"}
"""A picture names its release, and a release never changes."""

router = APIRouter(include_in_schema=False)


class PictureKind(StrEnum):
    """The pictures of a measure."""

    CHART = "chart"
    SPARK_LINE = "spark"
    FUNNEL = "clinics"


def find_reader(
    hub: HubDependency,
    key: Annotated[str | None, Cookie(alias=MEMBERS_COOKIE)] = None,
) -> Audience:
    """Return whose release the browser may show."""
    return invitations.audience_of(hub, key)


def find_wanted(
    clinic: Annotated[str | None, Query()] = None,
    stratum: Annotated[str | None, Query()] = None,
    interval: Annotated[Interval | None, Query()] = None,
) -> Wanted:
    """Return the series that the parameters of a page ask for."""
    return Wanted(clinic=clinic, stratum=stratum, interval=interval)


Reader = Annotated[Audience, Depends(find_reader)]
Part = Annotated[Wanted, Depends(find_wanted)]


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
    edition = editions.open_edition(session, hub, reader)
    if edition is None:
        return page("nothing.html", **_frame(hub, reader, None))
    return page(
        "overview.html",
        **_frame(hub, reader, edition),
        panels=dashboards.find_panels(edition),
    )


def _let_in(hub: Hub, key: str) -> Response:
    """Give the browser the key of a link to keep, and lead it to the clean address."""
    seconds = invitations.open_link(hub, key)
    response = RedirectResponse("/", HTTPStatus.SEE_OTHER, headers=PAGE_HEADERS)
    response.set_cookie(
        MEMBERS_COOKIE,
        key,
        max_age=seconds,
        httponly=True,
        samesite="lax",
        secure=hub.base_url.startswith("https:"),
    )
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
    edition = editions.open_edition(session, hub, reader, measure_id=measure_id)
    if edition is None:
        return page("nothing.html", **_frame(hub, reader, None))
    panel = dashboards.find_panel(edition, measure_id, part)
    return page(
        "measure.html",
        **_frame(hub, reader, edition),
        measure=panel.page,
        panel=panel,
        sentences=_sentences(panel),
        strata=dashboards.newest_strata(edition, measure_id),
        beside=standings.find_beside(edition, measure_id),
    )


def _sentences(panel: Panel) -> list[str]:
    found = panel.found
    return [] if found is None else [*findings.sentences(found.chart, found.shift)]


@router.get("/measures/{measure_id}/series.csv")
def download_series(
    measure_id: str,
    reader: Reader,
    part: Part,
    hub: HubDependency,
    session: ReadSession,
) -> Response:
    """Return a series of the release as CSV."""
    edition = editions.required_edition(session, hub, reader, measure_id=measure_id)
    panel = dashboards.find_panel(edition, measure_id, part)
    return shaping.series_csv(shaping.series_answer(panel.series))


@router.get("/measures/{measure_id}/{kind}.svg")
def draw_measure(
    measure_id: str,
    kind: PictureKind,
    release: int,
    reader: Reader,
    part: Part,
    hub: HubDependency,
    session: ReadSession,
) -> Response:
    """Draw a picture of one release: the newest, for there are no others to see."""
    edition = editions.required_edition(session, hub, reader, measure_id=measure_id)
    if edition.release.id != release:
        msg = "There is a newer release; reload the page"
        raise NotFoundError(msg)
    if kind is PictureKind.FUNNEL:
        beside = standings.find_beside(edition, measure_id)
        picture = standings.draw_funnel(beside, edition)
    else:
        panel = dashboards.find_panel(edition, measure_id, part)
        draw = {
            PictureKind.CHART: dashboards.draw_chart,
            PictureKind.SPARK_LINE: dashboards.draw_spark_line,
        }[kind]
        picture = draw(panel)
    return Response(picture, media_type="image/svg+xml", headers=PAGE_HEADERS | KEPT)


@router.get("/clinics/{code}")
def show_clinic(
    code: str, reader: Reader, hub: HubDependency, session: ReadSession
) -> Response:
    """Show every measure of one clinic beside the network."""
    edition = editions.required_edition(session, hub, reader)
    clinic = editions.find_clinic(edition, code)
    return page(
        "clinic.html",
        **_frame(hub, reader, edition),
        clinic=clinic,
        name=edition.name_of(clinic.id or 0),
        scores=standings.find_scorecard(edition, code),
    )


def _frame(hub: Hub, reader: Audience, edition: Edition | None) -> dict[str, Any]:
    """Return what every page says around its subject."""
    clinics = {} if edition is None else edition.clinics
    return {
        "network": hub.keys.network.replace("-", " ").capitalize(),
        "for_members": reader is Audience.MEMBERS,
        "rules": hub.audiences.rules(reader),
        "lock_days": hub.audiences.lock_days,
        "edition": edition,
        "clinics": sorted(clinics.values(), key=lambda clinic: clinic.name),
    }
