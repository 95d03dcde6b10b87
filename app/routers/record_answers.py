"""The shapes of the answers about annotations, cohorts and projects."""

from datetime import date, datetime

from pydantic import Field

from app.domain.annotations import AnnotationKind
from app.routers.shapes import Answer


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
