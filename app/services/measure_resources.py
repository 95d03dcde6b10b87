"""Measures as FHIR has them, as they are served now: one, or what a search finds."""

from collections.abc import Iterator
from typing import Any

from app.domain.counts import Basis
from app.fhir.measures import (
    MEASURE_POPULATION,
    Criterion,
    DefinedMeasure,
    check_search,
    is_found,
    measure_url,
    render_measure,
)
from app.fhir.searchsets import Pairs, parse_page, searchset
from app.measures.definitions import Measure, Scoring, Summary
from app.measures.explanations import explain
from app.services.catalogue import find_shown
from app.services.definitions import shown_measures
from app.services.hub import Hub
from app.store.sessions import ReadSession

Json = dict[str, Any]


def find_measure_resource(session: ReadSession, hub: Hub, measure_id: str) -> Json:
    """Return a loaded measure as FHIR has it, or refuse."""
    return _rendered(hub, defined(find_shown(session, hub, measure_id)))


def search_measures(session: ReadSession, hub: Hub, pairs: Pairs) -> Json:
    """Return the loaded measures that a search finds, in the order of the library."""
    check_search(pairs)
    page = parse_page(pairs)
    known = map(defined, shown_measures(session, hub))
    found = [each for each in known if is_found(each, pairs, base_url=hub.fhir_base)]
    chosen = found[page.offset : page.offset + page.count]
    return searchset(
        [_rendered(hub, each) for each in chosen],
        total=len(found),
        page=page,
        url=measure_url("", base_url=hub.fhir_base).rstrip("/"),
        pairs=pairs,
    )


def defined(measure: Measure) -> DefinedMeasure:
    """Return what FHIR can say of a definition."""
    target = measure.target
    return DefinedMeasure(
        id=measure.id,
        version=measure.version,
        title=measure.title,
        description=measure.description,
        explanation=explain(measure),
        scoring=measure.scoring,
        improvement_notation=measure.improvement_notation.value,
        basis=measure.basis.value,
        counts_people=measure.basis is not Basis.SUMMARIES,
        cut_off_set=measure.cut_off_set,
        target=None if target is None else (target.aim, target.citation),
        populations=tuple(_populations(measure)),
        per=_per(measure),
        stratifiers={name: f"stratifiers.{name}" for name in measure.stratifiers},
        sources=measure.sources,
        value_set_versions=measure.value_set_versions,
        digest=measure.digest,
    )


def _per(measure: Measure) -> int | None:
    """Return what a score multiplies numerator / denominator with, if it is that."""
    if measure.scoring is Scoring.CONTINUOUS_VARIABLE:
        return None
    if measure.summary is None:
        return 1
    return None if measure.summary.between else measure.summary.per


def _populations(measure: Measure) -> Iterator[Criterion]:
    """Yield the populations that the definition states, in FHIR's order."""
    if measure.summary is not None:
        yield from _summarized(measure.summary)
    elif measure.scoring is Scoring.CONTINUOUS_VARIABLE:
        yield from _observed(measure)
    else:
        yield from _proportioned(measure)


def _proportioned(measure: Measure) -> Iterator[Criterion]:
    whole = "initial_population"
    yield Criterion(code="initial-population", part=whole)
    of_scored = measure.denominator == "scorable"
    yield Criterion(code="denominator", part="scorable" if of_scored else whole)
    for code, part in (
        ("denominator-exclusion", "denominator_exclusion"),
        ("numerator", "numerator"),
        ("denominator-exception", "denominator_exception"),
    ):
        if part in measure.predicates:
            yield Criterion(code=code, part=part)


def _observed(measure: Measure) -> Iterator[Criterion]:
    """Yield the populations of a continuous variable: its score is their mean."""
    yield Criterion(code="initial-population", part="initial_population")
    scorable = "measure_observation" if measure.scorable is None else "scorable"
    yield Criterion(code=MEASURE_POPULATION, part=scorable)
    if measure.denominator_exclusion is not None:
        code = "measure-population-exclusion"
        yield Criterion(code=code, part="denominator_exclusion")
    yield Criterion(
        code="measure-observation",
        part="measure_observation",
        of=MEASURE_POPULATION,
        aggregate="average",
    )


def _summarized(summary: Summary) -> Iterator[Criterion]:
    """Yield the populations of counts that clinics make themselves."""
    exposure = "summary.events" if summary.exposure is None else "summary.exposure"
    yield Criterion(code="initial-population", part=exposure)
    yield Criterion(code="denominator", part=exposure)
    yield Criterion(code="numerator", part="summary.events")


def _rendered(hub: Hub, measure: DefinedMeasure) -> Json:
    return render_measure(
        measure,
        base_url=hub.fhir_base,
        definition=f"{hub.base_url}/v1/measures/{measure.id}",
    )
