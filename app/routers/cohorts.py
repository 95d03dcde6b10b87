"""Cohorts: named sets of clinics, whose numbers are what their clinics' add up to."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from app.routers.answers import reply
from app.routers.cohort_answers import CohortAnswer, CohortsAnswer, cohort_answer
from app.routers.dependencies import (
    BEARER,
    HubDependency,
    ReadSession,
    WriteSession,
    committed,
)
from app.routers.descriptions import problem_responses
from app.routers.parties import ReadingParty, WritingParty
from app.routers.questions import NewCohortQuestion, described, read_as
from app.services import cohorts
from app.services.cohorts import NewCohort

router = APIRouter(
    prefix="/v1",
    tags=["cohorts"],
    dependencies=[Depends(BEARER)],
    responses=problem_responses(401, 403, 429, "default"),
)


@router.get("/cohorts")
def list_cohorts(
    reader: ReadingParty, hub: HubDependency, session: ReadSession
) -> CohortsAnswer:
    """List the named sets of clinics."""
    found = cohorts.find_cohorts(session, hub, reader)
    return CohortsAnswer(cohorts=[*map(cohort_answer, found)])


@router.post(
    "/cohorts",
    status_code=201,
    response_model=CohortAnswer,
    responses=problem_responses(400, 409, 413, 415, 422),
    openapi_extra=described(NewCohortQuestion),
)
@committed
def add_cohort(
    question: Annotated[NewCohortQuestion, Depends(read_as(NewCohortQuestion))],
    writer: WritingParty,
    hub: HubDependency,
    session: WriteSession,
) -> Response:
    """Give some clinics a name, as a coordinator; they stay those for good."""
    new = NewCohort(
        code=question.code,
        name=question.name,
        clinics=tuple(question.clinics),
        author=question.author,
        reason=question.reason,
    )
    made = cohorts.add_cohort(session, hub, writer, new)
    return reply(cohort_answer(made), status=201)
