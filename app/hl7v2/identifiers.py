"""Who and what a message is about: CX and HD -> systems and values; stable ids."""

import hashlib
import re
from typing import Any

from app.domain.errors import MissingElementError
from app.hl7v2.dialects import Dialect
from app.hl7v2.messages import Element, Part, Segment

Json = dict[str, Any]

OF_A_PERSON = frozenset({"", "MR", "PI", "PT", "NI", "NH"})
"""
Types of identifiers (HL7 table 0203) by which a person may be known.

Accounts, visits, licences and social security numbers stand in PID-3 too, some under
the authority of the record number: one account of two people would make them one.
"""
_NATIONAL = re.compile(r"NN[A-Z]{0,3}")
_OID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*))+", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DIGEST_LETTERS = 40
PATIENT_IDENTIFIERS = 3


def system_of(authority: Part, *, dialect: Dialect) -> str | None:
    """
    Return the system of identifiers that *authority*, an HD, assigns.

    By what the dialect says of its namespace or universal id; else an OID or a UUID as
    FHIR has it, or a URI as it is; None where none of it is known.
    """
    namespace, universal, kind = (part.strip() for part in (*authority, "", "", "")[:3])
    named = dialect.authorities
    stated = named.get(universal.lower()) if universal else None
    if stated is not None:
        return stated
    if namespace.lower() in named and (namespace or not universal):
        return named[namespace.lower()]
    if _OID.fullmatch(universal) and kind.upper() in {"ISO", ""}:
        return f"urn:oid:{universal}"
    if _UUID.fullmatch(universal.lower()):
        return f"urn:uuid:{universal.lower()}"
    return universal if kind.upper() == "URI" and universal else None


def patient_identifiers(pid: Segment, *, dialect: Dialect) -> list[Json]:
    """
    Return the identifiers in PID-3 by which the person is known, the best one first.

    Raises:
        MissingElementError: there is none of an authority that is known.
    """
    found: list[tuple[bool, bool, str, str]] = []
    for element in pid.repetitions(PATIENT_IDENTIFIERS):
        value, kind = element.text(1), element.text(5).upper()
        system = system_of(element.subparts(4), dialect=dialect)
        if value and system is not None and _is_of_a_person(kind):
            counts = not dialect.unique_systems or system in dialect.unique_systems
            found.append((not counts, kind != "MR", system, value))
    if not found:
        msg = "No identifier of the person has an assigning authority that is known"
        raise MissingElementError(msg, expression=pid.at(PATIENT_IDENTIFIERS))
    found.sort(key=lambda each: each[:2])
    named = dict.fromkeys((system, value) for *_, system, value in found)
    return [{"system": system, "value": value} for system, value in named]


def _is_of_a_person(kind: str) -> bool:
    return kind in OF_A_PERSON or _NATIONAL.fullmatch(kind) is not None


def stable_id(*names: str) -> str:
    """Return a FHIR id that is the same wherever all of *names* are."""
    text = "\x1f".join(names)
    return f"v2-{hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_LETTERS]}"


def whole(element: Element) -> str:
    """Return all that stands in a field's repetition, its parts apart."""
    return "\x1e".join("\x1d".join(part) for part in element.parts).strip()
