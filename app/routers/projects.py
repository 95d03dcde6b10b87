"""Projects: what some clinics set out to improve, and what came of it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from app.domain.annotations import PhaseKind
from app.domain.calendar import month_of_text
from app.routers.answers import reply
from app.routers.dependencies import (
    BEARER,
    HubDependency,
    ReadSession,
    WriteSession,
    committed,
)
from app.routers.descriptions import problem_responses
from app.routers.parties import ReadingParty, WritingParty
from app.routers.project_answers import (
    EstimateAnswer,
    ProjectAnswer,
    ProjectsAnswer,
    estimate_answer,
    project_answer,
)
from app.routers.questions import (
    EndQuestion,
    NewPhaseQuestion,
    NewProjectQuestion,
    PhaseQuestion,
    described,
    read_as,
)
from app.services import estimates, projects
from app.services.projects import NewPhase, NewProject

router = APIRouter(
    prefix="/v1",
    tags=["projects"],
    dependencies=[Depends(BEARER)],
    responses=problem_responses(401, 403, 429, "default"),
)


@router.get("/projects")
def list_projects(
    reader: ReadingParty, hub: HubDependency, session: ReadSession
) -> ProjectsAnswer:
    """List what clinics set out to improve."""
    found = projects.find_projects(session, hub, reader)
    return ProjectsAnswer(projects=[*map(project_answer, found)])


@router.post(
    "/projects",
    status_code=201,
    response_model=ProjectAnswer,
    responses=problem_responses(400, 409, 413, 415, 422),
    openapi_extra=described(NewProjectQuestion),
)
@committed
def add_project(
    question: Annotated[NewProjectQuestion, Depends(read_as(NewProjectQuestion))],
    writer: WritingParty,
    hub: HubDependency,
    session: WriteSession,
) -> Response:
    """Write a project down, as a coordinator."""
    new = NewProject(
        code=question.code,
        name=question.name,
        aim=question.aim,
        measures=tuple(question.measures),
        phases=tuple(map(_new_phase, question.phases)),
        author=question.author,
        reason=question.reason,
    )
    made = projects.add_project(session, hub, writer, new)
    return reply(project_answer(made), status=201)


@router.get("/projects/{project_id}", responses=problem_responses(404))
def get_project(
    project_id: str, reader: ReadingParty, hub: HubDependency, session: ReadSession
) -> ProjectAnswer:
    """Return one project with its phases."""
    return project_answer(projects.find_project(session, hub, reader, project_id))


@router.post(
    "/projects/{project_id}/phases",
    status_code=201,
    response_model=ProjectAnswer,
    responses=problem_responses(400, 404, 409, 413, 415, 422),
    openapi_extra=described(NewPhaseQuestion),
)
@committed
def add_phase(
    project_id: str,
    question: Annotated[NewPhaseQuestion, Depends(read_as(NewPhaseQuestion))],
    writer: WritingParty,
    hub: HubDependency,
    session: WriteSession,
) -> Response:
    """Let further clinics join a project, as a coordinator."""
    changed = projects.add_phase(
        session,
        hub,
        writer,
        project_id,
        _new_phase(question),
        author=question.author,
        reason=question.reason,
    )
    return reply(project_answer(changed), status=201)


@router.post(
    "/projects/{project_id}/end",
    response_model=ProjectAnswer,
    responses=problem_responses(400, 404, 409, 413, 415, 422),
    openapi_extra=described(EndQuestion),
)
@committed
def end_project(
    project_id: str,
    question: Annotated[EndQuestion, Depends(read_as(EndQuestion))],
    writer: WritingParty,
    hub: HubDependency,
    session: WriteSession,
) -> Response:
    """End a project, as a coordinator; it stays to be read."""
    ended = projects.end_project(
        session,
        hub,
        writer,
        project_id,
        author=question.author,
        reason=question.reason,
    )
    return reply(project_answer(ended), status=200)


@router.get("/projects/{project_id}/estimate", responses=problem_responses(400, 404))
def get_estimate(
    project_id: str,
    reader: ReadingParty,
    hub: HubDependency,
    session: ReadSession,
    measure: Annotated[
        str | None, Query(description="One of the project's; none: its first.")
    ] = None,
) -> EstimateAnswer:
    """Return how much a measure changed with a project, from released counts."""
    found = estimates.find_estimate(session, hub, reader, project_id, measure)
    return estimate_answer(found)


def _new_phase(question: PhaseQuestion) -> NewPhase:
    return NewPhase(
        kind=PhaseKind(question.kind),
        name=question.name,
        month=month_of_text(question.month),
        clinics=tuple(question.clinics),
    )
