"""What an EHR answers a search with, and what its Groups name."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from app.domain.errors import MalformedError
from app.domain.records import RecordType

_REFERENCE = re.compile(
    r"(?:.*/)?(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.\-]{1,64})"
)


class SearchPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a searchset: each resource as it came, in a line, and what is next."""

    resources: tuple[bytes, ...]
    next_url: str | None


class _Entry(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw(b"")


class _Link(msgspec.Struct):
    relation: str = ""
    url: str = ""


class _Page(msgspec.Struct):
    resource_type: str = msgspec.field(name="resourceType")
    entry: list[_Entry] = []
    link: list[_Link] = []


def parse_page(body: bytes) -> SearchPage:
    """
    Return the page that *body* is.

    Raises:
        MalformedError: it is no Bundle.
    """
    try:
        page = msgspec.json.decode(body, type=_Page)
    except (msgspec.DecodeError, UnicodeDecodeError):
        page = None
    if page is None or page.resource_type != "Bundle":
        msg = "The answer to a search is no Bundle"
        raise MalformedError(msg, expression="Bundle") from None
    # Within a JSON string a line can't end, so whatever ends one stands between.
    raws = (bytes(entry.resource) for entry in page.entry)
    following = (link.url for link in page.link if link.relation == "next")
    return SearchPage(
        resources=tuple(as_line(raw) for raw in raws if raw),
        next_url=next(following, None),
    )


def as_line(resource: bytes) -> bytes:
    """Return a resource in one line."""
    return resource.replace(b"\n", b" ").replace(b"\r", b" ")


def member_ids(group: dict[str, Any]) -> Iterator[str]:
    """Yield the ids of the Patients that are members of a Group now."""
    members = group.get("member")
    for member in members if isinstance(members, list) else ():
        if not isinstance(member, dict) or member.get("inactive") is True:
            continue
        entity = member.get("entity")
        named = _named(entity.get("reference") if isinstance(entity, dict) else None)
        if named is not None and named[0] is RecordType.PATIENT:
            yield named[1]


def _named(reference: object) -> tuple[RecordType, str] | None:
    match = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    type_ = RecordType.of(match["type"]) if match else None
    return (type_, match["id"]) if match and type_ else None
