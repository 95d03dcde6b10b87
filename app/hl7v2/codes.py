"""HL7 v2's coded fields (CE, CNE, CWE) -> FHIR's codings, never their texts."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from app.domain.terminology import (
    HL7,
    ICD_9_CM,
    ICD_10,
    ICD_10_CM,
    LOINC,
    SNOMED_CT,
    UCUM,
)
from app.hl7v2.dialects import Dialect
from app.hl7v2.messages import Element

Json = dict[str, Any]

TRIPLETS = ((1, 3, 14), (4, 6, 17), (10, 12, 20))
"""Where a code, the name of its system and that system's OID stand in a CWE."""
SYSTEMS = {
    "LN": LOINC,
    "SCT": SNOMED_CT,
    "SNM": SNOMED_CT,
    "UCUM": UCUM,
    "I9": ICD_9_CM,
    "I9C": ICD_9_CM,
    "I9CDX": ICD_9_CM,
    "I10": ICD_10,
    "I10C": ICD_10_CM,
    "NULLFL": f"{HL7}/v3-NullFlavor",
}
"""Names of coding systems (HL7 table 0396) whose codes the hub knows."""
LOCAL = "L"
OBSERVATION_STATUS = {
    "A": "amended",
    "C": "corrected",
    "D": "entered-in-error",
    "F": "final",
    "P": "preliminary",
    "W": "entered-in-error",
    "X": "cancelled",
    # The published map leaves these open.
    "B": "final",
    "V": "final",
    "R": "preliminary",
    "S": "preliminary",
    "I": "registered",
}
"""
HL7 table 0085 -> observation-status.

Source: HL7 Version 2 to FHIR 1.0.0, ConceptMap table-hl70085-to-observation-status; of
those without a target the definitions of either side: appended and verified reports
are final, unverified and partial ones preliminary, a specimen in the lab is registered.
"""
REPORT_STATUS = {
    "C": "corrected",
    "F": "final",
    "P": "preliminary",
    "X": "cancelled",
    "A": "preliminary",
    "R": "preliminary",
    "I": "registered",
    "O": "registered",
    "S": "registered",
}
"""HL7 table 0123, for old senders that state the status of the report alone."""
GENDER = {
    "F": "female",
    "M": "male",
    "O": "other",
    "A": "other",
    "N": "other",
    "X": "other",
    "U": "unknown",
}
"""HL7 table 0001 -> administrative-gender, as the published map has it."""
PATIENT_CLASS = {"E": "EMER", "I": "IMP", "O": "AMB", "P": "PRENC"}
"""HL7 table 0004 -> v3 ActCode, as the published map has it."""
PATIENT_CLASSES = f"{HL7}/v2-0004"
OWN_PATIENT_CLASSES = frozenset("BCNRU")
"""Those that keep their own code in the published map."""


def codings_of(element: Element, *, dialect: Dialect, facility: str) -> list[Json]:
    """Return every code of a coded field, in the order in which they stand."""
    return list(_codings(element, dialect, facility))


def _codings(element: Element, dialect: Dialect, facility: str) -> Iterator[Json]:
    seen = set()
    for code_at, name_at, oid_at in TRIPLETS:
        code = element.text(code_at)
        if not code:
            continue
        name = element.text(name_at)
        system = code_system(
            name, oid=element.text(oid_at), dialect=dialect, facility=facility
        )
        if (system, code) not in seen:
            seen.add((system, code))
            yield {"system": system, "code": code}


def code_system(name: str, *, oid: str, dialect: Dialect, facility: str) -> str:
    """
    Return the URI of a coding system.

    One that is in no list is the sending *facility*'s own: ``urn:hl7v2:facility:name``,
    so that the L of one laboratory is not the L of another.
    """
    known = dialect.code_systems.get(name.lower()) or SYSTEMS.get(name.upper())
    if known is not None:
        return known
    if name.upper().startswith("HL7") and name[3:].isascii() and name[3:].isdecimal():
        return f"{HL7}/v2-{name[3:]}"
    if oid and all(arc.isascii() and arc.isdecimal() for arc in oid.split(".")):
        return f"urn:oid:{oid}"
    return f"urn:hl7v2:{quote(facility, safe='')}:{quote(name or LOCAL, safe='')}"
