"""Numbers of nobody known: Observations of a Group or Location, MeasureReports."""

import re
from collections.abc import Iterator
from typing import Any

from app.domain.clinics import Source
from app.domain.errors import (
    BusinessRuleError,
    InvalidElementError,
    MissingElementError,
)
from app.domain.identified import (
    IdentifiedReport,
    IdentifiedSummary,
    StatedDate,
    StatedWard,
)
from app.domain.records import WardType
from app.domain.terminology import MEASURE_POPULATION
from app.fhir.datatypes import codings_of, date_called, value_of
from app.fhir.elements import (
    REFERENCE,
    REPORT_GROUP,
    REPORT_POPULATION,
    SUMMARY,
    WHOLE_PERIOD,
    note_dropped,
)
from app.fhir.references import parse_reference, stated_type

Json = dict[str, Any]

ERROR = "error"
"""The status of a report that is taken back."""
_REPORT = "MeasureReport"
_OBSERVATION = "Observation"
_WARD_TYPES = {type_.value: type_ for type_ in WardType}
_CANONICAL = re.compile(r"(?:(\S*)/)?Measure/([a-z][a-z0-9-]*)(?:\|(\S+))?")
_OF_PEOPLE = "Only a summary about nobody in particular is taken"


def ward_type(subject: Json) -> WardType | None:
    """Return what a subject is where it is no person: a Group or a Location."""
    return _WARD_TYPES.get(stated_type(subject) or "")


def ward_called(
    name: str, *, of: Json, source: Source, dropped: set[str]
) -> StatedWard | None:
    """Return the Group or Location that the reference called *name* is to, if it is."""
    element = of.get(name, {})
    type_ = ward_type(element)
    if type_ is None:
        return None
    path = f"{of['resourceType']}.{name}"
    note_dropped(element, REFERENCE, path, dropped)
    reference = parse_reference(element, target=type_, source=source, path=path)
    return None if reference is None else StatedWard(type_, reference)


def read_summary(observation: Json, dropped: set[str]) -> IdentifiedSummary:
    """
    Read an Observation about a Group or Location.

    Raises:
        BusinessRuleError: its value is no number.
    """
    for name in observation.keys() - SUMMARY.read:
        if name.startswith("value") or name == "dataAbsentReason":
            msg = "A summary is a number; a single event says no value at all"
            at = f"{_OBSERVATION}.{SUMMARY.paths[name]}"
            raise BusinessRuleError(msg, expression=at)
    start, end = _effective(observation, dropped)
    return IdentifiedSummary(
        status=_required_text(observation, "status", _OBSERVATION),
        code=codings_of(
            observation.get("code"), path=f"{_OBSERVATION}.code", dropped=dropped
        ),
        start=start,
        end=end,
        quantity=value_of(observation, path=_OBSERVATION, dropped=dropped).quantity,
    )


def _effective(
    observation: Json, dropped: set[str]
) -> tuple[StatedDate | None, StatedDate | None]:
    """Return the first and the last date that an Observation is for."""
    path = f"{_OBSERVATION}.effective"
    for type_ in ("dateTime", "instant"):
        text = observation.get(f"effective{type_[0].upper()}{type_[1:]}")
        if text is not None:
            date = StatedDate(text, f"{path}.ofType({type_})")
            return date, date
    period = observation.get("effectivePeriod", {})
    return _ends(period, f"{path}.ofType(Period)", dropped)


def _ends(
    period: Json, path: str, dropped: set[str]
) -> tuple[StatedDate | None, StatedDate | None]:
    """Return both ends of a Period."""
    note_dropped(period, WHOLE_PERIOD, path, dropped)
    start = date_called("start", of=period, path=path)
    return start, date_called("end", of=period, path=path)


