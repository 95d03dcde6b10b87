"""The REST interface for partners and clinics: measures, series, charts, releases."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app.charts.gap_charts import GapLimits
from app.routers.chart_answers import ChartAnswer, chart_answer
from app.routers.comparison_answers import (
    ComparisonAnswer,
    VariationAnswer,
    comparison_answer,
    variation_answer,
)
from app.routers.dependencies import BEARER, Caller, HubDependency, ReadSession
from app.routers.descriptions import problem_responses
from app.routers.event_answers import EventsAnswer, events_answer
from app.routers.keeping import KEPT_BY_RELEASE, NEVER_KEPT, KeptRoute
from app.routers.measure_answers import (
    Catalogue,
    MeasureDefinition,
    definition,
    summary,
)
from app.routers.release_answers import ReleaseAnswer, ReleasesAnswer, release_answer
from app.routers.series_answers import SeriesAnswer, series_answer, series_csv
from app.routers.viewers import Asked, Part, Seer
from app.services import catalogue, charts, releases, summaries, viewed_series
from app.services.authorization import check_scope
from app.services.editions import Edition, required_edition

router = APIRouter(
    prefix="/v1",
    route_class=KeptRoute,
    tags=["measures"],
    dependencies=[Depends(BEARER)],
    responses=problem_responses(401, 403, 429, "default"),
)


def require_reader(caller: Caller) -> None:
    """Refuse a caller who may not read definitions."""
    check_scope(caller, "Measure", "r")


READER = Depends(require_reader)


def open_release(
    measure_id: str, viewer: Seer, hub: HubDependency, session: ReadSession
) -> Edition:
    """Return the viewer's newest release, opened at one measure."""
    catalogue.find_measure(hub, measure_id)
    return required_edition(session, hub, viewer.audience, measure_id=measure_id)


Released = Annotated[Edition, Depends(open_release)]


@router.get("/measures", dependencies=[READER])
def list_measures(hub: HubDependency, session: ReadSession) -> Catalogue:
    """List the measures that are served."""
    pages = catalogue.all_pages(session, hub)
    return Catalogue(measures=[summary(page) for page in pages])


@router.get("/measures/{measure_id}", dependencies=[READER])
def get_measure(
    measure_id: str, hub: HubDependency, session: ReadSession
) -> MeasureDefinition:
    """Return a measure's definition, in words and as data."""
    return definition(catalogue.find_page(session, hub, measure_id))


@router.get(
    "/measures/{measure_id}/series",
    response_model=SeriesAnswer,
    responses=problem_responses(400, 404),
    dependencies=[KEPT_BY_RELEASE],
)
def get_series(
    measure_id: str,
    request: Request,
    viewer: Seer,
    part: Part,
    hub: HubDependency,
    session: ReadSession,
) -> SeriesAnswer | Response:
    """Return n, d and value, interval by interval; as CSV where that is accepted."""
    found = viewed_series.find_series(session, hub, viewer, measure_id, part)
    answer = series_answer(found)
    if "text/csv" in request.headers.get("Accept", ""):
        return series_csv(answer)
    return answer


@router.get(
    "/measures/{measure_id}/events",
    responses=problem_responses(400, 404),
    dependencies=[NEVER_KEPT],
)
def get_events(
    measure_id: str,
    viewer: Seer,
    hub: HubDependency,
    session: ReadSession,
    asked: Asked,
    clinic: Annotated[str | None, Query(description="The caller's own code.")] = None,
    limits: Annotated[
        GapLimits, Query(description="How the limits of a g chart are made.")
    ] = GapLimits.EXACT,
) -> EventsAnswer:
    """Return what lay between a clinic's single events, charted, to the clinic."""
    found = summaries.find_gaps(
        session, hub, viewer.clinic_id, measure_id, clinic_code=clinic
    )
    chart = charts.chart_events(found, asked=asked, limits=limits)
    return events_answer(found, chart)


@router.get(
    "/measures/{measure_id}/chart",
    responses=problem_responses(400, 404),
    dependencies=[KEPT_BY_RELEASE],
)
def get_chart(
    measure_id: str,
    viewer: Seer,
    part: Part,
    hub: HubDependency,
    session: ReadSession,
    asked: Asked,
) -> ChartAnswer:
    """Return the control chart: every point with its lines and signals."""
    found = charts.find_chart(session, hub, viewer, measure_id, part, asked=asked)
    return chart_answer(found)


@router.get(
    "/measures/{measure_id}/clinics",
    responses=problem_responses(400, 404),
    dependencies=[KEPT_BY_RELEASE],
)
def compare_clinics(
    measure_id: str,
    edition: Released,
    part: Part,
) -> ComparisonAnswer:
    """Return every clinic on one measure: intervals, funnel limits, ranks."""
    return comparison_answer(charts.compare(edition, measure_id, part))


@router.get(
    "/measures/{measure_id}/variation",
    responses=problem_responses(400, 404),
    dependencies=[KEPT_BY_RELEASE],
)
def get_variation(
    measure_id: str,
    edition: Released,
    part: Part,
) -> VariationAnswer:
    """Return how much clinics differ, interval by interval: narrowing is a result."""
    return variation_answer(charts.find_variation(edition, measure_id, part))


@router.get("/releases")
def list_releases(viewer: Seer, session: ReadSession) -> ReleasesAnswer:
    """List what was published for the caller's audience, the newest first."""
    rows = map(release_answer, releases.published(session, viewer.audience))
    return ReleasesAnswer(releases=list(rows))


@router.get("/releases/{release_id}", responses=problem_responses(400, 404))
def get_release(release_id: int, viewer: Seer, session: ReadSession) -> ReleaseAnswer:
    """Return one release: when, under which policy, and how much of it is shown."""
    return release_answer(releases.find_release(session, viewer.audience, release_id))
