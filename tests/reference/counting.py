"""
What a measure counts, the slow and obvious way: month by month, fact by fact.

It knows no spans, no events and no SQL. Whatever it and the compiled text disagree
about is a fault of one of them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import NamedTuple, TypeVar

from app.domain.calendar import month_of_day
from app.domain.counts import Basis
from app.domain.terminology import Coding
from app.measures.definitions import (
    Comparison,
    Measure,
    Observable,
    Predicate,
    Sex,
    Tie,
    coding_of,
)

NOTHING = (0, 0, 0, 0)


class Subject(NamedTuple):
    """A row of subject."""

    id: int
    clinic_id: int = 1
    birth_month: int | None = None
    sex: int | None = None
    death_month: int | None = None


class Observation(NamedTuple):
    """A row of observation."""

    subject_id: int
    concept_id: int
    day: int
    record_id: int
    part: int
    month: int
    value: int | None
    value_concept_id: int | None
    encounter_id: int


class Condition(NamedTuple):
    """A row of condition."""

    subject_id: int
    concept_id: int
    record_id: int
    onset_month: int
    abatement_month: int | None


class Visit(NamedTuple):
    """A row of visit."""

    subject_id: int
    day: int
    record_id: int
    month: int
    class_concept_id: int


_Row = TypeVar("_Row", Observation, Condition, Visit)


@dataclass(frozen=True)
class World:
    """Everything the database knows, row by row."""

    subjects: tuple[Subject, ...]
    observations: tuple[Observation, ...] = ()
    conditions: tuple[Condition, ...] = ()
    visits: tuple[Visit, ...] = ()
    concepts: Mapping[Coding, int] = field(default_factory=dict)

    def of(self, subject_id: int) -> "World":
        """Return what is known of one subject."""

        def mine(rows: Iterable[_Row]) -> tuple[_Row, ...]:
            return tuple(row for row in rows if row.subject_id == subject_id)

        return replace(
            self,
            subjects=tuple(s for s in self.subjects if s.id == subject_id),
            observations=mine(self.observations),
            conditions=mine(self.conditions),
            visits=mine(self.visits),
        )


State = tuple[int, ...]
"""population, scored, denominator, numerator."""


def expected_states(
    measure: Measure, world: World, months: range
) -> dict[tuple[int, int, int, int], State]:
    """Return the state of each (subject, grain, stratum, month) that is not nothing."""
    found = {}
    for subject in world.subjects:
        one = _Person(measure, world.of(subject.id), subject)
        for grain in (1, 3, 12) if measure.basis is Basis.VISITS else (1,):
            for month in months:
                stratum, state = one.state(grain, month)
                if state != NOTHING:
                    found[subject.id, grain, stratum, month] = state
    return found


@dataclass(frozen=True)
class _Person:
    """One subject and all that is known of it."""

    measure: Measure
    world: World
    subject: Subject

    def state(self, grain: int, month: int) -> tuple[int, State]:
        """Return stratum and state in the interval of *grain* that holds *month*."""
        if self.measure.basis is Basis.LATEST_STATUS:
            return self._stratum(month), self._at(month, None)
        first = month - month % grain
        at_visits = [
            (self._stratum(month_of_day(day)), self._at(month_of_day(day), day))
            for day in sorted({v.day for v in self._qualifying()})
            if first <= month_of_day(day) < first + grain
        ]
        counted = [(stratum, state) for stratum, state in at_visits if state[0]]
        if not counted:
            return 0, NOTHING
        in_denominator = [state for _, state in counted if state[2]]
        scored = max(state[1] for _, state in counted)
        met = in_denominator[-1][3] if in_denominator else 0
        return counted[-1][0], (1, scored, int(bool(in_denominator)), met)

    def _at(self, month: int, day: int | None) -> State:
        """Return the state at a month's end, or at a visit on *day*."""
        measure, person = self.measure, self.subject
        born = person.birth_month is None or person.birth_month <= month
        gone = person.death_month is not None and person.death_month <= month
        excluded = measure.denominator_exclusion
        if not born or gone or not self._holds(measure.initial_population, month, day):
            return NOTHING
        if excluded is not None and self._holds(excluded, month, day):
            return NOTHING
        scored = self._holds(measure.scorable, month, day)
        within = scored or measure.denominator == "population"
        met = within and self._holds(measure.numerator, month, day)
        return 1, int(scored), int(within), int(met)

    def _stratum(self, month: int) -> int:
        if self.measure.stratifier is None:
            return 0
        bounds = self.measure.stratifier.age_band
        if self.subject.birth_month is None:
            return len(bounds) + 2
        months = month - self.subject.birth_month
        return 1 + sum(months >= 12 * bound for bound in bounds)

    def _holds(self, predicate: Predicate, month: int, day: int | None) -> bool:
        if predicate.all is not None:
            return all(self._holds(part, month, day) for part in predicate.all)
        if predicate.any is not None:
            return any(self._holds(part, month, day) for part in predicate.any)
        if predicate.not_ is not None:
            return not self._holds(predicate.not_, month, day)
        return self._leaf(predicate, month, day)

    def _leaf(self, leaf: Predicate, month: int, day: int | None) -> bool:
        if leaf.condition is not None:
            return any(self._active(leaf.condition, month))
        if leaf.sex is not None:
            return self.subject.sex == 1 + list(Sex).index(leaf.sex)
        if leaf.age is not None:
            if self.subject.birth_month is None:
                return False
            years = (month - self.subject.birth_month) // 12
            below = leaf.age.below
            return years >= leaf.age.from_ and (below is None or years < below)
        if leaf.seen_within_months is not None:
            return any(
                v.month <= month < v.month + leaf.seen_within_months
                for v in self._qualifying()
            )
        if leaf.value is not None:
            return self._compared(leaf.value, month, day)
        if leaf.answer is not None:
            taken = self._taken(leaf.answer.of, month, day)
            answers = self.measure.observables[leaf.answer.of].answers
            ranks = [answers.index(code) for code in leaf.answer.among]
            return taken is not None and taken[leaf.answer.of] in ranks
        assert leaf.measured is not None
        return self._taken(leaf.measured, month, day) is not None

    def _active(self, value_set: str, month: int) -> Iterator[bool]:
        for row in self.world.conditions:
            if self._is_in(row.concept_id, value_set):
                ended = row.abatement_month is not None and row.abatement_month <= month
                yield row.onset_month <= month and not ended

    def _compared(self, value: Comparison, month: int, day: int | None) -> bool:
        name, _, part = value.of.partition(".")
        taken = self._taken(name, month, day)
        if taken is None:
            return False
        if part:
            number = taken[part]
        elif name in self.measure.composites:
            number = Fraction(0)
            for component, options in self.measure.composites[name].components.items():
                cap = options.cap
                most = taken[component] if cap is None else Fraction(str(cap)) * 1000
                number += min(taken[component], most)
        else:
            number = taken[name]
        word, cut_off = value.cut_off
        bound = Fraction(str(cut_off)) * 1000
        return {
            "below": number < bound,
            "at_most": number <= bound,
            "exactly": number == bound,
            "at_least": number >= bound,
            "above": number > bound,
        }[word]

    def _taken(
        self, name: str, month: int, day: int | None
    ) -> dict[str, Fraction] | None:
        """Return the values in force: each part's, or None where there are none."""
        whole = {
            on: taken
            for on in {self._day(row, name) for row in self.world.observations}
            if on is not None and (taken := self._on(on, name)) is not None
        }
        if day is not None:
            return whole.get(day)
        past = [on for on in whole if month_of_day(on) <= month]
        window = self.measure.look_back_months
        assert window is not None
        if not past or month >= month_of_day(max(past)) + window:
            return None
        return whole[max(past)]

    def _on(self, day: int, name: str) -> dict[str, Fraction] | None:
        """Return every part's value on one day, or None where one is missing."""
        if name in self.measure.composites:
            parts = list(self.measure.composites[name].components)
        else:
            parts = [name]
        taken = {}
        for part in parts:
            observable = self.measure.observables[part]
            values = {}
            for row in self.world.observations:
                value = self._value(row, observable)
                if value is not None and self._day(row, name) == day:
                    values[row.record_id, row.part] = value
            if not values:
                return None
            taken[part] = _reduced(list(values.values()), observable.tie)
        return taken

    def _value(self, row: Observation, observable: Observable) -> int | None:
        if not self._is_in(row.concept_id, observable.codes):
            return None
        if not observable.answers:
            return row.value
        for rank, answer in enumerate(observable.answers):
            if self.world.concepts.get(coding_of(answer)) == row.value_concept_id:
                return rank
        return None

    def _day(self, row: Observation, name: str) -> int | None:
        """Return the day a fact counts for, or None where it does not."""
        named = [v for v in self._qualifying() if v.record_id == row.encounter_id]
        if self.measure.basis is Basis.VISITS:
            if row.encounter_id == 0:
                return row.day
            return named[0].day if named else None
        if name in self.measure.composites and named:
            return named[0].day
        return row.day

    def _qualifying(self) -> list[Visit]:
        classes = self.measure.visit_classes
        return [
            v for v in self.world.visits if self._is_in(v.class_concept_id, classes)
        ]

    def _is_in(self, concept_id: int, value_set: str) -> bool:
        (coding,) = [c for c, n in self.world.concepts.items() if n == concept_id]
        for code in self.measure.value_sets[value_set]:
            wanted = coding_of(code.rstrip("*"))
            same = coding.code == wanted.code
            if code.endswith("*"):
                same = coding.code.startswith(wanted.code)
            if coding.system == wanted.system and same:
                return True
        return False


def _reduced(values: list[int], tie: Tie) -> Fraction:
    if tie is Tie.LOWEST:
        return Fraction(min(values))
    if tie is Tie.HIGHEST:
        return Fraction(max(values))
    return Fraction(sum(values), len(values))
