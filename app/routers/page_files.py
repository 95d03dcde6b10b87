"""Every table of a page as CSV."""

from fastapi import APIRouter, Response

from app.routers import page_tables
from app.routers.dependencies import HubDependency, ReadSession
from app.routers.readers import (
    OWN,
    AtMeasure,
    Newest,
    OwnPanel,
    Part,
    Reader,
    required_own,
)
from app.routers.series_answers import series_answer, series_csv
from app.routers.templates import PAGE_HEADERS
from app.services import (
    catalogue,
    dashboards,
    editions,
    page_scorecards,
    project_pages,
    release_pages,
    standings,
)

router = APIRouter(include_in_schema=False)


@router.get("/overview.csv")
def download_overview(edition: Newest) -> Response:
    """Return the newest published numbers of every measure as CSV."""
    return page_tables.panels_csv(dashboards.find_panels(edition))


@router.get("/measures/{measure_id}/series.csv")
def download_series(measure_id: str, part: Part, edition: AtMeasure) -> Response:
    """Return a series of the release as CSV."""
    panel = dashboards.find_panel(edition, measure_id, part)
    return series_csv(series_answer(panel.series))


@router.get("/measures/{measure_id}/clinics.csv")
def download_clinics(
    measure_id: str, hub: HubDependency, edition: AtMeasure
) -> Response:
    """Return each clinic's newest published interval as CSV."""
    page = catalogue.page_of(catalogue.find_measure(hub, measure_id))
    return page_tables.clinics_csv(standings.find_beside(edition, measure_id), page)


@router.get("/measures/{measure_id}/strata.csv")
def download_strata(
    measure_id: str, hub: HubDependency, edition: AtMeasure
) -> Response:
    """Return the newest published strata as CSV."""
    page = catalogue.page_of(catalogue.find_measure(hub, measure_id))
    return page_tables.strata_csv(dashboards.newest_strata(edition, measure_id), page)


@router.get("/measures/{measure_id}/annotations.csv")
def download_annotations(measure_id: str, part: Part, edition: AtMeasure) -> Response:
    """Return what was tried and decided beside a chart as CSV."""
    panel = dashboards.find_panel(edition, measure_id, part)
    return page_tables.notes_csv(panel.series.notes)


@router.get("/measures/{measure_id}/own.csv")
def download_own_series(panel: OwnPanel) -> Response:
    """Return the signed-in clinic's own live series as CSV."""
    answer = series_csv(series_answer(panel.series))
    answer.headers.update(PAGE_HEADERS | OWN)
    return answer


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


@router.get("/clinics.csv")
def download_clinic_board(edition: Newest) -> Response:
    """Return every clinic on every measure as CSV."""
    editions.check_sees_clinics(edition)
    return page_tables.board_csv(standings.find_board(edition), edition)


@router.get("/clinics/{code}/scorecard.csv")
def download_scorecard(code: str, edition: Newest) -> Response:
    """Return a clinic's published scorecard as CSV."""
    editions.find_clinic(edition, code)
    return page_tables.scorecard_csv(page_scorecards.find_scores(edition, code))


@router.get("/clinics/{code}/own.csv")
def download_own_scorecard(
    code: str, reader: Reader, hub: HubDependency, session: ReadSession
) -> Response:
    """Return the signed-in clinic's own live scorecard as CSV."""
    clinic = required_own(reader, code).clinic
    scores = page_scorecards.find_own_scores(session, hub, clinic, [])
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
