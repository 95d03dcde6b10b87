"""FHIR that calls itself de-identified -> what in it can still identify somebody."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from app.deid.leak_hashes import remade
from app.deid.leak_kinds import KINDS, Basis, Kind, Severity
from app.deid.leak_objects import PERSONS, PLACES, age_kind, kinds_in_object
from app.deid.leak_texts import Here, kinds_in_text
from app.deid.leak_values import is_digest, is_withheld, last_part
from app.domain.terminology import DEIDENTIFIED

Json = Mapping[str, Any]

UNKNOWN = "<unknown>"
"""Stands for a name that FHIR does not have: it may be anything, a name too."""
_DEFINITIONS = """
ActivityDefinition CapabilityStatement CodeSystem CompartmentDefinition ConceptMap
EventDefinition ExampleScenario GraphDefinition ImplementationGuide Library Measure
MessageDefinition NamingSystem OperationDefinition OperationOutcome PlanDefinition
Questionnaire SearchParameter SpecimenDefinition StructureDefinition StructureMap
TerminologyCapabilities TestReport TestScript ValueSet
"""
OF_NO_PATIENT = frozenset(_DEFINITIONS.split())
"""Types that define something, and are about nobody."""
CLAIMS = re.compile(r"(?i)anony|pseud|de-?ident|redact|mask|safe.?harbor|limited.?data")
WARDS = ("Group/", "Location/")
MOST_DEEP = 100
DIGEST_KINDS = frozenset({"hash", "uuid-of-name"})


class Finding(msgspec.Struct, frozen=True):
    """
    What was found, and where: FHIRPath from the resource's type, with indices.

    Never the value. A name in the path is one of FHIR's.
    """

    kind: Kind
    path: str
    severity: Severity


class Terms(NamedTuple):
    """
    By what data are judged.

    ``year`` is this one, for ages; ``names`` are all that FHIR has for elements and
    types.
    """

    basis: Basis
    year: int
    names: frozenset[str]


def leaks_in(resource: object, terms: Terms) -> tuple[Finding, ...]:
    """
    Return what can identify somebody in a resource, valid FHIR or not, of any type.

    The resources of a Bundle's entries, of Parameters and of ``contained`` are judged
    each by its own type.
    """
    if not isinstance(resource, dict):
        return (_finding("not-json", "Resource", terms),)
    root = _type_of(resource, terms)
    found = dict.fromkeys(_of_resource(resource, root, terms, 0))
    findings = [_finding(kind, path, terms) for kind, path in found]
    return tuple(f for f in findings if f.severity is not Severity.NONE)


def _finding(kind: str, path: str, terms: Terms) -> Finding:
    known = KINDS[kind]
    return Finding(known, path, known.severity_under(terms.basis))


Found = Iterator[tuple[str, str]]
"""Kinds and their paths."""


def _of_resource(resource: Json, path: str, terms: Terms, depth: int) -> Found:
    """Yield what stands in one resource, and in those within it."""
    type_ = _type_of(resource, terms)
    if type_ in OF_NO_PATIENT:
        return
    here = Here(
        type=type_,
        key="",
        year=terms.year,
        is_own=_has_own_tag(resource),
        is_of_nobody=_is_of_nobody(resource),
    )
    found = [*_of_object(resource, path, here, terms, depth)]
    if old := age_kind(resource, here):
        found.append((old, f"{path}.birthDate"))
    found += _named(resource, path, here)
    found = _proven(resource, path, found)
    yield from found
    if _claims(resource) and any(_is_serious(kind, terms) for kind, _ in found):
        yield "false-claim", f"{path}.meta"


def _of_object(node: Json, path: str, here: Here, terms: Terms, depth: int) -> Found:
    """Yield what stands in an object and below it."""
    if depth > MOST_DEEP:
        return
    kinds, answered = kinds_in_object(node, here)
    for kind, member in kinds:
        yield kind, f"{path}.{member}" if member else path
    for name, value in node.items():
        if name in answered:
            continue
        known = _known(name, terms)
        at = f"{path}.{known}"
        if known == UNKNOWN:
            yield "unknown-element", at
        items = value if isinstance(value, list) else [value]
        for index, item in enumerate(items):
            place = f"{at}[{index}]" if isinstance(value, list) else at
            yield from _of_item(item, place, here._replace(key=name), terms, depth + 1)


def _of_item(item: object, path: str, here: Here, terms: Terms, depth: int) -> Found:
    if isinstance(item, dict):
        if "resourceType" in item:
            if here.key == "contained":
                type_ = _type_of(item, terms)
                if type_ in PERSONS | PLACES:
                    yield "contained", path
            yield from _of_resource(item, path, terms, depth)
        else:
            yield from _of_object(
                item, path, here._replace(is_element=True), terms, depth
            )
    elif isinstance(item, list):
        for inner in item:
            yield from _of_item(inner, path, here, terms, depth + 1)
    elif isinstance(item, str):
        for kind in kinds_in_text(item, here):
            yield kind, path


def _named(resource: Json, path: str, here: Here) -> Found:
    """Yield the plain name of a place, or of a person."""
    name = resource.get("name")
    if isinstance(name, str) and name and not is_withheld(name):
        if here.type in PLACES:
            yield "place", f"{path}.name"
        elif here.type not in OF_NO_PATIENT:
            yield "free-text", f"{path}.name"


def _proven(
    resource: Json, path: str, found: list[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Return findings in which each hash that could be made again is said to be one."""
    suspects = {
        at: value
        for kind, at in found
        if kind in DIGEST_KINDS and (value := _value_at(resource, at, path)) is not None
    }
    digests = {at: last_part(value) for at, value in suspects.items()}
    proven = remade(resource, [d for d in digests.values() if is_digest(d)])
    return [
        ("unkeyed-hash", at)
        if kind in DIGEST_KINDS and digests.get(at) in proven
        else (kind, at)
        for kind, at in found
    ]


