"""
What can be wrong with an assertion, one thing at a time, and how that is said.

Each is the only fault of an assertion that is otherwise good. The rows stand for SMART
App Launch 2.2.0, Client Authentication: Asymmetric.
"""

import json
from typing import Any, NamedTuple

from cryptography.hazmat.primitives import serialization

from tests.reference.jwts import ABSENT, jwk_of
from tests.reference.parties import EC_KEY, NOW, STRANGER, TOKEN_URL, assertion

PUBLIC_PEM = EC_KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
PUBLIC_JWK = json.dumps(jwk_of(EC_KEY, kid="k1")).encode()


class Fault(NamedTuple):
    """A change of an assertion by which it is refused, and part of the reason given."""

    row: str
    mutation: str
    reason: str
    header: dict[str, Any]
    claims: dict[str, Any]
    key: Any

    def assertion(self) -> str:
        """Return the assertion with this fault alone."""
        return assertion(self.header, self.claims, self.key)


def _header(row: str, mutation: str, reason: str, key: Any = EC_KEY, **changes: Any):
    return Fault(row, mutation, reason, changes, {}, key)


def _claims(row: str, mutation: str, reason: str, **changes: Any):
    return Fault(row, mutation, reason, {}, changes, EC_KEY)


NOBODY = {"iss": "clinic-c", "sub": "clinic-c"}
STRANGERS_JKU = "https://stranger.example/jwks.json"
HUB = "https://hub.example"
BOTH = "iss and sub"

FAULTS = (
    _header("A5", "alg is missing", "alg must be", alg=ABSENT),
    _header("A5", "alg is none", "alg must be", alg="none"),
    _header("A5", "alg is none, and no signature", "alg must be", None, alg="none"),
    _header("A5", "alg is ES256", "alg must be", alg="ES256"),
    _header("A5", "alg is RS256", "alg must be", alg="RS256"),
    _header("A5", "alg is PS384", "alg must be", alg="PS384"),
    _header("A5", "alg is a list", "alg must be", alg=["ES384"]),
    _header("A5", "HS256 with the public PEM", "alg must be", PUBLIC_PEM, alg="HS256"),
    _header("A5", "HS384 with the public PEM", "alg must be", PUBLIC_PEM, alg="HS384"),
    _header("A5", "HS256 with the public JWK", "alg must be", PUBLIC_JWK, alg="HS256"),
    _header("A5", "HS384 with the public JWK", "alg must be", PUBLIC_JWK, alg="HS384"),
    _header("A5", "typ is missing", "typ", typ=ABSENT),
    _header("A5", "typ is at+jwt", "typ", typ="at+jwt"),
    _header("A5", "kid is missing", "kid", kid=ABSENT),
    _header("A5", "kid is empty", "kid", kid=""),
    _header("A5", "kid is a number", "kid", kid=1),
    _header("A5", "signed by a stranger", "signature does not verify", STRANGER),
    _header("A5", "no signature", "signature", None),
    _header("A5", "a critical header parameter", "critical", crit=["exp"], exp=1),
    _header("A5", "an unencoded payload", "critical", b64=False, crit=["b64"]),
    _claims("A6", "iss is missing", BOTH, iss=ABSENT),
    _claims("A6", "sub is missing", BOTH, sub=ABSENT),
    _claims("A6", "iss and sub are missing", BOTH, iss=ABSENT, sub=ABSENT),
    _claims("A6", "iss is another client", BOTH, iss="clinic-b"),
    _claims("A6", "sub is another client", BOTH, sub="clinic-b"),
    _claims("A6", "nobody's client id", "no registered client", **NOBODY),
    _claims("A6", "a NUL in iss and sub", BOTH, iss="clinic-a\0", sub="clinic-a\0"),
    _claims("A6", "iss and sub are lists", BOTH, iss=["clinic-a"], sub=["clinic-a"]),
    _claims("A7", "aud is missing", "aud", aud=ABSENT),
    _claims("A7", "aud has a trailing slash", "aud", aud=TOKEN_URL + "/"),
    _claims("A7", "aud has another case", "aud", aud="https://HUB.example/oauth/token"),
    _claims("A7", "aud is the base URL", "aud", aud=HUB),
    _claims("A7", "aud is the FHIR base", "aud", aud=f"{HUB}/fhir"),
    _claims("A7", "aud is another endpoint", "aud", aud=f"{HUB}/oauth/introspect"),
    _claims("A7", "aud is another hub's", "aud", aud="https://x.example/oauth/token"),
    _claims("A7", "aud is http", "aud", aud="http://hub.example/oauth/token"),
    _claims("A7", "aud is an empty list", "aud", aud=[]),
    _claims("A7", "aud is a list of others", "aud", aud=[f"{HUB}/fhir"]),
    _claims("A7", "aud is an object", "aud", aud={TOKEN_URL: 1}),
    _claims("A8", "exp is missing", "exp must be", exp=ABSENT),
    _claims("A8", "exp is a string", "exp must be", exp=str(NOW + 240)),
    _claims("A8", "exp is a fraction", "exp must be", exp=NOW + 240.5),
    _claims("A8", "exp is true", "exp must be", exp=True),
    _claims("A8", "exp is now", "exp is past", exp=NOW),
    _claims("A8", "exp is past", "exp is past", exp=NOW - 1),
    _claims("A8", "exp is 301 s ahead", "more than 5 minutes", exp=NOW + 301),
    _claims("A8", "exp is far ahead", "more than 5 minutes", exp=10**30),
    _claims("A8", "iat is in the future", "iat is in the future", iat=NOW + 61),
    _claims("A8", "iat is no number", "iat must be", iat="now"),
    _claims("A8", "nbf is in the future", "nbf is in the future", nbf=NOW + 61),
    _claims("A9", "jti is missing", "jti is missing", jti=ABSENT),
    _claims("A9", "jti is empty", "jti is missing", jti=""),
    _claims("A9", "jti is a number", "jti is missing", jti=7),
    _claims("A9", "jti is longer than 255", "jti is missing", jti="j" * 256),
    _claims("A9", "a NUL in jti", "jti is missing", jti="once\0"),
    _claims("A9", "a lone surrogate in jti", "jti is missing", jti="\ud800"),
    _header("A10", "jku is a stranger's", "jku", jku=STRANGERS_JKU),
    _header("A10", "jku is null", "malformed", jku=None),
    _header("A12", "kid is unknown", "No registered key", kid="k2"),
    _header("A12", "the key's kty does not fit alg", "No registered key", alg="RS384"),
)
"""Of the client ``clinic-a``, whose one key is ``k1``; ``clinic-b`` exists too."""
