"""Documented ranges: which values no one has, and which hardly anyone."""

from collections.abc import Mapping
from fractions import Fraction
from math import ceil, floor
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from app.domain.calendar import MONTHS_A_YEAR
from app.domain.terminology import Coding
from app.measures.definitions import (
    Age,
    MeasureDefinitionError,
    Name,
    PlainCode,
    Text,
    Word,
    coding_of,
)
from app.ucum.units import conversion

RANGES = "ranges.yaml"
"""The file of a library that holds no measure but what values can be."""


class Flag(Word, frozen=True, kw_only=True, omit_defaults=True):
    """
    Values to flag at some age: those below one bound or above another.

    The bounds themselves are not flagged.
    """

    age: Age | None = None
    below: float | None = None
    above: float | None = None
    because: Text

    def __post_init__(self) -> None:
        """Refuse a limit that flags nothing, or everything."""
        if self.below is None and self.above is None:
            msg = "Say below, above or both"
            raise ValueError(msg)
        if None not in (self.below, self.above) and self.below > self.above:  # type: ignore[operator]
            msg = "below must not be more than above"
            raise ValueError(msg)


class Range(Word, frozen=True, kw_only=True, omit_defaults=True):
    """
    What the values of some codes can be, in ``unit``.

    Of an ``instrument`` the bounds are facts: its lowest and highest score. Of a
    ``measurement`` they are our own choice.
    """

    kind: Literal["instrument", "measurement"]
    codes: Annotated[tuple[PlainCode, ...], Meta(min_length=1)]
    unit: Text
    impossible: Annotated[tuple[Flag, ...], Meta(min_length=1)]
    improbable: tuple[Flag, ...] = ()


Ranges = Mapping[Coding, Range]
LARGEST = 2**63 - 1
"""More thousandths than a value has."""


class _Bounds(msgspec.Struct, frozen=True):
    """A limit in thousandths of some unit, and from which age to which, in months."""

    from_months: int | None
    below_months: int | None
    low: int | None
    high: int | None

    def is_of(self, age: int | None) -> bool:
        """Return whether it may be about someone of that age in months."""
        if age is None:
            return True
        return (self.from_months is None or age >= self.from_months) and (
            self.below_months is None or age < self.below_months
        )

    def flags(self, value: int) -> bool:
        """Return whether *value* is beyond a bound."""
        return (self.low is not None and value < self.low) or (
            self.high is not None and value > self.high
        )


class Verdicts(msgspec.Struct, frozen=True, kw_only=True):
    """A range in thousandths of one unit, ready to judge many values."""

    impossible: tuple[_Bounds, ...]
    improbable: tuple[_Bounds, ...]
    low: int
    high: int

    def is_plain(self, value: int | None) -> bool:
        """Return, quickly, whether *value* is well within the bounds of every age."""
        return value is not None and self.low <= value <= self.high

    def is_impossible(self, value: int, *, age: int | None) -> bool:
        """Return whether no one of that *age* (months; None: unknown) has *value*."""
        return _flagged(self.impossible, value, age)

    def is_improbable(self, value: int, *, age: int | None) -> bool:
        """Return whether hardly anyone of that *age* has *value*."""
        return _flagged(self.improbable, value, age)


def _flagged(limits: tuple[_Bounds, ...], value: int, age: int | None) -> bool:
    """Return whether every limit that may apply flags *value*; one at least must."""
    if not any(limit.flags(value) for limit in limits):
        return False
    return all(limit.flags(value) for limit in limits if limit.is_of(age)) and any(
        limit.is_of(age) for limit in limits
    )


def parse_ranges(text: str) -> dict[str, Range]:
    """
    Return the ranges that a YAML *text* lists, by name.

    Raises:
        MeasureDefinitionError: it is not of the language, or two are of one code.
    """
    try:
        ranges = msgspec.yaml.decode(text, type=dict[Name, Range])
    except msgspec.DecodeError as error:
        what, _, place = str(error).partition(" - at ")
        msg = f"{RANGES}: {what}"
        raise MeasureDefinitionError(msg, expression=place.strip("`") or None) from None
    ranges_by_code(ranges)
    return ranges


def ranges_by_code(ranges: Mapping[str, Range]) -> Ranges:
    """Return each coding's range; two for one coding are an error."""
    found: dict[Coding, Range] = {}
    for name, each in ranges.items():
        if conversion(each.unit, each.unit) is None:
            msg = f"{RANGES}: the unit of `{name}` is no UCUM code"
            raise MeasureDefinitionError(msg)
        for code in each.codes:
            if found.setdefault(coding_of(code), each) is not each:
                msg = f"{RANGES}: `{name}` has {code}, which an earlier one has too"
                raise MeasureDefinitionError(msg)
    return found


def verdicts(of: Range, unit: str) -> Verdicts | None:
    """Return a range for values in thousandths of *unit*; None: it does not convert."""
    into = conversion(of.unit, unit)
    if into is None:
        return None

    def thousandths(bound: float) -> Fraction:
        return (Fraction(str(bound)) * into.factor + into.offset) * 1000

    def bounds(limit: Flag) -> _Bounds:
        age = limit.age or Age()
        return _Bounds(
            MONTHS_A_YEAR * age.from_,
            None if age.below is None else MONTHS_A_YEAR * age.below,
            None if limit.below is None else ceil(thousandths(limit.below)),
            None if limit.above is None else floor(thousandths(limit.above)),
        )

    impossible = tuple(map(bounds, of.impossible))
    improbable = tuple(map(bounds, of.improbable))
    every = (*impossible, *improbable)
    return Verdicts(
        impossible=impossible,
        improbable=improbable,
        low=max((b.low for b in every if b.low is not None), default=-LARGEST),
        high=min((b.high for b in every if b.high is not None), default=LARGEST),
    )
