"""Who may do what: tokens out for assertions, principals out of tokens."""

import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import msgspec

from app.domain.clinics import Principal, Source
from app.domain.errors import ForbiddenError, NotAuthenticatedError
from app.services.hub import Hub
from app.smart.assertions import verify_client_assertion
from app.smart.registration import RegisteredClient
from app.smart.scopes import Interaction, allows, intersection
from app.smart.token_requests import parse_token_request
from app.smart.tokens import LIFETIME_SECONDS, issue_token
from app.store import assertions, clinics, tables
from app.store.sessions import read_session, write_session

REMEMBERED_SECONDS = 2
"""How long a token is believed: a revocation is felt within so many seconds."""
MOST_REMEMBERED = 4096


def grant_token(hub: Hub, form: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """
    Return the token endpoint's answer to the parameters of a request.

    A key set may have to be fetched, so no transaction is open meanwhile. An assertion
    that was good is spent at once, whatever becomes of the rest of the request.

    Raises:
        OAuthError: the subclass says what is wrong.
    """
    request = parse_token_request(form)
    now = hub.clock() // 1000
    client = verify_client_assertion(
        request.client_assertion,
        audience=hub.token_endpoint,
        now=now,
        client_of=lambda client_id: _registered(hub, client_id),
        key_sets=hub.key_sets,
        first_use=lambda client_id, jti, expires_at: _spend(
            hub, client_id=client_id, jti=jti, expires_at=expires_at, now=now
        ),
    )
    granted = intersection(request.scope, client.scopes)
    token = issue_token(
        client.client_id,
        granted,
        key=hub.signing_key,
        issuer=hub.base_url,
        audience=hub.fhir_base,
        now=now,
        jti=secrets.token_urlsafe(16),
    )
    return {
        "access_token": token,
        "token_type": "bearer",
        "expires_in": LIFETIME_SECONDS,
        "scope": " ".join(granted),
    }


def _registered(hub: Hub, client_id: str) -> RegisteredClient | None:
    with read_session(hub.engine) as session:
        row = clinics.find_client(session, client_id)
        return None if row is None else registered_client(row)


def _spend(hub: Hub, *, client_id: str, jti: str, expires_at: int, now: int) -> bool:
    with write_session(hub.engine) as session:
        return assertions.first_use(
            session, client_id=client_id, jti=jti, expires_at=expires_at, now=now
        )


def registered_client(row: tables.Client) -> RegisteredClient:
    """Return a client as the authorization room knows it."""
    return RegisteredClient(
        client_id=row.client_id,
        scopes=tuple(row.scopes.split()),
        key_set=row.key_set,
        jwks_uri=row.jwks_uri,
        revoked=row.revoked,
    )


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
        NotAuthenticatedError: no valid token came, or its client was revoked.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if authorization is None or scheme.lower() != "bearer" or not token:
        msg = "A bearer token is needed"
        raise NotAuthenticatedError(msg)
    now = hub.clock()
    claims = hub.tokens.read(token.strip(), now=now // 1000)
    with read_session(hub.engine) as session:
        row = clinics.find_client(session, claims.client_id)
        if row is None or row.revoked:
            msg = "The client of this token was revoked"
            raise NotAuthenticatedError(msg)
        principal = _with_own_base(
            clinics.principal_of(session, row, scopes=claims.scopes), hub
        )
    until = min(now + 1000 * REMEMBERED_SECONDS, 1000 * claims.expires_at)
    hub.principals.remember(authorization, principal, until=until)
    return principal


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


def check_reach(principal: Principal, type_name: str, interaction: Interaction) -> None:
    """Refuse what no scope of the caller covers, whatever is stored."""
    wide = tuple(scope.partition("?")[0] for scope in principal.scopes)
    _check(wide, type_name, interaction, None)


def required_source(principal: Principal) -> Source:
    """Return the source that a clinic's client may write to; refuse a partner's."""
    if principal.source is None:
        msg = "Only a clinic's client may do this"
        raise ForbiddenError(msg)
    return principal.source


def check_scope(
    principal: Principal,
    type_name: str,
    interaction: Interaction,
    resource: Mapping[str, Any] | None = None,
) -> None:
    """Refuse what the scopes of the caller's token do not cover."""
    _check(principal.scopes, type_name, interaction, resource)


def _check(
    scopes: tuple[str, ...],
    type_name: str,
    interaction: Interaction,
    resource: Mapping[str, Any] | None,
) -> None:
    if not allows(
        scopes,
        resource_type=type_name,
        interaction=interaction,
        resource=resource,
    ):
        msg = "The token's scope does not cover this"
        raise ForbiddenError(msg)
