"""
What an EHR says of itself before the hub has a token: where to get one, and how.

Source: SMART App Launch 2.2.0, Conformance; FHIR R4 CapabilityStatement with the
``oauth-uris`` extension.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from app.smart.bulk_errors import ServerRefusedError
from app.smart.bulk_servers import BulkServer
from app.smart.documents import parse_document

SMART_CONFIGURATION = ".well-known/smart-configuration"
OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"

_JSON = {"Accept": "application/json"}
_FHIR_JSON = {"Accept": "application/fhir+json"}


class Endpoints(msgspec.Struct, frozen=True, kw_only=True):
    """Of ``smart-configuration`` what a backend client has use for."""

    token_endpoint: str
    registration_endpoint: str | None = None
    grant_types_supported: tuple[str, ...] = ()
    token_endpoint_auth_methods_supported: tuple[str, ...] = ()
    token_endpoint_auth_signing_alg_values_supported: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()


def discover(
    server: BulkServer, fhir_base: str, *, token_url: str | None
) -> Endpoints | None:
    """
    Return where an EHR gives tokens; None where nothing says so.

    First its ``smart-configuration``, under the whole path of its FHIR base; else the
    *token_url* that was configured; else its CapabilityStatement.
    """
    found = smart_configuration(server, fhir_base)
    if found is not None:
        return found
    if token_url is not None:
        return Endpoints(token_endpoint=token_url)
    capabilities = capability_statement(server, fhir_base)
    url = None if capabilities is None else stated_token_url(capabilities)
    return None if url is None else Endpoints(token_endpoint=url)


def smart_configuration(server: BulkServer, fhir_base: str) -> Endpoints | None:
    """Return an EHR's ``smart-configuration``; None where there is none to be read."""
    url = f"{fhir_base}/{SMART_CONFIGURATION}"
    try:
        answer = server.ask("GET", url, headers=_JSON, with_token=False)
        return msgspec.convert(parse_document(answer.body), Endpoints)
    except (ServerRefusedError, ValueError):
        return None


def capability_statement(server: BulkServer, fhir_base: str) -> dict[str, Any] | None:
    """Return an EHR's CapabilityStatement; None where there is none to be read."""
    url = f"{fhir_base}/metadata"
    try:
        answer = server.ask("GET", url, headers=_FHIR_JSON, with_token=False)
        document = parse_document(answer.body)
    except (ServerRefusedError, ValueError):
        return None
    is_one = document.get("resourceType") == "CapabilityStatement"
    return document if is_one else None


def stated_token_url(capabilities: dict[str, Any]) -> str | None:
    """Return the token endpoint among a CapabilityStatement's ``oauth-uris``."""
    for rest in _objects(capabilities.get("rest")):
        security = rest.get("security")
        for outer in _extensions(security):
            if outer.get("url") != OAUTH_URIS:
                continue
            for inner in _extensions(outer):
                uri = inner.get("valueUri")
                if inner.get("url") == "token" and isinstance(uri, str):
                    return uri
    return None


def exports_stated(capabilities: dict[str, Any]) -> frozenset[str]:
    """Return whose exports a CapabilityStatement names: group, patient, system."""
    stated = set()
    for rest in _objects(capabilities.get("rest")):
        if _has_export(rest):
            stated.add("system")
        for resource in _objects(rest.get("resource")):
            type_ = resource.get("type")
            if type_ in {"Group", "Patient"} and _has_export(resource):
                stated.add(type_.lower())
    return frozenset(stated)


def _has_export(element: dict[str, Any]) -> bool:
    names = {each.get("name") for each in _objects(element.get("operation"))}
    return bool(names & {"export", "$export", "group-export", "patient-export"})


def _extensions(element: object) -> Iterator[dict[str, Any]]:
    stated = element.get("extension") if isinstance(element, dict) else None
    yield from _objects(stated)


def _objects(value: object) -> Iterator[dict[str, Any]]:
    yield from (
        each
        for each in (value if isinstance(value, list) else ())
        if isinstance(each, dict)
    )
