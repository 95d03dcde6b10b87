"""
One object of FHIR JSON -> the kinds of leaks that stand in it.

A rule may answer for some members of its object; those are not looked at again.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from app.deid.codes import canonical_code, system_of
from app.deid.leak_texts import Here
from app.deid.leak_values import (
    id_kind,
    is_public_system,
    is_withheld,
    spoken_kinds,
    year_of,
    zip_kind,
)
from app.deid.places import kept_state
from app.domain.terminology import ICD_10_CM, LOCAL, LOINC, SNOMED_CT

Json = Mapping[str, Any]

Found = Iterator[tuple[str, str]]
"""Kinds, each with the member of the object that it is in; empty: the object."""

OLDEST = 89
"""Years of age; all above are one group."""
PERSONS = frozenset({"Patient", "RelatedPerson", "Person", "Practitioner"})
PLACES = frozenset({"Organization", "Location", "HealthcareService", "CareTeam"})
ADDRESS = frozenset({"line", "city", "district", "postalCode", "state"})
HUMAN_NAME = frozenset({"family", "given", "prefix", "suffix"})
CODING_KEYS = frozenset(
    {"coding", "class", "tag", "security", "valueCoding", "answerCoding"}
)
HARMLESS_EXTENSIONS = (
    "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
    "http://terminology.hl7.org/CodeSystem/data-absent-reason",
)
KNOWN_EXTENSIONS = {
    "mothersMaidenName": "name",
    "originalText": "free-text",
    "rendered-value": "free-text",
    "birthPlace": "town",
    "birthTime": "time-of-day",
    "geolocation": "position",
}
IDENTIFIER_KINDS = (
    (re.compile(r"us-ssn|2\.16\.840\.1\.113883\.4\.1$|\bSS\b"), "ssn"),
    (re.compile(r"us-mbi|us-medicare|\bMB\b|\bMC\b|\bSN\b"), "beneficiary"),
    (re.compile(r"113883\.4\.3\.|\bDL\b|\bPPN\b|\bMD\b"), "license"),
    (re.compile(r"(?i)\bMR\b|mrn|medical-?record"), "medical-record"),
    (re.compile(r"\bAN\b|account"), "account"),
)
CONTACTS = {"phone": "phone", "sms": "phone", "fax": "fax", "email": "e-mail"}
CHECKED_SYSTEMS = frozenset({LOINC, SNOMED_CT, ICD_10_CM})
"""Whose codes have a form narrow enough to tell a code from a name."""
_OWN_DIGEST = re.compile(r"[A-Z2-7]{26}")
_PUBLIC_PART_CODE = re.compile(r"L[A-Z]\d+-\d")
_YEARS = frozenset({"a", "year", "years", "yr", "yrs", "y"})
_MONTHS = frozenset({"mo", "month", "months"})
_DAYS_A_YEAR = {"d": 365.25, "day": 365.25, "days": 365.25, "wk": 52.18, "weeks": 52.18}


def kinds_in_object(node: Json, here: Here) -> tuple[Found, frozenset[str]]:
    """Return what stands in an object, and the members that this answers for."""
    for rule in _RULES:
        if rule.fits(node, here.key):
            return rule.found(node, here), rule.members
    return iter(()), frozenset()


def age_kind(resource: Json, here: Here) -> str | None:
    """Return whether the year of birth tells an age over 89; at death, if that is."""
    born = year_of(resource.get("birthDate"))
    if born is None:
        return None
    last = year_of(resource.get("deceasedDateTime")) or here.year
    return "birth-year" if last - born > OLDEST else None


def _identifier(node: Json, here: Here) -> Found:
    value, system = node.get("value"), node.get("system")
    if isinstance(value, str) and not is_withheld(value):
        own = system == LOCAL and _OWN_DIGEST.fullmatch(value)
        kind = None if own else id_kind(value)
        if kind in {"hash", "ssn", "uuid-of-name", "uuid-of-time"}:
            yield kind, "value"
        elif not own and not _is_random(value):
            yield _clear_kind(node, here), "value"
    if isinstance(system, str) and system != LOCAL and not is_public_system(system):
        yield "identifier-system", "system"


def _is_random(value: str) -> bool:
    """Return whether a value may be a keyed name: long, of one alphabet, no number."""
    return (
        re.fullmatch(r"(?:urn:uuid:)?[0-9A-Za-z_\-+/=]{22,}", value) is not None
        and id_kind(value) != "raw-id"
    )


def _clear_kind(node: Json, here: Here) -> str:
    """Return of what kind an identifier in clear is."""
    if here.type == "Device":
        return "device"
    codes = str(node.get("type", "")).replace("'", " ")
    said = f"{node.get('system', '')} {codes}"
    for pattern, kind in IDENTIFIER_KINDS:
        if pattern.search(said):
            return kind
    return "identifier"


def _address(node: Json, here: Here) -> Found:
    for member, kind in (("line", "street"), ("text", "street"), ("city", "town")):
        if _is_said(node.get(member)):
            yield kind, member
    if _is_said(node.get("district")):
        yield "town", "district"
    code = node.get("postalCode")
    if isinstance(code, str) and not is_withheld(code):
        fine = zip_kind(code)
        if fine is not None:
            yield fine, "postalCode"
    state, country = node.get("state"), node.get("country", "US")
    is_american = str(country).upper() in {"US", "USA"}
    if is_american and _is_said(state) and kept_state(str(state)) is None:
        yield "state", "state"
    if here.type in PLACES and (code or state):
        yield "place", ""


def _contact(node: Json, _: Here) -> Found:
    if _is_said(node.get("value")):
        yield CONTACTS.get(str(node.get("system")), "phone"), "value"


def _human_name(node: Json, _: Here) -> Found:
    if any(_is_said(node.get(member)) for member in (*HUMAN_NAME, "text")):
        yield "name", ""


def _attachment(node: Json, here: Here) -> Found:
    if any(_is_said(node.get(member)) for member in ("data", "url", "title")):
        yield "photograph" if here.key == "photo" else "attachment", ""


def _reference(node: Json, _: Here) -> Found:
    if _is_said(node.get("display")):
        yield "display-of-reference", "display"


def _coding(node: Json, here: Here) -> Found:
    system, code, display = (node.get(name) for name in ("system", "code", "display"))
    stated = system_of(system) if isinstance(system, str) else None
    is_local = stated is not None and not is_public_system(stated)
    if isinstance(code, str) and isinstance(stated, str):
        if is_local:
            yield "local-code", "code"
        elif stated in CHECKED_SYSTEMS and not _is_code(stated, code):
            yield "not-a-code", "code"
        elif stated == LOCAL and not _OWN_DIGEST.fullmatch(code):
            yield "local-code", "code"
    if _is_said(display) and not here.is_own:
        text = str(display)
        yield "display-local" if is_local or stated is None else "display", "display"
        for kind in spoken_kinds(text):
            yield kind, "display"


def _is_code(system: str, code: str) -> bool:
    if system == LOINC and _PUBLIC_PART_CODE.fullmatch(code):
        return True
    return canonical_code(system, code) is not None


def _extension(node: Json, _: Here) -> Found:
    url = node.get("url")
    name = str(url).rpartition("/")[2]
    if url in HARMLESS_EXTENSIONS:
        return
    for ending, kind in KNOWN_EXTENSIONS.items():
        if name.endswith(ending):
            yield kind, ""
            return
    yield "extension", ""


def _age(node: Json, _: Here) -> Found:
    """Look at an age, or at both ends of a range of ages."""
    ends = [node, node.get("low"), node.get("high")]
    if any(isinstance(end, dict) and _is_old(end) for end in ends):
        yield "age", ""


def _is_old(quantity: Json) -> bool:
    value = quantity.get("value")
    unit = str(quantity.get("code") or quantity.get("unit") or "a").lower()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if unit in _YEARS:
        years = float(value)
    elif unit in _MONTHS:
        years = value / 12
    else:
        years = value / _DAYS_A_YEAR.get(unit, float("inf"))
    return int(years) > OLDEST


def _position(_: Json, __: Here) -> Found:
    yield "position", ""


def _sampled(node: Json, _: Here) -> Found:
    if _is_said(node.get("data")):
        yield "sampled-data", "data"


def _is_said(value: object) -> bool:
    """Return whether a value says anything but that it was taken away."""
    if isinstance(value, list):
        return any(map(_is_said, value))
    return isinstance(value, str) and bool(value) and not is_withheld(value)


def _is_identifier(node: Json, key: str) -> bool:
    return key.lower().endswith("identifier") and "value" in node


def _is_address(node: Json, key: str) -> bool:
    return key.lower().endswith("address") and bool(node.keys() & ADDRESS)


def _is_human_name(node: Json, key: str) -> bool:
    is_whole = key in {"name", "valueHumanName"} and "text" in node
    return is_whole or bool(node.keys() & HUMAN_NAME)


def _is_reference(node: Json, key: str) -> bool:
    if "reference" in node and isinstance(node["reference"], str):
        return True
    has_code = node.keys() & {"code", "system", "version", "userSelected"}
    return "display" in node and not has_code and key not in CODING_KEYS


def _is_coding(node: Json, key: str) -> bool:
    is_one = "code" in node and bool(node.keys() & {"display", "version"})
    return key in CODING_KEYS or is_one


class _Rule(NamedTuple):
    fits: Callable[[Json, str], bool]
    found: Callable[[Json, Here], Found]
    members: frozenset[str]


_RULES = (
    _Rule(_is_identifier, _identifier, frozenset({"value", "system"})),
    _Rule(_is_address, _address, ADDRESS | {"text"}),
    _Rule(
        lambda _, key: key in {"telecom", "valueContactPoint"},
        _contact,
        frozenset({"value"}),
    ),
    _Rule(_is_human_name, _human_name, HUMAN_NAME | {"text"}),
    _Rule(
        lambda node, key: key == "photo" or "contentType" in node,
        _attachment,
        frozenset({"data", "url", "title", "hash"}),
    ),
    _Rule(_is_reference, _reference, frozenset({"display"})),
    _Rule(_is_coding, _coding, frozenset({"display"})),
    _Rule(
        lambda _, key: key in {"extension", "modifierExtension"},
        _extension,
        frozenset({"url"}),
    ),
    _Rule(lambda _, key: key.endswith("Age") or key == "age", _age, frozenset()),
    _Rule(
        lambda node, _: bool(node.keys() & {"latitude", "longitude"}),
        _position,
        frozenset(),
    ),
    _Rule(lambda _, key: key.endswith("SampledData"), _sampled, frozenset({"data"})),
)
"""The first that fits; the members named are those that its rule answers for."""
