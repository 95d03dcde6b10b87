"""Measures as FHIR has them: one, or those that a search finds."""

from typing import Any

from app.fhir.measures import (
    Criterion,
    DefinedMeasure,
    check_search,
    is_found,
    measure_url,
    render_measure,
)
from app.fhir.searchsets import Pairs, parse_page, searchset
from app.measures.definitions import Measure
from app.measures.explanations import explain
from app.services.catalogue import find_measure, strata_of
from app.services.hub import Hub

Json = dict[str, Any]


def find_measure_resource(hub: Hub, measure_id: str) -> Json:
    """Return a loaded measure as FHIR has it, or refuse."""
    return _rendered(hub, defined(find_measure(hub, measure_id)))


def search_measures(hub: Hub, pairs: Pairs) -> Json:
    """Return the loaded measures that a search finds, in the order of the library."""
    check_search(pairs)
    page = parse_page(pairs)
    known = map(defined, hub.measures)
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
        population_basis="boolean",
        cut_off_set=measure.cut_off_set,
        target=None if target is None else (target.proportion, target.citation),
        populations=_populations(measure),
        stratifiers=dict.fromkeys(strata_by_stratifier(measure), "stratifier"),
        sources=measure.sources,
        digest=measure.digest,
    )


def strata_by_stratifier(measure: Measure) -> dict[str, list[str]]:
    """Return the names of a measure's strata by what comes before their colon."""
    strata: dict[str, list[str]] = {}
    for name in strata_of(measure):
        strata.setdefault(name.partition(":")[0], []).append(name)
    return strata


def _populations(measure: Measure) -> tuple[Criterion, ...]:
    """Return the populations of a proportion that the definition states."""
    everybody = "initial_population"
    is_of_scored = measure.denominator == "scorable"
    parts = {
        "initial-population": everybody,
        "denominator": "scorable" if is_of_scored else everybody,
        "denominator-exclusion": "denominator_exclusion",
        "numerator": "numerator",
    }
    return tuple(
        Criterion(code=code, part=part)
        for code, part in parts.items()
        if getattr(measure, part) is not None
    )


def _rendered(hub: Hub, measure: DefinedMeasure) -> Json:
    return render_measure(
        measure,
        base_url=hub.fhir_base,
        definition=f"{hub.base_url}/v1/measures/{measure.id}",
    )
