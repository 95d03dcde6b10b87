"""Who takes part: clinics, their sources and clients."""

import json
import re
from zoneinfo import ZoneInfo

import msgspec

from app.domain.clinics import Audience, ClientStatus, ClinicStatus
from app.domain.errors import InvalidElementError
from app.smart.registration import (
    RegisteredClient,
    check_description,
    check_registration,
)
from app.smart.vocabulary import AuthMethod
from app.store import clinics, tables
from app.store.sessions import WriteSession

CLINIC_SCOPES = (
    "system/Observation.cruds",
    "system/Condition.cruds",
    "system/Patient.cruds",
    "system/Encounter.cruds",
    "system/Measure.rs",
    "system/MeasureReport.rs",
)
PARTNER_SCOPES = ("system/Measure.rs", "system/MeasureReport.rs")
MAIN_SOURCE = "ehr"
CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MAX_CODE = 64


class NewClinic(msgspec.Struct, frozen=True, kw_only=True):
    """A clinic with its first source; see ``domain.clinics.Source``."""

    code: str
    name: str
    status: ClinicStatus
    time_zone: str
    base_urls: tuple[str, ...] = ()
    identifier_systems: tuple[str, ...] = ()
    padded_dates: bool = False


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
        InvalidElementError: its code or time zone is not fit.
    """
    check_code(new.code)
    check_time_zone(new.time_zone)
    clinic_id = clinics.add_clinic(
        session, code=new.code, name=new.name, status=new.status
    )
    clinics.add_source(
        session,
        clinic_id=clinic_id,
        name=MAIN_SOURCE,
        base_urls=list(new.base_urls),
        identifier_systems=list(new.identifier_systems),
        time_zone=new.time_zone,
        padded_dates=new.padded_dates,
    )


def check_code(code: str) -> None:
    """Refuse a code that could not stand in a URL as it is."""
    if len(code) > MAX_CODE or CODE.fullmatch(code) is None:
        msg = "A clinic's code is lower-case words and digits with hyphens, at most 64"
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
