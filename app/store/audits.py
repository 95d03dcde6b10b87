"""Acts that are remembered without whom they were about."""

from enum import StrEnum

from sqlalchemy import text

from app.store.sessions import WriteSession, client_of, connection_of

ANY_TYPE = 0


class Act(StrEnum):
    """What was done; the words stand in the database."""

    WITHDRAW = "withdraw"
    RESTORE = "restore"
    JOIN = "join"
    PART = "part"
    PURGE = "purge"
    UNBLOCK = "unblock"


_ADD = text(
    "INSERT INTO audit (at, client_id, act, record_type, count) "
    "VALUES (:at, :client_id, :act, :record_type, :count)"
)


def record_act(
    session: WriteSession,
    act: Act,
    count: int,
    *,
    now: int,
    record_type: int = ANY_TYPE,
) -> None:
    """Write down that so many were subject to *act*."""
    values = {"at": now, "client_id": client_of(session), "act": act.value}
    connection_of(session).execute(
        _ADD, values | {"record_type": int(record_type), "count": count}
    )
