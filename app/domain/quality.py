"""The words of the data-quality report."""

from enum import StrEnum
from typing import NamedTuple

import msgspec

from app.domain.records import RecordType


class Finding(StrEnum):
    """What may be wrong with what is kept; each has its rule in the report's page."""

    UNMAPPED = "unmapped-code"
    NO_UNIT = "no-unit"
    UNIT_NOT_CONVERTIBLE = "unit-not-convertible"
    MIXED_UNITS = "mixed-units"
    IMPOSSIBLE = "impossible-value"
    IMPROBABLE = "improbable-value"
    DUPLICATE = "duplicate"
    LATE = "late"
    BEFORE_BIRTH = "before-birth"
    AFTER_DEATH = "after-death"
    IN_FUTURE = "in-the-future"
    NOT_COUNTABLE = "not-countable"
    CONDITION_ENDS_FIRST = "condition-ends-before-it-begins"
    CONDITION_BEFORE_BIRTH = "condition-before-birth"
    VISIT_BEFORE_BIRTH = "visit-before-birth"
    BIRTH_AFTER_EVENT = "birth-after-an-event"
    VISIT_WITHOUT_VALUE = "visit-without-a-value"

    @property
    def record_type(self) -> RecordType:
        """Return of what type the records are that it is found in."""
        return _OTHER_TYPES.get(self, RecordType.OBSERVATION)


_OTHER_TYPES = {
    Finding.CONDITION_ENDS_FIRST: RecordType.CONDITION,
    Finding.CONDITION_BEFORE_BIRTH: RecordType.CONDITION,
    Finding.VISIT_BEFORE_BIRTH: RecordType.ENCOUNTER,
    Finding.BIRTH_AFTER_EVENT: RecordType.PATIENT,
    Finding.VISIT_WITHOUT_VALUE: RecordType.ENCOUNTER,
}


class CodeUse(StrEnum):
    """What the hub makes of a code: a local one is kept as a keyed digest alone."""

    USED = "used"
    NOT_USED = "not-used"
    UNMAPPED = "unmapped"


class NoData(StrEnum):
    """Why a month has no numbers."""

    BEFORE_THE_FIRST = "before-the-first"
    MISSING = "missing"
    AFTER_THE_LAST = "after-the-last"


class NoComparison(StrEnum):
    """Why a share does not stand against the network's distribution."""

    FEW_CLINICS = "few-clinics"
    OTHER_WINDOW = "other-window"
    IN_PROGRESS = "in-progress"
    OWN_CODE = "own-code"


class KeptObservation(NamedTuple):
    """
    One code of an Observation, or of its component, as measures see it.

    ``day`` and ``month`` are day and month numbers, ``value`` thousandths,
    ``received_at`` epoch milliseconds, ``content`` the JSON of the whole record.
    """

    record_id: int
    part: int
    source_id: int
    subject_id: int
    concept_id: int
    day: int
    month: int
    value: int | None
    value_concept_id: int | None
    encounter_id: int
    received_at: int
    birth_month: int | None
    death_month: int | None
    content: str


class KeptVisit(NamedTuple):
    """A visit as measures see it."""

    record_id: int
    source_id: int
    subject_id: int
    day: int
    month: int


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The months that a report is of: month numbers, ``until`` exclusive."""

    since: int
    until: int
