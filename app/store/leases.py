"""Leases: one worker at a time does a kind of work, and a dead one is replaced."""

from sqlalchemy import text

from app.store.sessions import WriteSession, connection_of

_TAKE = text(
    "INSERT INTO lease (name, holder, expires_at) VALUES (:name, :holder, :until) "
    "ON CONFLICT (name) DO UPDATE "
    "SET holder = excluded.holder, expires_at = excluded.expires_at "
    "WHERE lease.holder = excluded.holder OR lease.expires_at < :now"
)


def take_lease(
    session: WriteSession, name: str, *, holder: str, now: int, seconds: int
) -> bool:
    """Return whether *holder* may work on *name* for *seconds* from *now* (ms)."""
    values = {
        "name": name,
        "holder": holder,
        "now": now,
        "until": now + 1000 * seconds,
    }
    return connection_of(session).execute(_TAKE, values).rowcount == 1


def wait_for_lease(session: WriteSession, name: str) -> None:
    """Let whoever works on *name* end their transaction first, and others wait."""
    connection_of(session).execute(
        text("UPDATE lease SET expires_at = expires_at WHERE name = :name"),
        {"name": name},
    )
