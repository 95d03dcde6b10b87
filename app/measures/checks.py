"""What must hold of a definition that its types cannot say."""

from collections.abc import Collection, Iterator
from itertools import pairwise
from typing import NamedTuple

from app.domain.counts import Basis
from app.measures.cut_off_sets import limits
from app.measures.definitions import (
    MOST_YEARS,
    Comparison,
    Example,
    Finding,
    Index,
    Limit,
    Measure,
    MeasureDefinitionError,
    Predicate,
    Readings,
    Scoring,
    Stratifier,
    Tie,
    thousandths,
)
from app.measures.strata import MOST_COMBINATIONS, combinations
from app.measures.summary_checks import summary_problems

MOST_OBSERVED = 3000
"""Of a continuous variable's values: their squares add up without overflowing."""
MOST_BINS = 500
MOST_COMPARED = 9e12
"""Of numbers: a float holds the thousandths of smaller ones exactly."""
MOST_DEEP = 10
"""Of predicates within each other: databases parse only so many parentheses."""

Path = tuple[str | int, ...]
"""Where in a definition: the keys and positions that lead there."""


class Problem(NamedTuple):
    """What is wrong with a definition, where, and what to do about it."""

    path: Path
    message: str


Problems = Iterator[Problem]


def problems(measure: Measure) -> Problems:
    """Yield what is wrong with *measure*, each with what to do about it."""
    yield from _kind(measure)
    yield from _observables(measure)
    yield from _composites(measure)
    for name, predicate in measure.predicates.items():
        yield from _predicate(predicate, (name,), measure)
    yield from _index(measure)
    yield from _cut_off_sets(measure)
    yield from _measure_observation(measure)
    yield from _stratifiers(measure)
    for path, message in summary_problems(measure):
        yield Problem(path, message)
    for position, example in enumerate(measure.examples):
        yield from _example(example, ("examples", position), measure)


def leaves(predicate: Predicate) -> Iterator[Predicate]:
    """Yield the leaves of *predicate* from left to right."""
    if not predicate.parts:
        yield predicate
    for part in predicate.parts:
        yield from leaves(part)


def assessment_of(leaf: Predicate) -> str | None:
    """Return the observable or composite that *leaf* asks about, or None."""
    if leaf.measured is not None:
        return leaf.measured
    stated = leaf.value or leaf.answer or leaf.change or leaf.growth
    return stated.of.partition(".")[0] if stated is not None else None


def _known(name: str, known: Collection[str], what: str, path: Path) -> Problems:
    """Yield a problem where *name* is not among the *known*."""
    if name not in known:
        yield Problem(path, f"unknown {what} `{name}`: define it, or correct the name")


_WANTED = {
    Basis.VISITS: set(),
    Basis.LATEST_STATUS: {"look_back_months"},
    Basis.INDEX_EVENTS: {"index", "window"},
    Basis.SUMMARIES: {"summary"},
}
"""The fields that only one basis has, and needs."""
_OF_SCORING = {
    Scoring.PROPORTION: {"numerator"},
    Scoring.CONTINUOUS_VARIABLE: {"measure_observation"},
    Scoring.RATIO: set(),
}
"""The fields that only one scoring of people has, and needs."""


def _kind(measure: Measure) -> Problems:
    """Let a measure have what its basis and scoring need, and nothing else."""
    of_people = measure.basis is not Basis.SUMMARIES
    wanted = set(_WANTED[measure.basis])
    if of_people:
        wanted |= {"initial_population"} | _OF_SCORING[measure.scoring]
    if of_people and measure.scoring is Scoring.PROPORTION:
        wanted.add("scorable")
    of_one_kind = set().union(*_WANTED.values(), *_OF_SCORING.values())
    if not of_people:
        of_one_kind |= {*measure.predicates, "stratifiers", "examples"}
    if measure.scoring is not Scoring.PROPORTION:
        of_one_kind.add("denominator_exception")
    what = f"scoring {measure.scoring} by {measure.basis}"
    for field in sorted(wanted):
        if getattr(measure, field) is None:
            yield Problem((), f"{what} needs `{field}`: say it")
    for field in sorted(of_one_kind - wanted):
        if getattr(measure, field):
            yield Problem(
                (field,), f"`{field}` has no meaning for {what}: leave it out"
            )
    if of_people and measure.scoring is Scoring.RATIO:
        yield Problem(("scoring",), "a ratio needs summaries: say basis: summaries")
    if of_people and not measure.examples:
        yield Problem((), "give a worked example at least: examples")
    if of_people:
        path = ("visit_classes",)
        yield from _known(measure.visit_classes, measure.value_sets, "value set", path)


