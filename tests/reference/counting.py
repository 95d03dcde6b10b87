"""
What a measure counts, the slow and obvious way: month by month, fact by fact.

It knows no spans, no events and no SQL. Whatever it and the compiled text disagree
about is a fault of one of them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple, TypeVar

from app.domain.calendar import first_day, month_number, month_of_day
from app.domain.counts import Basis
from app.domain.terminology import Coding
from app.measures.checks import leaves
from app.measures.definitions import (
    Change,
    Comparison,
    Growth,
    Measure,
    Observable,
    Predicate,
    Sex,
    Stratifier,
    Sustained,
    Tie,
    coding_of,
)
from app.measures.growth import growth_table

NOTHING = (0,) * 8


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

    def since(self, subject: Subject) -> "World":
        """Return the same without values and visits from before a birth."""
        born = subject.birth_month or 0
        return replace(
            self,
            observations=tuple(o for o in self.observations if o.month >= born),
            visits=tuple(v for v in self.visits if v.month >= born),
        )

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
"""population, excluded, excepted, scored, denominator, numerator, sum, squares."""
Key = tuple[int, int, int, int, int]
"""subject, grain, stratum, bin, month."""


def expected_states(measure: Measure, world: World, months: range) -> dict[Key, State]:
    """Return the state of each key that is not nothing."""
    found = {}
    for subject in world.subjects:
        one = _Person(measure, world.of(subject.id).since(subject), subject)
        for grain in (1,) if measure.basis is Basis.LATEST_STATUS else (1, 3, 12):
            for month in months:
                verdict = one.state(grain, month)
                if verdict is not None:
                    key = (subject.id, grain, verdict.stratum, verdict.bin, month)
                    found[key] = verdict.counts
    return found


@dataclass(frozen=True)
class _Verdict:
    """What someone is at one moment, or in one interval."""

    stratum: int
    excluded: bool
    scored: bool
    weighed: bool = False
    met: bool = False
    excused: bool = False
    has: tuple[bool, ...] = ()
    value: int = 0
    first: int = 0
    step: int = 1

    @property
    def bin(self) -> int:
        if self.excluded:
            return 0
        if self.scored:
            return (self.value - self.first) // self.step * self.step
        missing = sum(2**n for n, there in enumerate(self.has) if not there)
        return -(missing or 2 ** len(self.has))

    @property
    def counts(self) -> State:
        if self.excluded:
            return (0, 1, 0, 0, 0, 0, 0, 0)
        numerator = self.weighed and self.met
        excepted = self.weighed and not self.met and self.excused
        denominator = self.weighed and not excepted
        value = self.value if self.scored else 0
        flags = (True, False, excepted, self.scored, denominator, numerator)
        return (*map(int, flags), value, value * value)


@dataclass(frozen=True)
class _Person:
    """One subject and all that is known of it."""

    measure: Measure
    world: World
    subject: Subject

    def state(self, grain: int, month: int) -> _Verdict | None:
        """Return what the person is in the interval of *grain* that holds *month*."""
        if self.measure.basis is Basis.LATEST_STATUS:
            return self._at(month, None)
        first = month - month % grain
        found = [
            verdict
            for when, verdict in self._occasions
            if first <= when < first + grain
        ]
        counted = [verdict for verdict in found if not verdict.excluded]
        if not counted:
            return found[-1] if found else None
        weighed = [verdict for verdict in counted if verdict.weighed]
        last = weighed[-1] if weighed else counted[-1]
        return replace(
            last,
            stratum=counted[-1].stratum,
            scored=any(verdict.scored for verdict in counted),
            has=tuple(
                any(column) for column in zip(*(v.has for v in counted), strict=True)
            ),
        )

    @cached_property
    def _occasions(self) -> list[tuple[int, _Verdict]]:
        """Return visits or index events in order: the month each counts in, and how."""
        if self.measure.basis is Basis.VISITS:
            days = sorted({v.day for v in self._qualifying()})
            occasions = [
                (month_of_day(d), month_of_day(d), Moment(day=d)) for d in days
            ]
        else:
            ahead = _months_ahead(self.measure)
            occasions = [
                (month + ahead, month, Moment(index=(day, month)))
                for day, month in self._index_events()
                if self.subject.death_month is None
                or self.subject.death_month > month + ahead
            ]
        judged = [(when, self._at(month, at)) for when, month, at in occasions]
        return [(when, verdict) for when, verdict in judged if verdict is not None]

    def _index_events(self) -> list[tuple[int, int]]:
        """Return the day and month of each index event; of an onset the day is none."""
        index = self.measure.index
        assert index is not None
        if index.condition is not None:
            onsets = {
                row.onset_month
                for row in self.world.conditions
                if row.onset_month > 0 and self._is_in(row.concept_id, index.condition)
            }
            found = [(0, month) for month in sorted(onsets)]
        elif index.visit is not None:
            found = [
                (d, month_of_day(d))
                for d in sorted({v.day for v in self._qualifying()})
            ]
        else:
            status = index.status
            assert status is not None
            days = {
                self._day(row, self._name(status)) for row in self.world.observations
            }
            found = [
                (day, month_of_day(day))
                for day in sorted(day for day in days if day is not None)
                if self._leaf(status, month_of_day(day), Moment(day=day))
            ]
        clear = index.first_in_months
        return [
            event
            for position, event in enumerate(found)
            if position == 0
            or (clear is not None and event[1] - found[position - 1][1] >= clear)
        ]

    @staticmethod
    def _name(leaf: Predicate) -> str:
        stated = leaf.value or leaf.answer
        return leaf.measured or (stated.of.partition(".")[0] if stated else "")

    def _at(self, month: int, at: "Moment | None") -> _Verdict | None:
        """Return what the person is at a month's end, or at a visit or index event."""
        measure, person = self.measure, self.subject
        says = measure.predicates
        born = person.birth_month is None or person.birth_month <= month
        gone = person.death_month is not None and person.death_month <= month
        if not born or gone or not self._holds(says["initial_population"], month, at):
            return None
        met = {name: self._holds(each, month, at) for name, each in says.items()}
        scored, excluded = met["scorable"], met.get("denominator_exclusion", False)
        observation = measure.measure_observation
        verdict = _Verdict(
            stratum=self._stratum(month),
            excluded=excluded,
            scored=scored and not excluded,
            weighed=not excluded and (scored or measure.denominator == "population"),
            met=met.get("numerator", False),
            excused=met.get("denominator_exception", False),
            has=tuple(
                self._taken(n, month, at) is not None for n in self._components()
            ),
        )
        if observation is None:
            return verdict
        name, _, part = observation.of.partition(".")
        number = self._number_of(name, part, self._taken(name, month, at))
        first, last = 1000 * observation.from_, 1000 * observation.to
        return replace(
            verdict,
            value=int(min(max(number if number is not None else 0, first), last)),
            first=int(first),
            step=int(1000 * observation.step),
        )

    def _components(self) -> list[str]:
        found: list[str] = []
        for leaf in leaves(self.measure.predicates["scorable"]):
            stated = leaf.value or leaf.answer or leaf.growth or leaf.change
            name = leaf.measured or (stated.of.partition(".")[0] if stated else "")
            if name in self.measure.composites:
                found += self.measure.composites[name].components
            elif name:
                found.append(name)
        return list(dict.fromkeys(found))

    def _stratum(self, month: int) -> int:
        number, weight = 0, 1
        for stratifier in self.measure.stratifiers.values():
            position, of = self._position(stratifier, month)
            number += weight * position
            weight *= of
        return number

    def _position(self, stratifier: Stratifier, month: int) -> tuple[int, int]:
        """Return where the person stands in one stratifier, and how many there are."""
        if stratifier.sex is not None:
            return (self.subject.sex or 4) - 1, 4
        if stratifier.condition is not None:
            sets = list(stratifier.condition.values())
            active = [
                n for n, each in enumerate(sets) if any(self._active(each, month))
            ]
            return min(active, default=len(sets)), 1 + len(sets)
        if stratifier.answer is not None:
            return self._latest_answer(stratifier.answer, month)
        bounds = stratifier.age_band or ()
        if self.subject.birth_month is None:
            return len(bounds) + 1, len(bounds) + 2
        months = month - self.subject.birth_month
        return sum(months >= 12 * bound for bound in bounds), len(bounds) + 2

    def _latest_answer(self, name: str, month: int) -> tuple[int, int]:
        observable = self.measure.observables[name]
        by_day: dict[int, list[int]] = {}
        for row in self.world.observations:
            rank = self._value(row, observable)
            if rank is not None and row.month <= month:
                by_day.setdefault(row.day, []).append(rank)
        of = len(observable.answers)
        if not by_day:
            return of, of + 1
        return int(_reduced(by_day[max(by_day)], observable.tie)), of + 1

    def _holds(self, predicate: Predicate, month: int, at: "Moment | None") -> bool:
        if predicate.all is not None:
            return all(self._holds(part, month, at) for part in predicate.all)
        if predicate.any is not None:
            return any(self._holds(part, month, at) for part in predicate.any)
        if predicate.not_ is not None:
            return not self._holds(predicate.not_, month, at)
        return self._leaf(predicate, month, at)

    def _leaf(self, leaf: Predicate, month: int, at: "Moment | None") -> bool:
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
        if leaf.sustained is not None:
            return self._sustained(leaf.sustained, month)
        if leaf.change is not None:
            return self._changed(leaf.change, month, at)
        if leaf.growth is not None:
            return self._grown(leaf.growth, month, at)
        if leaf.value is not None:
            return self._compared(leaf.value, month, at)
        if leaf.answer is not None:
            taken = self._taken(leaf.answer.of, month, at)
            answers = self.measure.observables[leaf.answer.of].answers
            ranks = [answers.index(code) for code in leaf.answer.among]
            return taken is not None and taken[leaf.answer.of] in ranks
        assert leaf.measured is not None
        return self._taken(leaf.measured, month, at) is not None

    def _active(self, value_set: str, month: int) -> Iterator[bool]:
        for row in self.world.conditions:
            if self._is_in(row.concept_id, value_set):
                ended = row.abatement_month is not None and row.abatement_month <= month
                yield row.onset_month <= month and not ended

    def _compared(self, value: Comparison, month: int, at: "Moment | None") -> bool:
        name, _, part = value.of.partition(".")
        number = self._number_of(name, part, self._taken(name, month, at))
        if number is None:
            return False
        word, cut_off = value.cut_off
        return _holds_of(number, word, Fraction(str(cut_off)) * 1000)

    def _number_of(
        self, name: str, part: str, taken: dict[str, Fraction] | None
    ) -> Fraction | None:
        """Return one part of what was found, or all of it together, each capped."""
        if taken is None:
            return None
        if part or name not in self.measure.composites:
            return taken[part or name]
        number = Fraction(0)
        for component, options in self.measure.composites[name].components.items():
            cap = options.cap
            most = taken[component] if cap is None else Fraction(str(cap)) * 1000
            number += min(taken[component], most)
        return number

    def _sustained(self, sustained: Sustained, month: int) -> bool:
        """Look back from the last assessment for as long as all of them pass."""
        name = self._name(sustained.status)
        days = [day for day in self._days(name) if month_of_day(day) <= month]
        ahead = month
        chain: list[int] = []
        for day in reversed(days):
            on = month_of_day(day)
            gap = ahead - on
            if gap > sustained.gap_months or (
                not chain and gap == sustained.gap_months
            ):
                break
            if not self._leaf(sustained.status, on, Moment(day=day)):
                break
            chain.append(on)
            ahead = on
        return bool(chain) and chain[0] - chain[-1] >= sustained.for_months

    def _changed(self, change: Change, month: int, at: "Moment | None") -> bool:
        assert at is not None
        assert at.index is not None
        taken = self._taken(change.of, month, at)
        before = self._on(at.index[0], change.of)
        if taken is None or before is None:
            return False
        value = self._number_of(change.of, "", taken)
        baseline = self._number_of(change.of, "", before)
        assert value is not None
        assert baseline is not None
        word, cut_off = change.cut_off
        if word == "at_most_times":
            return value <= baseline * Fraction(str(cut_off))
        return _holds_of(value - baseline, word, Fraction(str(cut_off)) * 1000)

    def _grown(self, growth: Growth, month: int, at: "Moment | None") -> bool:
        taken = self._taken(growth.of, month, at)
        day = self._taken_on(growth.of, month, at)
        born = self.subject.birth_month
        if taken is None or day is None or born is None:
            return False
        value = self._number_of(growth.of, "", taken)
        assert value is not None
        z = growth_table(growth.table).z_score(
            float(value) / 1000 or 1e-9,
            sex={1: "male", 2: "female"}.get(self.subject.sex or 0, ""),
            age_in_months=month_of_day(day) - born,
        )
        word, cut_off = growth.cut_off
        if z is None:
            return False
        return z >= cut_off if word == "at_least_z" else z < cut_off

    def _taken(
        self, name: str, month: int, at: "Moment | None"
    ) -> dict[str, Fraction] | None:
        """Return the values in force: each part's, or None where there are none."""
        day = self._taken_on(name, month, at)
        return None if day is None else self._on(day, name)

    def _taken_on(self, name: str, month: int, at: "Moment | None") -> int | None:
        """Return the day whose values are in force, or None where there is none."""
        whole = self._days(name)
        if at is not None and at.day is not None:
            return at.day if at.day in whole else None
        if at is not None and at.index is not None:
            inside = [day for day in whole if self._in_window(day, at.index)]
            return max(inside, default=None)
        past = [on for on in whole if month_of_day(on) <= month]
        back = self.measure.look_back_months
        assert back is not None
        if not past or month >= month_of_day(max(past)) + back:
            return None
        return max(past)

    def _in_window(self, day: int, index: tuple[int, int]) -> bool:
        window = self.measure.window
        assert window is not None
        if window.from_days is not None and window.to_days is not None:
            return window.from_days <= day - index[0] <= window.to_days
        assert window.from_months is not None
        assert window.to_months is not None
        return window.from_months <= month_of_day(day) - index[1] <= window.to_months

    def _days(self, name: str) -> list[int]:
        """Return the days on which all of it was found."""
        days = {self._day(row, name) for row in self.world.observations}
        return sorted(
            day for day in days if day is not None and self._on(day, name) is not None
        )

    def _on(self, day: int, name: str) -> dict[str, Fraction] | None:
        """Return every part's value on one day, or None where one is missing."""
        if name in self.measure.composites:
            parts = list(self.measure.composites[name].components)
        else:
            parts = [name]
        taken = {}
        for part in parts:
            observable = self.measure.observables[part]
            values = self._part_on(day, part, name)
            composite = self.measure.composites.get(name)
            back = 0 if composite is None else composite.within_days or 0
            # Some part must be of the day itself, or it is no day of the composite.
            if back and not any(self._part_on(day, each, name) for each in parts):
                return None
            for before in range(day - 1, day - back - 1, -1):
                values = values or self._part_on(before, part, name)
            if not values:
                return None
            taken[part] = _reduced(list(values.values()), observable.tie)
        return taken

    def _part_on(self, day: int, part: str, name: str) -> dict[tuple[int, int], int]:
        """Return the values of one part on one day, each record's once."""
        values = {}
        for row in self.world.observations:
            value = self._value(row, self.measure.observables[part])
            if value is not None and self._day(row, name) == day:
                values[row.record_id, row.part] = value
        return values

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
        rules = self.measure.value_sets[value_set]
        without = [rule.removeprefix("not ") for rule in rules if rule[:4] == "not "]
        return any(
            _names(rule, coding) for rule in rules if rule[:4] != "not "
        ) and not (any(_names(rule, coding) for rule in without))


