"""Ids of MeasureReports: one report has one id, as long as its release is newest."""

import re

import msgspec

from app.domain.calendar import FIRST_YEAR, LAST_YEAR, first_day, month_number
from app.domain.counts import Interval

_ID = re.compile(
    r"(?:live|r(?P<release>[1-9][0-9]{0,8}))-m(?P<measure>[1-9][0-9]{0,8})"
    r"-(?:network|c(?P<clinic>[1-9][0-9]{0,8}))"
    r"-(?P<year>[0-9]{4})(?:-(?:Q(?P<quarter>[1-4])|(?P<month>0[1-9]|1[0-2])))?"
)


class ReportId(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a report is of, by the store's numbers: they fit into an id, codes may not.

    ``release_id`` None is a clinic's own live count, ``clinic_id`` None the network;
    ``measure_number`` is that of one version of a measure.
    """

    release_id: int | None
    measure_number: int
    clinic_id: int | None
    interval: Interval
    interval_start: int

    @property
    def text(self) -> str:
        """Return the id: ``r3-m5-c2-2024-Q1``, or ``live-m5-c2-2024-01``."""
        release = "live" if self.release_id is None else f"r{self.release_id}"
        place = "network" if self.clinic_id is None else f"c{self.clinic_id}"
        named = interval_name(self.interval, self.interval_start)
        return f"{release}-m{self.measure_number}-{place}-{named}"


def interval_name(interval: Interval, interval_start: int) -> str:
    """Return an interval as definitions write it: 2024-01, 2024-Q1, 2024."""
    start = first_day(interval_start)
    return {
        Interval.MONTH: f"{start:%Y-%m}",
        Interval.QUARTER: f"{start.year}-Q{(start.month + 2) // 3}",
        Interval.YEAR: f"{start.year}",
    }[interval]


def is_report_id(text: str) -> bool:
    """Return whether an id is in the form of ours; any other is a sender's."""
    return _ID.fullmatch(text) is not None


def parse_report_id(text: str) -> ReportId | None:
    """Return what an id names, or None where it is none of ours."""
    match = _ID.fullmatch(text)
    if match is None or not FIRST_YEAR <= int(match["year"]) <= LAST_YEAR:
        return None
    interval, month = Interval.YEAR, 1
    if match["quarter"]:
        interval, month = Interval.QUARTER, 3 * int(match["quarter"]) - 2
    elif match["month"]:
        interval, month = Interval.MONTH, int(match["month"])
    return ReportId(
        release_id=_number(match["release"]),
        measure_number=int(match["measure"]),
        clinic_id=_number(match["clinic"]),
        interval=interval,
        interval_start=month_number(int(match["year"]), month),
    )


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)
