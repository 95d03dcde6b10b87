"""A measure's definition -> an R4 Measure, and how a search finds it."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from app.domain.terminology import HL7
from app.fhir.searchsets import Pairs, check_names

Json = dict[str, Any]

OWN = "https://catchment.example/fhir/StructureDefinition"
"""Under which our own extensions are named; docs/fhir-interface.md has them all."""
CQFM = "http://hl7.org/fhir/us/cqfmeasures/StructureDefinition"
LANGUAGE = "text/x-catchment-measure+yaml"
"""Of a criterion that names a part of the definition."""
MEASURE_POPULATION = "measure-population"
GROUP = "main"
"""The id of the one group that a measure has."""


class Criterion(msgspec.Struct, frozen=True, kw_only=True):
    """
    One population: FHIR's code, and the part of the definition that says who is in it.

    ``of`` is the population that a measure-observation is made in, and ``aggregate``
    what is made of the values.
    """

    code: str
    part: str
    of: str | None = None
    aggregate: str | None = None


class DefinedMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """
    What FHIR can say of a definition.

    ``stratifiers`` are parts of the definition by the stratifier's id; ``basis`` is
    what one unit is; without ``counts_people`` units are what clinics count themselves;
    ``target`` is a proportion or value, and who published it. The score is ``per``
    times numerator / denominator; None where it is another.
    """

    id: str
    version: str
    title: str
    description: str
    explanation: str
    scoring: str
    improvement_notation: str
    basis: str
    counts_people: bool
    cut_off_set: str | None
    target: tuple[float, str] | None
    populations: tuple[Criterion, ...]
    per: int | None
    stratifiers: Mapping[str, str]
    sources: tuple[str, ...]
    value_set_versions: Mapping[str, str] = {}
    digest: str

    @property
    def name(self) -> str:
        """Return the id as a name that programs can use (R4, invariant mea-0)."""
        return "".join(part.capitalize() for part in self.id.split("-"))


def measure_url(measure_id: str, *, base_url: str) -> str:
    """Return the canonical URL of a measure; it can be read there."""
    return f"{base_url}/Measure/{measure_id}"


def render_measure(measure: DefinedMeasure, *, base_url: str, definition: str) -> Json:
    """
    Return the R4 Measure of a definition that is served at the URL *definition*.

    It has no date: a definition's version says which it is, not since when.
    """
    return {
        "resourceType": "Measure",
        "id": measure.id,
        "extension": _extensions(measure),
        "url": measure_url(measure.id, base_url=base_url),
        "version": measure.version,
        "name": measure.name,
        "title": measure.title,
        "status": "active",
        "subjectCodeableConcept": concept(
            "http://hl7.org/fhir/resource-types",
            "Patient" if measure.counts_people else "Location",
        ),
        "description": measure.description,
        "relatedArtifact": _related(measure, definition),
        "scoring": scoring_of(measure),
        "improvementNotation": improvement_of(measure),
        "guidance": measure.explanation,
        "group": [_group(measure)],
    }


def scoring_of(measure: DefinedMeasure) -> Json:
    """Return how a score is made of the populations."""
    return concept(f"{HL7}/measure-scoring", measure.scoring)


def improvement_of(measure: DefinedMeasure) -> Json:
    """Return which way is better."""
    system = f"{HL7}/measure-improvement-notation"
    return concept(system, measure.improvement_notation)


def population_code(code: str) -> Json:
    """Return FHIR's name of a population."""
    return concept(f"{HL7}/measure-population", code)


def concept(system: str, code: str) -> Json:
    """Return a CodeableConcept of one coding."""
    return {"coding": [{"system": system, "code": code}]}


def extension(name: str, **value: Any) -> Json:  # noqa: ANN401  (any type of FHIR's)
    """Return one of our own extensions."""
    return {"url": f"{OWN}/{name}", **value}


def provenance(measure: DefinedMeasure) -> list[Json]:
    """Return what a definition says of its numbers and FHIR has no element for."""
    said = [
        extension("measure-basis", valueCode=measure.basis),
        extension("definition-digest", valueString=measure.digest),
    ]
    if measure.cut_off_set is not None:
        said.append(extension("cut-off-set", valueString=measure.cut_off_set))
    return said + [
        extension("value-set-version", valueString=f"{name}|{version}")
        for name, version in sorted(measure.value_set_versions.items())
    ]


def _extensions(measure: DefinedMeasure) -> list[Json]:
    basis = {
        "url": f"{CQFM}/cqfm-populationBasis",
        "valueCode": "boolean" if measure.counts_people else "Observation",
    }
    said = [basis, *provenance(measure)]
    if measure.target is not None:
        value, citation = measure.target
        parts = [
            {"url": "value", "valueDecimal": value},
            {"url": "citation", "valueString": citation},
        ]
        said.append(extension("measure-target", extension=parts))
    return said


def _related(measure: DefinedMeasure, definition: str) -> list[Json]:
    """Return the definition that this is made of, and what that cites."""
    citations = [{"type": "citation", "citation": text} for text in measure.sources]
    return [{"type": "derived-from", "url": definition}, *citations]


def _group(measure: DefinedMeasure) -> Json:
    group: Json = {
        "id": GROUP,
        "population": [_population(each) for each in measure.populations],
    }
    stratifiers = [
        {"id": name, "code": {"text": name}, "criteria": _criteria(part)}
        for name, part in measure.stratifiers.items()
    ]
    return group | ({"stratifier": stratifiers} if stratifiers else {})


def _population(each: Criterion) -> Json:
    population = {
        "id": each.code,
        "code": population_code(each.code),
        "criteria": _criteria(each.part),
    }
    if each.aggregate is None:
        return population
    return population | {
        "extension": [
            {"url": f"{CQFM}/cqfm-criteriaReference", "valueString": each.of},
            {"url": f"{CQFM}/cqfm-aggregateMethod", "valueCode": each.aggregate},
        ]
    }


def _criteria(part: str) -> Json:
    return {"language": LANGUAGE, "expression": part}


_Test = Callable[[DefinedMeasure, str, str], bool]
_TESTS: dict[str, _Test] = {
    "_id": lambda measure, _, text: measure.id == text,
    "url": lambda measure, base, text: measure_url(measure.id, base_url=base) == text,
    "version": lambda measure, _, text: measure.version == text,
    "name": lambda measure, _, text: measure.name.lower().startswith(text.lower()),
    "status": lambda _, __, text: text.rpartition("|")[2] == "active",
}
SEARCHED_BY = {
    "_id": "token",
    "url": "uri",
    "version": "token",
    "name": "string",
    "status": "token",
}
"""FHIR's type of search parameter by its name."""


def check_search(pairs: Pairs) -> None:
    """Refuse what measures cannot be searched by."""
    check_names(pairs, SEARCHED_BY)


def is_found(measure: DefinedMeasure, pairs: Pairs, *, base_url: str) -> bool:
    """Return whether a search finds *measure*; a comma says "or"."""
    return all(
        any(_TESTS[name](measure, base_url, text) for text in value.split(","))
        for name, value in pairs
        if name in _TESTS
    )
