"""Connections as rows: one for each source that the hub collects from."""

import json
from typing import Any

import msgspec
from sqlalchemy import text
from sqlmodel import col, select

from app.store import tables
from app.store.connection_tables import Connection as Row
from app.store.sessions import ReadSession, WriteSession, connection_of


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """A connection as it lies in the store; see ``connection_tables.Connection``."""

    source_id: int
    fhir_base: str
    client_id: str | None
    token_url: str | None
    scope: str
    level: str
    group_id: str | None
    types: tuple[str, ...]
    type_filters: tuple[str, ...]
    hosts: tuple[str, ...]
    token_hosts: tuple[str, ...]
    is_snapshot: bool
    every_seconds: int | None
    since: str | None = None
    next_at: int | None = None
    sealed: bytes | None = None
    public_key: str | None = None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A connection, and the codes of whose it is."""

    clinic: str
    clinic_id: int
    source: str
    connection: Connection


_LISTS = ("types", "type_filters", "hosts", "token_hosts")
# Whoever comes second, in another process too, finds the moment moved on.
_MOVE_ON = text(
    "UPDATE connection SET next_at = :next WHERE source_id = :source_id "
    "AND next_at = :seen"
)
_LOCK = text("UPDATE connection SET since = since WHERE source_id = :source_id")


def save_connection(session: WriteSession, connection: Connection) -> None:
    """Keep a connection, in place of the one that its source had."""
    values = msgspec.structs.asdict(connection)
    values |= {name: json.dumps(values[name]) for name in _LISTS}
    row = _row(session, connection.source_id) or Row(**values)
    for name, value in values.items():
        setattr(row, name, value)
    session.add(row)
    session.flush()


def find_connection(session: ReadSession, source_id: int) -> Connection | None:
    """Return the connection of a source, if it has one."""
    row = _row(session, source_id)
    return None if row is None else _connection(row)


def all_connections(session: ReadSession) -> list[Place]:
    """Return every connection in the order of clinics and sources."""
    query = (
        select(tables.Clinic.code, tables.Clinic.id, tables.Source.name, Row)
        .join(tables.Source, col(tables.Source.id) == Row.source_id)
        .join(tables.Clinic, col(tables.Clinic.id) == tables.Source.clinic_id)
        .order_by(tables.Clinic.code, tables.Source.name)
    )
    return [
        Place(
            clinic=code,
            clinic_id=clinic_id or 0,
            source=source,
            connection=_connection(row),
        )
        for code, clinic_id, source, row in session.exec(query)
    ]


def remove_connection(session: WriteSession, source_id: int) -> bool:
    """Forget the connection of a source; return whether there was one."""
    row = _row(session, source_id)
    if row is not None:
        session.delete(row)
    return row is not None


def lock_connection(session: WriteSession, source_id: int) -> None:
    """Let whoever else is about to file work for a source come after."""
    connection_of(session).execute(_LOCK, {"source_id": source_id})


def move_on(session: WriteSession, connection: Connection, *, next_at: int) -> bool:
    """Say when a source is collected next; return whether nobody else has said it."""
    values = {
        "source_id": connection.source_id,
        "seen": connection.next_at,
        "next": next_at,
    }
    return connection_of(session).execute(_MOVE_ON, values).rowcount == 1


def note_collected(session: WriteSession, source_id: int, *, since: str) -> None:
    """Note up to which instant of the server's all is here."""
    row = _row(session, source_id)
    if row is not None:
        row.since = since
        session.add(row)
        session.flush()


def public_keys(session: ReadSession) -> list[dict[str, Any]]:
    """Return the public halves of connections' own keys."""
    query = select(Row.public_key).where(col(Row.public_key).is_not(None))
    return [json.loads(text_) for text_ in session.exec(query) if text_]


def _row(session: ReadSession, source_id: int) -> Row | None:
    return session.exec(select(Row).where(Row.source_id == source_id)).first()


def _connection(row: Row) -> Connection:
    values = {name: getattr(row, name) for name in Connection.__struct_fields__}
    values |= {name: tuple(json.loads(values[name])) for name in _LISTS}
    return Connection(**values)
