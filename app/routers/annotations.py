"""What people say and decide about charts: tests of change, shifts, baselines."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from app.domain.annotations import AnnotationKind
from app.domain.calendar import day_number, month_of_text
from app.domain.errors import InvalidElementError
from app.routers.annotation_answers import (
    AnnotationAnswer,
    AnnotationsAnswer,
    annotation_answer,
)
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
from app.routers.questions import (
    NewAnnotationQuestion,
    WithdrawalQuestion,
    described,
    read_as,
)
from app.services import annotations
from app.services.annotations import AnnotationsWanted, NewAnnotation

DAY_LENGTH = len("2026-03-15")

router = APIRouter(
    prefix="/v1",
    tags=["annotations"],
    dependencies=[Depends(BEARER)],
    responses=problem_responses(401, 403, 429, "default"),
)


@router.get("/annotations", responses=problem_responses(400))
def list_annotations(
    reader: ReadingParty,
    hub: HubDependency,
    session: ReadSession,
    *,
    clinic: Annotated[str | None, Query(description="A clinic's code.")] = None,
    cohort: Annotated[str | None, Query(description="A cohort's code.")] = None,
    measure: Annotated[str | None, Query(description="A measure's id.")] = None,
    kind: Annotated[AnnotationKind | None, Query()] = None,
    include_withdrawn: Annotated[
        bool, Query(description="Also what was taken back, and by whom.")
    ] = False,
) -> AnnotationsAnswer:
    """List what was said and decided about charts, as far as the caller sees them."""
    wanted = AnnotationsWanted(
        clinic=clinic,
        cohort=cohort,
        measure=measure,
        kind=kind,
        include_withdrawn=include_withdrawn,
    )
    found = annotations.find_annotations(session, hub, reader, wanted)
    return AnnotationsAnswer(annotations=[*map(annotation_answer, found)])


@router.post(
    "/annotations",
    status_code=201,
    response_model=AnnotationAnswer,
    responses=problem_responses(400, 404, 409, 413, 415, 422),
    openapi_extra=described(NewAnnotationQuestion),
)
@committed
def add_annotation(
    question: Annotated[NewAnnotationQuestion, Depends(read_as(NewAnnotationQuestion))],
    writer: WritingParty,
    hub: HubDependency,
    session: WriteSession,
) -> Response:
    """Write down a test of change, or a coordinator's decision about a chart."""
    written = annotations.annotate(session, hub, writer, new_annotation(question))
    return reply(annotation_answer(written), status=201)


@router.post(
    "/annotations/{annotation_id}/withdraw",
    response_model=AnnotationAnswer,
    responses=problem_responses(400, 404, 409, 413, 415, 422),
    openapi_extra=described(WithdrawalQuestion),
)
@committed
def withdraw_annotation(
    annotation_id: int,
    question: Annotated[WithdrawalQuestion, Depends(read_as(WithdrawalQuestion))],
    writer: WritingParty,
    hub: HubDependency,
    session: WriteSession,
) -> Response:
    """Take an annotation back; it stays in the audit, with who did so and why."""
    taken = annotations.withdraw(
        session,
        hub,
        writer,
        annotation_id,
        author=question.author,
        reason=question.reason,
    )
    return reply(annotation_answer(taken), status=200)


def new_annotation(question: NewAnnotationQuestion) -> NewAnnotation:
    """Return what a body says, in the hub's words."""
    return NewAnnotation(
        kind=question.annotation_kind,
        month=month_of_text(question.month),
        day=_day(question.month),
        clinic=question.clinic,
        cohort=question.cohort,
        measures=tuple(question.measures),
        what=question.what,
        hypothesis=question.hypothesis,
        author=question.author,
        reason=question.reason,
    )


def _day(text: str) -> int | None:
    """Return the day number of a day, or None of a month."""
    if len(text) < DAY_LENGTH:
        return None
    try:
        return day_number(date.fromisoformat(text))
    except ValueError:
        msg = "There is no such day"
        raise InvalidElementError(msg, expression="month") from None
