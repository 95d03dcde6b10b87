"""What must hold of a definition that its types cannot say."""

from collections.abc import Container, Iterator

from app.domain.counts import Basis
from app.measures.definitions import (
    MOST_YEARS,
    Comparison,
    Example,
    Finding,
    Measure,
    MeasureDefinitionError,
    Predicate,
    Readings,
    Tie,
    thousandths,
)


def problems(measure: Measure) -> Iterator[str]:
    """Yield what is wrong with *measure*, each with what to do about it."""
    yield from _look_back(measure)
    yield from _observables(measure)
    yield from _composites(measure)
    for predicate in measure.predicates:
        for leaf in leaves(predicate):
            yield from _leaf(leaf, measure)
    yield from _stratifier(measure)
    for example in measure.examples:
        for problem in _example(example, measure):
            yield f"example `{example.title}`: {problem}"


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
    stated = leaf.value or leaf.answer
    return stated.of.partition(".")[0] if stated is not None else None


def _known(name: str, known: Container[str], what: str) -> Iterator[str]:
    """Yield a problem where *name* is not among the *known*."""
    if name not in known:
        yield f"unknown {what} `{name}`: define it, or correct the name"


def _look_back(measure: Measure) -> Iterator[str]:
    """Look back from a month's end, and only from there."""
    if measure.basis is Basis.VISITS and measure.look_back_months is not None:
        yield "look_back_months has no meaning for visits: leave it out"
    if measure.basis is Basis.LATEST_STATUS and measure.look_back_months is None:
        yield "say for how many months a value is in force: look_back_months"
    yield from _known(measure.visit_classes, measure.value_sets, "value set")


def _observables(measure: Measure) -> Iterator[str]:
    """Give each observable codes of its own, and either a unit or answers."""
    for name, observable in measure.observables.items():
        yield from _known(observable.codes, measure.value_sets, "value set")
        if any(
            code.endswith("*") for code in measure.value_sets.get(observable.codes, ())
        ):
            yield f"observable `{name}`: list its codes one by one, without `*`"
        if (observable.unit is None) == (not observable.answers):
            yield f"observable `{name}`: give either a unit or answers"
        if observable.answers and observable.tie is Tie.MEAN:
            yield f"observable `{name}`: answers have no mean, take lowest or highest"


def _composites(measure: Measure) -> Iterator[str]:
    """Sum numbers of one day each."""
    for name, composite in measure.composites.items():
        if name in measure.observables:
            yield f"`{name}` is an observable and a composite: rename one"
        for component, part in composite.components.items():
            observable = measure.observables.get(component)
            if observable is None:
                yield from _known(component, measure.observables, "observable")
            elif observable.answers or observable.tie is Tie.MEAN:
                yield f"`{component}` of `{name}` must be a lowest or highest number"
            yield from _cut_off(part.cap)


def _cut_off(number: float | None) -> Iterator[str]:
    """Yield a problem where *number* cannot be compared exactly."""
    try:
        thousandths(number or 0)
    except MeasureDefinitionError as error:
        yield error.message


def _leaf(leaf: Predicate, measure: Measure) -> Iterator[str]:
    """Yield what is wrong with one leaf."""
    if leaf.condition is not None:
        yield from _known(leaf.condition, measure.value_sets, "value set")
    if leaf.age is not None and (leaf.age.below or MOST_YEARS) <= leaf.age.from_:
        yield "an age must be below more than it is from"
    if leaf.measured is not None:
        assessments = {*measure.observables, *measure.composites}
        yield from _known(leaf.measured, assessments, "observable or composite")
    if leaf.value is not None:
        yield from _value(leaf.value, measure)
    if leaf.answer is not None:
        yield from _answer(leaf.answer, measure)


def _value(value: Comparison, measure: Measure) -> Iterator[str]:
    """Compare only numbers, and only in thousandths."""
    numbers = {name for name, o in measure.observables.items() if o.unit is not None}
    for name, composite in measure.composites.items():
        numbers |= {name, *(f"{name}.{part}" for part in composite.components)}
    yield from _known(value.of, numbers, "observable with a unit, or composite")
    yield from _cut_off(value.cut_off[1])


def _answer(finding: Finding, measure: Measure) -> Iterator[str]:
    """Look only for answers that the observable has."""
    observable = measure.observables.get(finding.of)
    if observable is None or not observable.answers:
        yield f"`{finding.of}` is no observable with answers"
        return
    for code in finding.among:
        yield from _known(code, observable.answers, f"answer of `{finding.of}`")


def _stratifier(measure: Measure) -> Iterator[str]:
    """Let age bands ascend."""
    bounds = measure.stratifier.age_band if measure.stratifier else ()
    if list(bounds) != sorted(set(bounds)):
        yield "the bounds of age_band must ascend"


def _example(example: Example, measure: Measure) -> Iterator[str]:
    """Let an example speak of what the measure knows."""
    for readings in (*example.visits.values(), *example.values.values()):
        yield from _readings(readings, measure)


def _readings(readings: Readings, measure: Measure) -> Iterator[str]:
    """Yield what is wrong with one day's findings."""
    for name, reading in readings.items():
        observable = measure.observables.get(name)
        yield from _known(name, measure.observables, "observable")
        for one in reading if isinstance(reading, tuple) else (reading,):
            if isinstance(one, str):
                answers = observable.answers if observable else ()
                yield from _known(one, answers, f"answer of `{name}`")
