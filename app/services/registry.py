"""Who takes part: clinics, their sources and clients."""

import json
import re
from collections.abc import Collection
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec

from app.domain.clinics import Audience, ClientStatus, ClinicStatus
from app.domain.errors import ConflictError, InvalidElementError
from app.fhir.references import normal_base
from app.smart.registration import (
    RegisteredClient,
    check_description,
    check_registration,
)
from app.smart.scopes import COORDINATION
from app.smart.vocabulary import AuthMethod
from app.store import clinics, tables
from app.store.sessions import ReadSession, WriteSession

CLINIC_SCOPES = (
    "system/Observation.cruds",
    "system/Condition.cruds",
    "system/Patient.cruds",
    "system/Encounter.cruds",
    "system/Measure.rs",
    "system/MeasureReport.cruds",
    "system/bulk-submit",
)
PARTNER_SCOPES = ("system/Measure.rs", "system/MeasureReport.rs")
COORDINATOR_SCOPES = (*PARTNER_SCOPES, COORDINATION)
MAIN_SOURCE = "ehr"
USUAL_TIME_ZONE = "America/New_York"
CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MAX_CODE = 64
BASE_URL = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")
SYSTEM = re.compile(r"[^\s|]+")


class NewClinic(msgspec.Struct, frozen=True, kw_only=True):
    """A clinic with its first source; see ``domain.clinics.Source``."""

    code: str
    name: str
    status: ClinicStatus
    time_zone: str
    base_urls: tuple[str, ...] = ()
    identifier_systems: tuple[str, ...] = ()
    padded_dates: bool = False


class NewSource(msgspec.Struct, frozen=True, kw_only=True):
    """A source of the clinic of code ``clinic``; see ``domain.clinics.Source``."""

    clinic: str
    name: str
    time_zone: str
    base_urls: tuple[str, ...] = ()
    identifier_systems: tuple[str, ...] = ()
    padded_dates: bool = False


class SourceChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What replaces a source's own; None leaves it as it is."""

    base_urls: tuple[str, ...] | None = None
    identifier_systems: tuple[str, ...] | None = None
    padded_dates: bool | None = None


class SourceLine(msgspec.Struct, frozen=True, kw_only=True):
    """A source in words, as a list shows it; its fields are the list's columns."""

    clinic: str
    source: str
    time_zone: str
    base_urls: str
    identifier_systems: str
    padded_dates: str


class NewClient(msgspec.Struct, frozen=True, kw_only=True):
    """
    A client: of a clinic's source, or of a partner where ``clinic`` is None.

    ``created_at`` is in epoch seconds; for the rest see
    ``smart.registration.RegisteredClient``.
    """

    client_id: str
    name: str
    audience: Audience
    scopes: tuple[str, ...]
    scope_optional: bool = False
    clinic: str | None = None
    source: str = MAIN_SOURCE
    key_set: str | None = None
    jwks_uri: str | None = None
    secret_hash: bytes | None = None
    auth_method: AuthMethod = AuthMethod.PRIVATE_KEY_JWT
    status: ClientStatus = ClientStatus.ACTIVE
    contacts: tuple[str, ...] = ()
    created_at: int | None = None


def enrol_clinic(session: WriteSession, new: NewClinic) -> None:
    """
    Add a clinic and its first source.

    Raises:
        ConflictError: a clinic of that code is there.
        InvalidElementError: its code, time zone, URLs or systems are not fit.
    """
    check_code(new.code)
    clinics.add_clinic(session, code=new.code, name=new.name, status=new.status)
    first = NewSource(
        clinic=new.code,
        name=MAIN_SOURCE,
        time_zone=new.time_zone,
        base_urls=new.base_urls,
        identifier_systems=new.identifier_systems,
        padded_dates=new.padded_dates,
    )
    add_source(session, first)


