"""Access tokens: what they say, who can check them, and when they stop."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from app.domain.errors import NotAuthenticatedError, TokenExpiredError
from app.smart.tokens import (
    TokenClaims,
    TokenReader,
    issue_token,
    public_jwks,
    read_token,
    signing_key_from,
)
from tests.reference.jwts import b64url, changed, jwt_of, unb64url
from tests.reference.parties import NOW, STRANGER, assertion

MASTER = bytes(range(32))
KEY = signing_key_from(MASTER)
ISSUER = "https://hub.example"
BASE = "https://hub.example/fhir"
HUB: dict[str, Any] = {"issuer": ISSUER, "audience": BASE, "key": KEY}
# Group order of P-384: FIPS 186-4, D.1.2.4.
ORDER = int(
    "39402006196394479212279040100143613805079739270465"
    "446667946905279627659399113263569398956308152294913554433653942643"
)


def token(**changes: object) -> str:
    arguments: dict[str, Any] = {
        "client_id": "clinic-a",
        "scopes": ("system/Observation.cud", "system/bulk-submit"),
        "now": NOW,
        "jti": "t1",
    }
    return issue_token(**(arguments | HUB | changes))


def part(text: str, position: int) -> Any:
    return json.loads(unb64url(text.split(".")[position]))


def test_a_token_says_who_may_do_what_for_five_minutes():
    """RFC 9068's claims; ``client_id`` is what MedplumClient looks for (A21)."""
    assert part(token(), 0) == {"alg": "ES384", "typ": "at+jwt", "kid": KEY.kid}
    assert part(token(), 1) == {
        "iss": ISSUER,
        "sub": "clinic-a",
        "aud": BASE,
        "client_id": "clinic-a",
        "scope": "system/Observation.cud system/bulk-submit",
        "iat": NOW,
        "exp": NOW + 300,
        "jti": "t1",
    }


def test_a_token_reads_back_as_it_was_issued():
    """The resource server needs no look-up to know what a token covers."""
    assert read_token(token(), now=NOW, **HUB) == TokenClaims(
        client_id="clinic-a",
        scopes=("system/Observation.cud", "system/bulk-submit"),
        jti="t1",
        issued_at=NOW,
        expires_at=NOW + 300,
    )


def test_anyone_can_check_a_token_by_the_published_key():
    """ECDSA on P-384 with SHA-384, by the numbers of the JWK alone."""
    (jwk,) = public_jwks(KEY)["keys"]
    x, y = (int.from_bytes(unb64url(jwk[name])) for name in "xy")
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP384R1()).public_key()
    message, _, made = token().rpartition(".")
    r, s = unb64url(made)[:48], unb64url(made)[48:]
    der = encode_dss_signature(int.from_bytes(r), int.from_bytes(s))

    public.verify(der, message.encode(), ec.ECDSA(SHA384()))
    with pytest.raises(InvalidSignature):
        public.verify(der, message.encode() + b" ", ec.ECDSA(SHA384()))


def test_the_published_key_is_public_and_named_by_its_thumbprint():
    """RFC 7638: SHA-256 over the required members in order, without spaces."""
    (jwk,) = public_jwks(KEY)["keys"]
    required = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    thumbprint = hashlib.sha256(
        json.dumps(required, separators=(",", ":")).encode()
    ).digest()

    assert set(jwk) == {"crv", "kty", "x", "y", "use", "alg", "kid"}
    assert (jwk["use"], jwk["alg"], jwk["kid"]) == ("sig", "ES384", b64url(thumbprint))


def test_the_signing_key_follows_from_the_master_key():
    """RFC 5869 by hand: extract with zeros, expand to 56 bytes, reduce to the group."""
    info = b"catchment access token signing 1"
    prk = hmac.digest(bytes(48), MASTER, "sha384")
    first = hmac.digest(prk, info + b"\x01", "sha384")
    second = hmac.digest(prk, first + info + b"\x02", "sha384")
    scalar = int.from_bytes((first + second)[:56]) % (ORDER - 1) + 1

    assert KEY.private_key is not None
    assert KEY.private_key.private_numbers().private_value == scalar
    assert signing_key_from(MASTER).kid == KEY.kid
    assert signing_key_from(b"m" * 32).kid != KEY.kid


