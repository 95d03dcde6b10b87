"""Access tokens: JWTs of five minutes, signed with the hub's own key (RFC 9068)."""

import hashlib
import threading
from collections import OrderedDict
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from app.domain.errors import NotAuthenticatedError, TokenExpiredError

LIFETIME_SECONDS = 300

_ALGORITHM = "ES384"
_TYPE = "at+jwt"
_TOKENS = b"catchment access token signing 1"
_ASSERTIONS = b"catchment client assertion signing 1"
# 64 bits more than the group's order, so that reduction leaves no bias
# (FIPS 186-5, A.2.1).
_SEED_BYTES = 48 + 8
_P384_ORDER = int(
    "ffffffffffffffffffffffffffffffffffffffffffffffff"
    "c7634d81f4372ddf581a0db248b0a77aecec196accc52973",
    16,
)


class TokenClaims(msgspec.Struct, frozen=True, kw_only=True):
    """What an access token says; times in epoch seconds."""

    client_id: str
    scopes: tuple[str, ...]
    jti: str
    issued_at: int
    expires_at: int


def signing_key_from(master: bytes) -> ECKey:
    """
    Return the hub's P-384 signing key: the same for the same *master* key, always.

    Its ``kid`` is its thumbprint (RFC 7638).
    """
    return _derived_key(master, _TOKENS)


def client_key_from(master: bytes) -> ECKey:
    """Return the key by which the hub is a client of others: likewise, and another."""
    return _derived_key(master, _ASSERTIONS)


def _derived_key(master: bytes, purpose: bytes) -> ECKey:
    seed = HKDF(algorithm=SHA384(), length=_SEED_BYTES, salt=None, info=purpose).derive(
        master
    )
    scalar = int.from_bytes(seed) % (_P384_ORDER - 1) + 1
    key = ECKey.import_key(
        ec.derive_private_key(scalar, ec.SECP384R1()),
        {"use": "sig", "alg": _ALGORITHM},
    )
    key.ensure_kid()
    return key


def public_jwks(*keys: ECKey) -> dict[str, Any]:
    """Return the JWK Set with which others verify what this hub signed."""
    return {"keys": [key.as_dict(private=False) for key in keys]}


def issue_token(
    client_id: str,
    scopes: tuple[str, ...],
    *,
    key: ECKey,
    issuer: str,
    audience: str,
    now: int,
    jti: str,
) -> str:
    """
    Return an access token of *client_id* for the FHIR base *audience*.

    It holds from *now*, in epoch seconds, for 300 seconds.
    """
    claims = {
        "iss": issuer,
        "sub": client_id,
        "aud": audience,
        "client_id": client_id,
        "scope": " ".join(scopes),
        "iat": now,
        "exp": now + LIFETIME_SECONDS,
        "jti": jti,
    }
    header = {"alg": _ALGORITHM, "typ": _TYPE, "kid": key.kid}
    return jwt.encode(header, claims, key, algorithms=[_ALGORITHM])


def read_token(
    token: str, *, key: ECKey, issuer: str, audience: str, now: int
) -> TokenClaims:
    """
    Return what *token* says, if this hub signed it for *audience* and it still holds.

    Raises:
        NotAuthenticatedError: it is not such a token.
        TokenExpiredError: it was one.

    """
    claims = _verified_claims(token, key=key)
    if claims["iss"] != issuer or claims["aud"] != audience:
        raise _refusal()
    if claims["exp"] <= now:
        raise _expiry()
    return TokenClaims(
        client_id=claims["client_id"],
        scopes=tuple(claims["scope"].split(" ")),
        jti=claims["jti"],
        issued_at=claims["iat"],
        expires_at=claims["exp"],
    )


class TokenReader:
    """
    Reads access tokens, checking the signature of each only once.

    A check costs 300 times a look-up. What was verified is remembered under the token's
    digest, for at most *capacity* tokens; whether it has expired is looked at each
    time. Revocation is not known here.
    """

    def __init__(
        self, *, key: ECKey, issuer: str, audience: str, capacity: int = 4096
    ) -> None:
        self._key = key
        self._issuer = issuer
        self._audience = audience
        self._capacity = capacity
        self._lock = threading.Lock()
        self._verified: OrderedDict[bytes, TokenClaims] = OrderedDict()

    def read(self, token: str, *, now: int) -> TokenClaims:
        """Return what *token* says; see ``read_token``."""
        digest = hashlib.sha256(token.encode(errors="surrogatepass")).digest()
        claims = self._verified.get(digest)
        if claims is None:
            claims = read_token(
                token,
                key=self._key,
                issuer=self._issuer,
                audience=self._audience,
                now=now,
            )
            self._remember(digest, claims)
        if claims.expires_at <= now:
            raise _expiry()
        return claims

    def _remember(self, digest: bytes, claims: TokenClaims) -> None:
        with self._lock:
            self._verified[digest] = claims
            if len(self._verified) > self._capacity:
                self._verified.popitem(last=False)


def _verified_claims(token: str, *, key: ECKey) -> dict[str, Any]:
    """Return the claims of a token that *key* signed; so they are as we wrote them."""
    try:
        verified = jwt.decode(token, key, algorithms=[_ALGORITHM])
    except (JoseError, ValueError, TypeError, RecursionError):
        raise _refusal() from None
    if verified.header.get("typ") != _TYPE:
        raise _refusal()
    return verified.claims


def _refusal() -> NotAuthenticatedError:
    return NotAuthenticatedError("The access token is not one of this hub")


def _expiry() -> TokenExpiredError:
    return TokenExpiredError("The access token has expired")
