"""Pictures over REST: each chart and comparison as SVG, PNG or Vega-Lite."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from app.charts.vega_layers import Spec
from app.routers.dependencies import BEARER, HubDependency, ReadSession
from app.routers.descriptions import problem_responses
from app.routers.keeping import NEVER_KEPT, KeptDrawer, KeptRoute
from app.routers.viewers import Asked, Part, Seer
from app.services import catalogue, charts, multiples, specifications, summaries
from app.services.charts import ChartOf
from app.services.editions import Edition, required_edition
from app.services.pictures import MEDIA_TYPES, Picture, drawn

router = APIRouter(
    prefix="/v1/measures/{measure_id}",
    route_class=KeptRoute,
    dependencies=[Depends(BEARER)],
    responses=problem_responses(401, 403, 429, "default"),
    include_in_schema=False,
)


class Opening:
    """The viewer's newest release, opened only where a picture has to be drawn."""

    def __init__(
        self, measure_id: str, viewer: Seer, hub: HubDependency, session: ReadSession
    ) -> None:
        catalogue.find_measure(hub, measure_id)
        self._measure_id, self._viewer = measure_id, viewer
        self._hub, self._session = hub, session

    def edition(self) -> Edition:
        """Return the release, opened at the measure."""
        return required_edition(
            self._session,
            self._hub,
            self._viewer.audience,
            measure_id=self._measure_id,
        )


Released = Annotated[Opening, Depends(Opening)]


class Charting:
    """The control chart that is asked for, made only where it has to be drawn."""

    def __init__(
        self,
        measure_id: str,
        viewer: Seer,
        part: Part,
        asked: Asked,
        hub: HubDependency,
        session: ReadSession,
    ) -> None:
        self._measure_id, self._viewer, self._part = measure_id, viewer, part
        self._asked, self._hub, self._session = asked, hub, session

    def chart(self) -> ChartOf:
        """Return the chart."""
        return charts.find_chart(
            self._session,
            self._hub,
            self._viewer,
            self._measure_id,
            self._part,
            asked=self._asked,
        )


Charted = Annotated[Charting, Depends(Charting)]


@router.get("/chart.{picture}")
def draw_chart(picture: Picture, charted: Charted, drawer: KeptDrawer) -> Response:
    """Return the control chart as a picture, or its Vega-Lite specification."""
    return drawer.reply(picture, lambda: specifications.chart_of(charted.chart()))


@router.get("/spark.{picture}")
def draw_spark_line(picture: Picture, charted: Charted, drawer: KeptDrawer) -> Response:
    """Return the control chart as a line of the height of text."""
    return drawer.reply(picture, lambda: specifications.spark_line_of(charted.chart()))


@router.get("/clinics.{picture}")
def draw_clinics(
    measure_id: str,
    picture: Picture,
    part: Part,
    released: Released,
    drawer: KeptDrawer,
) -> Response:
    """Return the funnel plot as a picture, or its Vega-Lite specification."""

    def specify() -> Spec:
        found = charts.compare(released.edition(), measure_id, part)
        return specifications.funnel_of(found)

    return drawer.reply(picture, specify)


@router.get("/multiples.{picture}")
def draw_multiples(
    measure_id: str,
    picture: Picture,
    part: Part,
    released: Released,
    drawer: KeptDrawer,
) -> Response:
    """Return a small chart of every clinic, all on one scale, in one picture."""

    def specify() -> Spec:
        found = multiples.find_multiples(released.edition(), measure_id, part)
        return specifications.multiples_of(found)

    return drawer.reply(picture, specify)


@router.get("/events.{picture}", dependencies=[NEVER_KEPT])
def draw_events(
    measure_id: str,
    picture: Picture,
    viewer: Seer,
    hub: HubDependency,
    session: ReadSession,
    asked: Asked,
    clinic: Annotated[str | None, Query()] = None,
) -> Response:
    """Return what lay between a clinic's single events, to the clinic itself."""
    found = summaries.find_gaps(
        session, hub, viewer.clinic_id, measure_id, clinic_code=clinic
    )
    made = drawn(specifications.events_of(found, asked=asked), picture)
    return Response(made, media_type=MEDIA_TYPES[picture])
