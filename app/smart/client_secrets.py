"""Secrets of partners' apps: made here, shown once, kept as digests."""

import hashlib
import hmac
import secrets
from collections.abc import Callable

from app.smart.credentials import Secret
from app.smart.errors import InvalidClientError
from app.smart.registration import RegisteredClient

SECRET_BYTES = 32

_NOBODYS = bytes(32)


def new_secret() -> str:
    """Return a new secret of 256 random bits, in base64url."""
    return secrets.token_urlsafe(SECRET_BYTES)


def secret_hash(secret: str) -> bytes:
    """
    Return what is kept of a secret.

    A plain digest is enough: nobody tries 2**256 secrets, however fast each goes.
    """
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()


def verify_client_secret(
    credentials: Secret, *, client_of: Callable[[str], RegisteredClient | None]
) -> RegisteredClient:
    """
    Return the registered client whose secret this is, sent as it registered to do.

    Secrets are compared in constant time, and where there is no client too.

    Raises:
        InvalidClientError: any one of the rules does not hold; it does not say which.

    Source: RFC 6749 2.3.1.

    """
    client = client_of(credentials.client_id)
    kept = None if client is None else client.secret_hash
    is_right = hmac.compare_digest(secret_hash(credentials.secret), kept or _NOBODYS)
    if (
        client is None
        or not is_right
        or not client.is_active
        or client.auth_method is not credentials.method
    ):
        msg = (
            "No approved client has this id and secret, "
            "or it registered to send them in another way"
        )
        raise InvalidClientError(msg)
    return client
