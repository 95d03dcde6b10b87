"""ConceptMap (R4, JSON) -> what it says of each code; of local ones that may be PHI."""

from collections.abc import Iterator
from typing import Any

from app.domain.errors import (
    InvalidCodeError,
    InvalidElementError,
    MalformedError,
    MissingElementError,
    NotSupportedError,
)
from app.domain.identified import StatedCoding, StatedMapping

EQUIVALENCES = frozenset(
    {
        "relatedto",
        "equivalent",
        "equal",
        "wider",
        "subsumes",
        "narrower",
        "specializes",
        "inexact",
        "unmatched",
        "disjoint",
    }
)

Json = dict[str, Any]


def parse_concept_map(resource: Json) -> list[StatedMapping]:
    """
    Return what each element of a ConceptMap says, one for each target.

    Raises:
        MalformedError: it is no ConceptMap, or an element is of another kind of JSON
            than FHIR says.
        MissingElementError: a code, a system of targets or an equivalence is missing.
        InvalidCodeError: an equivalence is none of R4's.
        NotSupportedError: it is in the form of R5.
    """
    if resource.get("resourceType") != "ConceptMap":
        msg = "This is no FHIR ConceptMap"
        raise MalformedError(msg, expression="resourceType")
    return [
        stated
        for group, at in _objects(resource, "group", "ConceptMap")
        for element, path in _objects(group, "element", at)
        for stated in _of_element(group, element, at, path)
    ]


def _of_element(
    group: Json, element: Json, at: str, path: str
) -> Iterator[StatedMapping]:
    """Yield what is said of one code."""
    system = _text(group, "source", at)
    source = StatedCoding(system, _required(element, "code", path))
    targets = list(_objects(element, "target", path))
    if not targets:
        yield _mapping(source, None, None, {}, path)
    for target, where in targets:
        equivalence = _equivalence(target, where)
        code = _text(target, "code", where)
        coding = None
        if code is not None:
            coding = StatedCoding(_required(group, "target", at), code)
        yield _mapping(source, coding, equivalence, target, where)


def _mapping(
    source: StatedCoding,
    target: StatedCoding | None,
    equivalence: str | None,
    stated: Json,
    path: str,
) -> StatedMapping:
    return StatedMapping(
        source=source,
        target=target,
        equivalence=equivalence,
        is_conditional=bool(stated.get("dependsOn")),
        element=f"{path}.code",
    )


def _equivalence(target: Json, path: str) -> str:
    if "equivalence" not in target and "relationship" in target:
        msg = "The map is in the form of R5; state R4's equivalence"
        raise NotSupportedError(msg, expression=f"{path}.relationship")
    equivalence = _required(target, "equivalence", path)
    if equivalence not in EQUIVALENCES:
        msg = "Not a code of the value set that FHIR requires"
        raise InvalidCodeError(msg, expression=f"{path}.equivalence")
    return equivalence


def _objects(parent: Json, name: str, path: str) -> Iterator[tuple[Json, str]]:
    """Yield the objects of a list, each with its FHIRPath."""
    listed = parent.get(name, [])
    if not isinstance(listed, list):
        msg = "Not the kind of JSON value that belongs here"
        raise MalformedError(msg, expression=f"{path}.{name}")
    for index, each in enumerate(listed):
        where = f"{path}.{name}[{index}]"
        if not isinstance(each, dict):
            msg = "Not the kind of JSON value that belongs here"
            raise MalformedError(msg, expression=where)
        yield each, where


def _required(parent: Json, name: str, path: str) -> str:
    text = _text(parent, name, path)
    if text is None:
        msg = "An element that must be there is missing"
        raise MissingElementError(msg, expression=f"{path}.{name}")
    return text


def _text(parent: Json, name: str, path: str) -> str | None:
    text = parent.get(name)
    if text is not None and not isinstance(text, str):
        msg = "Not the kind of JSON value that belongs here"
        raise MalformedError(msg, expression=f"{path}.{name}")
    if text is not None and not text.strip():
        msg = "A string is not empty"
        raise InvalidElementError(msg, expression=f"{path}.{name}")
    return text
