"""The codes in a resource that a hub would keep, as they stand there, unvalidated."""

from collections.abc import Iterator
from typing import Any

from app.domain.identified import StatedCoding

_CONCEPTS = {
    "Observation": ("category", "code", "valueCodeableConcept"),
    "Condition": ("category", "code"),
}

Json = dict[str, Any]


def stated_codings(resource: Json) -> Iterator[StatedCoding]:
    """Yield each code of a resource's kept elements; of a Bundle those of all in it."""
    kind = resource.get("resourceType")
    if kind == "Bundle":
        for entry in _objects(resource.get("entry")):
            yield from stated_codings(entry.get("resource") or {})
    elif kind == "Encounter":
        yield from _codings([resource.get("class")])
    elif isinstance(kind, str):
        yield from _of_concepts(resource, _CONCEPTS.get(kind, ()))
    if kind == "Observation":
        for component in _objects(resource.get("component")):
            yield from _of_concepts(component, _CONCEPTS["Observation"])


def _of_concepts(parent: Json, names: tuple[str, ...]) -> Iterator[StatedCoding]:
    for name in names:
        for concept in _objects(parent.get(name)):
            yield from _codings(concept.get("coding"))


def _codings(stated: object) -> Iterator[StatedCoding]:
    for coding in _objects(stated):
        system, code = coding.get("system"), coding.get("code")
        if isinstance(code, str) and code and isinstance(system, str | None):
            yield StatedCoding(system, code)


def _objects(stated: object) -> Iterator[Json]:
    """Yield the objects in a list, or the one that stands in its place."""
    for each in stated if isinstance(stated, list) else [stated]:
        if isinstance(each, dict):
            yield each
