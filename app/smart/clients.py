"""The other end: get a token from an authorization server, this hub's or an EHR's."""

from collections.abc import Mapping
from typing import Any, Literal

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey, import_key

from app.smart.documents import parse_document
from app.smart.errors import TokenRefusedError
from app.smart.vocabulary import ASSERTION_TYPE, GRANT_TYPE

Jwk = Mapping[str, Any]

LIFETIME_SECONDS = 240

_ALGORITHMS = {"EC": "ES384", "RSA": "RS384"}
_ERROR_CODES = (
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_grant_type",
)


def generate_key(kty: Literal["EC", "RSA"] = "EC") -> tuple[Jwk, dict[str, Any]]:
    """Return a new private JWK, and the JWK Set to register for it."""
    parameters: Any = {"use": "sig", "alg": _ALGORITHMS[kty]}
    key: ECKey | RSAKey
    if kty == "EC":
        key = ECKey.generate_key("P-384", parameters, auto_kid=True)
    else:
        key = RSAKey.generate_key(3072, parameters, auto_kid=True)
    return key.as_dict(private=True), {"keys": [key.as_dict(private=False)]}


def client_assertion(
    *, client_id: str, token_endpoint: str, key: Jwk, now: int, jti: str
) -> str:
    """
    Return a JWT with which *client_id* authenticates at *token_endpoint*, once.

    *key* is a private JWK with a ``kid``; *now* is in epoch seconds. The assertion
    holds for 240 seconds, which leaves a minute for clocks that differ.
    """
    alg = _ALGORITHMS[key["kty"]]
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": token_endpoint,
        "iat": now,
        "exp": now + LIFETIME_SECONDS,
        "jti": jti,
    }
    header = {"alg": alg, "typ": "JWT", "kid": key["kid"]}
    return jwt.encode(header, claims, import_key(dict(key)), algorithms=[alg])


def fetch_token(
    http: httpx.Client,
    *,
    token_endpoint: str,
    client_id: str,
    key: Jwk,
    scope: str,
    now: int,
    jti: str,
) -> tuple[str, int]:
    """
    Return an access token for *scope*, and for how many seconds it holds.

    Each call, a repeated one too, needs a *jti* of its own.

    Raises:
        TokenRefusedError: there is none. Of the answer only its status and, if
            OAuth knows it, its error code are repeated.

    """
    form = token_form(
        token_endpoint=token_endpoint,
        client_id=client_id,
        key=key,
        scope=scope,
        now=now,
        jti=jti,
    )
    try:
        response = http.post(token_endpoint, data=form, follow_redirects=False)
    except httpx.HTTPError:
        msg = "The authorization server does not answer"
        raise TokenRefusedError(msg) from None
    return granted_token(response.status_code, response.content)


def token_form(
    *,
    token_endpoint: str,
    client_id: str,
    key: Jwk,
    scope: str,
    now: int,
    jti: str,
) -> dict[str, str]:
    """Return the form that asks *token_endpoint* for a token; see ``fetch_token``."""
    assertion = client_assertion(
        client_id=client_id, token_endpoint=token_endpoint, key=key, now=now, jti=jti
    )
    return {
        "grant_type": GRANT_TYPE,
        "scope": scope,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }


def granted_token(status: int, body: bytes) -> tuple[str, int]:
    """
    Return the token in an authorization server's answer; see ``fetch_token``.

    Raises:
        TokenRefusedError: there is none.

    """
    answer = _document(body)
    if status != httpx.codes.OK:
        error = answer.get("error")
        reason = error if error in _ERROR_CODES else "no known error code"
        msg = f"The authorization server answers {status}, {reason}"
        raise TokenRefusedError(msg)
    return _access_token(answer)


def granted_scope(body: bytes) -> str | None:
    """Return the scopes that an answer says were granted, where it says so."""
    stated = _document(body).get("scope")
    return stated if isinstance(stated, str) else None


def _access_token(answer: dict[str, Any]) -> tuple[str, int]:
    token, seconds = answer.get("access_token"), answer.get("expires_in", 300)
    is_bearer = str(answer.get("token_type")).lower() == "bearer"
    if not (is_bearer and isinstance(token, str) and isinstance(seconds, int)):
        msg = "The authorization server's answer is not a bearer token"
        raise TokenRefusedError(msg)
    return token, seconds


def _document(body: bytes) -> dict[str, Any]:
    try:
        return parse_document(body)
    except ValueError:
        return {}
