"""Access tokens once they are out: asked about, and taken back."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.domain.errors import NotAuthenticatedError
from app.services.authorization import authenticate
from app.services.client_authentication import authenticated_client
from app.services.hub import Hub
from app.smart.credentials import parse_credentials, parse_form
from app.smart.errors import InvalidGrantError, InvalidRequestError
from app.smart.tokens import TokenClaims
from app.store import revocations
from app.store.sessions import read_session, write_session

INACTIVE = {"active": False}

Form = Iterable[tuple[str, str]]


def introspect(hub: Hub, form: Form, *, authorization: str | None) -> dict[str, Any]:
    """
    Return whether the token of a form holds, and what it says.

    Only its own client is told; to others each token is like one that never was.

    Raises:
        OAuthError, NotAuthenticatedError: the caller did not prove who it is, or sent
            no token.

    Source: RFC 7662; SMART App Launch 2.2.0, Token Introspection.
    """
    parameters = parse_form(form)
    caller = _caller(
        hub, parameters, authorization=authorization, url=hub.introspection_endpoint
    )
    claims = _claims(hub, _token(parameters))
    if claims is None or claims.client_id != caller or _is_revoked(hub, claims):
        return INACTIVE
    return {
        "active": True,
        "scope": " ".join(claims.scopes),
        "client_id": claims.client_id,
        "exp": claims.expires_at,
        "iat": claims.issued_at,
        "token_type": "bearer",
        "iss": hub.base_url,
        "aud": hub.fhir_base,
        "sub": claims.client_id,
    }


def revoke(hub: Hub, form: Form, *, authorization: str | None) -> None:
    """
    Take back the token of a form; one that does not hold needs nothing.

    Every process looks it up again within ``authorization.REMEMBERED_SECONDS``.

    Raises:
        OAuthError, NotAuthenticatedError: the caller did not prove who it is, sent no
            token, or another client's.

    Source: RFC 7009.
    """
    parameters = parse_form(form)
    caller = _caller(
        hub, parameters, authorization=authorization, url=hub.revocation_endpoint
    )
    claims = _claims(hub, _token(parameters))
    if claims is None:
        return
    if claims.client_id != caller:
        msg = "The token was issued to another client"
        raise InvalidGrantError(msg)
    with write_session(hub.engine) as session:
        revocations.revoke_token(
            session,
            jti=claims.jti,
            expires_at=claims.expires_at,
            now=hub.epoch(),
        )


def _caller(
    hub: Hub, parameters: Mapping[str, str], *, authorization: str | None, url: str
) -> str:
    """Return the id of the client that calls, by a token of its own or as at *url*."""
    scheme, _, _ = (authorization or "").partition(" ")
    if scheme.lower() != "bearer":
        credentials = parse_credentials(parameters, authorization=authorization)
        audiences = (hub.token_endpoint, url)
        return authenticated_client(hub, credentials, audiences=audiences).client_id
    if {"client_assertion", "client_secret"} & parameters.keys():
        msg = "A client authenticates in one way only"
        raise InvalidRequestError(msg)
    return authenticate(hub, authorization).client_id


def _token(parameters: Mapping[str, str]) -> str:
    if "token" not in parameters:
        msg = "token is missing"
        raise InvalidRequestError(msg)
    return parameters["token"]


def _claims(hub: Hub, token: str) -> TokenClaims | None:
    """Return what a token says, if this hub signed it and it has not expired."""
    try:
        return hub.tokens.read(token, now=hub.epoch())
    except NotAuthenticatedError:
        return None


def _is_revoked(hub: Hub, claims: TokenClaims) -> bool:
    with read_session(hub.engine) as session:
        return revocations.is_revoked(session, jti=claims.jti)
