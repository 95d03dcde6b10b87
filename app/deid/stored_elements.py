"""
What is kept of a record, element by element, and from which nodes of FHIR it is made.

An element is the smallest part that can be left out of a record without changing what
the rest of it means.
"""

from collections.abc import Iterator, Mapping
from functools import cache

from app.deid.fhir_paths import Chain, Node

_EVERY = """
id            id:id
identifier    identifier:Identifier
meta.lastUpdated  meta:Meta/lastUpdated:instant
"""
_EVENT = f"""{_EVERY}
status        status:code
subject       subject:Reference
"""
_NODES = {
    "Patient": f"""{_EVERY}
link          link:BackboneElement/other:Reference link:BackboneElement/type:code
gender        gender:code
birthDate     birthDate:date
deceased      deceased:boolean deceased:dateTime
address.state       address:Address/state:string
address.postalCode  address:Address/postalCode:string
""",
    "Encounter": f"""{_EVENT}
class         class:Coding
period        period:Period
""",
    "Condition": f"""{_EVERY}
subject       subject:Reference
encounter     encounter:Reference
clinicalStatus      clinicalStatus:CodeableConcept
verificationStatus  verificationStatus:CodeableConcept
category      category:CodeableConcept
code          code:CodeableConcept
onset         onset:dateTime onset:Period
abatement     abatement:dateTime abatement:Period
recordedDate  recordedDate:dateTime
""",
    "Observation": f"""{_EVENT}
encounter     encounter:Reference
category      category:CodeableConcept
code          code:CodeableConcept
effective     effective:dateTime effective:Period effective:Timing effective:instant
value         value:Quantity value:CodeableConcept value:boolean value:integer
dataAbsentReason    dataAbsentReason:CodeableConcept
component     component:BackboneElement/code:CodeableConcept
 component:BackboneElement/value:Quantity component:BackboneElement/value:boolean
 component:BackboneElement/value:CodeableConcept component:BackboneElement/value:integer
 component:BackboneElement/dataAbsentReason:CodeableConcept
""",
}
_PARTS = {
    "CodeableConcept": "coding:Coding",
    "Coding": "system:uri code:code",
    "Quantity": "value:decimal comparator:code unit:string system:uri code:code",
    "Period": "start:dateTime",
    "Timing": "event:dateTime",
    "Identifier": "system:uri value:string",
    "Reference": "reference:string identifier:Identifier",
}

HASHED = frozenset({"id", "identifier", "subject", "encounter", "link"})
"""What is kept as a keyed hash only, whatever is asked for."""

_KNOWN_AGAIN = "without which a correction would count beside what it corrects"
NEEDED: Mapping[str, str] = {
    "id": _KNOWN_AGAIN,
    "identifier": _KNOWN_AGAIN,
    "subject": "without which nobody knows whom a record is about",
    "link": "without which one person would count as several",
    "status": "without which what never was would count",
    "clinicalStatus": "without which what is over would count",
    "verificationStatus": "without which what was refuted would count",
}
"""What can't be taken away, and why; hashes of ids are none of it (``HASHED``)."""


@cache
def chains_of_elements() -> Mapping[str, tuple[Chain, ...]]:
    """Return the chains of FHIR's nodes that each element is made from, by its path."""
    found: dict[str, tuple[Chain, ...]] = {}
    for type_, table in _NODES.items():
        for line in table.replace("\n ", " ").splitlines():
            element, *paths = line.split() or [""]
            chains = [chain for path in paths for chain in _chains(type_, path)]
            if chains:
                found[f"{type_}.{element}"] = tuple(chains)
    return found


def _chains(type_: str, path: str) -> Iterator[Chain]:
    """Yield the chains to the primitives below a path of names and types."""
    nodes = [_node(step) for step in path.split("/")]
    yield from _to_primitives([(type_, type_), *nodes])


def _to_primitives(chain: list[Node]) -> Iterator[Chain]:
    parts = _PARTS.get(chain[-1][1])
    if parts is None:
        yield tuple(chain)
        return
    for part in parts.split():
        yield from _to_primitives([*chain, _node(part)])


def _node(step: str) -> Node:
    name, _, type_ = step.partition(":")
    return name, type_