def _observables(measure: Measure) -> Problems:
    """Give each observable codes of its own, and either a unit or answers."""
    for name, observable in measure.observables.items():
        path = ("observables", name)
        where = (*path, "codes")
        yield from _known(observable.codes, measure.value_sets, "value set", where)
        if any(
            code.endswith("*") for code in measure.value_sets.get(observable.codes, ())
        ):
            yield Problem(
                where, "list the codes of an observable one by one, without `*`"
            )
        if (observable.unit is None) == (not observable.answers):
            yield Problem(path, f"observable `{name}`: give either a unit or answers")
        if observable.answers and observable.tie is Tie.MEAN:
            message = "answers have no mean: take lowest or highest"
            yield Problem((*path, "tie"), message)
        for position, code in enumerate(observable.answers):
            if code in observable.answers[:position]:
                message = f"`{code}` stands twice: take one out"
                yield Problem((*path, "answers", position), message)


def _composites(measure: Measure) -> Problems:
    """Sum numbers of one occasion each."""
    for name, composite in measure.composites.items():
        path: Path = ("composites", name)
        if name in measure.observables:
            yield Problem(path, f"`{name}` is an observable too: rename one")
        for component, part in composite.components.items():
            where = (*path, "components", component)
            observable = measure.observables.get(component)
            if observable is None:
                yield from _known(component, measure.observables, "observable", where)
            elif observable.answers or observable.tie is Tie.MEAN:
                message = f"`{component}` must be a lowest or highest number"
                yield Problem(where, message)
            yield from _number(part.cap or 0, where)


def _number(number: float, path: Path) -> Problems:
    """Yield a problem where *number* cannot be compared exactly."""
    if abs(number) > MOST_COMPARED:
        message = f"numbers beyond {MOST_COMPARED:g} are not exact: take a larger unit"
        yield Problem(path, message)
        return
    try:
        thousandths(number)
    except MeasureDefinitionError as error:
        yield Problem(path, error.message)


def _predicate(predicate: Predicate, path: Path, measure: Measure) -> Problems:
    """Yield what is wrong with a predicate and its parts."""
    if sum(step in {"not", "all", "any"} for step in path) > MOST_DEEP:
        message = f"this is nested more than {MOST_DEEP} deep: take it apart"
        yield Problem(path, message)
        return
    if predicate.not_ is not None:
        yield from _predicate(predicate.not_, (*path, "not"), measure)
    word = "all" if predicate.all is not None else "any"
    for position, part in enumerate(predicate.all or predicate.any or ()):
        yield from _predicate(part, (*path, word, position), measure)
    if not predicate.parts:
        yield from _leaf(predicate, path, measure)


def _leaf(leaf: Predicate, path: Path, measure: Measure) -> Problems:
    """Yield what is wrong with one leaf."""
    if leaf.condition is not None:
        where = (*path, "condition")
        yield from _known(leaf.condition, measure.value_sets, "value set", where)
    if leaf.age is not None and (leaf.age.below or MOST_YEARS) <= leaf.age.from_:
        yield Problem((*path, "age"), "an age must be below more than it is from")
    yield from _status(leaf, path, measure)
    if leaf.sustained is not None:
        yield from _sustained(leaf, (*path, "sustained"), measure)
    if leaf.change is not None:
        yield from _change(leaf, (*path, "change"), measure)
    if leaf.growth is not None:
        where = (*path, "growth", "of")
        yield from _known(leaf.growth.of, _numbers(measure), "number", where)


def _status(leaf: Predicate | Index, path: Path, measure: Measure) -> Problems:
    """Yield what is wrong with what a day's values are asked."""
    if leaf.measured is not None:
        assessments = {*measure.observables, *measure.composites}
        what = "observable or composite"
        yield from _known(leaf.measured, assessments, what, (*path, "measured"))
    if leaf.value is not None:
        yield from _value(leaf.value, (*path, "value"), measure)
    if leaf.answer is not None:
        yield from _answer(leaf.answer, (*path, "answer"), measure)


