"""Clinics, their sources and the clients that speak for them."""

import json

from sqlmodel import col, delete, func, select

from app.domain.calendar import FOREVER
from app.domain.clinics import (
    Audience,
    ClientStatus,
    ClinicStatus,
    Principal,
    Source,
)
from app.domain.errors import ConflictError, NotFoundError
from app.store import tables
from app.store.sessions import ReadSession, WriteSession


def add_clinic(session: WriteSession, *, code: str, name: str, status: str) -> int:
    """Add a clinic; return its id."""
    if find_clinic(session, code) is not None:
        msg = "A clinic of that code is there already"
        raise ConflictError(msg)
    row = tables.Clinic(code=code, name=name, status=ClinicStatus(status).value)
    session.add(row)
    session.flush()
    assert row.id is not None
    return row.id


def set_status(session: WriteSession, code: str, *, status: ClinicStatus) -> None:
    """
    Make a clinic part of releases, take it back to onboarding, or let it leave.

    Raises:
        ConflictError: a release was made since it left; it does not come back.
    """
    row = required_clinic(session, code)
    if row.end_month is not None:
        msg = "The clinic has left, and releases say so; enrol it under a new code"
        raise ConflictError(msg)
    row.status = status.value
    session.add(row)


def set_term(session: WriteSession, clinic_id: int, *, begins: int, ends: int) -> None:
    """Fix the months, half-open, in which releases count a clinic."""
    row = session.get_one(tables.Clinic, clinic_id)
    row.first_month = begins
    row.end_month = None if ends == FOREVER else ends
    session.add(row)


def has_left(session: ReadSession, source_id: int | None) -> bool:
    """Return whether the clinic of a source has left the network; a partner has not."""
    if source_id is None:
        return False
    query = (
        select(tables.Clinic.status)
        .join(tables.Source)
        .where(tables.Source.id == source_id)
    )
    return session.exec(query).first() == ClinicStatus.LEFT


def check_takes_part(session: ReadSession, clinic_id: int) -> None:
    """Refuse what would be done for a clinic that has left."""
    query = select(tables.Clinic.status).where(tables.Clinic.id == clinic_id)
    if session.exec(query).first() == ClinicStatus.LEFT:
        msg = "The clinic has left the network"
        raise ConflictError(msg)


def find_clinic(session: ReadSession, code: str) -> tables.Clinic | None:
    """Return the clinic of *code*, if there is one."""
    return session.exec(select(tables.Clinic).where(tables.Clinic.code == code)).first()


def required_clinic(session: ReadSession, code: str) -> tables.Clinic:
    """Return the clinic of *code*, or refuse."""
    row = find_clinic(session, code)
    if row is None:
        msg = "No clinic of that code"
        raise NotFoundError(msg)
    return row


def all_clinics(session: ReadSession) -> list[tables.Clinic]:
    """Return every clinic in the order of its code."""
    return list(session.exec(select(tables.Clinic).order_by(tables.Clinic.code)))


def add_source(
    session: WriteSession,
    *,
    clinic_id: int,
    name: str,
    base_urls: list[str],
    identifier_systems: list[str],
    time_zone: str,
    padded_dates: bool,
) -> int:
    """Add a source to a clinic; return its id."""
    if find_source(session, clinic_id=clinic_id, name=name) is not None:
        msg = "The clinic has a source of that name already"
        raise ConflictError(msg)
    row = tables.Source(
        clinic_id=clinic_id,
        name=name,
        base_urls=_stored_bases(base_urls),
        identifier_systems=json.dumps(identifier_systems),
        time_zone=time_zone,
        padded_dates=padded_dates,
    )
    session.add(row)
    session.flush()
    assert row.id is not None
    return row.id


def change_source(
    session: WriteSession,
    source: Source,
    *,
    base_urls: list[str],
    identifier_systems: list[str],
    padded_dates: bool,
) -> None:
    """Replace what a source was said to be."""
    row = session.get_one(tables.Source, source.source_id)
    row.base_urls = _stored_bases(base_urls)
    row.identifier_systems = json.dumps(identifier_systems)
    row.padded_dates = padded_dates
    session.add(row)


