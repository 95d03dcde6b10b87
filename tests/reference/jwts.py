"""JWTs put together by hand, so that no test trusts the library under test."""

import base64
import hashlib
import hmac
import json

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

ABSENT = object()


def b64url(data: bytes) -> str:
    """Return base64url without padding (RFC 7515, appendix C)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64url(text: str) -> bytes:
    """Undo ``b64url``."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def jwt_of(header: dict | str, claims: dict | str, key) -> str:
    """Return the compact JWS of a header and claims; text is taken as it is."""
    parts = [
        part if isinstance(part, str) else _text(part) for part in (header, claims)
    ]
    signing_input = ".".join(b64url(part.encode()) for part in parts)
    return f"{signing_input}.{b64url(signature(signing_input.encode(), key))}"


def signature(message: bytes, key) -> bytes:
    """Sign with RS384, ES384, HS384 (bytes) or nothing (None), by the key's type."""
    if key is None:
        return b""
    if isinstance(key, bytes):
        return hmac.digest(key, message, hashlib.sha384)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), SHA384())
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(SHA384())))
    return r.to_bytes(48) + s.to_bytes(48)


def jwk_of(key, *, kid: str, **members: object) -> dict:
    """Return the public JWK of a private key (RFC 7518, sections 6.2 and 6.3)."""
    numbers = key.public_key().public_numbers()
    if isinstance(key, rsa.RSAPrivateKey):
        jwk = {"kty": "RSA", "n": _integer(numbers.n), "e": _integer(numbers.e)}
    else:
        size = (numbers.curve.key_size + 7) // 8
        x, y = (b64url(v.to_bytes(size)) for v in (numbers.x, numbers.y))
        curve = {"secp256r1": "P-256", "secp384r1": "P-384"}[numbers.curve.name]
        jwk = {"kty": "EC", "crv": curve, "x": x, "y": y}
    return changed(jwk | {"kid": kid}, **members)


def changed(members: dict, **changes: object) -> dict:
    """Return *members* with changes; ABSENT takes one away."""
    return {k: v for k, v in (members | changes).items() if v is not ABSENT}


def _integer(value: int) -> str:
    return b64url(value.to_bytes((value.bit_length() + 7) // 8))


def _text(part: dict) -> str:
    return json.dumps(part, separators=(",", ":"))
