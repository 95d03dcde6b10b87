"""
Growth by L, M and S: a measurement's z-score, and which measurement a z-score is.

Ages are completed months, because no more than a birth month is kept: the calendar
months between birth and measurement. The exact age differs from that by less than a
month either way, and by nothing on average. A table's row is the one its publisher
gives for that many completed months (``library/growth/README.md``); the CDC's rows
stand half a month later, which moves a z-score by 0.1 at two years, and by less after.
"""

import csv
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import exp, log
from typing import Literal, NamedTuple

from app.domain.errors import IssueType, ServiceError

TABLES = {
    "cdc-bmi": "kg/m2",
    "cdc-height": "cm",
    "cdc-weight": "kg",
    "who-bmi": "kg/m2",
    "who-length": "cm",
    "who-weight": "kg",
}
"""The tables, each with the UCUM unit of its M."""

RESTRICTED = {"who-bmi", "who-weight"}
"""The tables of weight-based indicators, for which the WHO restricts L, M and S."""

_OUTERMOST = 3
_THOUSANDTHS = 1000
_CEILING = 1000 * _THOUSANDTHS

SexAndAge = tuple[str, int]
"""``female`` or ``male``, and completed months of age."""


class UnknownGrowthTableError(ServiceError):
    """No growth table has this name."""

    issue_type = IssueType.VALUE


class Parameters(NamedTuple):
    """L (power, without dimension), M (median) and S (coefficient of variation)."""

    l: float  # noqa: E741
    m: float
    s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthTable:
    """A measurement's parameters by sex and age; ``unit`` is that of M."""

    unit: str
    restricted: bool
    rows: Mapping[SexAndAge, Parameters]

    def z_score(self, value: float, *, sex: str, age_in_months: int) -> float | None:
        """Return the z-score of *value*; None for a sex or an age without a row."""
        row = self.rows.get((sex, age_in_months))
        return None if row is None else self.scored(value, row)

    def scored(self, value: float, row: Parameters) -> float:
        """Return the z-score of *value* by one row, restricted where this table is."""
        score = restricted_z_score if self.restricted else z_score
        return score(value, *row)


def z_score(value: float, l: float, m: float, s: float) -> float:  # noqa: E741
    """
    Return how many standard deviations *value* > 0 is from the median.

    ``((value / m) ** l - 1) / (l * s)``, and ``log(value / m) / s`` where l is 0.

    Source: CDC, "Percentile Data Files with LMS Values", cdc.gov/growthcharts.
    """
    if l == 0:
        return log(value / m) / s
    return float(((value / m) ** l - 1) / (l * s))


def restricted_z_score(value: float, l: float, m: float, s: float) -> float:  # noqa: E741
    """
    Return the z-score, which beyond 3 goes on in steps as wide as that from 2 to 3.

    The WHO prescribes this for indicators by weight, since their skewness is not known
    so far out; length and height have no skewness (l is 1), so it changes nothing.

    Source: WHO Child Growth Standards: methods and development, 2006, chapter 7.
    """
    plain = z_score(value, l, m, s)
    if abs(plain) <= _OUTERMOST:
        return plain
    side = 1 if plain > 0 else -1
    outermost = measurement(side * _OUTERMOST, l, m, s)
    width = abs(outermost - measurement(side * (_OUTERMOST - 1), l, m, s))
    return side * _OUTERMOST + (value - outermost) / width


def measurement(z: float, l: float, m: float, s: float) -> float:  # noqa: E741
    """
    Return the measurement whose `z_score` is *z*; 1 + l * s * z must be above 0.

    Source: as `z_score`, which this inverts.
    """
    if l == 0:
        return m * exp(s * z)
    return float(m * (1 + l * s * z) ** (1 / l))


@cache
def growth_table(name: str) -> GrowthTable:
    """
    Return a table of this package, read at its first use: it is as fixed as the code.

    Raises:
        UnknownGrowthTableError: *name* is none of `TABLES`.
    """
    if name not in TABLES:
        msg = f"There is no growth table `{name}`: say one of {', '.join(TABLES)}"
        raise UnknownGrowthTableError(msg)
    folder = resources.files("app.measures") / "library" / "growth"
    text = (folder / f"{name}.csv").read_text("utf-8")
    rows = {
        (row["sex"], int(row["age_in_months"])): Parameters(
            float(row["l"]), float(row["m"]), float(row["s"])
        )
        for row in csv.DictReader(text.splitlines())
    }
    return GrowthTable(unit=TABLES[name], restricted=name in RESTRICTED, rows=rows)


@cache
def cut_offs(
    table: str, z: float, *, word: Literal["at_least", "at_most"] = "at_least"
) -> Mapping[SexAndAge, int]:
    """
    Return by sex and age the measurement, in thousandths, that decides about *z*.

    With ``at_least`` it is the lowest whole thousandth whose z-score is *z* or more,
    with ``at_most`` the highest whose z-score is *z* or less: to compare a measurement
    with it as integers is to compare their z-scores. "Below z" is "less than the
    lowest", "above z" is "more than the highest".

    Args:
        table: One of `TABLES`; the thousandths are of its unit.
        z: A score that no measurement has is never reached, or always exceeded: the
            lowest is then 1,000 units.
        word: Which side of *z* is asked for.

    Raises:
        UnknownGrowthTableError: *table* is none of `TABLES`.
    """
    known = growth_table(table)
    return {key: _deciding(known, row, z, word=word) for key, row in known.rows.items()}


def _deciding(table: GrowthTable, row: Parameters, z: float, *, word: str) -> int:
    """Return the lowest thousandth with at least *z*, or the highest with at most."""

    def z_of(thousandths: int) -> float:
        return table.scored(thousandths / _THOUSANDTHS, row)

    if word == "at_least":
        return bisect_left(range(1, _CEILING), z, key=z_of) + 1
    return bisect_right(range(1, _CEILING), z, key=z_of)
