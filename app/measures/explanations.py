"""A definition in plain words."""

from collections.abc import Iterator

from app.domain.counts import Basis
from app.measures.definitions import (
    Between,
    ImprovementNotation,
    Measure,
    Observable,
    Stratifier,
    Summary,
)
from app.measures.indexes import months_to_report
from app.measures.phrases import (
    composite,
    event,
    joined,
    months,
    phrase,
    spaced,
    tie,
    window,
)

COUNTED = "1"
"""The unit of what is merely counted."""
_BETTER = {
    ImprovementNotation.INCREASE: "More is better",
    ImprovementNotation.DECREASE: "Less is better",
}


def explain(measure: Measure) -> str:
    """Return in a few sentences what *measure* counts, and which way is better."""
    said = [*_counted(measure), *_terms(measure), _BETTER[measure.improvement_notation]]
    return " ".join(f"{sentence[0].upper()}{sentence[1:]}." for sentence in said)


def compared_in(observable: Observable) -> str:
    """Return the unit that an observable's values are compared in, or its answers."""
    if observable.unit is None:
        answers = joined((code.partition("|")[2] for code in observable.answers), "or")
        return f"one of {answers}"
    own = [
        f"{own.unit} * {own.factor:g} + {own.offset:g} ({own.source})"
        for own in observable.conversions
    ]
    return f"{observable.unit}; from {'; from '.join(own)}" if own else observable.unit


def _counted(measure: Measure) -> Iterator[str]:
    """Yield who, or what, is counted."""
    if measure.summary is not None:
        yield from _summary(measure.summary)
        return
    yield _unit(measure)
    yield f"Population: {_population(measure)}"
    if measure.scorable is not None:
        yield f"Denominator: {_denominator(measure)}"
    if measure.numerator is not None:
        yield f"Numerator: {phrase(measure.numerator)}"
    observed = measure.measure_observation
    if observed is not None:
        yield (
            f"Observed: {spaced(observed.of)}, from {observed.from_:g} to"
            f" {observed.to:g} in steps of {observed.step:g}"
        )


def _unit(measure: Measure) -> str:
    """Return what one unit is."""
    if measure.basis is Basis.VISITS:
        return (
            f"Each person who came to a visit ({spaced(measure.visit_classes)})"
            " counts once an interval, by the last visit in the denominator"
        )
    if measure.basis is Basis.LATEST_STATUS:
        assert measure.look_back_months is not None
        return (
            "Each person counts at the end of the interval, by values of the last"
            f" {months(measure.look_back_months)}"
        )
    assert measure.index is not None
    assert measure.window is not None
    after = months_to_report(measure)
    counts = f"{months(after)} after its own" if after else "of its own"
    return (
        f"Each {event(measure.index)} counts in the interval that holds the month"
        f" {counts}, when its window is over, by the last values"
        f" {window(measure.window)}"
    )


def _population(measure: Measure) -> str:
    """Return who belongs."""
    assert measure.initial_population is not None
    population = phrase(measure.initial_population)
    if measure.denominator_exclusion is None:
        return population
    return f"{population}, without {phrase(measure.denominator_exclusion)}"


def _denominator(measure: Measure) -> str:
    """Return who counts."""
    assert measure.scorable is not None
    scored = phrase(measure.scorable)
    denominator = f"those with {scored}"
    if measure.denominator == "population":
        denominator = f"all of them, whether or not {scored}"
    if measure.denominator_exception is None:
        return denominator
    excused = phrase(measure.denominator_exception)
    return f"{denominator}; who is not in the numerator is excused by {excused}"


def _summary(summary: Summary) -> Iterator[str]:
    """Yield what is made of the counts that clinics send ready made."""
    events = spaced(summary.events)
    yield "Clinics send counts of their own, of no person in particular"
    if summary.exposure is not None:
        exposure = spaced(summary.exposure)
        yield f"Rate: {events} for {_every(summary.per)} of {exposure}"
    if summary.between is Between.DAYS:
        yield f"Counted: the days between one of {events} and the next"
    if summary.between is Between.OPPORTUNITIES:
        yield f"Counted: the opportunities between one of {events} and the next"
    if summary.exposure is not None and summary.unit != COUNTED:
        yield f"{spaced(summary.exposure)} are counted in {summary.unit}"
    if summary.no_events_means_zero:
        yield f"A clinic that sends no number of {events} had none"


def _terms(measure: Measure) -> Iterator[str]:
    """Yield what the words of the sentences before mean."""
    for name, each in measure.composites.items():
        yield composite(name, each)
    for name, observable in measure.observables.items():
        yield (
            f"{spaced(name)} is read from {spaced(observable.codes)} in"
            f" {compared_in(observable)}; of several on one day"
            f" {tie(observable.tie)} counts"
        )
    if measure.cut_off_set is not None:
        yield f"The cut-offs are those of {measure.cut_off_set}"
    strata = [_stratifier(name, s) for name, s in measure.stratifiers.items()]
    if strata:
        yield f"Told apart by {joined(strata, 'and by')}"


def _stratifier(name: str, stratifier: Stratifier) -> str:
    """Return what people are told apart by."""
    if stratifier.age_band is not None:
        bounds = joined(map(str, stratifier.age_band), "and")
        return f"{spaced(name)} (years, parted at {bounds})"
    if stratifier.sex is not None:
        return f"{spaced(name)} (sex)"
    if stratifier.condition is not None:
        kinds = joined(map(spaced, stratifier.condition.values()), "or")
        return f"{spaced(name)} ({kinds})"
    return f"{spaced(name)} (the latest {spaced(stratifier.answer or '')})"


def _every(per: int) -> str:
    return "each" if per == 1 else f"every {per:,}"
