"""Counts that clinics send ready made: from what is kept to events and exposure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import IntEnum
from fractions import Fraction

import msgspec

from app.domain.calendar import month_of_day
from app.domain.counts import Amount, Cell, Interval, SummaryCell, Withheld
from app.domain.records import Precision, SummaryReport
from app.domain.records import Summary as SummaryRecord
from app.domain.terminology import REPORTED_DENOMINATOR, REPORTED_NUMERATOR, Coding
from app.measures.definitions import Measure, Scoring
from app.measures.facts import COUNTED_STATUSES, CanonicalUnit, quantity_thousandths
from app.measures.value_sets import expanded

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
    content: SummaryRecord | SummaryReport, units: Mapping[Coding, CanonicalUnit]
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


def _value(content: SummaryRecord, unit: CanonicalUnit | None) -> int | None:
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


class Role(IntEnum):
    """What a number counts for a measure."""

    EVENTS = 0
    EXPOSURE = 1


class Counted(msgspec.Struct, frozen=True):
    """What a concept counts for a measure, and whether reports say it."""

    role: Role
    is_reported: bool


def counted_concepts(
    measure: Measure, concepts: Mapping[Coding, int]
) -> dict[int, Counted]:
    """Return what each of the known *concepts* counts for *measure*."""
    summary = measure.summary
    assert summary is not None
    counted: dict[int, Counted] = {}
    named = {Role.EVENTS: summary.events, Role.EXPOSURE: summary.exposure}
    for role, name in named.items():
        codes = measure.value_sets[name] if name else ()
        for concept_id in expanded(codes, concepts):
            counted[concept_id] = Counted(role, is_reported=False)
    reported = {
        Role.EVENTS: Coding(REPORTED_NUMERATOR, measure.id),
        Role.EXPOSURE: Coding(REPORTED_DENOMINATOR, measure.id),
    }
    for role, coding in reported.items():
        if coding in concepts:
            counted[concepts[coding]] = Counted(role, is_reported=True)
    return counted


def months(
    measure: Measure,
    amounts: Iterable[Amount],
    counted: Mapping[int, Counted],
) -> list[SummaryCell]:
    """
    Return each clinic's months of which anything was sent.

    A report speaks for its ward and month, and one of the whole clinic for the month:
    no Observation and no other report is added to what it covers. Without events a
    month is null, or 0 where the definition says so and no report says otherwise;
    without exposure it is null; and so it is where a part is more than its whole.
    Whole numbers are made of the exact sums, half to even; those stay beside them.
    """
    sent: dict[tuple[int, int], list[Amount]] = defaultdict(list)
    for amount in amounts:
        sent[amount.clinic_id, amount.month].append(amount)
    return [_month(measure, *place, sent[place], counted) for place in sorted(sent)]


def _month(
    measure: Measure,
    clinic_id: int,
    month: int,
    amounts: Collection[Amount],
    counted: Mapping[int, Counted],
) -> SummaryCell:
    assert measure.summary is not None
    heard = list(_heard(amounts, counted))
    events = _sum(heard, counted, Role.EVENTS)
    exposure = _sum(heard, counted, Role.EXPOSURE)
    is_reported = any(counted[amount.concept_id].is_reported for amount in heard)
    if events is None and measure.summary.no_events_means_zero and not is_reported:
        events = 0
    cell = SummaryCell(
        clinic_id=clinic_id, interval=Interval.MONTH, interval_start=month
    )
    if events is None:
        return msgspec.structs.replace(cell, missing=Withheld.EVENTS_MISSING)
    if exposure is None or (
        measure.scoring is Scoring.PROPORTION and events > exposure
    ):
        return msgspec.structs.replace(cell, missing=Withheld.EXPOSURE_MISSING)
    return msgspec.structs.replace(
        cell,
        events=round(Fraction(events, ONE)),
        exposure=round(Fraction(exposure, ONE)),
        exact=(events, exposure),
    )


def _heard(
    amounts: Collection[Amount], counted: Mapping[int, Counted]
) -> Iterator[Amount]:
    """Yield what counts of one month: reports, and what none of them covers."""
    reporting = {a.ward for a in amounts if counted[a.concept_id].is_reported}
    for amount in amounts:
        is_reported = counted[amount.concept_id].is_reported
        covered = {"", amount.ward} if not is_reported else {""} - {amount.ward}
        if reporting.isdisjoint(covered):
            yield amount


def _sum(
    amounts: Iterable[Amount], counted: Mapping[int, Counted], role: Role
) -> int | None:
    values = [a.value for a in amounts if counted[a.concept_id].role is role]
    return sum(values) if values else None


def widened(cells: Iterable[SummaryCell], interval: Interval) -> list[SummaryCell]:
    """
    Return months as quarters or years: sums of the months that have both numbers.

    Rates add, since nobody is counted twice. An interval none of whose months has both
    says what its first month lacks.
    """
    parts: dict[tuple[int, int], list[SummaryCell]] = defaultdict(list)
    for cell in cells:
        start = cell.interval_start - cell.interval_start % interval.months
        parts[cell.clinic_id, start].append(cell)
    return [
        SummaryCell(
            clinic_id=clinic_id,
            interval=interval,
            interval_start=start,
            events=sum(cell.events for cell in of_one),
            exposure=sum(cell.exposure for cell in of_one),
            exact=(
                sum(cell.exact[Role.EVENTS] for cell in of_one),
                sum(cell.exact[Role.EXPOSURE] for cell in of_one),
            ),
            missing=None
            if any(cell.missing is None for cell in of_one)
            else of_one[0].missing,
        )
        for (clinic_id, start), of_one in sorted(parts.items())
    ]


def true_cells(cells: Iterable[SummaryCell]) -> list[Cell]:
    """Return those of *cells* that have both numbers, as disclosure control has it."""
    return [
        Cell(
            clinic_id=each.clinic_id,
            interval=each.interval,
            interval_start=each.interval_start,
            population=each.exposure,
            scored=each.exposure,
            denominator=each.exposure,
            numerator=each.events,
        )
        for each in cells
        if each.missing is None
    ]
