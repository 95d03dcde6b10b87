"""What is asked of reports: a period, a place, a measure; by parameters or a search."""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import msgspec

from app.domain.calendar import month_number
from app.domain.counts import Interval
from app.domain.errors import (
    MalformedError,
    NotSupportedError,
)
from app.fhir.measures import measure_url
from app.fhir.searchsets import Pairs, check_names

Json = dict[str, Any]

NETWORK_ID = "the.network"
"""The id of the network among Organizations: no clinic's code has a full stop."""
WHOLE_MONTHS = {interval.months: interval for interval in Interval}
REPORT_TYPES = frozenset({"summary", "population"})
"""FHIR R4 says population where it asks for a summary."""
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_PLACE = re.compile(r"(?:(?P<base>\S+)/)?(?:Organization|Location)/(?P<id>[^/\s]+)")
_PREFIXED = re.compile(r"(?P<prefix>eq|ne|gt|lt|ge|le|sa|eb|ap)?(?P<date>[0-9-]+)")


class ReportPeriodError(NotSupportedError):
    """No report is made of such a period."""


class Place(msgspec.Struct, frozen=True):
    """Whose numbers are meant: a clinic by its code, or the network."""

    clinic: str | None = None

    @property
    def reference(self) -> str:
        """Return the reference by which a report names it."""
        return f"Organization/{self.clinic or NETWORK_ID}"


NETWORK = Place()


class Days(msgspec.Struct, frozen=True):
    """A span of days, half-open."""

    start: date
    end: date


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """A report asked for; ``interval_start`` is a month number."""

    interval: Interval
    interval_start: int
    place: Place


