"""Cohorts as answers."""

from pydantic import Field

from app.routers.annotation_answers import SignatureAnswer, signature_fields
from app.routers.answers import Answer
from app.services.cohorts import CohortPage


class CohortAnswer(SignatureAnswer):
    """A named set of clinics."""

    code: str
    name: str
    clinics: list[str] = Field(description="The codes of its clinics.")


class CohortsAnswer(Answer):
    """Every cohort, in the order of its code."""

    cohorts: list[CohortAnswer]


def cohort_answer(page: CohortPage) -> CohortAnswer:
    """Return a cohort with its clinics."""
    return CohortAnswer(
        **signature_fields(page.cohort.signed),
        code=page.cohort.code,
        name=page.cohort.name,
        clinics=list(page.clinics),
    )
