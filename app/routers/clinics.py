"""One clinic over REST: its scorecard."""

from fastapi import APIRouter, Depends, Request, Response

from app.routers.dependencies import BEARER, HubDependency, ReadSession
from app.routers.descriptions import problem_responses
from app.routers.keeping import KEPT_BY_RELEASE, KeptRoute
from app.routers.scorecard_answers import (
    ScorecardAnswer,
    scorecard_answer,
    scorecard_csv,
)
from app.routers.viewers import Seer
from app.services import scorecards

router = APIRouter(
    prefix="/v1",
    route_class=KeptRoute,
    tags=["clinics"],
    dependencies=[Depends(BEARER)],
    responses=problem_responses(401, 403, 429, "default"),
)


@router.get(
    "/clinics/{clinic}/scorecard",
    response_model=ScorecardAnswer,
    responses=problem_responses(404),
    dependencies=[KEPT_BY_RELEASE],
)
def get_scorecard(
    clinic: str,
    request: Request,
    viewer: Seer,
    hub: HubDependency,
    session: ReadSession,
) -> ScorecardAnswer | Response:
    """Return every measure of one clinic; as CSV where that is accepted."""
    found = scorecards.find_scorecard(session, hub, viewer, clinic)
    answer = scorecard_answer(found)
    if "text/csv" in request.headers.get("Accept", ""):
        return scorecard_csv(answer)
    return answer
