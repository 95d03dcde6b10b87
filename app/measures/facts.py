"""
Kept content -> the whole numbers that measures count.

One record gives one fact for each of its codings, and each component facts of its own
(``part`` 0 is the record itself, n its nth component). Dates become days and months,
values thousandths of the canonical unit. Where the policy keeps months or years, a date
is the first day of its month or year; only what knows no finer may be asked of it
(``app.measures.shortfalls``).

What cannot be used is left out or has no value, never guessed: a value in a unit that
does not convert, without the unit it needs, or too large to be true is None.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

import msgspec

from app.domain.calendar import MONTHS_A_YEAR, month_of_day
from app.domain.keeping import EVERYTHING, Keeping, cut
from app.domain.records import (
    Condition,
    Encounter,
    Observation,
    PartialDate,
    Precision,
    Quantity,
    Value,
)
from app.domain.terminology import NETWORK, Coding
from app.measures.definitions import (
    Measure,
    MeasureDefinitionError,
    UnitConversion,
    coding_of,
)
from app.ucum.units import (
    CACHE_SIZE,
    DECIMAL_PLACES,
    IDENTITY,
    Conversion,
    conversion,
    half_even,
)

COUNTED_STATUSES = {"final", "amended", "corrected"}
VISITS_THAT_WERE_NOT = {"planned", "cancelled", "entered-in-error"}
CONDITIONS_THAT_ARE_NOT = {"refuted", "entered-in-error"}
ENDED = {"inactive", "resolved"}
"""Clinical statuses of what is over; remission is not: the disease is still there."""
NO_UNIT = "1"
MOST_DIGITS = 12
"""Powers of ten of a value; what is larger, or smaller, is no measurement."""
LARGEST_THOUSANDTHS = 10 ** (MOST_DIGITS + 4)
"""A conversion may make more of it: the store's numbers have 64 bits."""
_ZERO = Decimal(0)
_PLACES_A_THOUSANDTH = 10 ** (DECIMAL_PLACES - 3)
_BEYOND: Mapping[str | None, int] = {">": 1, "<": -1}
"""By how many thousandths a value is beyond the limit that its comparator tells."""


class CanonicalUnit(msgspec.Struct, frozen=True, kw_only=True):
    """The unit an observable is compared in, and conversions of its own into it."""

    unit: str
    own: tuple[UnitConversion, ...] = ()


class ObservationFact(msgspec.Struct, frozen=True, kw_only=True):
    """What one coding of an Observation, or of a component, was found to be."""

    concept: Coding
    part: int
    day: int
    month: int
    value: int | None
    value_coding: Coding | None


class ConditionFact(msgspec.Struct, frozen=True, kw_only=True):
    """A condition in [onset, abatement), in months; onset 0 is since ever."""

    concept: Coding
    onset_month: int
    abatement_month: int | None


class VisitFact(msgspec.Struct, frozen=True, kw_only=True):
    """A visit that took place."""

    class_coding: Coding
    day: int
    month: int


def canonical_units(measures: Iterable[Measure]) -> Mapping[Coding, CanonicalUnit]:
    """
    Return the unit in which each coding of the *measures* is compared.

    Raises:
        MeasureDefinitionError: Two definitions want different units for one coding.
    """
    units: dict[Coding, CanonicalUnit] = {}
    for measure in measures:
        for name, observable in measure.observables.items():
            if observable.unit is None:
                continue
            unit = CanonicalUnit(unit=observable.unit, own=observable.conversions)
            for code in measure.value_sets[observable.codes]:
                if units.setdefault(coding_of(code), unit) != unit:
                    msg = (
                        f"{measure.id}: `{name}` has another unit or other conversions"
                        f" than an earlier definition gives {code}; make them the same"
                    )
                    raise MeasureDefinitionError(msg)
    return units


def observation_facts(
    observation: Observation,
    units: Mapping[Coding, CanonicalUnit],
    keeping: Keeping = EVERYTHING,
) -> tuple[ObservationFact, ...]:
    """
    Return the facts of *observation*: none unless it is final and has a day.

    Where the policy keeps less than days, that is the first of the month or year.

    A coding that has no entry in *units* keeps the number as it was sent.
    """
    effective = observation.effective
    if observation.status not in COUNTED_STATUSES or effective is None:
        return ()
    if not keeping.is_enough(effective):
        return ()
    day, month = effective.day, month_of_day(effective.day)
    parts = [(observation.code, observation.value)]
    parts += [(component.code, component.value) for component in observation.components]
    return tuple(
        [
            ObservationFact(
                concept=coding,
                part=part,
                day=day,
                month=month,
                value=quantity_thousandths(value.quantity, units.get(coding)),
                value_coding=_answer(value),
            )
            for part, (codings, value) in enumerate(parts)
            for coding in dict.fromkeys(codings)
        ]
    )