def _numbers(measure: Measure) -> set[str]:
    """Return what can be compared: observables with a unit, composites, their parts."""
    numbers = {name for name, o in measure.observables.items() if o.unit is not None}
    for name, composite in measure.composites.items():
        numbers |= {name, *(f"{name}.{part}" for part in composite.components)}
    return numbers


def _value(value: Comparison, path: Path, measure: Measure) -> Problems:
    """Compare only numbers, and only in thousandths."""
    what = "observable with a unit, or composite"
    yield from _known(value.of, _numbers(measure), what, (*path, "of"))
    yield from _limit(value, path, measure)


def _limit(limit: Limit, path: Path, measure: Measure) -> Problems:
    """Compare with thousandths, or with what each cut-off set has a number for."""
    word, cut_off = limit.stated
    if not isinstance(cut_off, str):
        yield from _number(cut_off, (*path, word))
        return
    if not measure.cut_off_sets:
        message = f"`{cut_off}` is in no cut-off set: say cut_off_sets, or a number"
        yield Problem((*path, word), message)
    for name, numbers in measure.cut_off_sets.items():
        what = f"cut-off of the set `{name}`"
        yield from _known(cut_off, numbers, what, (*path, word))


def _answer(finding: Finding, path: Path, measure: Measure) -> Problems:
    """Look only for answers that the observable has."""
    observable = measure.observables.get(finding.of)
    if observable is None or not observable.answers:
        message = f"`{finding.of}` is no observable with answers: correct the name"
        yield Problem((*path, "of"), message)
        return
    for position, code in enumerate(finding.among):
        where = (*path, "in", position)
        yield from _known(code, observable.answers, f"answer of `{finding.of}`", where)


def _sustained(leaf: Predicate, path: Path, measure: Measure) -> Problems:
    """Hold a status over months only where there is a status at the end of each."""
    assert leaf.sustained is not None
    if measure.basis is not Basis.LATEST_STATUS:
        message = "a sustained status needs basis: latest-status"
        yield Problem(path, message)
    yield from _status(leaf.sustained.status, path, measure)


def _change(leaf: Predicate, path: Path, measure: Measure) -> Problems:
    """Let a change begin at an index event at which the same was measured."""
    assert leaf.change is not None
    event = measure.index.status if measure.index else None
    if event is None or assessment_of(event) != leaf.change.of:
        message = (
            f"a change needs an index event of `{leaf.change.of}`: say it in index"
        )
        yield Problem(path, message)
    yield from _has_whole_values(leaf.change.of, (*path, "of"), measure)
    yield from _limit(leaf.change, path, measure)


def _has_whole_values(name: str, path: Path, measure: Measure) -> Problems:
    """Calculate only with whole thousandths: a mean of several values is none."""
    yield from _known(name, _numbers(measure), "observable with a unit", path)
    observable = measure.observables.get(name)
    if observable is not None and observable.tie is Tie.MEAN:
        message = f"`{name}` must be a lowest or highest number: a mean is not exact"
        yield Problem(path, message)


def _index(measure: Measure) -> Problems:
    """Count a window from an event that is known so exactly."""
    index, window = measure.index, measure.window
    if index is not None:
        yield from _status(index, ("index",), measure)
    if index is not None and index.condition is not None:
        where = ("index", "condition")
        yield from _known(index.condition, measure.value_sets, "value set", where)
        if window is not None and window.in_days:
            message = "an onset is known to the month: say from_months and to_months"
            yield Problem(("window",), message)
    if window is not None:
        ends = (window.from_days, window.to_days, window.from_months, window.to_months)
        first, last = [end for end in ends if end is not None]
        if first > last:
            yield Problem(
                ("window",), "the window never matches: it ends before it begins"
            )


