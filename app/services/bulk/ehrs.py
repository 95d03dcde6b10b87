"""The servers of connections: how the hub proves itself there."""

from functools import partial

from app.domain.errors import ConflictError
from app.services.bulk.connections import private_key, reach_of, usual_scope
from app.services.hub import Hub
from app.smart.bulk_servers import BulkServer
from app.smart.bulk_tokens import Credentials, Grant, TokenHolder, ask_token
from app.smart.ehr_discovery import discover
from app.store.connections import Connection

UNTOLD = (
    "The server does not say where it gives tokens: state its token URL, or no client"
)


def known_server(hub: Hub, connection: Connection) -> BulkServer:
    """Return the server of a connection, as this process knows it."""
    return hub.servers.server(connection, partial(server_of, hub))


def server_of(hub: Hub, connection: Connection) -> BulkServer:
    """Return the server of a connection; where it gives tokens is asked once there."""
    without = BulkServer(hub.outbound, reach_of(connection), epoch=hub.epoch)
    if connection.client_id is None:
        return without

    def ask() -> Grant:
        credentials = credentials_of(hub, connection, without)
        return ask_token(hub.outbound, credentials, now=hub.epoch())

    return BulkServer(
        hub.outbound,
        reach_of(connection),
        epoch=hub.epoch,
        tokens=TokenHolder(ask, clock=hub.epoch),
    )


def credentials_of(hub: Hub, connection: Connection, server: BulkServer) -> Credentials:
    """
    Return who the hub is at a server.

    Raises:
        ConflictError: nothing says where the server gives tokens.
    """
    found = discover(server, connection.fhir_base, token_url=connection.token_url)
    if found is None or connection.client_id is None:
        raise ConflictError(UNTOLD)
    return Credentials(
        token_endpoint=found.token_endpoint,
        client_id=connection.client_id,
        key=private_key(hub, connection),
        scope=connection.scope
        or usual_scope(connection, capabilities=found.capabilities),
    )
