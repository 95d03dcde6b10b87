"""Counts that clinics send ready made: from what is kept to events and exposure."""

from collections.abc import Mapping

import msgspec

from app.domain.calendar import month_of_day
from app.domain.records import Precision, Summary, SummaryReport
from app.domain.terminology import REPORTED_DENOMINATOR, REPORTED_NUMERATOR, Coding
from app.measures.facts import COUNTED_STATUSES, CanonicalUnit, quantity_thousandths

COUNTED_REPORTS = {"complete"}
ONE = 1000
"""In thousandths, as all numbers here."""


class SummaryFact(msgspec.Struct, frozen=True, kw_only=True):
    """
    A number of nobody known, in thousandths, for a day or only for a month.

    ``ward`` is a keyed hash, empty for a whole clinic.
    """

    concept: Coding
    ward: str
    month: int
    day: int | None
    value: int


def summary_facts(
    content: Summary | SummaryReport, units: Mapping[Coding, CanonicalUnit]
) -> tuple[SummaryFact, ...]:
    """Return the facts of a final summary; of a report one for each of its counts."""
    if isinstance(content, SummaryReport):
        return _reported(content)
    effective = content.effective
    if content.status not in COUNTED_STATUSES or effective is None:
        return ()
    values = {coding: _value(content, units.get(coding)) for coding in content.code}
    return tuple(
        SummaryFact(
            concept=coding,
            ward=content.ward,
            month=month_of_day(effective.day),
            day=effective.day if effective.precision is Precision.DAY else None,
            value=value,
        )
        for coding, value in values.items()
        if value is not None
    )


def _value(content: Summary, unit: CanonicalUnit | None) -> int | None:
    """Return a number in its canonical unit; a bare one is in it, none is one event."""
    quantity = content.quantity
    if quantity is None:
        return ONE
    return quantity_thousandths(quantity, unit if quantity.unit else None)


def _reported(report: SummaryReport) -> tuple[SummaryFact, ...]:
    """Return what a report counts."""
    if report.status not in COUNTED_REPORTS:
        return ()
    counts = {
        REPORTED_NUMERATOR: report.numerator,
        REPORTED_DENOMINATOR: report.denominator,
    }
    return tuple(
        SummaryFact(
            concept=Coding(system, report.measure),
            ward=report.ward,
            month=report.month,
            day=None,
            value=count * ONE,
        )
        for system, count in counts.items()
        if count is not None
    )
