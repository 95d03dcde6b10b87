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
                "resource": [
                    *(_kept(type_, base_url) for type_ in RecordType),
                    _searched("Measure", SEARCHED_BY, base_url),
                    _searched("MeasureReport", REPORTS_SEARCHED_BY, base_url),
                    _served("OperationDefinition"),
                ],
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


def _kept(type_: RecordType, base_url: str) -> Json:
    """Return what can be done with a type of which records are kept."""
    interactions = ("create", "read", "update", "delete")
    name = type_.fhir_name
    return {
        "type": name,
        "interaction": [{"code": code} for code in interactions],
        "versioning": "versioned",
        "readHistory": False,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "not-match",
        "conditionalUpdate": True,
        "conditionalDelete": "not-supported",
        "referencePolicy": ["literal", "logical"],
        "operation": _operations(
            (
                each
                for each in OPERATIONS
                if (each.at_type or each.at_instance) and name in each.types
            ),
            base_url,
        ),
    }


def _served(name: str) -> Json:
    """Return what can be done with a type that the hub only gives out."""
    return {
        "type": name,
        "interaction": [{"code": "read"}],
        "versioning": "no-version",
        "conditionalRead": "not-match",
    }


def _searched(name: str, parameters: Mapping[str, str], base_url: str) -> Json:
    """Return what can be done with a type that the hub makes, and finds."""
    own = [each for each in OPERATIONS if name in each.types]
    return _served(name) | {
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "searchParam": [
            {"name": parameter, "type": type_}
            for parameter, type_ in parameters.items()
        ],
        **({"operation": _operations(own, base_url)} if own else {}),
    }


def _operations(operations: Iterable[Operation], base_url: str) -> list[Json]:
    return [
        {"name": each.code, "definition": definition_url(each, base_url=base_url)}
        for each in operations
    ]
