"""
Codes that may be kept: those of a listed system, in that system's syntax.

A code is a place to hide a name in. So a code is kept only where its system is public
and its form is right, check digit included; HL7's small systems are listed code by
code. Everything else leaves as a keyed hash (``app.deid.pseudonyms``).
"""

import re
from collections.abc import Callable
from functools import lru_cache

from app.domain.identified import StatedCoding
from app.domain.terminology import (
    ACT_CODE,
    CONDITION_CATEGORY,
    CONDITION_CLINICAL,
    CONDITION_VERIFICATION,
    DATA_ABSENT_REASON,
    ICD_9_CM,
    ICD_10,
    ICD_10_CM,
    LOINC,
    NETWORK,
    OBSERVATION_CATEGORY,
    SNOMED_CT,
    UCUM,
    Coding,
)
from app.ucum.units import canonical_unit


def _words(text: str) -> frozenset[str]:
    """Return the words of *text*."""
    return frozenset(text.split())


HL7_CODES = {
    OBSERVATION_CATEGORY: _words(
        "social-history vital-signs imaging laboratory procedure survey exam therapy "
        "activity"
    ),
    CONDITION_CLINICAL: _words("active recurrence relapse inactive remission resolved"),
    CONDITION_VERIFICATION: _words(
        "unconfirmed provisional differential confirmed refuted entered-in-error"
    ),
    CONDITION_CATEGORY: _words("problem-list-item encounter-diagnosis"),
    ACT_CODE: _words("AMB EMER FLD HH IMP ACUTE NONAC OBSENC PRENC SS VR"),
    DATA_ABSENT_REASON: _words(
        "unknown asked-unknown temp-unknown not-asked asked-declined masked "
        "not-applicable unsupported as-text error not-a-number negative-infinity "
        "positive-infinity not-performed not-permitted"
    ),
}
OBSERVATION_STATUSES = _words(
    "registered preliminary final amended corrected cancelled entered-in-error unknown"
)
ENCOUNTER_STATUSES = _words(
    "planned arrived triaged in-progress onleave finished cancelled entered-in-error "
    "unknown"
)
REPORT_STATUSES = frozenset({"complete", "pending", "error"})
COMPARATORS = frozenset({"<", "<=", ">=", ">"})
SEXES = frozenset({"male", "female", "other", "unknown"})

_SYSTEM_BY_OID = {
    "urn:oid:2.16.840.1.113883.6.1": LOINC,
    "urn:oid:2.16.840.1.113883.6.96": SNOMED_CT,
    "urn:oid:2.16.840.1.113883.6.90": ICD_10_CM,
    "urn:oid:2.16.840.1.113883.6.3": ICD_10,
    "urn:oid:2.16.840.1.113883.6.103": ICD_9_CM,
    "urn:oid:2.16.840.1.113883.6.8": UCUM,
}
CACHE_SIZE = 4096

_LOINC = re.compile(r"((?:LA)?[1-9][0-9]{0,6})-([0-9])")
_SNOMED_CT = re.compile(r"[1-9][0-9]{2,14}00[0-9]|[1-9][0-9]{7,14}10[0-9]")
"""Concepts, of the core (00) or of an extension whose seven digits go before (10)."""
_ICD_10_CM = re.compile(
    r"([A-Z][0-9][0-9AB])"
    r"(?:\.?((?=[0-9X]*[A-Z]?[0-9X]*.?$)[0-9A-Z]{1,3}[0-9A-HJKMNPQRSX]?))?"
)
"""After the dot one letter at most, X and the last character aside: no word fits."""
_ICD_10 = re.compile(r"([A-Z][0-9][0-9])(?:\.?([0-9]{1,2}))?")
_ICD_9_CM = re.compile(r"([0-9]{3}|V[0-9]{2}|E[0-9]{3})(?:\.?([0-9]{1,2}))?")

_DIHEDRAL = (
    "0123456789",
    "1234067895",
    "2340178956",
    "3401289567",
    "4012395678",
    "5987604321",
    "6598710432",
    "7659821043",
    "8765932104",
    "9876543210",
)
_SHIFTS = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)


def system_of(stated: str | None) -> str | None:
    """Return the FHIR URI of a code system; an OID of a listed one is resolved."""
    return _SYSTEM_BY_OID.get(stated, stated) if stated else None


def listed_coding(
    stated: StatedCoding, *, network_codes: frozenset[str]
) -> Coding | None:
    """Return *stated* in canonical form if it may be kept as it is, else None."""
    system = system_of(stated.system)
    if system is None:
        return None
    code = canonical_code(system, stated.code)
    if system == NETWORK and stated.code in network_codes:
        code = stated.code
    return None if code is None else Coding(system, code)


def canonical_code(system: str, code: str) -> str | None:
    """Return *code* in the canonical form of a public system, or None if it is none."""
    if system in _CANONICAL:
        return _CANONICAL[system](code)
    return code if code in HL7_CODES.get(system, ()) else None


def listed_code(stated: tuple[StatedCoding, ...], system: str) -> str | None:
    """Return the first code of one of HL7's small systems."""
    codes = HL7_CODES[system]
    for coding in stated:
        if coding.system == system and coding.code in codes:
            return coding.code
    return None


@lru_cache(maxsize=CACHE_SIZE)
def loinc_code(code: str) -> str | None:
    """
    Return a LOINC code or answer code whose check digit is right.

    Letters of an answer code count as their ASCII value less that of ``0``.

    Source: LOINC Users' Guide, appendix C (mod 10 check digits).
    """
    match = _LOINC.fullmatch(code)
    if match is None:
        return None
    digits = [ord(letter) - ord("0") for letter in reversed(match[1])]
    total = sum(digits[1::2]) + sum(2 * d - d // 5 * 9 for d in digits[::2])
    return code if (total + int(match[2])) % 10 == 0 else None


@lru_cache(maxsize=CACHE_SIZE)
def snomed_ct_code(code: str) -> str | None:
    """
    Return a SNOMED CT identifier whose Verhoeff check digit is right.

    Source: SNOMED CT Release File Specification, appendix B (check-digit computation).
    """
    if _SNOMED_CT.fullmatch(code) is None:
        return None
    check = 0
    for place, digit in enumerate(reversed(code)):
        check = int(_DIHEDRAL[check][int(_SHIFTS[place % 8][int(digit)])])
    return code if check == 0 else None


def _dotted(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    """Return a reader of ICD codes that puts the dot where it belongs."""

    def canonical(code: str) -> str | None:
        match = pattern.fullmatch(code.upper())
        if match is None:
            return None
        return f"{match[1]}.{match[2]}" if match[2] else match[1]

    return canonical


_CANONICAL: dict[str, Callable[[str], str | None]] = {
    LOINC: loinc_code,
    SNOMED_CT: snomed_ct_code,
    ICD_10_CM: _dotted(_ICD_10_CM),
    ICD_10: _dotted(_ICD_10),
    ICD_9_CM: _dotted(_ICD_9_CM),
    UCUM: canonical_unit,
}
