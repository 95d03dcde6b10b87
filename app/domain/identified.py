"""
Identified records: what is read of a resource, before it loses who it is about.

All of it may be PHI. Nothing here has a repr, so that no log, traceback or debugger's
list of locals can show it; only app.fhir and app.deid may import this module.
"""

from typing import Any

import msgspec
from typing_extensions import override

from app.domain.records import RecordType, WardType


class Identified(msgspec.Struct, frozen=True, gc=False):
    """A struct that never shows what it holds; as a tree it needs no collector."""

    @override
    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    @override
    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []


class StatedCoding(Identified, frozen=True):
    """A code as sent, of any system or none."""

    system: str | None
    code: str


class StatedDate(Identified, frozen=True):
    """A FHIR date, dateTime or instant as sent, and the FHIRPath of its element."""

    text: str
    element: str


class StatedQuantity(Identified, frozen=True, kw_only=True):
    """A decimal as written, its unit as stated, and the FHIRPath of its element."""

    value: str
    element: str
    unit: str | None = None
    system: str | None = None
    code: str | None = None
    comparator: str | None = None


class StatedValue(Identified, frozen=True, kw_only=True):
    """What an Observation or a component found, of the types that can be kept."""

    quantity: StatedQuantity | None
    codings: tuple[StatedCoding, ...]
    boolean: bool | None
    absent: tuple[StatedCoding, ...]


class StatedComponent(Identified, frozen=True, kw_only=True):
    """One component of an Observation."""

    code: tuple[StatedCoding, ...]
    value: StatedValue


class IdentifiedObservation(Identified, frozen=True, kw_only=True):
    """What is read of an Observation."""

    status: str
    category: tuple[StatedCoding, ...]
    code: tuple[StatedCoding, ...]
    effective: StatedDate | None
    value: StatedValue
    components: tuple[StatedComponent, ...]


class IdentifiedCondition(Identified, frozen=True, kw_only=True):
    """What is read of a Condition."""

    clinical_status: tuple[StatedCoding, ...]
    verification_status: tuple[StatedCoding, ...]
    category: tuple[StatedCoding, ...]
    code: tuple[StatedCoding, ...]
    onset: StatedDate | None
    abatement: StatedDate | None
    recorded: StatedDate | None


class IdentifiedEncounter(Identified, frozen=True, kw_only=True):
    """What is read of an Encounter."""

    status: str
    class_: tuple[StatedCoding, ...]
    start: StatedDate | None


class StatedName(Identified, frozen=True, kw_only=True):
    """A HumanName in its parts; read only for linkage, and never kept."""

    use: str | None
    family: str | None
    given: tuple[str, ...]


class IdentifiedPatient(Identified, frozen=True, kw_only=True):
    """What is read of a Patient; state and postal code are of one US address."""

    names: tuple[StatedName, ...] = ()
    gender: str | None
    birth_date: StatedDate | None
    death_date: StatedDate | None
    deceased: bool | None
    state: str | None
    postal_code: str | None


class IdentifiedSummary(Identified, frozen=True, kw_only=True):
    """
    What is read of an Observation about a Group or Location.

    It is for [start, end]; a single date is both of them.
    """

    status: str
    code: tuple[StatedCoding, ...]
    start: StatedDate | None
    end: StatedDate | None
    quantity: StatedQuantity | None


class IdentifiedReport(Identified, frozen=True, kw_only=True):
    """
    What is read of a summary MeasureReport; the canonical in its parts.

    ``base`` is None of a relative one.
    """

    status: str
    base: str | None
    measure: str
    version: str | None
    start: StatedDate
    end: StatedDate
    numerator: int | None
    denominator: int | None


IdentifiedContent = (
    IdentifiedObservation
    | IdentifiedCondition
    | IdentifiedEncounter
    | IdentifiedPatient
    | IdentifiedSummary
    | IdentifiedReport
)


class LiteralReference(Identified, frozen=True):
    """
    A relative or absolute URL, or a ``urn:uuid:`` or ``urn:oid:``, without version.

    ``id`` is None where the URL is of no base of the source: such a reference can only
    mean an entry of the same Bundle.
    """

    url: str
    id: str | None


class IdentifierReference(Identified, frozen=True):
    """A logical or conditional reference, by an identifier unique in the clinic."""

    system: str
    value: str


class HubReference(Identified, frozen=True):
    """A reference by the hub's own id."""

    record_id: int


Reference = LiteralReference | IdentifierReference | HubReference


class StatedWard(Identified, frozen=True):
    """A Group or Location that a number is of."""

    type: WardType
    reference: Reference


class IdentifiedRecord(Identified, frozen=True, kw_only=True):
    """
    One resource, read.

    ``ids`` are the sender's own for it, ``identifiers`` its (system, value) pairs that
    are unique in the clinic. ``ward`` is what a number of nobody known is of.
    ``canonical`` is its content in one canonical form, whose
    keyed digest tells whether it was sent before. ``dropped`` lists the element paths
    that were not read; they hold no name that is not FHIR's.
    """

    type: RecordType
    content: IdentifiedContent
    ids: tuple[str, ...]
    identifiers: tuple[tuple[str, str], ...]
    subject: Reference | None
    encounter: Reference | None
    links: tuple[Reference, ...]
    ward: StatedWard | None = None
    sent_order: int | None
    canonical: bytes
    dropped: frozenset[str]


class StatedMapping(Identified, frozen=True, kw_only=True):
    """
    What a ConceptMap says of one code; ``element`` is the FHIRPath of where.

    ``equivalence`` is how the target stands to the source, in R4's words; None where no
    target is stated. ``is_conditional``: it holds only beside other codes.
    """

    source: StatedCoding
    target: StatedCoding | None
    equivalence: str | None
    is_conditional: bool
    element: str
