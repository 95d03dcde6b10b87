"""Numbers of nobody known -> what may be kept of them."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

import msgspec

from app.deid.codes import REPORT_STATUSES
from app.deid.dates import kept_date, local_date
from app.deid.policies import ReportedMeasure
from app.deid.pseudonyms import KeyRing, ward_keys, ward_name
from app.domain.calendar import date_of_day, day_number, first_day, month_of_day
from app.domain.clinics import Source
from app.domain.errors import (
    BusinessRuleError,
    InvalidCodeError,
    InvalidElementError,
    MissingElementError,
)
from app.domain.identified import (
    HubReference,
    IdentifiedReport,
    IdentifierReference,
    StatedDate,
    StatedQuantity,
    StatedWard,
)
from app.domain.keeping import EVERYTHING, Keeping, cut
from app.domain.records import PartialDate, Precision, SummaryReport

_PERIOD = "MeasureReport.period"


class Ward(msgspec.Struct, frozen=True):
    """
    A Group or Location: the keyed hash that is kept, and its name in flight.

    ``former`` are its hashes under the key versions before the current one.
    """

    key: str = ""
    name: bytes = b""
    former: tuple[str, ...] = ()


WHOLE_CLINIC = Ward()


def ward_of(
    stated: StatedWard | None,
    *,
    path: str,
    keys: KeyRing,
    source: Source,
    entries: Mapping[str, int],
) -> Ward:
    """
    Return what a number is of; the whole clinic where nothing is stated.

    Raises:
        BusinessRuleError: the reference is to another entry by a name made up for its
            Bundle, to a record of the hub's, or of a base that is not the source's.
    """
    if stated is None:
        return WHOLE_CLINIC
    reference = stated.reference
    if isinstance(reference, HubReference):
        msg = "The hub keeps no Group and no Location"
        raise BusinessRuleError(msg, expression=f"{path}.reference")
    if isinstance(reference, IdentifierReference):
        pair = (reference.system, reference.value)
        name = ward_name(stated.type, pair, scope=f"clinic/{source.clinic_id}")
        return _ward(name, keys)
    if reference.url.startswith("urn:") and reference.url in entries:
        msg = "Name the Group or Location by its id or an identifier: it is not kept"
        raise BusinessRuleError(msg, expression=f"{path}.reference")
    if reference.id is None:
        msg = "The base of the reference is unknown: it is not one of the source's"
        raise BusinessRuleError(msg, expression=f"{path}.reference")
    scope = f"source/{source.source_id}"
    return _ward(ward_name(stated.type, (reference.id,), scope=scope), keys)


def _ward(name: bytes, keys: KeyRing) -> Ward:
    key, *former = ward_keys(name, keys=keys)
    return Ward(key, name, tuple(former))


def kept_span(
    start: StatedDate | None,
    end: StatedDate | None,
    *,
    source: Source,
    keeping: Keeping,
) -> PartialDate:
    """
    Return the day or the month that a number is for.

    Raises:
        MissingElementError: an end is missing.
        BusinessRuleError: it is a year, or of more than one calendar month; or the
            policy keeps no months.
    """
    _refuse_where_no_months(keeping, "Observation.effective")
    if start is None or end is None:
        msg = "Say the day or the month: a date, or a period with both ends"
        raise MissingElementError(msg, expression="Observation.effective")
    first = kept_date(start, source=source, keeping=EVERYTHING)
    last = kept_date(end, source=source, keeping=EVERYTHING)
    assert first is not None
    assert last is not None
    if Precision.YEAR in {first.precision, last.precision} or month_of_day(
        first.day
    ) != month_of_day(last.day):
        msg = "A summary is of a day, or of time within one calendar month"
        raise BusinessRuleError(msg, expression=start.element)
    if first == last:
        return cut(first, keeping.dates)
    return cut(first, Precision.MONTH)


def _refuse_where_no_months(keeping: Keeping, element: str) -> None:
    """Refuse a number of a month where a month says too much: one event is a person."""
    if keeping.dates is Precision.YEAR:
        msg = "The policy keeps years only, and a summary is of a day or a month"
        raise BusinessRuleError(msg, expression=element)


def check_number(quantity: StatedQuantity | None) -> None:
    """Refuse a number below 0, and one that is only a bound."""
    if quantity is None:
        return
    if quantity.comparator is not None:
        msg = "A summary is a number, not a bound"
        raise BusinessRuleError(msg, expression=f"{quantity.element}.comparator")
    if Decimal(quantity.value) < 0:
        msg = "A summary is 0 or more"
        raise InvalidElementError(msg, expression=quantity.element)


def kept_report(
    stated: IdentifiedReport,
    ward: Ward,
    *,
    measures: Mapping[str, ReportedMeasure],
    source: Source,
    keeping: Keeping,
    received_at: int,
) -> SummaryReport:
    """
    Return what may be kept of a summary MeasureReport.

    Raises:
        BusinessRuleError: the measure, or its version, is none that clinics report to
            this hub; the period is no calendar month that has begun; or the policy
            keeps no months.
        InvalidElementError: a part is more than its whole.
        InvalidCodeError: the status is none of a report's.
    """
    _refuse_where_no_months(keeping, _PERIOD)
    if stated.status not in REPORT_STATUSES:
        msg = "Not a code of the value set that FHIR requires"
        raise InvalidCodeError(msg, expression="MeasureReport.status")
    measure = measures.get(stated.measure)
    if (
        measure is None
        or stated.base not in {None, measure.base}
        or stated.version not in {None, measure.version}
    ):
        msg = "Not a measure, in its present version, that clinics report to this hub"
        raise BusinessRuleError(msg, expression="MeasureReport.measure")
    if measure.is_proportion and (stated.numerator or 0) > (stated.denominator or 0):
        msg = "The numerator of a proportion is part of its denominator"
        raise InvalidElementError(msg, expression="MeasureReport.group.population")
    month = _whole_month(stated, source)
    if month > month_of_day(day_number(local_date(received_at, source=source))):
        msg = "The month has not begun: nothing can have been counted in it"
        raise BusinessRuleError(msg, expression=_PERIOD)
    return SummaryReport(
        status=stated.status,
        measure=stated.measure,
        month=month,
        numerator=stated.numerator,
        denominator=stated.denominator,
        ward=ward.key,
    )


def _whole_month(stated: IdentifiedReport, source: Source) -> int:
    """Return the one month that a period is from the first to the last day of."""
    first = kept_date(stated.start, source=source, keeping=EVERYTHING)
    last = kept_date(stated.end, source=source, keeping=EVERYTHING)
    assert first is not None
    assert last is not None
    month = month_of_day(first.day)
    day_after = date_of_day(last.day) + timedelta(days=1)
    ends = (last.precision is Precision.MONTH and month_of_day(last.day) == month) or (
        last.precision is Precision.DAY and day_after == first_day(month + 1)
    )
    begins = first.precision is not Precision.YEAR and first_day(month) == date_of_day(
        first.day
    )
    if begins and ends:
        return month
    msg = "A report is of one calendar month, from its first to its last day"
    raise BusinessRuleError(msg, expression=_PERIOD)