def test_a_token_holds_to_the_second():
    """At its last second it is good, at ``exp`` it is expired, by name."""
    assert read_token(token(), now=NOW + 299, **HUB).expires_at == NOW + 300
    with pytest.raises(TokenExpiredError):
        read_token(token(), now=NOW + 300, **HUB)


@pytest.mark.parametrize(
    "text",
    [
        token(key=signing_key_from(b"another hub's master key here...")),
        token(issuer="https://other.example"),
        token(audience="https://other.example/fhir"),
        token() + "A",
        token().rpartition(".")[0] + ".",
        token().rpartition(".")[0],
        assertion(),
        "",
        "opaque",
        "..",
        "é" * 10,
        "\ud800",
        "a" * 8193,
        jwt_of("[" * 300, {}, None),
        jwt_of('["alg"]', {}, None),
        jwt_of('"alg"', {}, None),
        jwt_of('{"alg":"ES384","crit":5}', {}, None),
    ],
)
def test_what_this_hub_did_not_sign_for_itself_is_no_token(text):
    """Another key, issuer, audience, or no token at all: one answer for all."""
    with pytest.raises(NotAuthenticatedError) as refusal:
        read_token(text, now=NOW, **HUB)
    assert not isinstance(refusal.value, TokenExpiredError)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_tampered_token_is_refused(position):
    """One bit of any part is enough."""
    parts = token().split(".")
    data = bytearray(unb64url(parts[position]))
    data[len(data) // 2] ^= 1
    parts[position] = b64url(bytes(data))

    with pytest.raises(NotAuthenticatedError):
        read_token(".".join(parts), now=NOW, **HUB)


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ({"alg": "none"}, None),
        ({"alg": "HS384"}, base64.b64encode(KEY.as_pem(private=False))),
        ({"alg": "HS384"}, KEY.as_pem(private=False)),
        ({}, STRANGER),
        ({"alg": "ES256"}, KEY.private_key),
        ({"typ": "JWT"}, KEY.private_key),
    ],
)
def test_a_forged_token_is_refused(header, key):
    """The right claims help nobody who lacks the key; nor may an assertion pass."""
    forged = jwt_of(changed(part(token(), 0), **header), part(token(), 1), key)

    with pytest.raises(NotAuthenticatedError):
        read_token(forged, now=NOW, **HUB)


def test_a_token_signed_by_hand_with_the_hubs_key_is_read():
    """So the forgeries above fail for their own fault, not for how they are made."""
    made = jwt_of(part(token(), 0), part(token(), 1), KEY.private_key)

    assert read_token(made, now=NOW, **HUB).client_id == "clinic-a"


def test_a_reader_checks_each_token_once_and_its_expiry_always():
    """The very object that the first check made comes again, until its time is up."""
    reader = TokenReader(**HUB)
    first = reader.read(token(jti="a"), now=NOW)
    text = token(jti="b")
    second = reader.read(text, now=NOW)

    assert reader.read(text, now=NOW + 299) is second
    assert second is not first
    with pytest.raises(TokenExpiredError):
        reader.read(text, now=NOW + 300)
    with pytest.raises(NotAuthenticatedError):
        reader.read(text + "A", now=NOW)
    with pytest.raises(NotAuthenticatedError):
        reader.read("\ud800", now=NOW)


def test_a_reader_remembers_no_more_than_its_capacity():
    """Tokens come without end; memory does not."""
    reader = TokenReader(**HUB, capacity=2)
    texts = [token(jti=str(number)) for number in range(3)]
    oldest = reader.read(texts[0], now=NOW)
    for text in texts[1:]:
        reader.read(text, now=NOW)

    again = reader.read(texts[0], now=NOW)

    assert again == oldest
    assert again is not oldest
