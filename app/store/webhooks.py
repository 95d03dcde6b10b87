"""Webhooks as rows, and the one open job of each that its notifications go to."""

import msgspec
from sqlalchemy import text

from app.domain.event_numbers import Numbers
from app.store.jobs import WEBHOOK, JobState, add_job
from app.store.sessions import ReadSession, WriteSession, connection_of

Subscriptions = dict[str, Numbers]


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook as it lies in the store; see ``webhook_tables.Webhook``."""

    source_id: int
    name: str
    sealed: bytes
    subscriptions: str
    created_at: int
    received_at: int | None
    missed_at: int | None

    @property
    def numbers(self) -> Subscriptions:
        """Return the numbers of events, by the digest of each Subscription."""
        return msgspec.json.decode(self.subscriptions, type=Subscriptions)


class JobPlace(msgspec.Struct, frozen=True):
    """A job that takes more, and what has come for it until now."""

    job_id: int
    received: int


_COLUMNS = ", ".join(Webhook.__struct_fields__)
_SELECT = f"SELECT {_COLUMNS} FROM webhook "
_CALLED = text(f"{_SELECT} WHERE name = :name")
_OF_SOURCE = text(f"{_SELECT} WHERE source_id = :source_id")
_ALL = text(f"{_SELECT} ORDER BY source_id")
_INSERT = text(
    "INSERT INTO webhook (source_id, name, sealed, subscriptions, created_at) "
    "VALUES (:source_id, :name, :sealed, '{}', :now)"
)
_CHANGE_SECRETS = text(
    "UPDATE webhook SET sealed = :sealed WHERE source_id = :source_id"
)
_REMOVE = text("DELETE FROM webhook WHERE source_id = :source_id")
# Whoever else has a notification of the source comes after.
_LOCK = text("UPDATE webhook SET received_at = :now WHERE name = :name")
_NOTE = text(
    "UPDATE webhook SET subscriptions = :subscriptions, missed_at = :missed_at "
    "WHERE name = :name"
)
# It keeps its place in the queue: a server that can't answer now has its rest.
_JOIN = text(
    "UPDATE job SET received = received + :count, updated_at = :now "
    "WHERE state = 'waiting' AND id = (SELECT MAX(id) FROM job "
    "WHERE source_id = :source_id AND kind = :kind AND state = 'waiting') "
    "RETURNING id, received"
)


def add_webhook(
    session: WriteSession, *, source_id: int, name: str, sealed: bytes, now: int
) -> None:
    """Keep a new webhook."""
    values = {"source_id": source_id, "name": name, "sealed": sealed, "now": now}
    connection_of(session).execute(_INSERT, values)


def find_webhook(session: ReadSession, source_id: int) -> Webhook | None:
    """Return the webhook of a source, if it has one."""
    row = connection_of(session).execute(_OF_SOURCE, {"source_id": source_id})
    found = row.mappings().first()
    return None if found is None else Webhook(**found)


def find_webhook_called(session: ReadSession, name: str) -> Webhook | None:
    """Return the webhook whose URL ends so."""
    found = connection_of(session).execute(_CALLED, {"name": name}).mappings().first()
    return None if found is None else Webhook(**found)


def all_webhooks(session: ReadSession) -> list[Webhook]:
    """Return every webhook."""
    return [Webhook(**row) for row in connection_of(session).execute(_ALL).mappings()]


def change_secrets(session: WriteSession, source_id: int, *, sealed: bytes) -> None:
    """Let other secrets hold."""
    values = {"source_id": source_id, "sealed": sealed}
    connection_of(session).execute(_CHANGE_SECRETS, values)


def remove_webhook(session: WriteSession, source_id: int) -> bool:
    """Forget the webhook of a source; return whether there was one."""
    result = connection_of(session).execute(_REMOVE, {"source_id": source_id})
    return result.rowcount == 1


def lock_webhook(session: WriteSession, name: str, *, now: int) -> Webhook | None:
    """Return a webhook for this transaction alone, and note that it is used."""
    connection_of(session).execute(_LOCK, {"name": name, "now": now})
    return find_webhook_called(session, name)


def note_numbers(
    session: WriteSession, name: str, numbers: Subscriptions, *, missed_at: int | None
) -> None:
    """Note which events came."""
    values = {
        "name": name,
        "subscriptions": msgspec.json.encode(numbers).decode(),
        "missed_at": missed_at,
    }
    connection_of(session).execute(_NOTE, values)


def join_job(
    session: WriteSession, source_id: int, *, count: int, now: int
) -> JobPlace | None:
    """Add so many to what came for the open job of a source, if there is one."""
    values = {"source_id": source_id, "kind": WEBHOOK, "count": count, "now": now}
    row = connection_of(session).execute(_JOIN, values).first()
    return None if row is None else JobPlace(row[0], row[1] - count)


def open_job(
    session: WriteSession, *, source_id: int, clinic_id: int, client_id: str, now: int
) -> int:
    """File the job that notifications of a source go to; return its number."""
    return add_job(
        session,
        kind=WEBHOOK,
        source_id=source_id,
        clinic_id=clinic_id,
        client_id=client_id,
        state=JobState.WAITING,
        request="{}",
        now=now,
    )
