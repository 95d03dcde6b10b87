"""What the synthetic network says of its practice: a test of change, and a project."""

from datetime import date

import msgspec
from catchment_client import AuthenticatedClient
from catchment_client.api.annotations import add_annotation, list_annotations
from catchment_client.api.projects import add_project, get_project
from catchment_client.models import (
    AddAnnotationBody,
    AddProjectBody,
    AddProjectBodyPhaseQuestion,
    AnnotationAnswer,
    AnnotationsAnswer,
    ProjectAnswer,
)

from app.demo.truth import DemoTruth
from app.domain.calendar import first_day, month_number

MEASURE = "jia-low-disease-activity-visits"
PROJECT = "score-before-the-visit"
BEGAN_WITH = ("harbor-point", "juniper-mesa")
"""Who joined the project together with the improving clinic."""
JOIN_LATER = ("copper-ridge", "lantern-bay", "quiet-pines", "stone-bridge")
LATER_BY_MONTHS = 18


class Practice(msgspec.Struct, frozen=True, kw_only=True):
    """A clinic that changed something, and the month in which it did."""

    clinic: str
    changed_on: date

    @classmethod
    def of(cls, truth: DemoTruth) -> "Practice":
        """Return what the improving clinic would tell."""
        return cls(clinic=truth.improving_clinic, changed_on=truth.changed_on)

    @property
    def others_join_on(self) -> date:
        """Return the first day of the month in which the other clinics are to join."""
        month = month_number(self.changed_on.year, self.changed_on.month)
        return first_day(month + LATER_BY_MONTHS)


class NotTakenError(Exception):
    """The hub did not take what was said."""


def tell_change(base_url: str, token: str, practice: Practice) -> None:
    """
    Tell the network, as the clinic, what was changed and when, unless it has.

    Raises:
        NotTakenError: the hub refused it.
    """
    body = AddAnnotationBody(
        kind="test-of-change",
        month=_month(practice.changed_on),
        clinic=practice.clinic,
        measures=[MEASURE],
        what="A nurse takes the joint count and both global scores before the doctor "
        "comes in, and the score stands on the screen",
        hypothesis="With the score in sight, treatment is stepped up at the visit, and "
        "more visits find low disease activity",
        author="QI lead of the clinic",
        reason="Too many visits with active disease ended without a decision",
    )
    with _hub(base_url, token) as hub:
        known = list_annotations.sync(client=hub, clinic=practice.clinic)
        if isinstance(known, AnnotationsAnswer) and known.annotations:
            return
        taken = add_annotation.sync(client=hub, body=body)
    if not isinstance(taken, AnnotationAnswer):
        raise NotTakenError


def begin_project(base_url: str, token: str, practice: Practice) -> None:
    """
    Write down, as the coordinator, the project of the change, unless it is there.

    Raises:
        NotTakenError: the hub refused it.
    """
    body = AddProjectBody(
        code=PROJECT,
        name="The score before the visit",
        aim="Ten points more visits in low disease activity within a year",
        measures=[MEASURE],
        phases=[
            AddProjectBodyPhaseQuestion(
                kind="incubator",
                name="Three clinics try it",
                month=_month(practice.changed_on),
                clinics=[practice.clinic, *BEGAN_WITH],
            ),
            AddProjectBodyPhaseQuestion(
                kind="all",
                name="All clinics with children with arthritis",
                month=_month(practice.others_join_on),
                clinics=[*JOIN_LATER],
            ),
        ],
        author="Network coordinator",
        reason="The clinics chose it at their learning session",
    )
    with _hub(base_url, token) as hub:
        if isinstance(get_project.sync(PROJECT, client=hub), ProjectAnswer):
            return
        taken = add_project.sync(client=hub, body=body)
    if not isinstance(taken, ProjectAnswer):
        raise NotTakenError


def _hub(base_url: str, token: str) -> AuthenticatedClient:
    return AuthenticatedClient(base_url, token, httpx_args={"trust_env": False})


def _month(day: date) -> str:
    return f"{day:%Y-%m}"
