"""
De-identified records: all that the store can hold of a resource.

There is no field for a name, a note, a display, a URL or an extension, so none can be
kept. Every string here is a code of a listed system, a UCUM unit, a decimal, or a
keyed digest.
"""

from enum import IntEnum, StrEnum
from functools import cached_property

import msgspec

from app.domain.linkage import LinkageToken
from app.domain.terminology import Coding


class RecordType(IntEnum):
    """The resource types that are kept; the numbers stand in the database."""

    PATIENT = 1
    ENCOUNTER = 2
    OBSERVATION = 3
    CONDITION = 4
    MEASURE_REPORT = 5

    @property
    def is_of_a_person(self) -> bool:
        """Return whether its records are about a person."""
        return self is not RecordType.MEASURE_REPORT

    @cached_property
    def fhir_name(self) -> str:
        """Return the resource type as FHIR writes it."""
        return self.name.title().replace("_", "")

    @classmethod
    def of(cls, fhir_name: str) -> "RecordType | None":
        """Return the type called *fhir_name*, or None where it is not kept."""
        return _BY_NAME.get(fhir_name)


_BY_NAME = {kind.fhir_name: kind for kind in RecordType}

NOBODY = 0
"""The subject of what is about no person."""


class WardType(StrEnum):
    """What a count of nobody known may be of; no record is kept of either."""

    GROUP = "Group"
    LOCATION = "Location"

    @property
    def fhir_name(self) -> str:
        """Return the resource type as FHIR writes it."""
        return self.value


class Precision(StrEnum):
    """How much of a date was known, or is kept."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"


class Kept(msgspec.Struct, frozen=True, gc=False):
    """
    A part of a record: a tree that nobody changes, so no cycle is to be looked for.

    Millions are made, and the garbage collector would look through each of them.
    """


class PartialDate(Kept, frozen=True):
    """A date to its precision; ``day`` is the first day number of the span it names."""

    day: int
    precision: Precision


class Quantity(Kept, frozen=True, omit_defaults=True):
    """A decimal as written, its canonical UCUM code, and FHIR's comparator."""

    value: str
    unit: str | None = None
    comparator: str | None = None


class Value(Kept, frozen=True, omit_defaults=True, kw_only=True):
    """What an Observation or a component found; at most one field is set."""

    quantity: Quantity | None = None
    codings: tuple[Coding, ...] = ()
    boolean: bool | None = None
    absent: Coding | None = None


class Component(Kept, frozen=True, omit_defaults=True, kw_only=True):
    """One component of an Observation."""

    code: tuple[Coding, ...]
    value: Value


class Observation(
    Kept, frozen=True, omit_defaults=True, kw_only=True, tag="Observation"
):
    """What is kept of an Observation."""

    status: str
    category: tuple[Coding, ...] = ()
    code: tuple[Coding, ...] = ()
    effective: PartialDate | None = None
    value: Value = Value()
    components: tuple[Component, ...] = ()


class Condition(Kept, frozen=True, omit_defaults=True, kw_only=True, tag="Condition"):
    """What is kept of a Condition."""

    clinical_status: str | None = None
    verification_status: str | None = None
    category: tuple[Coding, ...] = ()
    code: tuple[Coding, ...] = ()
    onset: PartialDate | None = None
    abatement: PartialDate | None = None
    recorded: PartialDate | None = None


class Encounter(Kept, frozen=True, omit_defaults=True, kw_only=True, tag="Encounter"):
    """What is kept of an Encounter: the day and the class of a visit."""

    status: str
    class_: Coding | None = None
    start: PartialDate | None = None


class Patient(Kept, frozen=True, omit_defaults=True, kw_only=True, tag="Patient"):
    """
    What is kept of a Patient; months are month numbers, ``zip3`` passed the list.

    With ``years_only`` a month is the January of the year that is kept, and a year of
    birth may stand for all before it too.
    """

    sex: str | None = None
    birth_month: int | None = None
    death_month: int | None = None
    deceased: bool | None = None
    state: str | None = None
    zip3: str | None = None
    years_only: bool = False