def days_of(text: str) -> Days | None:
    """Return the days that a year, a month or a day of FHIR's stands for."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    assert year is not None
    try:
        first = date(year, month or 1, day or 1)
        last = date(year, month or 12, day or monthrange(year, month or 12)[1])
        return Days(first, last + timedelta(days=1))
    except (ValueError, OverflowError):  # IllegalMonthError is a ValueError
        return None


def parse_place(text: str, *, base_url: str, expression: str | None = None) -> Place:
    """
    Return the place that ``Organization/{code}`` or ``Location/{code}`` means.

    Raises:
        NotSupportedError: it is in no such form, or of another server.
    """
    match = _PLACE.fullmatch(text)
    if match is None or match["base"] not in {None, base_url}:
        msg = "A clinic is named as Organization/{code} or Location/{code}"
        raise NotSupportedError(msg, expression=expression)
    return NETWORK if match["id"] == NETWORK_ID else Place(match["id"])


def stated_in(body: Mapping[str, Any]) -> Pairs:
    """
    Return the parameters of a Parameters body as those of a URL are.

    Raises:
        MalformedError: the body is no Parameters.
        NotSupportedError: a parameter has not one plain value.
    """
    parameters = body.get("parameter", [])
    if body.get("resourceType") != "Parameters" or not isinstance(parameters, list):
        msg = "The body is no Parameters"
        raise MalformedError(msg, expression="resourceType")
    return [
        _stated(parameter, f"Parameters.parameter[{index}]")
        for index, parameter in enumerate(parameters)
    ]


def _stated(parameter: object, path: str) -> tuple[str, str]:
    told = parameter if isinstance(parameter, dict) else {}
    name = told.get("name")
    values = [value for key, value in told.items() if key.startswith("value")]
    value = values[0] if len(values) == 1 else None
    if isinstance(value, dict):
        value = value.get("reference")
    if not isinstance(name, str) or not isinstance(value, str):
        msg = "A parameter has a name and one value, which is a text or a reference"
        raise MalformedError(msg, expression=path)
    return name, value


EVALUATED_BY = ("periodStart", "periodEnd", "reportType", "reporter", "subject")


def parse_evaluation(pairs: Pairs, *, base_url: str) -> Evaluation:
    """
    Return the report that the parameters of ``$evaluate-measure`` ask for.

    A year or a month stands for its first day in periodStart, for its last day in
    periodEnd. Without a reporter or subject it is the network that is asked about.

    Raises:
        NotSupportedError: an unknown parameter, another type of report, a period that
            is no month, quarter or year.
    """
    stated = dict(pairs)
    if len(stated) < len(pairs) or not stated.keys() <= set(EVALUATED_BY):
        msg = f"The parameters are {', '.join(EVALUATED_BY)}, each of them once"
        raise NotSupportedError(msg)
    if stated.get("reportType", "summary") not in REPORT_TYPES:
        msg = "Only a summary report is made here (reportType=summary)"
        raise NotSupportedError(msg, expression="reportType")
    named = {
        parse_place(stated[name], base_url=base_url, expression=name)
        for name in ("reporter", "subject")
        if name in stated
    }
    if len(named) > 1:
        msg = "The reporter and the subject are not the same clinic"
        raise NotSupportedError(msg, expression="subject")
    interval, start = _interval_of(stated)
    place = next(iter(named), NETWORK)
    return Evaluation(interval=interval, interval_start=start, place=place)


def _interval_of(stated: Mapping[str, str]) -> tuple[Interval, int]:
    """Return the interval that a period is, and its first month."""
    first, last = (days_of(stated.get(n, "")) for n in ("periodStart", "periodEnd"))
    if first is None or last is None:
        name = "periodStart" if first is None else "periodEnd"
        msg = f"{name} is needed, as a date"
        raise ReportPeriodError(msg, expression=name)
    start, end = first.start, last.end
    begun = month_number(start.year, start.month)
    months = month_number(end.year, end.month) - begun
    interval = WHOLE_MONTHS.get(months)
    if start.day != 1 or end.day != 1 or interval is None or begun % months:
        msg = "The period is to be one calendar month, quarter or year, whole"
        raise ReportPeriodError(msg, expression="periodStart")
    return interval, begun


_Compare = Callable[[Days, Days], bool]
_COMPARED: dict[str, _Compare] = {
    "eq": lambda own, said: said.start <= own.start and own.end <= said.end,
    "ne": lambda own, said: not (said.start <= own.start and own.end <= said.end),
    "gt": lambda own, said: own.end > said.end,
    "lt": lambda own, said: own.start < said.start,
    "ge": lambda own, said: own.end > said.end or own.start >= said.start,
    "le": lambda own, said: own.start < said.start or own.end <= said.end,
    "sa": lambda own, said: own.start >= said.end,
    "eb": lambda own, said: own.end <= said.start,
    "ap": lambda own, said: own.start < said.end and said.start < own.end,
}
"""How a period compares with the days of a search (R4 search, 3.1.1.4.5)."""


class ReportSearch(msgspec.Struct, frozen=True, kw_only=True):
    """
    A search for reports: each part lists alternatives, and all parts are to hold.

    ``periods`` are days, each with how a report's period is to compare with them.
    """

    base_url: str
    ids: tuple[frozenset[str], ...]
    measures: tuple[frozenset[str], ...]
    places: tuple[frozenset[Place], ...]
    periods: tuple[tuple[tuple[_Compare, Days], ...], ...]

    def finds_measure(self, measure_id: str, version: str) -> bool:
        """Return whether reports of a measure are among those wanted."""
        url = measure_url(measure_id, base_url=self.base_url)
        names = {url, f"{url}|{version}", f"Measure/{measure_id}", measure_id}
        return all(names & wanted for wanted in self.measures)

    def finds_place(self, place: Place) -> bool:
        """Return whether reports of a place are among those wanted."""
        return all(place in wanted for wanted in self.places)

    def finds_period(self, own: Days) -> bool:
        """Return whether a report of the days *own* is among those wanted."""
        return all(
            any(compare(own, days) for compare, days in wanted)
            for wanted in self.periods
        )

    def finds_id(self, report_id: str) -> bool:
        """Return whether a report of an id is among those wanted."""
        return all(report_id in wanted for wanted in self.ids)


REPORTS_SEARCHED_BY = {
    "_id": "token",
    "measure": "reference",
    "period": "date",
    "reporter": "reference",
}
"""FHIR's type of search parameter by its name."""


def parse_search(pairs: Pairs, *, base_url: str) -> ReportSearch:
    """
    Return the search for reports that parameters state; a comma says "or".

    Raises:
        NotSupportedError: by what cannot be searched, or by a date or clinic in no form
            that is known.
    """
    check_names(pairs, REPORTS_SEARCHED_BY)

    def said(wanted: str) -> list[list[str]]:
        return [value.split(",") for name, value in pairs if name == wanted]

    return ReportSearch(
        base_url=base_url,
        ids=tuple(map(frozenset, said("_id"))),
        measures=tuple(map(frozenset, said("measure"))),
        places=tuple(
            frozenset(_searched_place(text, base_url) for text in texts)
            for texts in said("reporter")
        ),
        periods=tuple(tuple(map(_searched_days, texts)) for texts in said("period")),
    )


def _searched_place(text: str, base_url: str) -> Place:
    named = text if "/" in text else f"Organization/{text}"
    return parse_place(named, base_url=base_url, expression="reporter")


def _searched_days(text: str) -> tuple[_Compare, Days]:
    match = _PREFIXED.fullmatch(text)
    days = days_of(match["date"]) if match else None
    if match is None or days is None:
        msg = "period is a date, with or without a prefix such as ge or le"
        raise NotSupportedError(msg, expression="period")
    return _COMPARED[match["prefix"] or "eq"], days
