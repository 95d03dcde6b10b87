"""Counts before and after disclosure control."""

from enum import StrEnum
from math import sqrt

import msgspec

KEY = ("grain", "stratum", "bin", "month")
"""What tells the events of one person or clinic apart (`app.measures.compilation`)."""
COUNTS = (
    "population",
    "excluded",
    "excepted",
    "scored",
    "denominator",
    "numerator",
    "value_sum",
    "value_squares",
)
"""What an event changes, in the order of its columns everywhere."""
QUANTILES = (10, 25, 50, 75, 90)
"""The percentiles that are told of a continuous variable; 50 is the median."""
MIN_FOR_DEVIATION = 2
THOUSAND = 1000


class Basis(StrEnum):
    """What one unit of a measure is."""

    VISITS = "visits"
    LATEST_STATUS = "latest-status"
    INDEX_EVENTS = "index-events"
    SUMMARIES = "summaries"


class Interval(StrEnum):
    """How long one point of a series is."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    @property
    def months(self) -> int:
        """Return the length in months."""
        return {"month": 1, "quarter": 3, "year": 12}[self.value]


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """
    True counts of one clinic in one interval; never leaves the hub as it is.

    ``population`` counts people in the initial population without the ``excluded``,
    ``scored`` those of them for whom there was a value, ``denominator`` those who count
    (the scored, or all, without the ``excepted``), ``numerator`` those of these who
    meet the measure; so population >= denominator + excepted, denominator >= numerator
    and population >= scored.

    Of a continuous variable ``value_sum`` and ``value_squares`` add up the values of
    the denominator, in thousandths, and their squares; ``histogram`` counts them: pairs
    of where a bin begins, in thousandths, and how many people are in it, in order.
    ``missing`` counts who could not be scored by what they lack: the components'
    numbers, as bits, the next bit alone if it was something else.

    ``beyond`` and ``beyond_population`` are of a measure that is part of others: people
    who are counted there and not here (``app.disclosure.nesting``).

    ``interval_start`` is a month number (``app.domain.calendar``).
    ``stratum`` is 0 for the total, else the position (1-based) in all strata's names.
    """

    clinic_id: int
    interval: Interval
    interval_start: int
    stratum: int = 0
    population: int
    scored: int
    denominator: int
    numerator: int
    beyond: tuple[int, ...] = ()
    beyond_population: tuple[int, ...] = ()
    excluded: int = 0
    excepted: int = 0
    value_sum: int = 0
    value_squares: int = 0
    histogram: tuple[tuple[int, int], ...] = ()
    missing: tuple[tuple[int, int], ...] = ()


class Withheld(StrEnum):
    """Why a released cell carries no numbers. Never says by which rule."""

    SUPPRESSED = "suppressed"
    NO_DATA = "no-data"
    NOT_PUBLISHED = "not-published"
    EVENTS_MISSING = "events-missing"
    EXPOSURE_MISSING = "exposure-missing"
    NO_EXPOSURE = "no-exposure"


class Amount(msgspec.Struct, frozen=True):
    """The sum of a ward's numbers of one month and concept, in thousandths."""

    clinic_id: int
    month: int
    ward: str
    concept_id: int
    value: int


class Dated(msgspec.Struct, frozen=True):
    """One number of a clinic, in thousandths; ``day`` None: only its month is known."""

    month: int
    concept_id: int
    day: int | None
    value: int


class SummaryCell(msgspec.Struct, frozen=True, kw_only=True):
    """
    What one clinic counted itself in one interval; never leaves the hub as it is.

    ``events`` and ``exposure`` are whole numbers, ``exact`` both of them in
    thousandths; all are 0 where ``missing`` says which of them was not sent.
    """

    clinic_id: int
    interval: Interval
    interval_start: int
    events: int = 0
    exposure: int = 0
    exact: tuple[int, int] = (0, 0)
    missing: Withheld | None = None


class ReleasedCell(msgspec.Struct, frozen=True, kw_only=True):
    """
    Counts that their audience may see; made by ``app.disclosure`` alone.

    ``clinic_id`` None is the network (or a named cohort). Where ``withheld`` is set,
    all numbers are None, never 0; ``population`` and ``scored`` alone may be None,
    where too few people could not be scored. ``provisional`` marks an interval whose
    data lock has not passed: only ever true in a clinic's own live view.

    A continuous variable has no ``numerator``. ``value_sum`` and ``value_squares`` are
    as in ``Cell``; ``quantiles`` stand in the order of QUANTILES, in thousandths, None
    where too few people lie beyond one. ``excluded``, ``excepted`` and ``missing``, as
    in ``Cell``, are for a clinic's own eyes only; and so is ``exact``, the numerator
    and the denominator in thousandths, of what it counts itself.
    """

    clinic_id: int | None
    interval: Interval
    interval_start: int
    stratum: int = 0
    population: int | None
    scored: int | None
    denominator: int | None
    numerator: int | None
    value_sum: int | None = None
    value_squares: int | None = None
    quantiles: tuple[int | None, ...] = ()
    excluded: int | None = None
    excepted: int | None = None
    missing: tuple[tuple[int, int], ...] | None = None
    exact: tuple[int, int] | None = None
    withheld: Withheld | None = None
    provisional: bool = False

    @property
    def told(self) -> tuple[float | None, float | None]:
        """Return numerator and denominator, to three decimals where they are known."""
        if self.exact is None:
            return self.numerator, self.denominator
        events, exposure = map(_unscaled, self.exact)
        return events, exposure

    @property
    def proportion(self) -> float | None:
        """Return numerator / denominator in [0, 1], or None where either is absent."""
        return self.rate(1)

    def rate(self, per: int) -> float | None:
        """Return the events *per* so much exposure, or None where either is absent."""
        numerator, denominator = self.exact or (self.numerator, self.denominator)
        if numerator is None or not denominator:
            return None
        return per * numerator / denominator

    @property
    def mean(self) -> float | None:
        """Return the mean of a continuous variable, or None where it is not told."""
        if self.value_sum is None or not self.denominator:
            return None
        return self.value_sum / self.denominator / 1000

    @property
    def deviation(self) -> float | None:
        """Return the sample standard deviation; None of fewer than two people."""
        n, total, squares = self.denominator, self.value_sum, self.value_squares
        if total is None or squares is None or n is None or n < MIN_FOR_DEVIATION:
            return None
        # Whole numbers up to the root: nothing is lost where values differ little.
        return sqrt((n * squares - total * total) / (n * (n - 1))) / 1000

    def quantile(self, percent: int) -> float | None:
        """Return a percentile of QUANTILES, or None where it is not told."""
        found = dict(zip(QUANTILES, self.quantiles, strict=False)).get(percent)
        return None if found is None else found / 1000

    def blank(self, why: Withheld) -> "ReleasedCell":
        """Return a cell of the same place in which nothing is told, and *why*."""
        return msgspec.structs.replace(
            self,
            population=None,
            scored=None,
            denominator=None,
            numerator=None,
            value_sum=None,
            value_squares=None,
            quantiles=(),
            excluded=None,
            excepted=None,
            missing=None,
            exact=None,
            withheld=why,
            provisional=False,
        )


def _unscaled(thousandths: int) -> float:
    """Return a number of thousandths; a whole one stays an int."""
    whole, rest = divmod(thousandths, THOUSAND)
    return thousandths / THOUSAND if rest else whole
