"""What is wrong with a message: which field, and never what stands in it."""

from enum import StrEnum

import msgspec
from typing_extensions import override

from app.domain.errors import IssueType, ServiceError


class Severity(StrEnum):
    """Whether something was refused, or taken without a part of it."""

    ERROR = "error"
    WARNING = "warning"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """
    One thing that is wrong.

    ``place`` is as ``OBX[3]-5``: the third OBX of the message, its fifth field; empty
    where it is about the whole message.
    """

    severity: Severity
    issue_type: IssueType
    place: str
    message: str

    @property
    def is_refusal(self) -> bool:
        """Return whether what it is about was not taken."""
        return self.severity is Severity.ERROR

    @override
    def __str__(self) -> str:
        """Return it in words."""
        where = f"{self.place}: " if self.place else ""
        return f"{self.severity}: {where}{self.message}"


def refused(error: ServiceError) -> Problem:
    """Return that what *error* is about is not taken."""
    return Problem(
        severity=Severity.ERROR,
        issue_type=error.issue_type,
        place=error.expression or "",
        message=error.message,
    )


def left_out(place: str, message: str) -> Problem:
    """Return that what stands at *place* is left out of what is taken."""
    return Problem(
        severity=Severity.WARNING,
        issue_type=IssueType.NOT_SUPPORTED,
        place=place,
        message=message,
    )
