"""Which registered client an assertion or a secret is of."""

from collections.abc import Collection

from app.domain.clinics import ClientStatus
from app.services.hub import Hub
from app.smart.assertions import verify_client_assertion
from app.smart.client_secrets import verify_client_secret
from app.smart.credentials import Credentials, Secret
from app.smart.errors import InvalidClientError
from app.smart.registration import RegisteredClient
from app.smart.vocabulary import AuthMethod
from app.store import assertions, clinics, tables
from app.store.sessions import read_session, write_session


def authenticated_client(
    hub: Hub, credentials: Credentials, *, audiences: Collection[str]
) -> RegisteredClient:
    """
    Return the client that *credentials* prove, an assertion for one of *audiences*.

    A key set may have to be fetched, so no transaction is open meanwhile. An assertion
    that was good is spent at once, whatever becomes of the rest of the request.

    Raises:
        InvalidClientError: they prove none.
    """
    if isinstance(credentials, Secret):
        return verify_client_secret(
            credentials, client_of=lambda client_id: _registered(hub, client_id)
        )
    now = hub.epoch()
    client = verify_client_assertion(
        credentials.text,
        audiences=audiences,
        now=now,
        client_of=lambda client_id: _registered(hub, client_id),
        key_sets=hub.key_sets,
        first_use=lambda client_id, jti, expires_at: _spend(
            hub, client_id=client_id, jti=jti, expires_at=expires_at, now=now
        ),
    )
    if credentials.client_id not in {None, client.client_id}:
        msg = "client_id is not the client of the assertion"
        raise InvalidClientError(msg)
    return client


def registered_client(row: tables.Client) -> RegisteredClient:
    """Return a client as the authorization room knows it."""
    return RegisteredClient(
        client_id=row.client_id,
        status=ClientStatus(row.status),
        scopes=tuple(row.scopes.split()),
        scope_optional=row.scope_optional,
        auth_method=AuthMethod(row.auth_method),
        key_set=row.key_set,
        jwks_uri=row.jwks_uri,
        secret_hash=row.secret_hash,
    )


def _registered(hub: Hub, client_id: str) -> RegisteredClient | None:
    with read_session(hub.engine) as session:
        row = clinics.find_client(session, client_id)
        if row is None or clinics.has_left(session, row.source_id):
            return None
        return registered_client(row)


def _spend(hub: Hub, *, client_id: str, jti: str, expires_at: int, now: int) -> bool:
    with write_session(hub.engine) as session:
        return assertions.first_use(
            session, client_id=client_id, jti=jti, expires_at=expires_at, now=now
        )
