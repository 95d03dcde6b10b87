"""Bodies that a server signed with a secret it shares with this hub."""

import hashlib
import hmac
from collections.abc import Collection, Iterable

METHODS = ("sha256", "sha384", "sha512")
"""WebSub has sha1 too, which is taken from nobody here."""


def signature(body: bytes, secret: str, *, method: str = "sha256") -> str:
    """
    Return what a sender states of *body*: the method, and the HMAC in hexadecimal.

    Source: WebSub (W3C Recommendation, 23 January 2018), section 7.1.
    """
    digest = hmac.new(secret.encode(), body, getattr(hashlib, method)).hexdigest()
    return f"{method}={digest}"


def is_signed(body: bytes, stated: Iterable[str], *, secrets: Collection[str]) -> bool:
    """Return whether one of the signatures *stated* is by one of the *secrets*."""
    right = [
        signature(body, secret, method=method).encode()
        for secret in secrets
        for method in METHODS
    ]
    given = [each.strip().lower().encode() for each in stated]
    # Every pair is compared to its end, so that time tells nothing.
    return sum(hmac.compare_digest(a, b) for a in right for b in given) > 0
