"""A clinic's own patients in a measure, as an answer."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from app.domain.calendar import first_day
from app.fhir.references import hub_id
from app.routers.answers import Answer, moment
from app.routers.measure_answers import MeasureSummary, summary
from app.services.patient_statuses import Standings


class ContributionAnswer(Answer):
    """
    One of a clinic's own patients; ``met`` is to be in the numerator.

    ``counted`` is to be in the denominator of a measure that has no numerator.
    ``missing`` names what a score wants and was not found.
    """

    patient: str = Field(description="A reference by the hub's own id.")
    status: Literal["excluded", "excepted", "not-scored", "not-met", "met", "counted"]
    strata: list[str]
    missing: list[str]


class ContributionsAnswer(Answer):
    """A clinic's own patients in a measure at the end of a month, in no order."""

    measure: MeasureSummary
    month: date = Field(description="Its first day.")
    counted_up_to: datetime
    policy: str = Field(description="SHA-256 of the de-identification policy.")
    contributions: list[ContributionAnswer]
    next: int | None = Field(description="The parameter `after` of the next page.")


def contributions_answer(found: Standings) -> ContributionsAnswer:
    """Return a clinic's own patients, each by the hub's id."""
    return ContributionsAnswer(
        measure=summary(found.page),
        month=first_day(found.month),
        counted_up_to=moment(found.counted_up_to),
        policy=found.policy_digest,
        contributions=[
            ContributionAnswer.model_validate(
                {
                    "patient": f"Patient/{hub_id(each.patient_id)}",
                    "status": each.status,
                    "strata": list(each.strata),
                    "missing": list(each.missing),
                }
            )
            for each in found.patients
            if each.patient_id is not None
        ],
        next=found.after,
    )