@dataclass(frozen=True)
class Moment:
    """A visit's day, or the day and month of an index event."""

    day: int | None = None
    index: tuple[int, int] | None = None


def _months_ahead(measure: Measure) -> int:
    """Return after how many months a window is over, whichever month it began in."""
    window = measure.window
    assert window is not None
    if window.to_days is None:
        return max(window.to_months or 0, 0)
    months = 0
    while any(
        first_day(start) - timedelta(days=1) + timedelta(days=window.to_days)
        >= first_day(start + months)
        for start in range(month_number(2096, 1), month_number(2104, 12))
    ):
        months += 1
    return months


def _names(rule: str, coding: Coding) -> bool:
    wanted = coding_of(rule.rstrip("*"))
    same = coding.code == wanted.code
    if rule.endswith("*"):
        same = coding.code.startswith(wanted.code)
    return coding.system == wanted.system and same


def _holds_of(number: Fraction, word: str, bound: Fraction) -> bool:
    return {
        "below": number < bound,
        "at_most": number <= bound,
        "exactly": number == bound,
        "at_least": number >= bound,
        "above": number > bound,
    }[word]


def _reduced(values: list[int], tie: Tie) -> Fraction:
    if tie is Tie.LOWEST:
        return Fraction(min(values))
    if tie is Tie.HIGHEST:
        return Fraction(max(values))
    return Fraction(sum(values), len(values))
