"""A clinic's own patients in a measure, by the hub's ids of them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.domain.calendar import month_of_text
from app.domain.clinics import Source
from app.routers.contribution_answers import ContributionsAnswer, contributions_answer
from app.routers.dependencies import BEARER, Caller, HubDependency, ReadSession
from app.routers.descriptions import problem_responses
from app.services import patient_statuses
from app.services.patient_statuses import check_may_ask

router = APIRouter(
    prefix="/v1",
    tags=["measures"],
    dependencies=[Depends(BEARER)],
    responses=problem_responses(401, 403, 429, "default"),
)

MONTH = r"^(19|20)\d{2}-(0[1-9]|1[0-2])$"
USUAL_LIMIT, MOST_AT_ONCE = 100, 1000
LAST_ID = 2**62


def find_own_source(caller: Caller) -> Source:
    """Return the source of a clinic's client that may see its own patients."""
    return check_may_ask(caller)


OwnSource = Annotated[Source, Depends(find_own_source)]


@router.get(
    "/measures/{measure_id}/contributions", responses=problem_responses(400, 404)
)
def list_contributions(
    measure_id: str,
    source: OwnSource,
    hub: HubDependency,
    session: ReadSession,
    month: Annotated[
        str | None, Query(pattern=MONTH, description="Such as 2024-03.")
    ] = None,
    after: Annotated[
        int, Query(ge=0, le=LAST_ID, description="What `next` of a page said.")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_AT_ONCE)] = USUAL_LIMIT,
) -> ContributionsAnswer:
    """List the clinic's own patients that a measure counts, and where each stands."""
    found = patient_statuses.find_contributions(
        session,
        hub,
        source,
        measure_id,
        month=None if month is None else month_of_text(month),
        after=after,
        limit=limit,
    )
    return contributions_answer(found)