def add_source(session: WriteSession, new: NewSource) -> None:
    """
    Add a source to a clinic that is there.

    Raises:
        ConflictError: the clinic has one of that name, or with one of its base URLs.
        InvalidElementError: its name, time zone, URLs or systems are not fit.
        NotFoundError: there is no such clinic.
    """
    clinic = clinics.required_clinic(session, new.clinic)
    assert clinic.id is not None
    check_source_name(new.name)
    check_time_zone(new.time_zone)
    check_base_urls(new.base_urls)
    check_identifier_systems(new.identifier_systems)
    clinics.add_source(
        session,
        clinic_id=clinic.id,
        name=new.name,
        base_urls=list(new.base_urls),
        identifier_systems=list(new.identifier_systems),
        time_zone=new.time_zone,
        padded_dates=new.padded_dates,
    )
    _check_bases_are_apart(session, new.clinic)


def change_source(
    session: WriteSession, clinic: str, name: str, changes: SourceChanges
) -> None:
    """
    Replace what was said of a source, as far as *changes* say.

    Who has a token already meets the change within seconds.

    Raises:
        ConflictError: another source of the clinic has one of its base URLs.
        InvalidElementError: the URLs or systems are not fit, or nothing is given.
        NotFoundError: there is no such clinic or source.
    """
    if changes == SourceChanges():
        msg = "Say what is to change"
        raise InvalidElementError(msg)
    check_base_urls(changes.base_urls or ())
    check_identifier_systems(changes.identifier_systems or ())
    known = clinics.required_source(session, clinic=clinic, name=name)
    given = {k: v for k, v in msgspec.structs.asdict(changes).items() if v is not None}
    new = msgspec.structs.replace(known, **given)
    clinics.change_source(
        session,
        known,
        base_urls=list(new.base_urls),
        identifier_systems=sorted(new.identifier_systems),
        padded_dates=new.padded_dates,
    )
    _check_bases_are_apart(session, clinic)


def source_lines(session: ReadSession, *, clinic: str | None) -> list[SourceLine]:
    """
    Return every source in words, or those of one clinic.

    Raises:
        NotFoundError: there is no such clinic.
    """
    return [
        SourceLine(
            clinic=code,
            source=name,
            time_zone=source.time_zone,
            base_urls=" ".join(source.base_urls) or "-",
            identifier_systems=" ".join(sorted(source.identifier_systems)) or "-",
            padded_dates="yes" if source.padded_dates else "no",
        )
        for code, name, source in clinics.all_sources(session, clinic=clinic)
    ]


def _check_bases_are_apart(session: WriteSession, clinic: str) -> None:
    """Refuse one base for two sources: its ids would be two records of each."""
    session.flush()
    sources = clinics.all_sources(session, clinic=clinic)
    bases = [normal_base(base) for _, _, source in sources for base in source.base_urls]
    if _has_twice(bases):
        msg = "Another source of the clinic has that base URL"
        raise ConflictError(msg, expression="base_urls")


def check_source_name(name: str) -> None:
    """Refuse a name that could not be told in a list or a command as it is."""
    if len(name) > MAX_CODE or CODE.fullmatch(name) is None:
        msg = "A source's name is lower-case words and digits with hyphens, at most 64"
        raise InvalidElementError(msg, expression="name")


def check_base_urls(urls: Collection[str]) -> None:
    """Refuse a base that no absolute reference could stand on, or one given twice."""
    if not all(map(_is_base_url, urls)):
        msg = "A base URL is http(s)://host/path, without a query, fragment or user"
        raise InvalidElementError(msg, expression="base_urls")
    if _has_twice([normal_base(url) for url in urls]):
        msg = "A base URL is given twice"
        raise InvalidElementError(msg, expression="base_urls")


def _is_base_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname and parts.port != 0 and BASE_URL.fullmatch(url))
    except ValueError:  # a port that is no number, a bracket that is not closed
        return False


