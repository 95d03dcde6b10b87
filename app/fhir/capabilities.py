"""The CapabilityStatement: what the FHIR interface can do, and no more."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from app.domain.records import RecordType
from app.fhir.json_documents import MAX_DEPTH
from app.fhir.measures import SEARCHED_BY
from app.fhir.operations import OPERATIONS, PUBLISHED, Operation, definition_url
from app.fhir.report_questions import REPORTS_SEARCHED_BY

OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
Json = dict[str, Any]

SEARCHES = {"Measure": SEARCHED_BY, "MeasureReport": REPORTS_SEARCHED_BY}
"""The types that can be searched, and by what."""
TYPES = dict.fromkeys(
    [*(type_.fhir_name for type_ in RecordType), *SEARCHES, "OperationDefinition"]
)
"""Every type there is anything to say of, in the order in which it is said."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much the interface takes; ``per_second`` None is no bound on a client."""

    body_bytes: int
    bundle_entries: int
    per_second: float | None
    burst: int


def capability_statement(
    *, base_url: str, oauth_uris: Mapping[str, str], version: str, limits: Limits
) -> Json:
    """
    Return the R4 CapabilityStatement of the FHIR base *base_url*.

    *oauth_uris* are endpoints by the names that the extension gives them.
    """
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": PUBLISHED,
        "kind": "instance",
        "software": {"name": "Catchment", "version": version},
        "implementation": {"description": "Catchment", "url": base_url},
        "fhirVersion": "4.0.1",
        "format": ["json", "application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "documentation": _documentation(limits),
                "security": _security(oauth_uris),
                "resource": [_resource(name, base_url) for name in TYPES],
                "interaction": [{"code": "batch"}, {"code": "transaction"}],
                "operation": _operations(
                    (each for each in OPERATIONS if each.at_system), base_url
                ),
            }
        ],
    }


def _documentation(limits: Limits) -> str:
    """Return what the elements of the statement cannot say."""
    text = (
        "A condition is identifier=system|value, of a system that is unique in the "
        "clinic; any other is refused. What clinics sent can not be searched and has "
        "no history: a version can be named, not read. MeasureReports are those that "
        "the caller's audience may see; a clinic's own client sees its own, live.\n\n"
        f"Limits: {limits.body_bytes} bytes a body (413), {limits.bundle_entries} "
        f"entries a Bundle (413), JSON nested {MAX_DEPTH} levels deep (400)."
    )
    if limits.per_second is None:
        return text
    return (
        f"{text} Each client may send or read {limits.per_second:g} resources a "
        f"second, {limits.burst} at once; beyond that 429 with Retry-After."
    )


def _security(oauth_uris: Mapping[str, str]) -> Json:
    """Return how to get in; some clients look for the token endpoint only here."""
    return {
        "extension": [
            {
                "url": OAUTH_URIS,
                "extension": [
                    {"url": name, "valueUri": uri} for name, uri in oauth_uris.items()
                ],
            }
        ],
        "service": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/"
                        "restful-security-service",
                        "code": "SMART-on-FHIR",
                    }
                ]
            }
        ],
    }


def _resource(name: str, base_url: str) -> Json:
    """Return what can be done with one type of resource."""
    type_ = RecordType.of(name)
    row = _served() if type_ is None else _kept()
    found_by = SEARCHES.get(name, {})
    interactions = row.pop("interaction") + (["search-type"] if found_by else [])
    parameters = [
        {"name": parameter, "type": kind} for parameter, kind in found_by.items()
    ]
    operations = _operations(
        (
            each
            for each in OPERATIONS
            if (each.at_type or each.at_instance) and name in each.types
        ),
        base_url,
    )
    row = {
        "type": name,
        "interaction": [{"code": code} for code in interactions],
        **row,
        "searchParam": parameters,
        "operation": operations,
    }
    return {element: value for element, value in row.items() if value != []}


def _kept() -> Json:
    """Return what can be done with a type of which records are kept."""
    return {
        "interaction": ["create", "read", "update", "delete"],
        "versioning": "versioned",
        "readHistory": False,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "not-match",
        "conditionalUpdate": True,
        "conditionalDelete": "not-supported",
        "referencePolicy": ["literal", "logical"],
    }


def _served() -> Json:
    """Return what can be done with a type that the hub only gives out."""
    return {
        "interaction": ["read"],
        "versioning": "no-version",
        "conditionalRead": "not-match",
    }


def _operations(operations: Iterable[Operation], base_url: str) -> list[Json]:
    return [
        {"name": each.code, "definition": definition_url(each, base_url=base_url)}
        for each in operations
    ]
