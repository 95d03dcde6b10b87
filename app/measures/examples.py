"""A measure's worked examples -> rows to count, and what the count got wrong."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date

import msgspec

from app.domain.calendar import day_number, month_number, month_of_day, month_of_text
from app.domain.counts import Basis
from app.domain.terminology import Coding
from app.measures.checks import Problem
from app.measures.definitions import (
    Example,
    Measure,
    Membership,
    Readings,
    coding_of,
    thousandths,
)
from app.measures.plans import SEX_NUMBERS

_QUARTER = 3
_COUNTS: dict[Membership, tuple[int, ...]] = {
    Membership.NONE: (0, 0, 0, 0, 0, 0),
    Membership.EXCLUDED: (0, 1, 0, 0, 0, 0),
    Membership.POPULATION: (1, 0, 0, 0, 0, 0),
    Membership.EXCEPTED: (1, 0, 1, 1, 0, 0),
    Membership.UNSCORED_EXCEPTED: (1, 0, 1, 0, 0, 0),
    Membership.DENOMINATOR: (1, 0, 0, 1, 1, 0),
    Membership.NUMERATOR: (1, 0, 0, 1, 1, 1),
    Membership.UNSCORED_DENOMINATOR: (1, 0, 0, 0, 1, 0),
    Membership.UNSCORED_NUMERATOR: (1, 0, 0, 0, 1, 1),
}
_WORDS = {counts: word for word, counts in _COUNTS.items()}
_PEOPLE = len(_COUNTS[Membership.NONE])

Row = tuple[int | None, ...]


class ExampleRows(msgspec.Struct, frozen=True, kw_only=True):
    """
    Rows of the tables that counting reads, in the order of their columns.

    The subject of the nth example has the id n, from 1.
    """

    concepts: dict[Coding, int]
    subject: list[Row]
    observation: list[Row]
    condition: list[Row]
    visit: list[Row]


def example_rows(measure: Measure) -> ExampleRows:
    """Return the examples of *measure* as rows."""
    rows = ExampleRows(concepts={}, subject=[], observation=[], condition=[], visit=[])
    for subject, example in enumerate(measure.examples, 1):
        _add_person(rows, subject, example)
        for day, readings in sorted(example.visits.items()):
            code = measure.value_sets[measure.visit_classes][0]
            visit = (subject, day_number(day), len(rows.visit) + 1, _month_of(day))
            rows.visit.append((*visit, _concept(rows, code)))
            _add_readings(rows, measure, subject, day, readings)
        for day, readings in sorted(example.values.items()):
            _add_readings(rows, measure, subject, day, readings)
    return rows


def disagreements(
    measure: Measure, events: Iterable[tuple[int, ...]]
) -> Iterator[Problem]:
    """
    Yield what the examples expect and *events* do not say, each where it stands.

    Args:
        measure: The definition with its examples.
        events: What the compiled measure returned for the rows of its examples.
    """
    counts: dict[tuple[int, int], list[tuple[int, ...]]] = defaultdict(list)
    for subject, grain, _, _, month, *changes in events:
        counts[subject, grain].append((month, *changes))
    for subject, example in enumerate(measure.examples, 1):
        for interval, wanted in example.expect.items():
            grain, month = _interval(interval)
            if measure.basis is Basis.LATEST_STATUS:
                grain, month = 1, month + grain - 1
            past = [changes for on, *changes in counts[subject, grain] if on <= month]
            found = _found(measure, tuple(map(sum, zip(*past, strict=True))))
            if found != wanted:
                path = ("examples", subject - 1, "expect", interval)
                said = f"{example.title}: {interval} is {found}, not {wanted}"
                yield Problem(path, said)


def _found(measure: Measure, state: tuple[int, ...]) -> Membership | float:
    """Return what someone counted as, or the value where it is one that counts."""
    people, values = state[:_PEOPLE] or _NOTHING, state[_PEOPLE:]
    word = _WORDS[people]
    if measure.measure_observation is None or word is not Membership.DENOMINATOR:
        return word
    return values[0] / _THOUSANDTHS


_NOTHING = _COUNTS[Membership.NONE]
_THOUSANDTHS = 1000


def _add_person(rows: ExampleRows, subject: int, example: Example) -> None:
    """Add who the patient is, and the conditions."""
    sex = SEX_NUMBERS[example.sex] if example.sex is not None else None
    rows.subject.append((subject, 1, _month(example.born), sex, _month(example.died)))
    for condition in example.conditions:
        ids = (subject, _concept(rows, condition.code), len(rows.condition) + 1)
        span = (_month(condition.from_) or 0, _month(condition.until))
        rows.condition.append((*ids, *span))


def _add_readings(
    rows: ExampleRows, measure: Measure, subject: int, day: date, readings: Readings
) -> None:
    """Add what was found on one day."""
    for name, reading in readings.items():
        code = measure.value_sets[measure.observables[name].codes][0]
        for one in reading if isinstance(reading, tuple) else (reading,):
            rows.observation.append(
                (
                    subject,
                    _concept(rows, code),
                    day_number(day),
                    len(rows.observation) + 1,
                    0,
                    _month_of(day),
                    None if isinstance(one, str) else thousandths(one),
                    _concept(rows, one) if isinstance(one, str) else None,
                    0,
                )
            )


def _concept(rows: ExampleRows, code: str) -> int:
    """Return the id of a code, numbering it where it is new."""
    return rows.concepts.setdefault(coding_of(code), len(rows.concepts) + 1)


def _month_of(day: date) -> int:
    """Return the month number of a date."""
    return month_of_day(day_number(day))


def _month(text: str | None) -> int | None:
    """Return the month number of ``2024-03``."""
    return None if text is None else month_of_text(text)


def _interval(text: str) -> tuple[int, int]:
    """Return the length in months and the first month of a month, quarter or year."""
    year, _, part = text.partition("-")
    if not part:
        return 12, month_number(int(year), 1)
    if part.startswith("Q"):
        return _QUARTER, month_number(int(year), _QUARTER * int(part[1]) - 2)
    return 1, month_number(int(year), int(part))
