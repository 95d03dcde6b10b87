"""Measures of the library that the policy keeps too little for, and why."""

from collections.abc import Iterable

import msgspec

from app.domain.errors import NotAnswerableError
from app.domain.keeping import Keeping
from app.measures.definitions import Measure
from app.measures.shortfalls import shortfalls


class Unanswered(msgspec.Struct, frozen=True):
    """A measure that is not counted, and every reason."""

    measure: Measure
    reasons: tuple[str, ...]

    def refusal(self, policy_id: str) -> NotAnswerableError:
        """Return what is answered to who asks for its numbers."""
        reasons = "; ".join(self.reasons)
        msg = f"The policy {policy_id} keeps too little for this measure: {reasons}"
        return NotAnswerableError(msg)


def unanswered(measures: Iterable[Measure], keeping: Keeping) -> dict[str, Unanswered]:
    """Return those of *measures* that cannot be answered from what is kept, by id."""
    return {
        measure.id: Unanswered(measure, reasons)
        for measure in measures
        if (reasons := shortfalls(measure, keeping))
    }