def condition_facts(
    condition: Condition, keeping: Keeping = EVERYTHING
) -> tuple[ConditionFact, ...]:
    """
    Return the facts of *condition*: none where it is refuted, or never was active.

    It begins with its onset, else when it was recorded, else before all. What is over
    without saying since when ended when it was recorded, or else never counts. Of a
    mere year the whole counts: from January, until January of the year after. But
    where the policy keeps years only, what ended in a year ended in its January, so
    that at the year's end it is over.
    """
    if condition.verification_status in CONDITIONS_THAT_ARE_NOT:
        return ()
    begin = _month(condition.onset) or _month(condition.recorded) or 0
    end = _month_of_end(condition.abatement, keeping)
    if end is None and condition.clinical_status in ENDED:
        end = _month(condition.recorded) or 0
    if end is not None and end <= begin:
        return ()
    return tuple(
        ConditionFact(concept=coding, onset_month=begin, abatement_month=end)
        for coding in dict.fromkeys(condition.code)
    )


def ends_before_it_begins(condition: Condition) -> bool:
    """
    Return whether a condition's abatement lies before its onset, for all that is said.

    A date to its month or year is the whole of it: 2024 is not before May 2024.
    """
    onset, abatement = condition.onset, condition.abatement
    if onset is None or abatement is None:
        return False
    ended = cut(abatement, onset.precision)
    return ended.day < cut(onset, abatement.precision).day


def visit_facts(
    encounter: Encounter, keeping: Keeping = EVERYTHING
) -> tuple[VisitFact, ...]:
    """Return the one fact of *encounter*, or none: it needs a class and a day."""
    start = encounter.start
    if encounter.status in VISITS_THAT_WERE_NOT or encounter.class_ is None:
        return ()
    if start is None or not keeping.is_enough(start):
        return ()
    day = start.day
    return (VisitFact(class_coding=encounter.class_, day=day, month=month_of_day(day)),)


def _month(date: PartialDate | None) -> int | None:
    """Return the month of a date; of a mere year its January."""
    return None if date is None else month_of_day(date.day)


def _month_of_end(date: PartialDate | None, keeping: Keeping) -> int | None:
    """Return the first month after what ended; what ended in a month has it no more."""
    month = _month(date)
    if month is None or date is None or date.precision is not Precision.YEAR:
        return month
    if keeping.dates is Precision.YEAR:
        return month
    return month + MONTHS_A_YEAR


def _answer(value: Value) -> Coding | None:
    """Return the network's own coding of an answer, else the first in order."""
    if not value.codings:
        return None
    return min(
        value.codings,
        key=lambda coding: (coding.system != NETWORK, coding),
    )


def quantity_thousandths(
    quantity: Quantity | None, unit: CanonicalUnit | None
) -> int | None:
    """
    Return a quantity in thousandths of its canonical unit, rounded half to even.

    ``> 14`` is where a meter's range ends: it becomes one thousandth more than 14, and
    ``< 4`` one less than 4, so that both fall on their side of the limit.
    """
    if quantity is None or quantity.comparator == "ad":
        return None
    number = Decimal(quantity.value)
    if not number.is_finite() or (number and abs(number.adjusted()) > MOST_DIGITS):
        return None
    found = IDENTITY if unit is None else _conversion(quantity.unit, unit)
    if found is None:
        return None
    # Zero may come with an exponent that no conversion takes.
    places = found.billionths(number or _ZERO)
    thousandths = half_even(places, _PLACES_A_THOUSANDTH)
    if abs(thousandths) > LARGEST_THOUSANDTHS:
        return None
    return thousandths + _BEYOND.get(quantity.comparator, 0)


def converts(stated: str | None, canonical: CanonicalUnit) -> bool:
    """Return whether a quantity in a *stated* unit becomes a value."""
    return _conversion(stated, canonical) is not None


def is_number(unit: str) -> bool:
    """Return whether *unit* is none, but a name of what is counted."""
    return conversion(unit, NO_UNIT) == IDENTITY


@lru_cache(maxsize=CACHE_SIZE)
def _conversion(stated: str | None, canonical: CanonicalUnit) -> Conversion | None:
    """
    Return how to turn a *stated* unit into the *canonical* one, or None.

    A pure number takes no unit but an annotation: 5 % of a score is no score of 0.05.
    Where an observable has conversions of its own, UCUM's do not apply: to UCUM, 48
    mmol/mol HbA1c are 4.8 %, and they are 6.5 %.
    """
    of_number = is_number(canonical.unit)
    if stated is None and not of_number:
        return None
    by_ucum = conversion(stated or NO_UNIT, canonical.unit)
    if by_ucum == IDENTITY:
        return IDENTITY
    for own in canonical.own:
        if conversion(stated or NO_UNIT, own.unit) == IDENTITY:
            return Conversion(
                factor=Fraction(str(own.factor)), offset=Fraction(str(own.offset))
            )
    return None if of_number or canonical.own else by_ucum
