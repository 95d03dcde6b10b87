"""Who may do what: tokens out for assertions, principals out of tokens."""

import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import msgspec

from app.domain.clinics import ClientStatus, Principal, Source
from app.domain.errors import ForbiddenError, NotAuthenticatedError
from app.services.client_authentication import authenticated_client
from app.services.hub import Hub
from app.smart.credentials import parse_form
from app.smart.errors import InvalidScopeError
from app.smart.registration import RegisteredClient
from app.smart.scopes import COORDINATION, Interaction, allows, intersection
from app.smart.token_requests import parse_token_request
from app.smart.tokens import LIFETIME_SECONDS, issue_token
from app.store import clinics, revocations
from app.store.sessions import ReadSession, read_session
from app.store.tables import Client

REMEMBERED_SECONDS = 2
"""How long a token is believed: a revocation is felt within so many seconds."""
MOST_REMEMBERED = 4096
OUT_OF_SCOPE = "The token's scope does not cover this"


def grant_token(
    hub: Hub, form: Iterable[tuple[str, str]], *, authorization: str | None
) -> dict[str, Any]:
    """
    Return the token endpoint's answer to a form and an Authorization header.

    Raises:
        OAuthError: the subclass says what is wrong.
    """
    request = parse_token_request(parse_form(form), authorization=authorization)
    client = authenticated_client(
        hub, request.credentials, audiences=(hub.token_endpoint,)
    )
    granted = _granted(client, request.scope)
    token = issue_token(
        client.client_id,
        granted,
        key=hub.signing_key,
        issuer=hub.base_url,
        audience=hub.fhir_base,
        now=hub.epoch(),
        jti=secrets.token_urlsafe(16),
    )
    return {
        "access_token": token,
        "token_type": "bearer",
        "expires_in": LIFETIME_SECONDS,
        "scope": " ".join(granted),
    }


def _granted(client: RegisteredClient, requested: str | None) -> tuple[str, ...]:
    """
    Return the scopes of a token.

    SMART requires a client to ask. What does not is refused, unless an operator knew of
    it and registered the client so (RFC 6749 3.3 has both).
    """
    if requested is not None:
        return intersection(requested, client.scopes)
    if not client.scope_optional:
        msg = "scope is missing"
        raise InvalidScopeError(msg)
    return client.scopes


class Principals:
    """Whom tokens speak for, each remembered for a moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[int, Principal]] = {}

    def remembered(self, authorization: str | None, *, now: int) -> Principal | None:
        """Return whom an Authorization header spoke for a moment ago, if it did."""
        until, principal = self._known.get(authorization or "", (0, None))
        return principal if now < until else None

    def remember(self, authorization: str, principal: Principal, *, until: int) -> None:
        """Believe *authorization* until then (epoch ms) without another look."""
        with self._lock:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[authorization] = (until, principal)


def authenticate(hub: Hub, authorization: str | None) -> Principal:
    """
    Return whom the value of an Authorization header speaks for.

    Raises:
        NotAuthenticatedError: no valid token came, or it or its client was revoked.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if authorization is None or scheme.lower() != "bearer" or not token:
        msg = "A bearer token is needed"
        raise NotAuthenticatedError(msg)
    now = hub.clock()
    claims = hub.tokens.read(token.strip(), now=now // 1000)
    with read_session(hub.engine) as session:
        row = active_client(session, claims.client_id)
        if revocations.is_revoked(session, jti=claims.jti):
            msg = "The access token was revoked"
            raise NotAuthenticatedError(msg)
        principal = _with_own_base(
            clinics.principal_of(session, row, scopes=claims.scopes), hub
        )
    until = min(now + 1000 * REMEMBERED_SECONDS, 1000 * claims.expires_at)
    hub.principals.remember(authorization, principal, until=until)
    return principal


def active_client(session: ReadSession, client_id: str) -> Client:
    """
    Return a client that may still speak.

    Raises:
        NotAuthenticatedError: it was revoked, or its clinic has left.
    """
    row = clinics.find_client(session, client_id)
    if row is None or row.status != ClientStatus.ACTIVE:
        msg = "The client of this token was revoked"
        raise NotAuthenticatedError(msg)
    if clinics.has_left(session, row.source_id):
        msg = "The clinic of this client has left the network"
        raise NotAuthenticatedError(msg)
    return row


def _with_own_base(principal: Principal, hub: Hub) -> Principal:
    """Return a clinic's principal that may refer to a record by the hub's own URL."""
    source = principal.source
    if source is None:
        return principal
    bases = (*source.base_urls, hub.fhir_base)
    known = msgspec.structs.replace(source, base_urls=bases)
    return msgspec.structs.replace(principal, source=known)


Allowed = Callable[[str, Interaction, Mapping[str, Any] | None], None]
"""Refuses a type, an interaction and a resource that the caller's scopes lack."""


def allowed_by(principal: Principal) -> Allowed:
    """Return the check of what is sent."""
    return partial(check_scope, principal)


def allowed_stored(principal: Principal) -> Allowed | None:
    """Return the check of what is stored; None where no scope is narrowed to some."""
    narrowed = any("?" in scope for scope in principal.scopes)
    return partial(check_scope, principal) if narrowed else None


def check_reach(
    principal: Principal, type_name: str, *interactions: Interaction
) -> None:
    """Refuse where no scope of the caller covers any of these, whatever is stored."""
    wide = [scope.partition("?")[0] for scope in principal.scopes]
    if not any(
        allows(wide, resource_type=type_name, interaction=interaction)
        for interaction in interactions
    ):
        raise ForbiddenError(OUT_OF_SCOPE)


def check_operation(principal: Principal, scope: str) -> None:
    """Refuse whom *scope*, which one operation has to itself, was not granted."""
    if scope not in principal.scopes:
        raise ForbiddenError(OUT_OF_SCOPE)


def required_source(principal: Principal) -> Source:
    """Return the source that a clinic's client may write to; refuse a partner's."""
    if principal.source is None:
        msg = "Only a clinic's client may do this"
        raise ForbiddenError(msg)
    return principal.source


def is_coordinator(principal: Principal) -> bool:
    """Return whether a caller decides for the network."""
    return principal.source is None and COORDINATION in principal.scopes


def check_scope(
    principal: Principal,
    type_name: str,
    interaction: Interaction,
    resource: Mapping[str, Any] | None = None,
) -> None:
    """Refuse what the scopes of the caller's token do not cover."""
    if not allows(
        principal.scopes,
        resource_type=type_name,
        interaction=interaction,
        resource=resource,
    ):
        raise ForbiddenError(OUT_OF_SCOPE)
