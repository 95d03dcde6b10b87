"""The front door: a resource is validated, read, and loses its identity."""

from collections.abc import Mapping
from typing import Any, Protocol

from app.deid.policies import Policy
from app.deid.pseudonyms import KeyRing
from app.deid.records import deidentify
from app.domain.clinics import Source
from app.domain.records import DeidentifiedRecord, RecordType
from app.fhir.parsing import parse_resource
from app.fhir.validation import InvalidResourceError, validate
from app.ucum.units import canonical_unit


class FrontDoor(Protocol):
    """What decides what may be kept: a hub, or what a reading process has of one."""

    @property
    def policy(self) -> Policy:
        """Return the policy in force."""

    @property
    def keys(self) -> KeyRing:
        """Return the keys that names are hashed under."""

    def clock(self) -> int:
        """Return when the resource came, in epoch milliseconds."""


def deidentified(
    resource: dict[str, Any],
    *,
    front: FrontDoor,
    source: Source,
    own_ids: tuple[str, ...] = (),
    entries: Mapping[str, int] | None = None,
    at: str | None = None,
) -> DeidentifiedRecord:
    """
    Return what may be kept of *resource*; the resource itself goes no further.

    *own_ids* are ids that it has beside its body's: the URL's, its fullUrl's.
    *entries* maps a Bundle's fullUrls to its entries; *at* is the FHIRPath of the
    resource there.

    Raises:
        InvalidResourceError: it breaks rules of FHIR.
        ServiceError: it is valid, and cannot be taken.
    """
    checked(resource, at=at)
    identified = parse_resource(resource, source=source, ids=own_ids)
    return deidentify(
        identified,
        policy=front.policy,
        keys=front.keys,
        source=source,
        entries=entries or {},
        received_at=front.clock(),
    )


def checked(resource: dict[str, Any], *, at: str | None = None) -> dict[str, Any]:
    """
    Return a resource that breaks no rule of FHIR; *at* is its place in a Bundle.

    Raises:
        InvalidResourceError: it breaks one.
    """
    if issues := validate(resource, at=at):
        raise InvalidResourceError(issues)
    return resource


MISSION = (
    RecordType.OBSERVATION,
    RecordType.CONDITION,
    RecordType.PATIENT,
    RecordType.ENCOUNTER,
)
"""What most of the resources that come are."""


def make_ready() -> None:
    """Compile the rules and load the units, which the first resource would wait for."""
    for type_ in MISSION:
        validate({"resourceType": type_.fhir_name})
    canonical_unit("%")
