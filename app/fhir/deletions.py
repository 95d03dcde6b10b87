"""
Bundles by which a server says what it has no more: DELETE, entry by entry.

Source: HL7 Bulk Data Access 3.0.0, "Output Manifest", ``deleted``.
"""

from collections.abc import Mapping
from typing import Any

from app.domain.clinics import Source
from app.domain.errors import InvalidElementError, MalformedError
from app.domain.records import RecordType
from app.fhir.references import own_name

REQUEST = "Bundle.entry.request"


def deletion_entries(bundle: Mapping[str, Any]) -> list[Any]:
    """
    Return the entries of a Bundle of deletions.

    Raises:
        MalformedError: it is no Bundle, or its entries are no list.
    """
    if bundle.get("resourceType") != "Bundle":
        msg = "The line is no Bundle, as those are that say what was deleted"
        raise MalformedError(msg, expression="resourceType")
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        msg = "The entries of a Bundle are a list"
        raise MalformedError(msg, expression="Bundle.entry")
    return entries


def deleted_name(entry: object, *, source: Source) -> tuple[RecordType, str] | None:
    """
    Return type and id of what an entry deletes; None where its type is not kept.

    Raises:
        InvalidElementError: it deletes nothing, or nothing of *source*'s by its id.
    """
    request = entry.get("request") if isinstance(entry, dict) else None
    if not isinstance(request, dict) or request.get("method") != "DELETE":
        msg = "Where it says what was deleted, an entry's method is DELETE"
        raise InvalidElementError(msg, expression=f"{REQUEST}.method")
    url = request.get("url")
    named = own_name(url, source=source) if isinstance(url, str) else None
    if named is None:
        msg = "The url names no resource of this source's by type and id"
        raise InvalidElementError(msg, expression=f"{REQUEST}.url")
    type_ = RecordType.of(named[0])
    return None if type_ is None else (type_, named[1])