class Summary(Kept, frozen=True, omit_defaults=True, kw_only=True, tag="Summary"):
    """
    What is kept of an Observation about a Group or Location: a number of nobody known.

    ``effective`` is a day or a month. Without a ``quantity`` it is one event. ``ward``
    is a keyed hash of what it is about.
    """

    status: str
    code: tuple[Coding, ...] = ()
    effective: PartialDate | None = None
    quantity: Quantity | None = None
    ward: str


class SummaryReport(
    Kept, frozen=True, omit_defaults=True, kw_only=True, tag="SummaryReport"
):
    """
    What is kept of a summary MeasureReport: two counts of one month.

    ``measure`` is the id of one of the network's measures, ``month`` a month number;
    ``ward`` is empty where the whole clinic reports.
    """

    status: str
    measure: str
    month: int
    numerator: int | None = None
    denominator: int | None = None
    ward: str = ""


Content = Observation | Condition | Encounter | Patient | Summary | SummaryReport

_CONTENT: msgspec.json.Decoder[Content] = msgspec.json.Decoder(Content)


def content_of(text: str) -> Content:
    """Return what is kept of a resource, from the JSON that the store has of it."""
    return _CONTENT.decode(text)


class AliasKind(IntEnum):
    """By what a record is known again."""

    ID = 1
    IDENTIFIER = 2
    DIGEST = 3
    REPORT = 4
    """Of a summary MeasureReport: its measure, month and ward."""


class Alias(Kept, frozen=True, order=True):
    """
    A keyed name of a record: HMAC-SHA256 of its scope and its raw value.

    ``key`` has 20 bytes; the raw value is never stored.
    """

    key: bytes
    kind: AliasKind
    key_version: int


class AliasTarget(Kept, frozen=True, tag_field="by", tag="alias"):
    """
    A reference to the record, here or yet to come, that *aliases* name.

    All are of one name, one for each active key version, the current version first.
    """

    aliases: tuple[Alias, ...]
    type: RecordType


class HubTarget(Kept, frozen=True, tag_field="by", tag="hub"):
    """A reference by the hub's own id."""

    record_id: int
    type: RecordType


class EntryTarget(Kept, frozen=True, tag_field="by", tag="entry"):
    """A reference to the resource of another entry of the same Bundle."""

    index: int


Target = AliasTarget | HubTarget | EntryTarget


class DeidentifiedRecord(Kept, frozen=True, omit_defaults=True, kw_only=True):
    """
    One resource, de-identified, ready to be stored.

    ``aliases`` are its id and its unique identifiers (never the digest, which needs
    resolved references), under the current key version first, then under the others
    that are active. ``content_digests`` are, for the same versions, keyed digests of
    the validated resource at full precision without id, meta, text, display, issued and
    without its subject and encounter. ``sent_order`` is meta.lastUpdated in epoch
    milliseconds.
    ``former_codes`` and ``former_wards`` are what its local codes and its ward, by what
    they are called now, were called under older key versions.
    ``dropped`` lists the element paths that were not kept, each once, sorted.
    ``links`` are a Patient's replaced-by and replaces targets, ``linkage`` what ties it
    to other clinics' patients; without the policy's leave there is none.
    """

    type: RecordType
    content: Content
    aliases: tuple[Alias, ...]
    subject: Target | None = None
    encounter: Target | None = None
    links: tuple[Target, ...] = ()
    linkage: tuple[LinkageToken, ...] = ()
    entered_in_error: bool = False
    needs_identity: bool = False
    """The status says that this replaces something: an id or identifier is a must."""
    sent_order: int | None = None
    content_digests: tuple[Alias, ...]
    former_codes: dict[str, tuple[str, ...]] = {}
    former_wards: dict[str, tuple[str, ...]] = {}
    policy_digest: str
    dropped: tuple[str, ...] = ()

    @property
    def key_version(self) -> int:
        """Return the version of the key that its new names are made under."""
        return self.content_digests[0].key_version
