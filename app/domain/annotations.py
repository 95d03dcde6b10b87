"""What people say about charts, and decide: the kinds of it."""

from enum import StrEnum

import msgspec


class AnnotationKind(StrEnum):
    """
    A test of change, or a decision about the chart of one measure.

    Of a ``SHIFT`` the month is the first of the new phase; of a ``BASELINE`` the last
    that its phase's lines come from; of an ``EXCLUSION`` that with a known cause.
    """

    TEST_OF_CHANGE = "test-of-change"
    SHIFT = "shift"
    BASELINE = "baseline"
    EXCLUSION = "exclusion"

    @property
    def is_decision(self) -> bool:
        """Return whether it changes the lines of a chart."""
        return self is not AnnotationKind.TEST_OF_CHANGE


class PhaseKind(StrEnum):
    """The phases in which clinics join a project, and how many the framework asks."""

    PILOT = "pilot"
    INCUBATOR = "incubator"
    ALL = "all"

    @property
    def sizes(self) -> range | None:
        """Return how many clinics the framework asks for; None: every one is left."""
        return {"pilot": range(5, 11), "incubator": range(3, 6)}.get(self.value)


class ChartView(StrEnum):
    """The chart as it was first drawn, or with what a coordinator decided about it."""

    ORIGINAL = "original"
    ACCEPTED = "accepted"


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """
    Who said something and why, by which client, and when.

    ``created_at`` is in epoch milliseconds; the operator's client is no client.
    """

    author: str
    reason: str
    client_id: str
    created_at: int
