"""Random definitions and random histories: corrections, ties, gaps, deaths, strays."""

from datetime import date
from typing import Any

from hypothesis import strategies as st

from app.domain.calendar import day_number, month_number, month_of_day
from app.domain.counts import Basis
from app.domain.terminology import ACT_CODE, LOINC, Coding
from app.measures.checks import leaves, problems
from app.measures.definitions import (
    Age,
    Change,
    Comparison,
    Component,
    Composite,
    Example,
    Finding,
    Growth,
    ImprovementNotation,
    Index,
    Measure,
    MeasureObservation,
    Membership,
    Observable,
    Predicate,
    Scoring,
    Sex,
    Stratifier,
    Sustained,
    Tie,
    Window,
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
def newborn_worlds(draw, measure: Measure) -> World:
    """
    Draw someone born after the first of two visits, and all that is looked for.

    Each observable has two facts, of either day and found at either visit or at none:
    what is dated before a birth is named by what is not.
    """
    concepts = concepts_of(measure)
    dates = st.integers(FIRST_DAY, LAST_DAY)
    days = sorted(draw(st.lists(dates, min_size=2, max_size=2, unique_by=month_of_day)))
    born = draw(st.integers(month_of_day(days[0]) + 1, month_of_day(days[1])))
    draws = _Draws(measure, concepts, draw, [1], days)
    (code, *_) = _numbers(measure, concepts, [measure.visit_classes])
    visits = (
        Visit(1, day, n, month_of_day(day), code) for n, day in enumerate(days, 1)
    )
    return World(
        subjects=(Subject(1, birth_month=born, sex=draw(st.sampled_from([1, 2]))),),
        observations=draws.all_observations([days[1], *days], encounters=[0, 1, 1, 2]),
        conditions=draws.conditions(),
        visits=tuple(visits),
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
        measure = self.measure
        named = {
            leaf.condition
            for stated in measure.predicates.values()
            for leaf in leaves(stated)
            if leaf.condition is not None
        }
        if measure.index is not None and measure.index.condition is not None:
            named.add(measure.index.condition)
        for stratifier in measure.stratifiers.values():
            named |= set((stratifier.condition or {}).values())
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

    def all_observations(self, days, *, encounters) -> tuple[Observation, ...]:
        """Draw two facts of every observable."""
        rows: list[Observation] = []
        for observable in list(self.measure.observables.values()) * 2:
            day = self.draw(st.sampled_from(days))
            encounter = self.draw(st.sampled_from(encounters))
            value, coded = self._found(observable)
            (code, *_) = _numbers(self.measure, self.concepts, [observable.codes])
            when = (day, 500 + len(rows), 0, month_of_day(day))
            rows.append(Observation(1, code, *when, value, coded, encounter))
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
EVERYBODY = st.just(Predicate(age=Age())) | st.just(
    Predicate(not_=Predicate(age=Age(from_=90)))
)
PREDICATES = st.recursive(_leaves(), _combined, max_leaves=5)
STATUSES = st.one_of(
    COMPARISONS.map(lambda leaf: {"value": leaf.value}),
    st.sets(st.sampled_from(ANSWERS), min_size=1).map(
        lambda codes: {"answer": Finding(of="z", among=tuple(sorted(codes)))}
    ),
)
SUSTAINED = st.builds(
    lambda status, months, gap: Predicate(
        sustained=Sustained(**status, for_months=months, gap_months=gap)
    ),
    STATUSES,
    st.sampled_from([1, 3, 6]),
    st.sampled_from([1, 2, 5, 9]),
)
CHANGES = st.builds(
    lambda word, cut_off: Predicate(change=Change(of="x", **{word: cut_off})),
    st.sampled_from(["below", "at_most", "at_least", "above", "at_most_times"]),
    st.sampled_from([0, 0.5, -4, 1]),
)
GROWTHS = st.builds(
    lambda of, word, z: Predicate(
        growth=Growth(of=of, table="cdc-weight", **{word: z})
    ),
    st.sampled_from(["x", "y", "xy"]),
    st.sampled_from(["at_least_z", "below_z"]),
    st.sampled_from([-2, -1, 0, 1.5]),
)
INDEX_EVENTS = st.one_of(
    st.just({"visit": "yes"}),
    st.sampled_from(["a", "b"]).map(lambda name: {"condition": name}),
    st.sampled_from(["x", "xy", "z"]).map(lambda name: {"measured": name}),
    STATUSES,
)
STRATIFIERS = {
    "age": Stratifier(age_band=(6, 18)),
    "sex": Stratifier(sex="yes"),
    "course": Stratifier(condition={"b": "b", "a": "a"}),
    "payer": Stratifier(answer="z"),
}


KINDS: dict[str, tuple[Basis, st.SearchStrategy[Predicate] | None]] = {
    "latest status": (Basis.LATEST_STATUS, COMPARISONS),
    "visits": (Basis.VISITS, COMPARISONS),
    "process": (Basis.INDEX_EVENTS, VALUES_FOUND),
    "change from baseline": (Basis.INDEX_EVENTS, CHANGES),
    "sustained": (Basis.LATEST_STATUS, SUSTAINED),
    "growth": (Basis.LATEST_STATUS, GROWTHS),
    "continuous by latest status": (Basis.LATEST_STATUS, None),
    "continuous by visits": (Basis.VISITS, None),
    "continuous by index events": (Basis.INDEX_EVENTS, None),
}
"""Every kind of measure of people: its basis and what is met, if anything is."""


@st.composite
def _basis(draw, basis: Basis, *, changes: bool) -> dict[str, Any]:
    """Draw what a basis needs; *changes* can be told of one kind of event only."""
    if basis is Basis.VISITS:
        return {"basis": basis}
    if basis is Basis.LATEST_STATUS:
        return {"basis": basis, "look_back_months": draw(st.sampled_from([1, 2, 12]))}
    event = {"measured": "x"} if changes else draw(INDEX_EVENTS)
    index = Index(**event, first_in_months=draw(st.sampled_from([None, None, 1, 4])))
    first, last = sorted(draw(st.tuples(*[st.sampled_from([-40, 0, 0, 30, 200])] * 2)))
    in_months = Window(from_months=first // 30, to_months=last // 30)
    in_days = Window(from_days=first, to_days=last)
    of_onset = "condition" in event
    window = in_months if of_onset else draw(st.sampled_from([in_days, in_months]))
    return {"basis": basis, "index": index, "window": window}


@st.composite
def measures(draw, kind: str | None = None) -> Measure:
    """Draw a definition that uses any word of the language, of a *kind* or of any."""
    cap = draw(st.none() | st.sampled_from([0.5, 4, 10]))
    basis, met = KINDS[kind or draw(st.sampled_from(sorted(KINDS)))]
    leaves_of_basis = {
        Basis.LATEST_STATUS: st.one_of(PREDICATES, SUSTAINED, GROWTHS),
        Basis.VISITS: PREDICATES | GROWTHS,
        Basis.INDEX_EVENTS: PREDICATES | (CHANGES if met is CHANGES else GROWTHS),
    }
    any_of = leaves_of_basis[basis]
    if met is not None:
        outcome: dict[str, Any] = {
            "scoring": Scoring.PROPORTION,
            "scorable": draw(VALUES_FOUND | VALUES_FOUND | any_of),
            "denominator": draw(st.sampled_from(["scorable", "population"])),
            "denominator_exception": draw(st.none() | any_of),
            "numerator": draw(met | met | any_of),
        }
    else:
        first, step = draw(st.sampled_from([(-1, 5), (-1, 0.5), (0, 1), (4, 2.5)]))
        outcome = {
            "scoring": Scoring.CONTINUOUS_VARIABLE,
            "scorable": draw(st.none() | VALUES_FOUND),
            "measure_observation": MeasureObservation(
                of=draw(st.sampled_from(["x", "xy", "xy.y"])),
                from_=first,
                to=9,
                step=step,
            ),
        }
    drawn = Measure(
        id="drawn",
        version="1.0.0",
        title="Drawn",
        description="Drawn",
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
            "xy": Composite(
                components={"x": Component(), "y": Component(cap=cap)},
                within_days=draw(st.sampled_from([None, None, 20, 100])),
            )
        },
        initial_population=draw(USUAL | EVERYBODY | PREDICATES),
        denominator_exclusion=draw(st.none() | st.none() | PREDICATES),
        stratifiers={
            name: STRATIFIERS[name]
            for name in draw(
                st.lists(st.sampled_from(sorted(STRATIFIERS)), unique=True)
            )
        },
        sources=("Drawn",),
        examples=(EXAMPLE,),
        **draw(_basis(basis, changes=met is CHANGES)),
        **outcome,
    )
    assert list(problems(drawn)) == []
    return drawn


EXAMPLE = Example(title="Nobody", expect={"2024-01": Membership.NONE})


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