def check_identifier_systems(systems: Collection[str]) -> None:
    """Refuse a system that no identifier could have, or one given twice."""
    if not all(map(SYSTEM.fullmatch, systems)):
        msg = "An identifier system is a URI, without blanks"
        raise InvalidElementError(msg, expression="identifier_systems")
    if _has_twice(systems):
        msg = "An identifier system is given twice"
        raise InvalidElementError(msg, expression="identifier_systems")


def _has_twice(texts: Collection[str]) -> bool:
    return len(set(texts)) < len(texts)


def check_code(code: str) -> None:
    """Refuse a code that could not stand in a URL as it is."""
    if len(code) > MAX_CODE or CODE.fullmatch(code) is None:
        msg = "A code is lower-case words and digits with hyphens, at most 64"
        raise InvalidElementError(msg, expression="code")


def check_time_zone(name: str) -> None:
    """Refuse a time zone that would fail at the first date of the clinic's."""
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # not there, a folder of zones, no name
        msg = "The time zone is no IANA name, as America/New_York"
        raise InvalidElementError(msg, expression="time_zone") from None


def register_client(session: WriteSession, new: NewClient, *, dev_mode: bool) -> None:
    """
    Register a client.

    Raises:
        InvalidElementError: its keys or scopes are not fit, or its clinic is unknown.
    """
    check_client(new, dev_mode=dev_mode)
    clinics.add_client(
        session,
        tables.Client(
            client_id=new.client_id,
            source_id=source_id_of(session, new.clinic, source=new.source),
            audience=new.audience.value,
            name=new.name,
            scopes=" ".join(new.scopes),
            scope_optional=new.scope_optional,
            key_set=new.key_set,
            jwks_uri=new.jwks_uri,
            secret_hash=new.secret_hash,
            auth_method=new.auth_method.value,
            status=new.status.value,
            contacts=json.dumps(new.contacts),
            created_at=new.created_at,
        ),
    )


def check_client(new: NewClient, *, dev_mode: bool) -> None:
    """
    Refuse a client that could not be served.

    Raises:
        InvalidElementError: a part is missing or wrong; the expression names it.
    """
    check_registration(
        RegisteredClient(
            client_id=new.client_id,
            status=new.status,
            scopes=new.scopes,
            auth_method=new.auth_method,
            key_set=new.key_set,
            jwks_uri=new.jwks_uri,
            secret_hash=new.secret_hash,
        ),
        dev_mode=dev_mode,
    )
    check_description(new.name, new.contacts)
    check_belonging(new.auth_method, clinic=new.clinic)
    check_coordination(new.scopes, clinic=new.clinic, audience=new.audience)


def check_coordination(
    scopes: Collection[str], *, clinic: str | None, audience: Audience
) -> None:
    """Refuse a coordinator who is a clinic's, or who would not see what they judge."""
    if COORDINATION not in scopes:
        return
    if clinic is not None:
        msg = "A coordinator's client belongs to no clinic"
        raise InvalidElementError(msg, expression="clinic")
    if audience is not Audience.MEMBERS:
        msg = "A coordinator's client reads what the members read"
        raise InvalidElementError(msg, expression="audience")


def check_belonging(auth_method: AuthMethod, *, clinic: str | None) -> None:
    """Refuse a clinic's client that would send records for a secret."""
    if clinic is not None and auth_method.has_secret:
        msg = "A clinic's client signs assertions; only a partner's may have a secret"
        raise InvalidElementError(msg, expression="token_endpoint_auth_method")


def source_id_of(
    session: WriteSession, clinic_code: str | None, *, source: str
) -> int | None:
    """
    Return the id of a clinic's source; None where there is no clinic.

    Raises:
        NotFoundError: there is no such clinic.
        InvalidElementError: it has no such source.
    """
    if clinic_code is None:
        return None
    clinic = clinics.required_clinic(session, clinic_code)
    assert clinic.id is not None
    row = clinics.find_source(session, clinic_id=clinic.id, name=source)
    if row is None:
        msg = "The clinic has no source of that name"
        raise InvalidElementError(msg, expression="source")
    return row.id
