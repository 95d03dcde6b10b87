"""What people said and decided about charts, as answers."""

from datetime import date, datetime
from typing import Any

from pydantic import Field

from app.domain.annotations import AnnotationKind, Signature
from app.domain.calendar import date_of_day, first_day
from app.routers.answers import Answer, moment
from app.store.annotations import Annotation


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


def annotation_answer(found: Annotation) -> AnnotationAnswer:
    """Return an annotation, with who wrote it and who took it back."""
    return AnnotationAnswer(
        **signature_fields(found.signed),
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
        else SignatureAnswer(**signature_fields(found.withdrawn)),
    )


def _evidence(found: Annotation) -> EvidenceAnswer | None:
    told = found.evidence
    if told is None:
        return None
    return EvidenceAnswer(
        first=first_day(int(told["first"])),
        last=first_day(int(told["last"])),
        before=told["before"],
        after=told["after"],
        evidence=told["evidence"],
    )


def signature_fields(signed: Signature) -> dict[str, Any]:
    """Return the fields that tell who said something, when and why."""
    return {
        "author": signed.author or None,
        "reason": signed.reason,
        "created_at": moment(signed.created_at),
        "client": signed.client_id or None,
    }