def _cut_off_sets(measure: Measure) -> Problems:
    """Let a definition say which of its cut-off sets is the default."""
    sets = measure.cut_off_sets
    if not sets:
        return
    if measure.cut_off_set is None:
        yield Problem(("cut_off_sets",), "say which is the default: cut_off_set")
    else:
        path = ("cut_off_set",)
        yield from _known(measure.cut_off_set, sets, "cut-off set", path)
    used = {
        limit.stated[1]
        for each in measure.predicates.values()
        for limit in limits(each)
    }
    if measure.index is not None and measure.index.value is not None:
        used.add(measure.index.value.stated[1])
    for name, numbers in sets.items():
        for key, number in numbers.items():
            where = ("cut_off_sets", name, key)
            yield from _number(number, where)
            if key not in used:
                yield Problem(
                    where, f"nothing compares with `{key}`: use it, or drop it"
                )
        if name not in {e.cut_off_set or measure.cut_off_set for e in measure.examples}:
            message = f"give an example with cut_off_set: {name}"
            yield Problem(("cut_off_sets", name), message)


def _measure_observation(measure: Measure) -> Problems:
    """Let the grid of a histogram be whole, and small enough to keep."""
    stated = measure.measure_observation
    if stated is None:
        return
    path: Path = ("measure_observation",)
    yield from _has_whole_values(stated.of.partition(".")[0], (*path, "of"), measure)
    yield from _known(stated.of, _numbers(measure), "observable with a unit", path)
    numbers = {"from": stated.from_, "to": stated.to, "step": stated.step}
    for word, number in numbers.items():
        yield from _number(number, (*path, word))
    if stated.step <= 0 or stated.to <= stated.from_:
        yield Problem(path, "the grid needs from below to, and a step above 0")
    elif (stated.to - stated.from_) / stated.step > MOST_BINS:
        yield Problem((*path, "step"), f"more than {MOST_BINS} bins: take a wider step")
    elif round(1000 * (stated.to - stated.from_)) % round(1000 * stated.step):
        yield Problem(
            (*path, "step"), "the steps must lead from `from` to `to` exactly"
        )
    if max(abs(stated.from_), abs(stated.to)) > MOST_OBSERVED:
        message = f"values beyond {MOST_OBSERVED}: take a larger unit"
        yield Problem(path, message)
    if measure.denominator == "population":
        message = "who has no value cannot count in a mean: leave it out"
        yield Problem(("denominator",), message)


def _stratifiers(measure: Measure) -> Problems:
    """Let bounds ascend and names be known, and keep the combinations few."""
    for name, stratifier in measure.stratifiers.items():
        yield from _stratifier(stratifier, ("stratifiers", name), measure)
    if combinations(measure) > MOST_COMBINATIONS:
        message = f"more than {MOST_COMBINATIONS} combinations of strata: take fewer"
        yield Problem(("stratifiers",), message)


def _stratifier(stratifier: Stratifier, path: Path, measure: Measure) -> Problems:
    """Yield what is wrong with one stratifier."""
    if any(low >= high for low, high in pairwise(stratifier.age_band or ())):
        yield Problem((*path, "age_band"), "the bounds of age_band must ascend")
    for name, value_set in (stratifier.condition or {}).items():
        where = (*path, "condition", name)
        yield from _known(value_set, measure.value_sets, "value set", where)
    answer = stratifier.answer
    if answer is not None:
        with_answers = {n for n, o in measure.observables.items() if o.answers}
        what = "observable with answers"
        yield from _known(answer, with_answers, what, (*path, "answer"))


def _example(example: Example, path: Path, measure: Measure) -> Problems:
    """Let an example speak of what the measure knows."""
    if example.cut_off_set is not None:
        where = (*path, "cut_off_set")
        known = {*measure.cut_off_sets, measure.cut_off_set or ""}
        yield from _known(example.cut_off_set, known, "cut-off set", where)
    for word, days in (("visits", example.visits), ("values", example.values)):
        for day, readings in days.items():
            yield from _readings(readings, (*path, word, f"{day}"), measure)


def _readings(readings: Readings, path: Path, measure: Measure) -> Problems:
    """Yield what is wrong with one day's findings."""
    for name, reading in readings.items():
        where = (*path, name)
        observable = measure.observables.get(name)
        yield from _known(name, measure.observables, "observable", where)
        for one in reading if isinstance(reading, tuple) else (reading,):
            if isinstance(one, str):
                answers = observable.answers if observable else ()
                yield from _known(one, answers, f"answer of `{name}`", where)
            elif abs(one) > MOST_COMPARED:
                yield from _number(one, where)
