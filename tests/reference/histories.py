"""Random definitions and random histories: corrections, ties, gaps, deaths, strays."""

from datetime import date

from hypothesis import strategies as st

from app.domain.calendar import day_number, month_number, month_of_day
from app.domain.counts import Basis
from app.domain.terminology import ACT_CODE, LOINC, Coding
from app.measures.checks import leaves, problems
from app.measures.definitions import (
    Age,
    Comparison,
    Component,
    Composite,
    Finding,
    ImprovementNotation,
    Measure,
    Observable,
    Predicate,
    Sex,
    Stratifier,
    Tie,
    coding_of,
)
from tests.reference.counting import Condition, Observation, Subject, Visit, World
from tests.reference.library import LIBRARY

MONTHS = range(month_number(2022, 10), month_number(2025, 7))
"""Wide enough for every end of what happens from 2023 to mid-2024."""
FIRST_DAY = day_number(date(2023, 1, 1))
LAST_DAY = day_number(date(2024, 5, 31))
VALUES = (0, 500, 4000, 4001, 5000, 9000, 9001, 10_000, 80_000, 139_999)
ELSEWHERE = (Coding(LOINC, "999-9"), Coding(ACT_CODE, "IMP"))
UNKNOWN_ENCOUNTER = 999


def concepts_of(measure: Measure) -> dict[Coding, int]:
    """Number the codes a measure names, some of each family, and some of neither."""
    codes = [code for codes in measure.value_sets.values() for code in codes]
    codes += [a for o in measure.observables.values() for a in o.answers]
    codings = {coding_of(code.replace("*", end)) for code in codes for end in ("", "0")}
    return {coding: n for n, coding in enumerate(sorted({*codings, *ELSEWHERE}), 1)}


def _numbers(measure: Measure, concepts, names) -> list[int]:
    """Return the concepts in some value sets, and at times one that is in none."""
    codes = [code for name in names for code in measure.value_sets[name]]
    wanted = [concepts[coding_of(code.replace("*", "0"))] for code in codes]
    return [*wanted * 3, concepts[ELSEWHERE[0]]]


@st.composite
def worlds(draw, measure: Measure) -> World:
    """Draw one or two subjects with many facts on few days, so that ties are common."""
    concepts = concepts_of(measure)
    subjects = draw(st.lists(_subjects(), min_size=1, max_size=2))
    subjects = tuple(subject._replace(id=n) for n, subject in enumerate(subjects, 1))
    days = draw(
        st.lists(st.integers(FIRST_DAY, LAST_DAY), min_size=2, max_size=4, unique=True)
    )
    draws = _Draws(measure, concepts, draw, [s.id for s in subjects], days)
    visits = draws.visits()
    return World(
        subjects=subjects,
        observations=draws.observations(visits),
        conditions=draws.conditions(),
        visits=visits,
        concepts=concepts,
    )


@st.composite
def _subjects(draw) -> Subject:
    months = st.integers(month_number(2023, 1), month_number(2024, 6))
    ages = st.sampled_from([0, 6, 12, 18, 18, 45, 45, 65, 76])
    birth = months.flatmap(lambda month: ages.map(lambda age: month - 12 * age))
    return Subject(
        id=0,
        birth_month=draw(st.none() | birth),
        sex=draw(st.sampled_from([None, 1, 2, 3])),
        death_month=draw(st.none() | st.none() | st.none() | months),
    )


class _Draws:
    """What happens to some subjects on some days."""

    def __init__(self, measure, concepts, draw, subjects, days) -> None:
        self.measure, self.concepts, self.draw = measure, concepts, draw
        self.subjects, self.days = st.sampled_from(subjects), st.sampled_from(days)

    def visits(self) -> tuple[Visit, ...]:
        names = [self.measure.visit_classes]
        codes = _numbers(self.measure, self.concepts, names)
        codes += [self.concepts[ELSEWHERE[1]]] * 2
        rows = []
        for record in range(1, 1 + self.draw(st.sampled_from([6, 4, 2, 0]))):
            day = self.draw(self.days)
            code = self.draw(st.sampled_from(codes))
            subject = self.draw(self.subjects)
            rows.append(Visit(subject, day, record, month_of_day(day), code))
        return tuple(rows)

    def conditions(self) -> tuple[Condition, ...]:
        named = {
            leaf.condition
            for stated in self.measure.predicates
            for leaf in leaves(stated)
            if leaf.condition is not None
        }
        codes = _numbers(self.measure, self.concepts, sorted(named))
        onsets = (
            st.just(0) | st.just(0) | st.integers(month_number(2022, 12), MONTHS[-12])
        )
        rows = []
        for record in range(200, 200 + self.draw(st.sampled_from([4, 2, 1]))):
            onset = self.draw(onsets)
            ends = st.none() | st.none() | st.integers(onset or MONTHS[0], MONTHS[-6])
            code, subject = self.draw(st.sampled_from(codes)), self.draw(self.subjects)
            rows.append(Condition(subject, code, record, onset, self.draw(ends)))
        return tuple(rows)

    def observations(self, visits) -> tuple[Observation, ...]:
        observables = list(self.measure.observables.values())
        rows = []
        for record in range(500, 500 + self.draw(st.sampled_from([12, 9, 6, 3]))):
            subject, day = self.draw(self.subjects), self.draw(self.days)
            own = [v.record_id for v in visits if v.subject_id == subject]
            encounters = st.sampled_from([0, *own, *own, UNKNOWN_ENCOUNTER])
            encounter = self.draw(encounters)
            observable = self.draw(st.sampled_from(observables))
            value, coded = self._found(observable)
            codes = _numbers(self.measure, self.concepts, [observable.codes])
            for code in self.draw(st.sets(st.sampled_from(codes), min_size=1)):
                when = (day, record, 0, month_of_day(day))
                rows.append(Observation(subject, code, *when, value, coded, encounter))
        return tuple(rows)

    def _found(self, observable: Observable) -> tuple[int | None, int | None]:
        if not observable.answers:
            return self.draw(st.sampled_from([*VALUES, None])), None
        known = [self.concepts[coding_of(answer)] for answer in observable.answers]
        return None, self.draw(
            st.sampled_from([None, self.concepts[ELSEWHERE[0]], *known])
        )


