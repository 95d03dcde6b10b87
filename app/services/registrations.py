"""A client's life: registered by itself, approved, given new keys, revoked."""

import json
import logging
import secrets
from collections.abc import Iterator
from typing import Any

import msgspec

from app.domain.clinics import Audience, ClientStatus
from app.domain.errors import (
    ConflictError,
    InvalidElementError,
    ThrottledError,
)
from app.services import registry
from app.services.client_authentication import registered_client
from app.services.hub import Hub
from app.smart.client_metadata import ClientMetadata, parse_client_metadata
from app.smart.client_secrets import new_secret, secret_hash
from app.smart.errors import InvalidClientMetadataError
from app.smart.key_sets import parse_key_set
from app.smart.registration import check_registration
from app.smart.scopes import intersection
from app.smart.vocabulary import GRANT_TYPE, AuthMethod
from app.store import clinics, tables
from app.store.sessions import ReadSession, WriteSession, write_session

MOST_PENDING = 100
HOUR_SECONDS = 60 * 60
PENDING_DAYS = 30
DAY_SECONDS = 24 * 60 * 60

log = logging.getLogger(__name__)


class NewCredentials(msgspec.Struct, frozen=True, kw_only=True):
    """What a client is to prove itself by from now on: exactly one of three."""

    key_set: str | None = None
    jwks_uri: str | None = None
    secret_hash: bytes | None = None

    @property
    def is_secret(self) -> bool:
        """Return whether it is a secret, not keys."""
        return self.secret_hash is not None


class ClientLine(msgspec.Struct, frozen=True, kw_only=True):
    """What an administrator sees of a client; nothing of it is secret."""

    client_id: str
    status: str
    belongs_to: str
    audience: str
    credentials: str
    scopes: str
    name: str
    contacts: str


def register(hub: Hub, body: bytes) -> dict[str, Any]:
    """
    Register a client by what it says of itself; it waits for approval.

    Whoever can reach the hub may do this, so nothing is fetched and little is kept:
    at most some hundred registrations (a few more where several come at once), each
    for thirty days.

    Raises:
        InvalidClientMetadataError: what it says is not fit.
        ThrottledError: too many wait already.

    Source: RFC 7591 3.
    """
    metadata = parse_client_metadata(body)
    now = hub.epoch()
    secret = new_secret() if metadata.auth_method.has_secret else None
    new = _pending_client(metadata, secret=secret, now=now)
    try:
        registry.check_client(new, dev_mode=hub.is_local)
    except InvalidElementError as error:
        msg = f"{error.expression}: {error.message}"
        raise InvalidClientMetadataError(msg) from None
    with write_session(hub.engine) as session:
        clinics.forget_pending(session, before=now - PENDING_DAYS * DAY_SECONDS)
        if clinics.pending_count(session) >= MOST_PENDING:
            msg = "Too many registrations wait for approval"
            raise ThrottledError(msg, retry_after_seconds=HOUR_SECONDS)
        registry.register_client(session, new, dev_mode=hub.is_local)
    log.info("client_registered", extra={"client_id": new.client_id})
    return _answer(new, secret=secret, now=now)


def approve(
    session: WriteSession,
    client_id: str,
    *,
    clinic: str | None,
    source: str,
    audience: Audience,
    scopes: tuple[str, ...],
) -> tuple[str, ...]:
    """
    Let a client in that registered itself; return the scopes that it may have.

    They are those that it asked for as far as *scopes* cover them. It belongs to the
    *source* of the *clinic*, or to a partner where that is None.

    Raises:
        ConflictError: it does not wait for approval.
        InvalidElementError: a clinic's client has a secret, or the source is unknown.
        InvalidScopeError: nothing is left of what it asked for.
        NotFoundError: there is no such client or clinic.
    """
    row = _pending(session, client_id)
    registry.check_belonging(AuthMethod(row.auth_method), clinic=clinic)
    granted = intersection(row.scopes, scopes)
    row.source_id = registry.source_id_of(session, clinic, source=source)
    row.audience = audience.value
    row.scopes = " ".join(granted)
    row.status = ClientStatus.ACTIVE.value
    session.add(row)
    return granted


