"""Projects and what came of them, as answers."""

from datetime import date

from pydantic import Field

from app.charts.interventions import NotEstimated
from app.domain.annotations import PhaseKind
from app.domain.calendar import first_day
from app.domain.counts import Interval
from app.routers.annotation_answers import SignatureAnswer, signature_fields
from app.routers.answers import Answer
from app.services.estimates import EstimateOf
from app.services.projects import ProjectPage, ProjectStatus


class ProjectPhaseAnswer(SignatureAnswer):
    """Clinics that join a project together."""

    kind: PhaseKind
    name: str
    month: date = Field(description="The first day of the month from which on.")
    clinics: list[str]


class ProjectAnswer(SignatureAnswer):
    """What some clinics set out to improve, and which of them joined when."""

    code: str
    name: str
    aim: str
    measures: list[str]
    status: ProjectStatus
    phases: list[ProjectPhaseAnswer]
    ended: SignatureAnswer | None
    remarks: list[str]


class ProjectsAnswer(Answer):
    """Every project, in the order of its code."""

    projects: list[ProjectAnswer]


class ExpectedAnswer(Answer):
    """The project's clinics in one interval after they began."""

    interval_start: date
    observed: float
    expected: float


class EstimateAnswer(Answer):
    """
    How much a measure changed with a project, from released counts.

    `change` is `observed` less `expected`, with its 95 % interval `lower` to `upper`,
    on the measure's scale: proportions in [0, 1], or events per so much exposure. Null
    where `not_estimated` says why.
    """

    words: str = Field(description="What a clinician reads.")
    project: str
    measure: str
    improvement_notation: str
    per: int | None
    interval: Interval
    release: int
    method: str
    change: float | None
    lower: float | None
    upper: float | None
    observed: float | None
    expected: float | None
    dispersion: float | None
    clinics: int = Field(description="Of the project, in the estimate.")
    compared_with: int = Field(
        description="Clinics that do not take part, or not yet; 0: uncontrolled."
    )
    withheld: int = Field(description="Intervals of clinics without numbers.")
    left_out: int = Field(description="Clinics with too few intervals.")
    unpublished: int = Field(
        description="Clinics of the project that publish nothing of this width."
    )
    not_estimated: NotEstimated | None
    intervals: list[ExpectedAnswer]


def project_answer(page: ProjectPage) -> ProjectAnswer:
    """Return a project with its phases."""
    project = page.project
    return ProjectAnswer(
        **signature_fields(project.signed),
        code=project.code,
        name=project.name,
        aim=project.aim,
        measures=list(project.measures),
        status=page.status,
        phases=[
            ProjectPhaseAnswer(
                **signature_fields(phase.signed),
                kind=phase.kind,
                name=phase.name,
                month=first_day(phase.month),
                clinics=page.clinics(phase),
            )
            for phase in project.phases
        ],
        ended=None
        if project.ended is None
        else SignatureAnswer(**signature_fields(project.ended)),
        remarks=list(page.remarks),
    )


def estimate_answer(found: EstimateOf) -> EstimateAnswer:
    """Return the change that came with a project, in words and in numbers."""
    told = found.estimate
    names = EstimateAnswer.model_fields.keys() & set(told.__struct_fields__)
    fields = {name: getattr(told, name) for name in names - {"intervals"}}
    return EstimateAnswer(
        **fields,
        project=found.project.project.code,
        measure=found.page.id,
        improvement_notation=found.page.improvement_notation,
        per=found.page.scale.per,
        interval=found.interval,
        release=found.release_id,
        unpublished=found.unpublished,
        intervals=[
            ExpectedAnswer(
                interval_start=first_day(each.interval_start),
                observed=each.observed,
                expected=each.expected,
            )
            for each in told.intervals
        ],
    )