def _value_at(resource: Json, path: str, root: str) -> str | None:
    """Return the text at a path within a resource."""
    node: Any = resource
    for name, index in re.findall(r"\.([^.\[]+)(?:\[(\d+)\])?", path[len(root) :]):
        node = node.get(name) if isinstance(node, dict) else None
        if index and isinstance(node, list):
            node = node[int(index)]
    return node if isinstance(node, str) else None


def _known(name: str, terms: Terms) -> str:
    """Return a name that FHIR has, or what stands for one that it has not."""
    bare = name.removeprefix("_")
    return name if bare in terms.names else UNKNOWN


def _type_of(resource: Json, terms: Terms) -> str:
    type_ = resource.get("resourceType")
    return type_ if isinstance(type_, str) and type_ in terms.names else "Resource"


def _tags(resource: Json) -> list[Json]:
    meta = resource.get("meta")
    if not isinstance(meta, dict):
        return []
    lists = (meta.get("tag"), meta.get("security"))
    return [
        tag
        for each in lists
        if isinstance(each, list)
        for tag in each
        if isinstance(tag, dict)
    ]


def _has_own_tag(resource: Json) -> bool:
    own = (DEIDENTIFIED.system, DEIDENTIFIED.code)
    return any((tag.get("system"), tag.get("code")) == own for tag in _tags(resource))


def _claims(resource: Json) -> bool:
    """Return whether a resource says that it was de-identified."""
    return any(
        CLAIMS.search(f"{tag.get('code')} {tag.get('display')}")
        for tag in _tags(resource)
    )


def _is_of_nobody(resource: Json) -> bool:
    """Return whether a resource is of a group or place: its dates are no person's."""
    if resource.get("resourceType") == "MeasureReport":
        return resource.get("type") != "individual"
    subject = resource.get("subject")
    if not isinstance(subject, dict):
        return False
    reference = subject.get("reference")
    return isinstance(reference, str) and reference.startswith(WARDS)


def _is_serious(kind: str, terms: Terms) -> bool:
    return KINDS[kind].severity_under(terms.basis) >= Severity.MEDIUM
