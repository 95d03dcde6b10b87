"""Verify who asks for a token: a client's signed assertion (RFC 7523, SMART)."""

from collections.abc import Callable, Collection
from typing import Any

import msgspec
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jws import JWSRegistry, deserialize_compact
from joserfc.util import urlsafe_b64decode

from app.domain.errors import InvalidElementError
from app.smart.documents import is_name, parse_document
from app.smart.errors import InvalidClientError
from app.smart.key_sets import KeySetCache, PublicKey, matching_key, parse_key_set
from app.smart.registration import RegisteredClient
from app.smart.vocabulary import AuthMethod

ALGORITHMS = ("RS384", "ES384")
MAX_LENGTH = 8192
MAX_LIFETIME_SECONDS = 300
SKEW_SECONDS = 60

FirstUse = Callable[[str, str, int], bool]


class _Registry(JWSRegistry):
    """Room for a long ``jku``; the length of the whole is checked before."""

    max_header_length = MAX_LENGTH


# Header parameters that nobody here reads are ignored, as RFC 7515 4 wants it.
_REGISTRY = _Registry(algorithms=ALGORITHMS, strict_check_header=False)


class _Unverified(msgspec.Struct, frozen=True):
    """The header and claims of an assertion, before anything vouches for them."""

    header: dict[str, Any]
    claims: dict[str, Any]


def verify_client_assertion(
    assertion: str,
    *,
    audiences: Collection[str],
    now: int,
    client_of: Callable[[str], RegisteredClient | None],
    key_sets: KeySetCache,
    first_use: FirstUse,
) -> RegisteredClient:
    """
    Return the registered client that signed *assertion* for one of *audiences*.

    The ``jti`` is spent by *first_use* (client id, jti, expiry; true once) only when
    all else holds. What needs no key is looked at first, so rubbish fetches no key
    set. Expiry allows no clock skew, ``iat`` and ``nbf`` allow 60 seconds.

    Args:
        assertion: a compact JWS of at most 8192 characters.
        audiences: the URLs that it may be made for, exactly: the token endpoint's.
        now: epoch seconds, as all times here.
        client_of: the registered client of a client id.
        key_sets: the key sets behind registered URLs.
        first_use: spends a ``jti``, atomically.

    Raises:
        InvalidClientError: any one of the rules does not hold.

    Source: SMART App Launch 2.2.0, Client Authentication: Asymmetric; RFC 7523 3.

    """
    unverified = _parse(assertion)
    kid, alg = _checked_header(unverified.header)
    client_id, jti, expires_at = _checked_claims(
        unverified.claims, audiences=audiences, now=now
    )
    client = client_of(client_id)
    if client is None or not client.is_active or client.client_id != client_id:
        msg = "iss is no registered client, or it is not approved, or was revoked"
        raise InvalidClientError(msg)
    if client.auth_method is not AuthMethod.PRIVATE_KEY_JWT:
        msg = "The client did not register keys"
        raise InvalidClientError(msg)
    if "jku" in unverified.header and unverified.header["jku"] != client.jwks_uri:
        msg = "jku is not the registered key set URL"
        raise InvalidClientError(msg)
    key = _registered_key(client, kid=kid, alg=alg, key_sets=key_sets)
    _check_signature(assertion, key)
    if not first_use(client_id, jti, expires_at):
        msg = "jti was used before"
        raise InvalidClientError(msg)
    return client


def _parse(assertion: str) -> _Unverified:
    if len(assertion) > MAX_LENGTH:
        msg = "The assertion is longer than 8192 characters"
        raise InvalidClientError(msg)
    try:
        header, claims, _signature = assertion.encode("ascii").split(b".")
        return _Unverified(
            parse_document(urlsafe_b64decode(header)),
            parse_document(urlsafe_b64decode(claims)),
        )
    except ValueError:
        msg = "The assertion is not a JWT with distinct members"
        raise InvalidClientError(msg) from None


def _checked_header(header: dict[str, Any]) -> tuple[str, str]:
    """Return ``kid`` and ``alg``."""
    alg, kid = header.get("alg"), header.get("kid")
    if alg not in ALGORITHMS:
        msg = "alg must be RS384 or ES384"
        raise InvalidClientError(msg)
    if header.get("typ") != "JWT":
        msg = "typ must be JWT"
        raise InvalidClientError(msg)
    if not is_name(kid):
        msg = "kid is missing or not a short string"
        raise InvalidClientError(msg)
    if "crit" in header or "b64" in header:
        msg = "No critical header parameters are supported"
        raise InvalidClientError(msg)
    return kid, alg


def _checked_claims(
    claims: dict[str, Any], *, audiences: Collection[str], now: int
) -> tuple[str, str, int]:
    """Return the client id, ``jti`` and ``exp``."""
    issuer, jti = claims.get("iss"), claims.get("jti")
    if not is_name(issuer) or claims.get("sub") != issuer:
        msg = "iss and sub must both be the client id"
        raise InvalidClientError(msg)
    aud = claims.get("aud")
    stated = aud if isinstance(aud, list) else [aud]
    if not any(url in stated for url in audiences):
        msg = "aud must be the URL of the token endpoint"
        raise InvalidClientError(msg)
    if not is_name(jti):
        msg = "jti is missing or not a short string"
        raise InvalidClientError(msg)
    for claim in ("iat", "nbf"):
        if claim in claims and _time(claims, claim) > now + SKEW_SECONDS:
            msg = f"{claim} is in the future"
            raise InvalidClientError(msg)
    expires_at = _time(claims, "exp")
    if expires_at <= now:
        msg = "exp is past"
        raise InvalidClientError(msg)
    if expires_at > now + MAX_LIFETIME_SECONDS:
        msg = "exp is more than 5 minutes ahead"
        raise InvalidClientError(msg)
    return issuer, jti, expires_at


def _time(claims: dict[str, Any], claim: str) -> int:
    seconds = claims.get(claim)
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        msg = f"{claim} must be a whole number of seconds"
        raise InvalidClientError(msg)
    return seconds


def _registered_key(
    client: RegisteredClient, *, kid: str, alg: str, key_sets: KeySetCache
) -> PublicKey:
    if client.jwks_uri is not None:
        keys = key_sets.keys(client.jwks_uri, kid=kid)
    else:
        try:
            keys = parse_key_set(client.key_set or "")
        except InvalidElementError:
            msg = "The registered key set is not valid"
            raise InvalidClientError(msg) from None
    return matching_key(keys, kid=kid, alg=alg)


def _check_signature(assertion: str, key: PublicKey) -> None:
    try:
        deserialize_compact(assertion, key, registry=_REGISTRY)
    except BadSignatureError:
        msg = "The signature does not verify"
        raise InvalidClientError(msg) from None
    except (JoseError, ValueError):
        msg = "A header parameter or the signature is malformed"
        raise InvalidClientError(msg) from None