ANSWERS = ("network|none", "network|some", "network|much")


COMPARISONS = st.builds(
    lambda of, word, cut_off: Predicate(value=Comparison(of=of, **{word: cut_off})),
    st.sampled_from(["x", "y", "mean", "mean", "xy", "xy", "xy.x", "xy.y"]),
    st.sampled_from(["below", "at_most", "exactly", "at_least", "above"]),
    st.sampled_from([0, 0.5, 4, 4.001, 5, 9, 10]),
)


def _leaves() -> st.SearchStrategy[Predicate]:
    return st.one_of(
        COMPARISONS,
        st.sampled_from(["a", "b"]).map(lambda name: Predicate(condition=name)),
        st.sampled_from(["x", "mean", "z", "xy"]).map(lambda n: Predicate(measured=n)),
        st.sampled_from(Sex).map(lambda sex: Predicate(sex=sex)),
        st.sampled_from([1, 2, 12]).map(lambda n: Predicate(seen_within_months=n)),
        st.sampled_from([(0, 6), (6, 18), (18, None), (1, 2)]).map(
            lambda age: Predicate(age=Age(from_=age[0], below=age[1]))
        ),
        st.sets(st.sampled_from(ANSWERS), min_size=1).map(
            lambda codes: Predicate(answer=Finding(of="z", among=tuple(sorted(codes))))
        ),
    )


def _combined(parts: st.SearchStrategy[Predicate]) -> st.SearchStrategy[Predicate]:
    several = st.lists(parts, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        several.map(lambda drawn: Predicate(all=drawn)),
        several.map(lambda drawn: Predicate(any=drawn)),
        parts.map(lambda part: Predicate(not_=part)),
    )


VALUES_FOUND = st.sampled_from(["x", "mean", "z", "xy"]).map(
    lambda name: Predicate(measured=name)
)
USUAL = st.sampled_from(
    [Predicate(seen_within_months=12), Predicate(not_=Predicate(sex=Sex.OTHER))]
)
PREDICATES = st.recursive(_leaves(), _combined, max_leaves=5)


@st.composite
def measures(draw) -> Measure:
    """Draw a definition that uses any word of the language."""
    basis = draw(st.sampled_from(Basis))
    cap = draw(st.none() | st.sampled_from([0.5, 4, 10]))
    drawn = Measure(
        id="drawn",
        version="1.0.0",
        title="Drawn",
        description="Drawn",
        basis=basis,
        look_back_months=None
        if basis is Basis.VISITS
        else draw(st.sampled_from([1, 2, 12])),
        scoring="proportion",
        improvement_notation=ImprovementNotation.INCREASE,
        value_sets={
            "qualifying-visit": ("act-code|AMB", "act-code|VR"),
            "a": ("icd-10-cm|K51*",),
            "b": ("icd-10-cm|K510", "snomed-ct|1"),
            "x-codes": ("loinc|1-1", "loinc|1-2"),
            "y-codes": ("loinc|2-2",),
            "mean-codes": ("loinc|3-3", "loinc|3-4"),
            "z-codes": ("loinc|4-4",),
        },
        observables={
            "x": Observable(codes="x-codes", unit="1", tie=Tie.LOWEST),
            "y": Observable(codes="y-codes", unit="1", tie=Tie.HIGHEST),
            "mean": Observable(codes="mean-codes", unit="1", tie=Tie.MEAN),
            "z": Observable(
                codes="z-codes",
                answers=ANSWERS,
                tie=draw(st.sampled_from([Tie.LOWEST, Tie.HIGHEST])),
            ),
        },
        composites={
            "xy": Composite(components={"x": Component(), "y": Component(cap=cap)})
        },
        initial_population=draw(USUAL | PREDICATES),
        denominator_exclusion=draw(st.none() | st.none() | PREDICATES),
        scorable=draw(VALUES_FOUND | VALUES_FOUND | PREDICATES),
        denominator=draw(st.sampled_from(["scorable", "population"])),
        numerator=draw(COMPARISONS | COMPARISONS | PREDICATES),
        stratifier=draw(st.none() | st.just(Stratifier(age_band=(6, 18)))),
        sources=("Drawn",),
        examples=(),
    )
    assert list(problems(drawn)) == []
    return drawn


def measures_with_worlds(
    count: int = 1,
) -> st.SearchStrategy[tuple[Measure, list[World]]]:
    """Draw a measure, of the library or not, with some histories of one network."""
    either = st.sampled_from(sorted(LIBRARY)).map(LIBRARY.__getitem__) | measures()
    return either.flatmap(
        lambda measure: st.tuples(
            st.just(measure), st.lists(worlds(measure), min_size=count, max_size=count)
        )
    )
