"""How many of its visits a clinic recorded, of those that it says it had."""

from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction

import msgspec


class NoCapture(StrEnum):
    """Why there is no share of visits that were recorded."""

    NOT_DECLARED = "no expected number declared"
    NONE_EXPECTED = "no visit expected"
    WHOLE_CLINIC_ONLY = "declared of the whole clinic only"
    NOT_PUBLISHED = "not published"


class VisitCapture(msgspec.Struct, frozen=True, kw_only=True):
    """
    The visits of an interval that were recorded, and those that were expected.

    A visit is one person on one day. ``reason`` says why there is no ``share``.
    """

    recorded: int | None = None
    expected: int | None = None
    reason: NoCapture | None = None

    @property
    def share(self) -> float | None:
        """Return recorded / expected, above 1 where more came than were declared."""
        if self.reason is not None or self.recorded is None or not self.expected:
            return None
        return self.recorded / self.expected


NOT_PUBLISHED = VisitCapture(reason=NoCapture.NOT_PUBLISHED)
WHOLE_CLINIC_ONLY = VisitCapture(reason=NoCapture.WHOLE_CLINIC_ONLY)


def visit_capture(
    months: range, *, recorded: Mapping[int, int], declared: Mapping[int, Fraction]
) -> VisitCapture:
    """
    Return the visit capture of an interval.

    Args:
        months: The month numbers of the interval.
        recorded: Visits by month; a month without any is left out.
        declared: Visits by month; one that is left out was not declared, and leaves
            the interval without an expected number.
    """
    found = sum(recorded.get(month, 0) for month in months)
    if not all(month in declared for month in months):
        return VisitCapture(recorded=found, reason=NoCapture.NOT_DECLARED)
    expected = round(sum(declared[month] for month in months))
    reason = None if expected else NoCapture.NONE_EXPECTED
    return VisitCapture(recorded=found, expected=expected, reason=reason)
