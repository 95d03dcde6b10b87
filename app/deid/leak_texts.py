"""
One text of FHIR JSON -> the kinds of leaks that stand in it.

What a text may be is told by the name of its element first, and by its form then.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from app.deid.codes import SEXES
from app.deid.leak_values import (
    date_kind,
    id_kind,
    is_site_url,
    is_withheld,
    last_part,
    spoken_kinds,
)

DEVICE_NUMBERS = frozenset(
    {
        *("serialNumber", "lotNumber", "deviceIdentifier", "distinctIdentifier"),
        *("carrierHRF", "carrierAIDC", "udi"),
    }
)
FREE_TEXTS = frozenset(
    {
        *("comment", "comments", "conclusion", "description", "patientInstruction"),
        *("instructions", "instruction", "detail", "summary", "statement", "payload"),
        *("alias", "preparedBy", "copyright", "purpose", "additionalText", "label"),
    }
)
SEARCHES = frozenset({"reference", "ifNoneExist", "location", "fullUrl", "url"})
_MARKUP = re.compile(r"<[^>]*>|&[a-z#0-9]+;")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
OWN_PREFIX = "hub-"


class Here(NamedTuple):
    """Where a rule looks: what it is of, and what everything is judged by."""

    type: str
    key: str
    year: int
    is_own: bool
    """The resource bears this hub's own tag."""
    is_of_nobody: bool
    is_element: bool = False
    """The object is part of a resource, not one itself."""


def kinds_in_text(text: str, here: Here) -> Iterator[str]:
    """Yield the kinds of leaks that stand in a text."""
    key = here.key
    if not text or is_withheld(text):
        return
    if key == "div":
        words = _MARKUP.sub(" ", text)
        if not is_withheld(words):
            yield "free-text"
        return
    special = _SPECIAL.get(key)
    if special is not None:
        yield from special(text, here)
        return
    dated = date_kind(text)
    if dated is not None:
        if not here.is_of_nobody:
            yield dated
        return
    if _is_free_text(key, here):
        yield "free-text"
    elif key == "text":
        yield "text"
    elif is_site_url(text):
        yield "web-address"
    yield from spoken_kinds(text)


def _is_free_text(key: str, here: Here) -> bool:
    if here.type == "Parameters":
        return False
    return key.endswith(("String", "Markdown")) or key in FREE_TEXTS


def _id(text: str, here: Here) -> Iterator[str]:
    if here.is_element:
        yield "element-id"
    else:
        yield from _named(text, here)


def _named(text: str, here: Here) -> Iterator[str]:
    """Look at the id of a resource."""
    kind = id_kind(text)
    if kind is not None and not (here.is_own and text.startswith(OWN_PREFIX)):
        yield kind


def _link(text: str, here: Here) -> Iterator[str]:
    """Look at a reference: its host, what it asks by, the id at its end."""
    if "identifier=" in text:
        yield "identifier"
        return
    if text.startswith("#"):
        return
    if is_site_url(text):
        yield "web-address"
    if text.startswith("http") and not is_site_url(text):
        return
    yield from _named(last_part(text), here)


def _birth(text: str, _: Here) -> Iterator[str]:
    if date_kind(text) is not None:
        yield "birth-date"


def _of_site(kind: str) -> Callable[[str, Here], Iterator[str]]:
    def rule(text: str, _: Here) -> Iterator[str]:
        if is_site_url(text) or (kind == "web-address" and text.startswith("urn:oid:")):
            yield kind

    return rule


def _always(kind: str) -> Callable[[str, Here], Iterator[str]]:
    return lambda _text, _here: iter((kind,))


def _nothing(_text: str, _here: Here) -> Iterator[str]:
    return iter(())


def _written(_text: str, here: Here) -> Iterator[str]:
    if not here.is_own:
        yield "written-at"


def _language(text: str, _: Here) -> Iterator[str]:
    if _LANGUAGE.fullmatch(text) is None:
        yield "not-a-code"


def _gender(text: str, _: Here) -> Iterator[str]:
    if text not in SEXES:
        yield "not-a-code"


_SPECIAL: dict[str, Callable[[str, Here], Iterator[str]]] = {
    "id": _id,
    "birthDate": _birth,
    "gender": _gender,
    "language": _language,
    "lastUpdated": _written,
    "timestamp": _written,
    "source": _of_site("web-address"),
    "profile": _of_site("profile"),
    "implicitRules": _of_site("web-address"),
    "system": _nothing,
    "version": _nothing,
    "versionId": _nothing,
    "resourceType": _nothing,
    "policyHolder": _always("name"),
    "subscriberId": _always("beneficiary"),
    **dict.fromkeys(DEVICE_NUMBERS, _always("device")),
    **dict.fromkeys(SEARCHES, _link),
}