def _stored_bases(urls: list[str]) -> str:
    return json.dumps([url.rstrip("/") for url in urls])


def find_source(
    session: ReadSession, *, clinic_id: int, name: str
) -> tables.Source | None:
    """Return a clinic's source by its name."""
    query = select(tables.Source).where(
        tables.Source.clinic_id == clinic_id, tables.Source.name == name
    )
    return session.exec(query).first()


def all_sources(
    session: ReadSession, *, clinic: str | None = None
) -> list[tuple[str, str, Source]]:
    """Return (clinic's code, name, source) of all, or of one clinic, in that order."""
    query = (
        select(tables.Clinic.code, tables.Source)
        .join(tables.Source)
        .order_by(tables.Clinic.code, tables.Source.name)
    )
    if clinic is not None:
        query = query.where(tables.Clinic.code == required_clinic(session, clinic).code)
    return [(code, row.name, source_of(row)) for code, row in session.exec(query)]


def required_source(session: ReadSession, *, clinic: str, name: str) -> Source:
    """Return the source called *name* of the clinic of code *clinic*, or refuse."""
    row = required_clinic(session, clinic)
    assert row.id is not None
    source = find_source(session, clinic_id=row.id, name=name)
    if source is None:
        msg = "The clinic has no source of that name"
        raise NotFoundError(msg)
    return source_of(source)


def add_client(session: WriteSession, client: tables.Client) -> None:
    """Register a client."""
    if session.get(tables.Client, client.client_id) is not None:
        msg = "A client of that id is there already"
        raise ConflictError(msg)
    session.add(client)


def find_client(session: ReadSession, client_id: str) -> tables.Client | None:
    """Return a registered client, whatever its status."""
    return session.get(tables.Client, client_id)


def required_client(session: ReadSession, client_id: str) -> tables.Client:
    """Return a registered client, or refuse."""
    row = find_client(session, client_id)
    if row is None:
        msg = "No client of that id"
        raise NotFoundError(msg)
    return row


def all_clients(
    session: ReadSession,
) -> list[tuple[tables.Client, tables.Source | None, tables.Clinic | None]]:
    """Return every client in the order of its id, with whose it is."""
    query = (
        select(tables.Client, tables.Source, tables.Clinic)
        .select_from(tables.Client)
        .join(tables.Source, isouter=True)
        .join(tables.Clinic, isouter=True)
        .order_by(tables.Client.client_id)
    )
    return [(client, source, clinic) for client, source, clinic in session.exec(query)]


def remove_client(session: WriteSession, client: tables.Client) -> None:
    """Forget a client."""
    session.delete(client)


def forget_pending(session: WriteSession, *, before: int) -> None:
    """Forget clients that nobody approved, registered before then (epoch seconds)."""
    session.exec(
        delete(tables.Client).where(
            col(tables.Client.status) == ClientStatus.PENDING,
            col(tables.Client.created_at) < before,
        )
    )


def pending_count(session: ReadSession) -> int:
    """Return how many clients wait for approval."""
    query = select(func.count()).where(tables.Client.status == ClientStatus.PENDING)
    return session.exec(query).one()


def principal_of(
    session: ReadSession, client: tables.Client, *, scopes: tuple[str, ...]
) -> Principal:
    """Return whom a token of *client* with *scopes* speaks for."""
    row = (
        session.get(tables.Source, client.source_id)
        if client.source_id is not None
        else None
    )
    return Principal(
        client_id=client.client_id,
        audience=Audience(client.audience),
        scopes=scopes,
        source=None if row is None else source_of(row),
    )


def source_by_id(session: ReadSession, source_id: int) -> Source:
    """Return a source that is known to be there."""
    return source_of(session.get_one(tables.Source, source_id))


def source_of(row: tables.Source) -> Source:
    """Return a source as the rooms know it."""
    assert row.id is not None
    return Source(
        source_id=row.id,
        clinic_id=row.clinic_id,
        base_urls=tuple(json.loads(row.base_urls)),
        identifier_systems=frozenset(json.loads(row.identifier_systems)),
        time_zone=row.time_zone,
        padded_dates=row.padded_dates,
    )
