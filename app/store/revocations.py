"""Access tokens that were taken back before their time."""

from hashlib import sha256

from sqlalchemy import text

from app.store.sessions import ReadSession, WriteSession, connection_of

_REVOKE = text(
    "INSERT INTO revoked_token (token_key, expires_at) VALUES (:key, :expires_at) "
    "ON CONFLICT (token_key) DO NOTHING"
)
_FORGET = text("DELETE FROM revoked_token WHERE expires_at < :now")
_FIND = text("SELECT 1 FROM revoked_token WHERE token_key = :key")


def revoke_token(session: WriteSession, *, jti: str, expires_at: int, now: int) -> None:
    """
    Take back the token of *jti*; a second time changes nothing.

    Times in epoch seconds; what has expired is forgotten, since its ``exp`` refuses it
    anyway.
    """
    connection = connection_of(session)
    connection.execute(_FORGET, {"now": now - 60})
    connection.execute(_REVOKE, {"key": _key(jti), "expires_at": expires_at})


def is_revoked(session: ReadSession, *, jti: str) -> bool:
    """Return whether the token of *jti* was taken back."""
    found = connection_of(session).execute(_FIND, {"key": _key(jti)})
    return found.first() is not None


def _key(jti: str) -> bytes:
    return sha256(jti.encode()).digest()[:20]
