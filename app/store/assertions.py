"""Client assertions that were presented: each counts once, whoever asks."""

from hashlib import sha256

from sqlalchemy import text

from app.store.sessions import WriteSession, connection_of

_USE = text(
    "INSERT INTO assertion_use (use_key, expires_at) VALUES (:key, :expires_at) "
    "ON CONFLICT (use_key) DO NOTHING"
)
_FORGET = text("DELETE FROM assertion_use WHERE expires_at < :now")


def first_use(
    session: WriteSession, *, client_id: str, jti: str, expires_at: int, now: int
) -> bool:
    """
    Return whether *jti* of *client_id* is new; from now on it is not.

    The unique key decides, so of many at once exactly one is first. Times in epoch
    seconds; what has expired is forgotten, since its ``exp`` refuses it anyway.
    """
    connection = connection_of(session)
    connection.execute(_FORGET, {"now": now - 60})
    key = sha256(f"{client_id}\n{jti}".encode()).digest()[:20]
    done = connection.execute(_USE, {"key": key, "expires_at": expires_at})
    return done.rowcount == 1
