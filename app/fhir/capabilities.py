"""The CapabilityStatement: what the FHIR interface can do, and no more."""

from typing import Any

from app.domain.records import RecordType

OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
PUBLISHED = "2026-11-22"
_DEFINITIONS = "http://hl7.org/fhir/OperationDefinition"
_VALIDATE = ("validate", "Resource-validate")
_OPERATIONS = {type_: [_VALIDATE] for type_ in RecordType} | {
    RecordType.PATIENT: [_VALIDATE, ("purge", "Patient-purge")]
}


def capability_statement(*, base_url: str, token_endpoint: str) -> dict[str, Any]:
    """Return the R4 CapabilityStatement of the FHIR base *base_url*."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": PUBLISHED,
        "kind": "instance",
        "software": {"name": "Catchment"},
        "implementation": {"description": "Catchment", "url": base_url},
        "fhirVersion": "4.0.1",
        "format": ["json", "application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "security": _security(token_endpoint),
                "resource": [_resource(type_) for type_ in RecordType],
                "interaction": [{"code": "batch"}, {"code": "transaction"}],
                "operation": [
                    {
                        "name": name,
                        "definition": f"{base_url}/OperationDefinition/{name}",
                    }
                    for name in ("de-identify", "trace")
                ],
            }
        ],
    }


def _security(token_endpoint: str) -> dict[str, Any]:
    """Return how to get in; some clients look for the token endpoint only here."""
    return {
        "extension": [
            {
                "url": OAUTH_URIS,
                "extension": [{"url": "token", "valueUri": token_endpoint}],
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


def _resource(type_: RecordType) -> dict[str, Any]:
    interactions = ("create", "read", "update", "delete")
    return {
        "type": type_.fhir_name,
        "interaction": [{"code": code} for code in interactions],
        "versioning": "versioned-update",
        "readHistory": False,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalUpdate": True,
        "conditionalDelete": "not-supported",
        "operation": [
            {"name": name, "definition": f"{_DEFINITIONS}/{definition}"}
            for name, definition in _OPERATIONS[type_]
        ],
    }
