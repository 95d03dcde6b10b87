"""
Signed links: whoever has one reads what members may, until it expires.

A key is its own expiry with a signature, so nothing has to be stored, and nothing but
time, or another signing key, takes it back.
"""

import base64
import hashlib
import hmac
from urllib.parse import urlencode

from app.domain.errors import ForbiddenError

PARAMETER = "key"

_PURPOSE = b"catchment members link 1"


class LinkInvalidError(ForbiddenError):
    """The key of a link was not made by this hub, or was altered."""


class LinkExpiredError(ForbiddenError):
    """The key of a link was valid once."""


def members_key(key: bytes, *, expires_at: int) -> str:
    """Return what opens the members' pages until *expires_at*, in epoch seconds."""
    return f"{expires_at}.{_signature(key, str(expires_at))}"


def members_link(key: bytes, *, base_url: str, expires_at: int) -> str:
    """Return the address that opens the members' pages until *expires_at*."""
    query = urlencode({PARAMETER: members_key(key, expires_at=expires_at)})
    return f"{base_url}/?{query}"


def read_members_key(text: str, *, key: bytes, now: int) -> int:
    """
    Return until when *text* opens the members' pages, in epoch seconds.

    Raises:
        LinkInvalidError: it is not signed with *key*.
        LinkExpiredError: it is, and its time is over.
    """
    stated, _, signature = text.partition(".")
    signed = _signature(key, stated)
    if not hmac.compare_digest(signed.encode(), signature.encode(errors="replace")):
        msg = (
            "This link was not made by this hub, or was altered on the way. "
            "Ask the network's coordinator for a new one."
        )
        raise LinkInvalidError(msg)
    if int(stated) <= now:
        msg = "This link has expired. Ask the network's coordinator for a new one."
        raise LinkExpiredError(msg)
    return int(stated)


def is_members_key(text: str, *, key: bytes, now: int) -> bool:
    """Return whether *text* opens the members' pages *now*, in epoch seconds."""
    try:
        read_members_key(text, key=key, now=now)
    except ForbiddenError:
        return False
    return True


def _signature(key: bytes, stated: str) -> str:
    message = b"\0".join([_PURPOSE, stated.encode(errors="replace")])
    digest = hmac.digest(key, message, hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