def report_ward(
    report: Json, *, source: Source, dropped: set[str]
) -> StatedWard | None:
    """
    Return what a report is of: its subject, else where its reporter is.

    Raises:
        BusinessRuleError: its subject is a person, or a thing.
    """
    if "subject" in report and ward_type(report["subject"]) is None:
        raise BusinessRuleError(_OF_PEOPLE, expression=f"{_REPORT}.subject")
    subject = ward_called("subject", of=report, source=source, dropped=dropped)
    if subject is not None:
        return subject
    if ward_type(report.get("reporter", {})) is WardType.LOCATION:
        return ward_called("reporter", of=report, source=source, dropped=dropped)
    if "reporter" in report:
        dropped.add(f"{_REPORT}.reporter")
    return None


def read_report(report: Json, dropped: set[str]) -> IdentifiedReport:
    """
    Read a summary MeasureReport of one group.

    Raises:
        BusinessRuleError: it is individual, or points to people or their resources.
        MissingElementError: a count, or an end of its period, is missing.
        InvalidElementError: a count is below 0, or the canonical names no measure.
    """
    if report.get("type") != "summary":
        raise BusinessRuleError(_OF_PEOPLE, expression=f"{_REPORT}.type")
    if "evaluatedResource" in report:
        raise BusinessRuleError(_OF_PEOPLE, expression=f"{_REPORT}.evaluatedResource")
    start, end = _ends(report.get("period", {}), f"{_REPORT}.period", dropped)
    if start is None or end is None:
        msg = "A report is of a whole month: say its start and its end"
        raise MissingElementError(msg, expression=f"{_REPORT}.period")
    status = _required_text(report, "status", _REPORT)
    counts = dict(_counts(report, dropped))
    for name in ("numerator", "denominator"):
        if status != ERROR and name not in counts:
            msg = f"One group with a count of its {name} is needed"
            raise MissingElementError(msg, expression=f"{_REPORT}.group")
    base, measure, version = _measure(report)
    return IdentifiedReport(
        status=status,
        base=base,
        measure=measure,
        version=version,
        start=start,
        end=end,
        numerator=counts.get("numerator"),
        denominator=counts.get("denominator"),
    )


def _counts(report: Json, dropped: set[str]) -> Iterator[tuple[str, int]]:
    """Yield the code and the count of each population of the one group."""
    groups = report.get("group", [])
    path = f"{_REPORT}.group"
    if len(groups) > 1:
        msg = "A report has one group; send the others as reports of their own"
        raise BusinessRuleError(msg, expression=path)
    for group in groups:
        note_dropped(group, REPORT_GROUP, path, dropped)
        for index, population in enumerate(group.get("population", ())):
            at = f"{path}.population[{index}]"
            note_dropped(population, REPORT_POPULATION, f"{path}.population", dropped)
            if "subjectResults" in population:
                raise BusinessRuleError(_OF_PEOPLE, expression=f"{at}.subjectResults")
            count = population.get("count")
            for coding in codings_of(
                population.get("code"), path=f"{path}.population.code", dropped=dropped
            ):
                if coding.system == MEASURE_POPULATION and count is not None:
                    yield coding.code, _natural(count, f"{at}.count")


def _natural(count: object, at: str) -> int:
    if isinstance(count, int) and not isinstance(count, bool) and count >= 0:
        return count
    msg = "A count is 0 or more"
    raise InvalidElementError(msg, expression=at)


def _required_text(resource: Json, name: str, root: str) -> str:
    """Return a text; FHIR takes one that only says why it is absent, we do not."""
    text = resource.get(name)
    if isinstance(text, str):
        return text
    msg = "It must be said here"
    raise MissingElementError(msg, expression=f"{root}.{name}")


def _measure(report: Json) -> tuple[str | None, str, str | None]:
    """Return a canonical's base, its measure's id and its version, as far as stated."""
    match = _CANONICAL.fullmatch(_required_text(report, "measure", _REPORT))
    if match is None:
        msg = "The canonical URL of a measure ends in Measure/ and the measure's id"
        raise InvalidElementError(msg, expression=f"{_REPORT}.measure")
    return match[1], match[2], match[3]
