"""
What a definition needs and a policy does not keep.

A definition is answered only if what is kept gives the very number that whole days
would have given, at the end of each interval that is told. Where an event is known to
its month or year (the *unit* here), the rules are:

- At a unit's end *whether* something was found, or someone seen, in a look-back of
  whole units is known: it was in one of them. Of years the look-back must be a multiple
  of twelve months, and only a year's end is told.
- *Which* value was the last one is not: two of one unit have no order. Nor is what
  belonged to one visit or one day: a composite, or what a visit's last value was.
- Conditions, deaths and ages are known at a unit's end. (Who ages: in which month or
  year someone was born is kept along with the unit of events.)
- An index event is known to its month, and so is a window in months; one in days is
  not. Of years no window is known.
- What clinics count themselves comes by day or month: not kept where years are.
- Who was born in the oldest year that is kept may be older. So a bound of age is known
  only from the year on in which all of them have reached it (``first_month``).

Sender's dates that are themselves no finer than a unit count as being of that unit.
"""

from collections.abc import Iterator

from app.domain.calendar import FIRST_YEAR, MONTHS_A_YEAR, month_number
from app.domain.counts import Basis
from app.domain.keeping import Keeping
from app.domain.records import Precision
from app.measures.checks import assessment_of, leaves
from app.measures.definitions import Measure, Predicate

_OF_VALUES = ("Observation.code", "Observation.effective", "Observation.value")
_OF_CONDITIONS = (
    "Condition.code",
    "Condition.onset",
    "Condition.abatement",
    "Condition.recordedDate",
)
_OF_VISITS = ("Encounter.class", "Encounter.period")


def shortfalls(measure: Measure, keeping: Keeping) -> tuple[str, ...]:
    """Return why *measure* can't be answered from what is kept; nothing if it can."""
    found = [*_taken_away(measure, keeping)]
    if keeping.dates is not Precision.DAY:
        found += _of_dates(measure, keeping.dates)
    return tuple(dict.fromkeys(found))


def first_month(measure: Measure, keeping: Keeping) -> int:
    """
    Return the month number from which on *measure* is answered.

    Before it those of the oldest year of birth may be on either side of a bound of age.
    """
    if keeping.oldest_birth_year <= FIRST_YEAR:
        return 0
    bounds = [bound for bound in _age_bounds(measure) if bound]
    if not bounds:
        return 0
    return month_number(keeping.oldest_birth_year + max(bounds), 1)


def _of_dates(measure: Measure, dates: Precision) -> Iterator[str]:
    """Yield what days would be needed for, where only months or years are kept."""
    unit, units = dates.value, f"{dates.value}s"
    if measure.basis is Basis.SUMMARIES:
        yield from _of_summaries(measure, dates)
        return
    if measure.basis is Basis.VISITS:
        if dates is Precision.YEAR:
            yield "a visit's ages and conditions are those of its month, not of a year"
        if any(assessment_of(leaf) is not None for leaf in _leaves(measure)):
            yield (
                f"what was found at the last visit of an interval: {units} don't say "
                f"which of a {unit}'s visits was the last, nor what was found there"
            )
    if measure.basis is Basis.INDEX_EVENTS:
        yield from _of_index(measure, dates)
    if measure.measure_observation is not None:
        yield f"the latest value is told: {units} don't order those of one {unit}"
    for leaf in _leaves(measure):
        yield from _of_leaf(leaf, measure, dates)
    if any(each.answer is not None for each in measure.stratifiers.values()):
        yield f"people are told apart by the latest answer: {units} don't order them"
    if dates is Precision.YEAR and (measure.look_back_months or 0) % MONTHS_A_YEAR:
        yield f"values count for {measure.look_back_months} months, not whole years"


def _of_leaf(leaf: Predicate, measure: Measure, dates: Precision) -> Iterator[str]:
    """Yield what one predicate would need days for."""
    unit, units = dates.value, f"{dates.value}s"
    if leaf.value is not None or leaf.answer is not None:
        yield f"the latest value counts: {units} don't order those of one {unit}"
    if leaf.growth is not None:
        yield f"the latest value counts, at the age of its month: {units} don't tell it"
    if leaf.change is not None:
        yield f"a change between two days is asked for: {units} don't order them"
    if leaf.sustained is not None:
        yield f"a status from assessment to assessment: {units} don't order them"
    if leaf.measured in measure.composites:
        yield f"a score's components are of one day: {units} don't say which are"
    months = leaf.seen_within_months or 0
    if dates is Precision.YEAR and months % MONTHS_A_YEAR:
        yield f"seen within {months} months: only whole years are known"


def _of_index(measure: Measure, dates: Precision) -> Iterator[str]:
    """Yield what windows and the events that they begin with would need days for."""
    index, window = measure.index, measure.window
    assert index is not None
    assert window is not None
    if dates is Precision.YEAR:
        yield "a window after an event is counted in days or months, not in years"
        return
    if window.in_days:
        yield "a window in days is counted from a day, and only months are kept"
    if index.value is not None or index.answer is not None:
        yield "the event is a day's value: months don't say which values are of one day"
    if index.measured in measure.composites:
        yield "a score's components are of one day: months don't say which are"


def _of_summaries(measure: Measure, dates: Precision) -> Iterator[str]:
    """Yield why what clinics count themselves is not there."""
    summary = measure.summary
    assert summary is not None
    if dates is Precision.YEAR:
        yield "clinics count it by the day or month, and only years are kept"
    elif summary.between is not None:
        yield "what lies between two events is counted from day to day"


def _taken_away(measure: Measure, keeping: Keeping) -> Iterator[str]:
    """Yield the elements that the definition reads and the policy takes away."""
    for element in _read(measure):
        if element in keeping.taken_away:
            yield f"the policy takes away {element}"


def _read(measure: Measure) -> Iterator[str]:
    """Yield the elements that a definition is counted from."""
    if measure.basis is Basis.SUMMARIES:
        yield from _OF_VALUES
        return
    stated = [*_leaves(measure)]
    yield "Patient.deceased"
    if [*_age_bounds(measure)] or any(leaf.growth for leaf in stated):
        yield "Patient.birthDate"
    stratifiers = measure.stratifiers.values()
    if any(leaf.sex or leaf.growth for leaf in stated) or any(
        each.sex for each in stratifiers
    ):
        yield "Patient.gender"
    if (
        any(leaf.condition for leaf in stated)
        or any(each.condition for each in stratifiers)
        or (measure.index is not None and measure.index.condition)
    ):
        yield from _OF_CONDITIONS
    yield from _read_of_days(measure, stated)


def _read_of_days(measure: Measure, stated: list[Predicate]) -> Iterator[str]:
    """Yield what visits and values are counted from."""
    of_visits = measure.basis is Basis.VISITS
    if (
        of_visits
        or any(leaf.seen_within_months for leaf in stated)
        or (measure.index is not None and measure.index.visit)
    ):
        yield from _OF_VISITS
    if measure.observables:
        yield from (*_OF_VALUES, "Observation.component")
    if of_visits or measure.composites:
        yield "Observation.encounter"


def _leaves(measure: Measure) -> Iterator[Predicate]:
    """Yield the leaves of all predicates of a definition."""
    for predicate in measure.predicates.values():
        yield from leaves(predicate)


def _age_bounds(measure: Measure) -> Iterator[int]:
    """Yield the ages, in years, at which something changes."""
    for leaf in _leaves(measure):
        if leaf.age is not None:
            yield from (leaf.age.from_, leaf.age.below or 0)
    for stratifier in measure.stratifiers.values():
        yield from stratifier.age_band or ()