def reject(session: WriteSession, client_id: str) -> None:
    """
    Forget a client that waits for approval.

    Raises:
        ConflictError: it does not wait for approval.
        NotFoundError: there is no such client.
    """
    clinics.remove_client(session, _pending(session, client_id))


def rotate(
    session: WriteSession, client_id: str, new: NewCredentials, *, dev_mode: bool
) -> None:
    """
    Replace the keys or the secret of a client; what it had before opens nothing more.

    Tokens that it has already hold for their five minutes.

    Raises:
        ConflictError: it was revoked, or proves itself by the other kind.
        InvalidElementError: the keys are not fit.
        NotFoundError: there is no such client.
    """
    row = clinics.required_client(session, client_id)
    if row.status == ClientStatus.REVOKED:
        msg = "The client was revoked"
        raise ConflictError(msg)
    if AuthMethod(row.auth_method).has_secret != new.is_secret:
        msg = f"The client authenticates by {row.auth_method}"
        raise ConflictError(msg)
    row.key_set = new.key_set
    row.jwks_uri = new.jwks_uri
    row.secret_hash = new.secret_hash
    check_registration(registered_client(row), dev_mode=dev_mode)
    session.add(row)


def revoke(session: WriteSession, client_id: str) -> None:
    """
    Let a client in no more, and none of its tokens.

    Raises:
        NotFoundError: there is no such client.
    """
    row = clinics.required_client(session, client_id)
    row.status = ClientStatus.REVOKED.value
    session.add(row)


def client_lines(session: ReadSession) -> Iterator[ClientLine]:
    """Yield what an administrator sees of each client."""
    for row, source, clinic in clinics.all_clients(session):
        is_pending = row.status == ClientStatus.PENDING
        yield ClientLine(
            client_id=row.client_id,
            status=row.status,
            belongs_to="-" if is_pending else _owner(source, clinic),
            audience="-" if is_pending else row.audience,
            credentials=_credentials(row),
            scopes=row.scopes,
            name=row.name,
            contacts=", ".join(json.loads(row.contacts)),
        )


def _pending_client(
    metadata: ClientMetadata, *, secret: str | None, now: int
) -> registry.NewClient:
    client_id = f"client-{secrets.token_hex(8)}"
    return registry.NewClient(
        client_id=client_id,
        name=metadata.client_name or client_id,
        audience=Audience.PUBLIC,  # the narrowest, until somebody decides
        scopes=metadata.scopes,
        key_set=metadata.key_set,
        jwks_uri=metadata.jwks_uri,
        secret_hash=None if secret is None else secret_hash(secret),
        auth_method=metadata.auth_method,
        status=ClientStatus.PENDING,
        contacts=metadata.contacts,
        created_at=now,
    )


def _answer(new: registry.NewClient, *, secret: str | None, now: int) -> dict[str, Any]:
    """Return all that was registered, as the standard wants it (RFC 7591 3.2.1)."""
    answer: dict[str, Any] = {
        "client_id": new.client_id,
        "client_id_issued_at": now,
        "client_name": new.name,
        "token_endpoint_auth_method": new.auth_method.value,
        "grant_types": [GRANT_TYPE],
        "scope": " ".join(new.scopes),
        "contacts": list(new.contacts),
    }
    if secret is not None:
        answer |= {"client_secret": secret, "client_secret_expires_at": 0}
    if new.key_set is not None:
        answer["jwks"] = json.loads(new.key_set)
    if new.jwks_uri is not None:
        answer["jwks_uri"] = new.jwks_uri
    return answer


def _pending(session: WriteSession, client_id: str) -> tables.Client:
    row = clinics.required_client(session, client_id)
    if row.status != ClientStatus.PENDING:
        msg = f"The client is {row.status}, it does not wait for approval"
        raise ConflictError(msg)
    return row


def _owner(source: tables.Source | None, clinic: tables.Clinic | None) -> str:
    if source is None or clinic is None:
        return "partner"
    return f"{clinic.code}/{source.name}"


def _credentials(row: tables.Client) -> str:
    if row.jwks_uri is not None:
        return f"{row.auth_method} {row.jwks_uri}"
    if row.key_set is not None:
        return f"{row.auth_method} {','.join(parse_key_set(row.key_set))}"
    return row.auth_method
