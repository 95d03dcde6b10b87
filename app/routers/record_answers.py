"""The shapes of the answers about annotations, cohorts and projects."""

from datetime import date, datetime

from pydantic import Field

from app.charts.interventions import NotEstimated
from app.domain.annotations import AnnotationKind, PhaseKind
from app.domain.counts import Interval
from app.routers.shapes import Answer
from app.services.projects import ProjectStatus


class SignatureAnswer(Answer):
    """Who said something, when and why."""

    author: str | None = Field(description="Null where clinics have codes for names.")
    reason: str
    created_at: datetime
    client: str | None = Field(
        description="Which client wrote it; for coordinators and the clinic itself."
    )


class EvidenceAnswer(Answer):
    """What an accepted shift was suggested with; see the chart's suggested shift."""

    first: date
    last: date
    before: float
    after: float
    evidence: float


class AnnotationAnswer(SignatureAnswer):
    """Something said or decided about charts."""

    id: int
    kind: AnnotationKind
    month: date = Field(description="Its first day.")
    day: date | None
    clinic: str | None = Field(description="A code; neither: of the network.")
    cohort: str | None
    measures: list[str] = Field(description="Ids; none: all measures.")
    what: str | None
    hypothesis: str | None
    evidence: EvidenceAnswer | None
    by_clinic: bool = Field(description="The clinic wrote it; else a coordinator.")
    withdrawn: SignatureAnswer | None = None


class AnnotationsAnswer(Answer):
    """Annotations in the order they were written."""

    annotations: list[AnnotationAnswer]


class CohortAnswer(SignatureAnswer):
    """A named set of clinics."""

    code: str
    name: str
    clinics: list[str] = Field(description="The codes of its clinics.")


class CohortsAnswer(Answer):
    """Every cohort, in the order of its code."""

    cohorts: list[CohortAnswer]


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
