"""The hub registered as a client of a server that takes registrations (RFC 7591)."""

import json
from typing import Any

import httpx
import msgspec

from app.domain.errors import IssueType, ServiceError
from app.services.bulk.connections import public_key_set, usual_scope
from app.services.bulk.ehrs import server_of
from app.services.hub import Hub
from app.smart.documents import is_name, parse_document
from app.smart.ehr_discovery import discover
from app.smart.vocabulary import GRANT_TYPE
from app.store.connections import Connection

NOT_REGISTERING = "The server takes no registrations: ask its administrator for one"


class RegistrationRefusedError(ServiceError):
    """A server did not register this hub."""

    issue_type = IssueType.FORBIDDEN


def jwks_url(hub: Hub) -> str:
    """Return where others find the key by which the hub is their client."""
    return f"{hub.base_url}/oauth/jwks"


def register(hub: Hub, connection: Connection) -> str:
    """
    Register the hub at a server that takes registrations; return its client id there.

    The client has to be approved there, mostly.

    Raises:
        ServiceError: it takes none, or refuses.
    """
    server = server_of(hub, msgspec.structs.replace(connection, client_id=None))
    found = discover(server, connection.fhir_base, token_url=connection.token_url)
    if found is None or found.registration_endpoint is None:
        raise RegistrationRefusedError(NOT_REGISTERING)
    scope = connection.scope or usual_scope(connection, capabilities=found.capabilities)
    said: dict[str, Any] = {
        "client_name": "Catchment",
        "grant_types": [GRANT_TYPE],
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": scope,
    }
    if hub.is_local:
        said["jwks"] = public_key_set(hub, connection)
    else:
        said["jwks_uri"] = jwks_url(hub)
    answer = hub.outbound.ask(
        "POST",
        found.registration_endpoint,
        headers={"Accept": "application/json", "Content-Type": "application/json"},
        content=json.dumps(said).encode(),
    )
    if answer.status not in {httpx.codes.OK, httpx.codes.CREATED}:
        msg = f"The registration is answered {answer.status}"
        raise RegistrationRefusedError(msg)
    try:
        client_id = parse_document(answer.body).get("client_id")
    except ValueError:
        client_id = None
    if not is_name(client_id):
        msg = "The registration's answer has no client id"
        raise RegistrationRefusedError(msg)
    return client_id
