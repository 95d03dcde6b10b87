"""Facts that a browser keeps for the hub: signed, for one purpose, until they end."""

from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

_ALGORITHM = "HS256"


def sign_facts(
    facts: dict[str, Any], *, key: bytes, purpose: str, expires_at: int
) -> str:
    """
    Return *facts* as a text that only a holder of *key* could have made.

    Who holds the text can read the facts. *expires_at* is in epoch seconds.
    """
    header = {"alg": _ALGORITHM, "typ": purpose}
    claims = facts | {"exp": expires_at}
    return jwt.encode(header, claims, OctKey.import_key(key), algorithms=[_ALGORITHM])


def read_facts(text: str, *, key: bytes, purpose: str, now: int) -> dict[str, Any]:
    """
    Return the facts that were signed for *purpose*; none where they do not hold *now*.

    *now* is in epoch seconds.
    """
    try:
        read = jwt.decode(text, OctKey.import_key(key), algorithms=[_ALGORITHM])
    except (JoseError, ValueError, TypeError):
        return {}
    expires_at = read.claims.get("exp")
    if read.header.get("typ") != purpose or not isinstance(expires_at, int):
        return {}
    return read.claims if expires_at > now else {}
