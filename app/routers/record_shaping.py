"""From what people said, as it is kept, to what an answer says."""

from datetime import UTC, datetime
from typing import Any

from fastapi import Response
from fastapi.responses import JSONResponse

from app.domain.annotations import Signature
from app.domain.calendar import date_of_day, first_day
from app.routers import record_answers as answers
from app.routers.shapes import Answer
from app.services.cohorts import CohortPage
from app.services.estimates import EstimateOf
from app.services.projects import ProjectPage
from app.store.annotations import Annotation


def moment(milliseconds: int) -> datetime:
    """Return the moment of epoch *milliseconds*, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def reply(answer: Answer, *, status: int) -> Response:
    """Return an answer of a route that commits before it answers."""
    return JSONResponse(answer.model_dump(mode="json"), status_code=status)


def annotation_answer(found: Annotation) -> answers.AnnotationAnswer:
    """Return an annotation, with who wrote it and who took it back."""
    return answers.AnnotationAnswer(
        **_signed(found.signed),
        id=found.id,
        kind=found.kind,
        month=first_day(found.month),
        day=None if found.day is None else date_of_day(found.day),
        clinic=found.clinic,
        cohort=found.cohort,
        measures=list(found.measures),
        what=found.what,
        hypothesis=found.hypothesis,
        evidence=_evidence(found),
        by_clinic=found.is_clinics,
        withdrawn=None
        if found.withdrawn is None
        else answers.SignatureAnswer(**_signed(found.withdrawn)),
    )


def cohort_answer(page: CohortPage) -> answers.CohortAnswer:
    """Return a cohort with its clinics."""
    return answers.CohortAnswer(
        **_signed(page.cohort.signed),
        code=page.cohort.code,
        name=page.cohort.name,
        clinics=list(page.clinics),
    )


def project_answer(page: ProjectPage) -> answers.ProjectAnswer:
    """Return a project with its phases."""
    project = page.project
    return answers.ProjectAnswer(
        **_signed(project.signed),
        code=project.code,
        name=project.name,
        aim=project.aim,
        measures=list(project.measures),
        status=page.status,
        phases=[
            answers.ProjectPhaseAnswer(
                **_signed(phase.signed),
                kind=phase.kind,
                name=phase.name,
                month=first_day(phase.month),
                clinics=page.clinics(phase),
            )
            for phase in project.phases
        ],
        ended=None
        if project.ended is None
        else answers.SignatureAnswer(**_signed(project.ended)),
        remarks=list(page.remarks),
    )


def estimate_answer(found: EstimateOf) -> answers.EstimateAnswer:
    """Return the change that came with a project, in words and in numbers."""
    told = found.estimate
    names = answers.EstimateAnswer.model_fields.keys() & set(told.__struct_fields__)
    fields = {name: getattr(told, name) for name in names - {"intervals"}}
    return answers.EstimateAnswer(
        **fields,
        project=found.project.project.code,
        measure=found.page.id,
        improvement_notation=found.page.improvement_notation,
        per=found.page.scale.per,
        interval=found.interval,
        release=found.release_id,
        unpublished=found.unpublished,
        intervals=[
            answers.ExpectedAnswer(
                interval_start=first_day(each.interval_start),
                observed=each.observed,
                expected=each.expected,
            )
            for each in told.intervals
        ],
    )


def _evidence(found: Annotation) -> answers.EvidenceAnswer | None:
    told = found.evidence
    if told is None:
        return None
    return answers.EvidenceAnswer(
        first=first_day(int(told["first"])),
        last=first_day(int(told["last"])),
        before=told["before"],
        after=told["after"],
        evidence=told["evidence"],
    )


def _signed(signed: Signature) -> dict[str, Any]:
    return {
        "author": signed.author or None,
        "reason": signed.reason,
        "created_at": moment(signed.created_at),
        "client": signed.client_id or None,
    }
