"""What a policy keeps, in the words of the rooms that count what is kept."""

import msgspec

from app.domain.calendar import FIRST_YEAR, MONTHS_A_YEAR, date_of_day, day_number
from app.domain.counts import Interval
from app.domain.records import PartialDate, Precision

_COARSENESS = (Precision.DAY, Precision.MONTH, Precision.YEAR)


class Keeping(msgspec.Struct, frozen=True, kw_only=True):
    """
    How much is kept of dates, of great ages, and which elements are not kept at all.

    ``oldest_birth_year`` stands for itself and all years before it. ``taken_away`` are
    elements of records by path, as ``Observation.value``.
    """

    dates: Precision = Precision.DAY
    oldest_birth_year: int = FIRST_YEAR
    taken_away: frozenset[str] = frozenset()

    @property
    def finest(self) -> Interval:
        """Return the shortest interval that such dates can be counted in."""
        return Interval.YEAR if self.dates is Precision.YEAR else Interval.MONTH

    def is_enough(self, date: PartialDate) -> bool:
        """Return whether *date* is as exact as the policy lets dates be."""
        return _COARSENESS.index(date.precision) <= _COARSENESS.index(self.dates)


EVERYTHING = Keeping()
"""What is kept where nothing is coarsened: days, months of birth, every element."""


def cut(date: PartialDate, precision: Precision) -> PartialDate:
    """Return *date* no finer than *precision*: the first day of the span it names."""
    if _COARSENESS.index(precision) <= _COARSENESS.index(date.precision):
        return date
    on = date_of_day(date.day).replace(day=1)
    if precision is Precision.YEAR:
        on = on.replace(month=1)
    return PartialDate(day_number(on), precision)


def cut_month(month: int, precision: Precision) -> int:
    """Return a month number, or the January of its year where only years are kept."""
    if precision is not Precision.YEAR:
        return month
    return month - month % MONTHS_A_YEAR
