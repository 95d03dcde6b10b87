"""Clinics, their sources, and who may speak for them."""

from enum import StrEnum

import msgspec


class ClinicStatus(StrEnum):
    """Whether a clinic is part of releases; one that left is refused at the doors."""

    ONBOARDING = "onboarding"
    ACTIVE = "active"
    LEFT = "left"


class ClientStatus(StrEnum):
    """Whether a client may ask for tokens: once it is approved, until it is revoked."""

    PENDING = "pending"
    ACTIVE = "active"
    REVOKED = "revoked"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """
    One system of a clinic that sends or serves FHIR: an EHR, a lab.

    Ids are scoped to the source, identifiers to the clinic. ``base_urls`` are the FHIR
    bases whose absolute references belong to it; ``identifier_systems`` those whose
    values are unique in the clinic; ``time_zone`` an IANA name;
    ``padded_dates`` says that dates come as midnight UTC.
    """

    source_id: int
    clinic_id: int
    base_urls: tuple[str, ...]
    identifier_systems: frozenset[str]
    time_zone: str
    padded_dates: bool = False


class Audience(StrEnum):
    """Who a release is made for."""

    PUBLIC = "public"
    MEMBERS = "members"


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """
    Whom an access token speaks for.

    A clinic's client has a source; a partner's has none. ``scopes`` are SMART v2.
    """

    client_id: str
    audience: Audience
    scopes: tuple[str, ...]
    source: Source | None = None
