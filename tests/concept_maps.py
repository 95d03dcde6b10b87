"""ConceptMaps for tests, as small as can be."""

from typing import Any

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
LAB = "urn:lab"


def target(code: str | None, equivalence: str = "equivalent", **more: Any) -> dict:
    stated = {"equivalence": equivalence, **more}
    return stated if code is None else stated | {"code": code}


def element(code: str, *targets: dict) -> dict:
    return {"code": code, "target": list(targets)} if targets else {"code": code}


def group(source: str | None, to: str | None, *elements: dict) -> dict:
    systems = {"source": source, "target": to}
    stated = {name: system for name, system in systems.items() if system is not None}
    return {**stated, "element": list(elements)}


def concept_map(*groups: dict) -> dict:
    return {"resourceType": "ConceptMap", "status": "active", "group": list(groups)}


def one_code(code: str, to: str, *, source: str = LAB, system: str = LOINC) -> dict:
    """Return a map of one code."""
    return concept_map(group(source, system, element(code, target(to))))
