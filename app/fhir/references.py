"""References and ids: every form that FHIR gives them, read into three."""

import re
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from app.domain.clinics import Source
from app.domain.errors import BusinessRuleError, InvalidElementError
from app.domain.identified import (
    HubReference,
    IdentifierReference,
    LiteralReference,
    Reference,
)
from app.domain.records import RecordType, WardType
from app.fhir.criteria import parse_token

HUB_PREFIX = "hub-"
"""Ids that the hub gives begin so; what follows is a number."""

_ID = r"[A-Za-z0-9.\-]{1,64}"
_HUB_ID = re.compile(rf"{HUB_PREFIX}([1-9][0-9]{{0,17}})")
_RESTFUL = re.compile(
    rf"(((?i:https?)://\S+/)?([A-Z][A-Za-z]+)/({_ID}))(?:/_history/{_ID})?/?"
)
_URN = re.compile(rf"urn:(?:uuid|oid):({_ID})")
_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?identifier=([^&]+)")
_BASE = re.compile(r"(https?)://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_USUAL_PORTS = {"http": ":80", "https": ":443"}
_DEFINITIONS = "http://hl7.org/fhir/StructureDefinition/"

Referable = RecordType | WardType


def hub_id(record_id: int) -> str:
    """Return the id by which the hub itself calls a record."""
    return f"{HUB_PREFIX}{record_id}"


def record_id_of(resource_id: str) -> int | None:
    """Return the record that a hub id names, or None where it is a sender's id."""
    match = _HUB_ID.fullmatch(resource_id)
    return int(match[1]) if match else None


def own_id_of(text: str, *, target: RecordType) -> str | None:
    """Return the id in an id or ``Type/id`` of *target*; None where it is neither."""
    match = re.fullmatch(rf"(?:{target.fhir_name}/)?({_ID})", text)
    return match[1] if match else None


def full_url_id(full_url: str, *, source: Source) -> str | None:
    """Return the id in an entry's fullUrl; None for a urn or a base not *source*'s."""
    named = own_name(full_url, source=source)
    return None if named is None else named[1]


def own_name(url: str, *, source: Source) -> tuple[str, str] | None:
    """Return the type and the id in a URL; None where it is none of *source*'s."""
    parts = restful_parts(url)
    if parts is None or not _is_base_of(parts[0], source):
        return None
    return parts[1:]


def restful_parts(text: str) -> tuple[str | None, str, str] | None:
    """Return base, type and id of a RESTful reference; a relative one has no base."""
    match = _RESTFUL.fullmatch(text)
    return None if match is None else (match[2], match[3], match[4])


def stated_type(element: dict[str, Any]) -> str | None:
    """Return the type of resource that a reference says it is to, if it does."""
    text = element.get("reference", "")
    match = _RESTFUL.fullmatch(text)
    if match is not None:
        return match[3]
    match = _CONDITIONAL.fullmatch(text)
    if match is not None:
        return match[1]
    stated: str | None = element.get("type")
    return stated and stated.removeprefix(_DEFINITIONS)


def parse_reference(
    element: dict[str, Any] | None, *, target: Referable, source: Source, path: str
) -> Reference | None:
    """
    Return what *element*, the one at *path*, refers to; None where it does not say.

    Raises:
        BusinessRuleError: It is contained, not of the *target* type, or an identifier
            of a system that is not unique in the clinic.
        InvalidElementError: It is in no form that FHIR allows.
    """
    if element is None:
        return None
    stated_type = element.get("type")
    if stated_type is not None:
        _require(stated_type.removeprefix(_DEFINITIONS), target=target, path=path)
    text = element.get("reference")
    if text is not None:
        return _literal(text, target=target, source=source, path=path)
    identifier = element.get("identifier")
    if identifier is None:
        return None
    return _identified(
        identifier.get("system"),
        identifier.get("value"),
        source=source,
        path=f"{path}.identifier",
    )


def _literal(text: str, *, target: Referable, source: Source, path: str) -> Reference:
    """Return what the string of a reference means."""
    match = _RESTFUL.fullmatch(text)
    if match is not None:
        _require(match[3], target=target, path=path)
        known = _is_base_of(match[2], source)
        return _by_id(match[1], match[4]) if known else LiteralReference(match[1], None)
    match = _URN.fullmatch(text)
    if match is not None:
        return _by_id(text, match[1])
    match = _CONDITIONAL.fullmatch(text)
    if match is not None:
        _require(match[1], target=target, path=path)
        named = parse_token(unquote(match[2]))
        system, value = (named.system, named.value) if named else (None, None)
        return _identified(system, value, source=source, path=f"{path}.reference")
    if text.startswith("#"):
        msg = f"A contained {target.fhir_name} is not taken"
        raise BusinessRuleError(msg, expression=f"{path}.reference")
    if text.lower().startswith(("http://", "https://")):
        return LiteralReference(text, None)
    msg = "The reference can't be read"
    raise InvalidElementError(msg, expression=f"{path}.reference")


def _by_id(url: str, resource_id: str) -> Reference:
    """Return a reference by id: the hub's own, or the sender's."""
    record_id = record_id_of(resource_id)
    if record_id is not None:
        return HubReference(record_id)
    return LiteralReference(url, resource_id)


def _identified(
    system: str | None, value: str | None, *, source: Source, path: str
) -> IdentifierReference:
    """Return a reference by identifier, if it can mean one record only."""
    if not system or not value:
        msg = "A reference by identifier needs a system and a value"
        raise InvalidElementError(msg, expression=path)
    if system not in source.identifier_systems:
        msg = "The identifier's system is not declared unique in the clinic"
        raise BusinessRuleError(msg, expression=path)
    return IdentifierReference(system, value)


def _require(type_name: str, *, target: Referable, path: str) -> None:
    """Refuse a reference to another type of resource than *target*."""
    if type_name != target.fhir_name:
        msg = f"Only a reference to a {target.fhir_name} is taken here"
        raise BusinessRuleError(msg, expression=path)


def _is_base_of(base: str | None, source: Source) -> bool:
    """Return whether a URL on *base* (None: a relative one) belongs to *source*."""
    if base is None:
        return True
    stem = normal_base(base)
    return any(stem == normal_base(known) for known in source.base_urls)


@lru_cache(maxsize=1024)
def normal_base(base: str) -> str:
    """
    Return a base URL in the one form of its equals, without a slash at its end.

    Source: RFC 3986, sections 6.2.2.1 (case of scheme and host) and 6.2.3 (ports).
    """
    match = _BASE.fullmatch(base)
    if match is None:
        return base.rstrip("/")
    scheme, place = match[1].lower(), match[2].lower()
    place = place.removesuffix(_USUAL_PORTS[scheme])
    return f"{scheme}://{place}{match[3].rstrip('/')}"
