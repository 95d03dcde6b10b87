"""The REST interface for partners and clinics: measures, series, charts, releases."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app.charts.rules import RuleSet
from app.domain.annotations import ChartView
from app.domain.calendar import FOREVER, month_number
from app.domain.counts import Interval
from app.routers import answers, shaping
from app.routers.dependencies import BEARER, Caller, HubDependency, ReadSession
from app.routers.descriptions import problem_responses
from app.services import catalogue, charts, releases, series, summaries
from app.services.authorization import check_scope
from app.services.editions import Edition, required_edition
from app.services.series import Viewer, Wanted

router = APIRouter(
    prefix="/v1",
    tags=["measures"],
    dependencies=[Depends(BEARER)],
    responses=problem_responses(401, 403, 429, "default"),
)


def require_reader(caller: Caller) -> None:
    """Refuse a caller who may not read definitions."""
    check_scope(caller, "Measure", "r")


def find_viewer(caller: Caller) -> Viewer:
    """Return a caller who may see numbers, as the viewer they are."""
    check_scope(caller, "MeasureReport", "r")
    return Viewer.of(caller)


READER = Depends(require_reader)
Seer = Annotated[Viewer, Depends(find_viewer)]


def open_release(
    measure_id: str, viewer: Seer, hub: HubDependency, session: ReadSession
) -> Edition:
    """Return the viewer's newest release, opened at one measure."""
    catalogue.find_measure(hub, measure_id)
    return required_edition(session, hub, viewer.audience, measure_id=measure_id)


Released = Annotated[Edition, Depends(open_release)]


def find_wanted(
    clinic: Annotated[str | None, Query(description="A clinic's code.")] = None,
    cohort: Annotated[str | None, Query(description="A named cohort.")] = None,
    stratum: Annotated[str | None, Query(description="Such as age:6-12.")] = None,
    interval: Annotated[Interval | None, Query()] = None,
    since: Annotated[date | None, Query(alias="from")] = None,
    until: Annotated[date | None, Query(alias="to", description="Inclusive.")] = None,
) -> Wanted:
    """Return the part of a measure that the parameters ask for."""
    return Wanted(
        clinic=clinic,
        cohort=cohort,
        stratum=stratum,
        interval=interval,
        since=0 if since is None else month_number(since.year, since.month),
        until=FOREVER if until is None else month_number(until.year, until.month) + 1,
    )


Part = Annotated[Wanted, Depends(find_wanted)]
Rules = Annotated[RuleSet, Query(description="The rules to search for signals with.")]
View = Annotated[
    ChartView, Query(description="With what was decided about the chart, or without.")
]


@router.get("/measures", dependencies=[READER])
def list_measures(hub: HubDependency, session: ReadSession) -> answers.Catalogue:
    """List the measures that are served."""
    pages = catalogue.all_pages(session, hub)
    return answers.Catalogue(measures=[shaping.summary(page) for page in pages])


@router.get("/measures/{measure_id}", dependencies=[READER])
def get_measure(
    measure_id: str, hub: HubDependency, session: ReadSession
) -> answers.MeasureDefinition:
    """Return a measure's definition, in words and as data."""
    return shaping.definition(catalogue.find_page(session, hub, measure_id))


@router.get(
    "/measures/{measure_id}/series",
    response_model=answers.SeriesAnswer,
    responses=problem_responses(400, 404),
)
def get_series(
    measure_id: str,
    request: Request,
    viewer: Seer,
    part: Part,
    hub: HubDependency,
    session: ReadSession,
) -> answers.SeriesAnswer | Response:
    """Return n, d and value, interval by interval; as CSV where that is accepted."""
    found = series.find_series(session, hub, viewer, measure_id, part)
    answer = shaping.series_answer(found)
    if "text/csv" in request.headers.get("Accept", ""):
        return shaping.series_csv(answer)
    return answer


@router.get("/measures/{measure_id}/events", responses=problem_responses(400, 404))
def get_events(
    measure_id: str,
    viewer: Seer,
    hub: HubDependency,
    session: ReadSession,
    clinic: Annotated[str | None, Query(description="The caller's own code.")] = None,
) -> answers.EventsAnswer:
    """Return what lay between a clinic's single events, to the clinic itself."""
    found = summaries.find_gaps(
        session, hub, viewer.clinic_id, measure_id, clinic_code=clinic
    )
    return shaping.events_answer(found)


@router.get("/measures/{measure_id}/chart", responses=problem_responses(400, 404))
def get_chart(
    measure_id: str,
    viewer: Seer,
    part: Part,
    hub: HubDependency,
    session: ReadSession,
    rules: Rules = RuleSet.ANHOEJ,
    view: View = ChartView.ACCEPTED,
) -> answers.ChartAnswer:
    """Return the control chart: every point with its lines and signals."""
    found = charts.find_chart(
        session, hub, viewer, measure_id, part, rule_set=rules, view=view
    )
    return shaping.chart_answer(found)


@router.get("/measures/{measure_id}/chart.{picture}", include_in_schema=False)
def draw_chart(
    measure_id: str,
    picture: charts.Picture,
    viewer: Seer,
    part: Part,
    hub: HubDependency,
    session: ReadSession,
    rules: Rules = RuleSet.ANHOEJ,
    view: View = ChartView.ACCEPTED,
) -> Response:
    """Return the control chart as a picture, or its Vega-Lite specification."""
    found = charts.find_chart(
        session, hub, viewer, measure_id, part, rule_set=rules, view=view
    )
    return _picture(charts.draw_chart(found, picture), picture)


@router.get("/measures/{measure_id}/clinics", responses=problem_responses(400, 404))
def compare_clinics(
    measure_id: str,
    edition: Released,
    part: Part,
) -> answers.ComparisonAnswer:
    """Return every clinic on one measure: rates, intervals, funnel limits."""
    return shaping.comparison_answer(charts.compare(edition, measure_id, part))


@router.get("/measures/{measure_id}/clinics.{picture}", include_in_schema=False)
def draw_clinics(
    measure_id: str,
    picture: charts.Picture,
    edition: Released,
    part: Part,
) -> Response:
    """Return the funnel plot as a picture, or its Vega-Lite specification."""
    found = charts.compare(edition, measure_id, part)
    return _picture(charts.draw_comparison(found, picture), picture)


@router.get("/releases")
def list_releases(viewer: Seer, session: ReadSession) -> answers.ReleasesAnswer:
    """List what was published for the caller's audience, the newest first."""
    rows = map(shaping.release_answer, releases.published(session, viewer.audience))
    return answers.ReleasesAnswer(releases=list(rows))


@router.get("/releases/{release_id}", responses=problem_responses(400, 404))
def get_release(
    release_id: int, viewer: Seer, session: ReadSession
) -> answers.ReleaseAnswer:
    """Return one release: when, under which policy, and how much of it is shown."""
    return shaping.release_answer(
        releases.find_release(session, viewer.audience, release_id)
    )


def _picture(drawn: str | bytes, picture: charts.Picture) -> Response:
    return Response(drawn, media_type=charts.MEDIA_TYPES[picture])
