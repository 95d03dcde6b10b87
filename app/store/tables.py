"""
The tables: what is at rest, and all of it.

Rows are built from the hub's own records only. A string column holds a code of a
listed system, a keyed digest, the name of a clinic, or JSON of a closed record type;
there is none for anything a patient could be known by. What people of the network say
about charts and projects is screened for that.
"""

from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

metadata: MetaData = SQLModel.metadata
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

PATIENTS = text("type = 1")
BigId = BigInteger().with_variant(Integer(), "sqlite")
CLUSTERED = {"sqlite_with_rowid": False}
"""SQLite keeps such a table in the order of its primary key."""


def key_column(kind: Any = BigId, **options: Any) -> Any:  # noqa: ANN401  (a column type)
    """Return a primary-key column that is filled by the caller."""
    return Field(
        sa_type=kind,
        primary_key=True,
        sa_column_kwargs={"autoincrement": False},
        **options,
    )


def big(**options: Any) -> Any:  # noqa: ANN401  (SQLModel's Field is untyped)
    """Return a BIGINT column."""
    return Field(sa_type=BigId, **options)


def small(**options: Any) -> Any:  # noqa: ANN401  (SQLModel's Field is untyped)
    """Return a SMALLINT column."""
    return Field(sa_type=SmallInteger, **options)


class Clinic(SQLModel, table=True):
    """
    A clinic of the network; ``code`` is its name in URLs.

    Releases count it from ``first_month`` to ``end_month``, half-open; None: not yet.
    """

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(sa_type=String(64), unique=True)
    name: str = Field(sa_type=String(200))
    status: str = Field(sa_type=String(16))
    first_month: int | None = None
    end_month: int | None = None
    __table_args__ = (
        CheckConstraint("status IN ('onboarding', 'active', 'left')", name="status"),
    )


class Source(SQLModel, table=True):
    """A system of a clinic that sends FHIR; lists are JSON arrays."""

    id: int | None = Field(default=None, primary_key=True)
    clinic_id: int = Field(foreign_key="clinic.id", index=True)
    name: str = Field(sa_type=String(64))
    base_urls: str = Field(sa_type=Text)
    identifier_systems: str = Field(sa_type=Text)
    time_zone: str = Field(sa_type=String(64))
    padded_dates: bool
    __table_args__ = (UniqueConstraint("clinic_id", "name"),)


class Client(SQLModel, table=True):
    """
    A registered OAuth client: a clinic's (with a source) or a partner's.

    ``contacts`` is a JSON array, ``created_at`` in epoch seconds (None: not recorded).
    Of a secret only its digest is kept, and a clinic's client has none.
    """

    client_id: str = Field(sa_type=String(64), primary_key=True)
    source_id: int | None = Field(default=None, foreign_key="source.id", index=True)
    audience: str = Field(sa_type=String(16))
    name: str = Field(sa_type=String(200))
    scopes: str = Field(sa_type=Text)
    scope_optional: bool = False
    key_set: str | None = Field(default=None, sa_type=Text)
    jwks_uri: str | None = Field(default=None, sa_type=Text)
    secret_hash: bytes | None = Field(default=None, sa_type=LargeBinary(32))
    auth_method: str = Field(sa_type=String(32))
    status: str = Field(sa_type=String(16), index=True)
    contacts: str = Field(default="[]", sa_type=Text)
    created_at: int | None = big(default=None)
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'active', 'revoked')", name="status"),
        CheckConstraint("secret_hash IS NULL OR source_id IS NULL", name="secret"),
    )


class AssertionUse(SQLModel, table=True):
    """A client assertion that was presented; ``use_key`` digests client and jti."""

    __tablename__: ClassVar[str] = "assertion_use"
    use_key: bytes = Field(sa_type=LargeBinary(20), primary_key=True)
    expires_at: int = big(index=True)


class RevokedToken(SQLModel, table=True):
    """An access token taken back before its time; ``token_key`` digests its jti."""

    __tablename__: ClassVar[str] = "revoked_token"
    token_key: bytes = Field(sa_type=LargeBinary(20), primary_key=True)
    expires_at: int = big(index=True)


class Concept(SQLModel, table=True):
    """A code of a terminology; a local code is a keyed digest."""

    id: int | None = Field(default=None, primary_key=True)
    system: str = Field(sa_type=String(120))
    code: str = Field(sa_type=String(64))
    __table_args__ = (UniqueConstraint("system", "code"),)


class KeyVersion(SQLModel, table=True):
    """
    A master key that names here were made under, told by its ``fingerprint``.

    Times are epoch milliseconds; ``retired_at`` is set once nothing is known by it.
    """

    __tablename__: ClassVar[str] = "key_version"
    version: int = key_column(SmallInteger)
    fingerprint: bytes = Field(sa_type=LargeBinary(20))
    created_at: int = big()
    retired_at: int | None = big(default=None)


class ConceptMap(SQLModel, table=True):
    """
    A source's map of local codes, loaded at an epoch millisecond.

    ``skipped`` counts what of it is not used. ``settled``: what was stored before
    counts by it too.
    """

    __tablename__: ClassVar[str] = "concept_map"
    source_id: int = key_column(Integer, foreign_key="source.id")
    loaded_at: int = big()
    skipped: int
    settled: bool


class ConceptMapping(SQLModel, table=True):
    """What a source's map says of a local code: a keyed digest -> a listed concept."""

    __tablename__: ClassVar[str] = "concept_mapping"
    source_id: int = key_column(Integer)
    code: str = Field(sa_type=String(26), primary_key=True)
    target_id: int = key_column(Integer, foreign_key="concept.id")
    key_version: int = small()
    __table_args__ = (CLUSTERED,)


class Record(SQLModel, table=True):
    """
    One resource as it is kept; ``content`` is JSON of a closed record type.

    ``state`` is 0 placeholder, 1 current, 2 withdrawn. ``subject_id`` is the subject
    that it came with, whatever subjects were joined later. ``digest`` is of its content
    and of whom it counts for; ``content_digest`` is of its content alone, so that the
    other can be made again after a join. ``twin_id`` names the record that counts in
    its place, where a join showed that both came of one resource. ``key_version`` is
    that of its digests and of the keyed codes in its content.

    A digest is looked for among what is about its subject, a Patient's among Patients.
    """

    id: int | None = Field(default=None, sa_type=BigId, primary_key=True)
    type: int = small()
    source_id: int = Field(foreign_key="source.id")
    subject_id: int = big()
    encounter_id: int = big(default=0)
    version: int
    state: int = small()
    sent_order: int | None = big(default=None)
    digest: bytes | None = Field(default=None, sa_type=LargeBinary(20))
    content_digest: bytes | None = Field(default=None, sa_type=LargeBinary(20))
    twin_id: int | None = big(default=None)
    content: str | None = Field(default=None, sa_type=Text)
    policy_digest: str = Field(sa_type=String(64))
    received_at: int = big()
    key_version: int = small(default=1)
    __table_args__ = (
        CheckConstraint("state IN (0, 1, 2)", name="state"),
        Index(None, "subject_id", "digest"),
        Index(None, "digest", postgresql_where=PATIENTS, sqlite_where=PATIENTS),
        {"sqlite_autoincrement": True},
    )


class Policy(SQLModel, table=True):
    """
    A de-identification policy under which records were stored; ``digest`` is of both.

    ``rules`` is a JSON object: the texts of the files that it was narrowed by, by name.
    Without a ``text`` nothing is known but that records carry its digest.
    """

    digest: str = Field(sa_type=String(64), primary_key=True)
    text: str | None = Field(default=None, sa_type=Text)
    rules: str = Field(default="{}", sa_type=Text)
    since: int = big()
    __table_args__ = (CLUSTERED,)


class Alias(SQLModel, table=True):
    """A keyed name of a record; ``kind`` is 1 id, 2 identifier."""

    key: bytes = Field(sa_type=LargeBinary(20), primary_key=True)
    record_id: int = big(index=True)
    kind: int = small()
    key_version: int = small()
    __table_args__ = (CLUSTERED,)


class Subject(SQLModel, table=True):
    """
    A patient at one clinic; ``id`` is that of the Patient record.

    Months are month numbers; ``sex`` is 1 male, 2 female, 3 other. ``joined_to`` names
    the subject that counts for this one, where two were found to be the same patient.
    """

    id: int = key_column()
    clinic_id: int = Field(foreign_key="clinic.id", index=True)
    birth_month: int | None = None
    sex: int | None = small(default=None)
    death_month: int | None = None
    joined_to: int | None = big(default=None, index=True)


class Tie(SQLModel, table=True):
    """
    What a current Patient says: that another subject is the same person.

    ``kind`` is 1 by an identifier of its own, 2 by a ``link``. Subjects that ties
    connect count as one; ``subject.joined_to`` is worked out from here.
    """

    record_id: int = key_column()
    other_id: int = key_column()
    kind: int = key_column(SmallInteger)
    __table_args__ = (Index(None, "other_id"), CLUSTERED)


class LinkageToken(SQLModel, table=True):
    """
    A keyed hash by which a Patient may be told to be another clinic's too.

    ``kind`` is what it is of (``app.domain.linkage``). Nothing refers to these rows,
    and there are none without the policy's leave.
    """

    __tablename__: ClassVar[str] = "linkage_token"
    subject_id: int = key_column()
    kind: int = key_column(SmallInteger)
    key_version: int = key_column(SmallInteger)
    token: bytes = key_column(LargeBinary(20))
    __table_args__ = (Index(None, "token"), CLUSTERED)


class LinkageCluster(SQLModel, table=True):
    """A subject that is one person with others; ``cluster_id`` is a random number."""

    __tablename__: ClassVar[str] = "linkage_cluster"
    subject_id: int = key_column()
    cluster_id: int = big(index=True)
    __table_args__ = (CLUSTERED,)


class Block(SQLModel, table=True):
    """
    A name of an erased person, who is not to come back.

    ``key`` digests a keyed alias, so it equals none that was ever stored. ``erasure``
    is a random number that the names of one person share.
    """

    key: bytes = Field(sa_type=LargeBinary(20), primary_key=True)
    key_version: int = small()
    erasure: int = big(index=True)
    __table_args__ = (CLUSTERED,)


class Refusal(SQLModel, table=True):
    """Why the latest delivery of a resource was refused; ``key`` is its keyed alias."""

    key: bytes = Field(sa_type=LargeBinary(20), primary_key=True)
    source_id: int = Field(foreign_key="source.id")
    issue_type: str = Field(sa_type=String(32))
    expression: str | None = Field(default=None, sa_type=String(200))
    refused_at: int = big()
    __table_args__ = (Index(None, "source_id", "refused_at"), CLUSTERED)


class Audit(SQLModel, table=True):
    """
    An act that took something back, or changed who counts as one person.

    Whose records they were it does not say: ``record_type`` is 0 for none in
    particular, ``count`` how many there were, ``client_id`` who asked.
    """

    id: int | None = Field(default=None, sa_type=BigId, primary_key=True)
    at: int = big(index=True)
    client_id: str = Field(sa_type=String(64))
    act: str = Field(sa_type=String(32))
    record_type: int = small()
    count: int


class Observation(SQLModel, table=True):
    """A fact that measures count; ``value`` in thousandths of the canonical unit."""

    subject_id: int = key_column()
    concept_id: int = key_column(Integer)
    day: int = key_column(Integer)
    record_id: int = key_column()
    part: int = key_column(SmallInteger)
    month: int
    value: int | None = Field(default=None, sa_type=BigInteger)
    value_concept_id: int | None = None
    encounter_id: int = big(default=0)
    __table_args__ = (Index(None, "record_id"), CLUSTERED)


class Condition(SQLModel, table=True):
    """A span of a diagnosis in months, half-open; onset 0 is unknown, since ever."""

    subject_id: int = key_column()
    concept_id: int = key_column(Integer)
    record_id: int = key_column()
    onset_month: int
    abatement_month: int | None = None
    __table_args__ = (Index(None, "record_id"), CLUSTERED)


class Visit(SQLModel, table=True):
    """A visit that took place."""

    subject_id: int = key_column()
    day: int = key_column(Integer)
    record_id: int = key_column()
    month: int
    class_concept_id: int
    __table_args__ = (Index(None, "record_id"), CLUSTERED)


class SummaryFact(SQLModel, table=True):
    """
    A number of nobody known, in thousandths, for a ``day`` or only for a ``month``.

    ``ward`` is a keyed hash of the Group or Location it is of, empty for the clinic.
    """

    __tablename__: ClassVar[str] = "summary_fact"
    clinic_id: int = key_column(Integer)
    concept_id: int = key_column(Integer)
    month: int = key_column(Integer)
    record_id: int = key_column()
    ward: str = Field(sa_type=String(26))
    day: int | None = None
    value: int = Field(sa_type=BigInteger)
    __table_args__ = (Index(None, "record_id"), CLUSTERED)


class Dirty(SQLModel, table=True):
    """A subject to be counted again; ``stamp`` changes with each new reason."""

    subject_id: int = key_column()
    stamp: int = big()
    since: int = big()
    clinic_id: int


class Measure(SQLModel, table=True):
    """
    A definition that is counted; ``definition`` is its text as JSON.

    ``wanted`` is what a hub has loaded; the cells of one that is ``counted`` are
    served. Events are held of subjects with an id of at most ``counted_through``.

    Releases hold its intervals that end before month ``published_before``; what changes
    in them since is noted (``LateEvent``) from month ``tracked_from`` on. ``edition``
    counts the restatements.
    """

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(sa_type=String(64))
    version: str = Field(sa_type=String(32))
    digest: str = Field(sa_type=String(64))
    counted: bool
    definition: str | None = Field(default=None, sa_type=Text)
    wanted: bool = True
    counted_through: int = big(default=0)
    published_before: int = 0
    tracked_from: int = 0
    edition: int = 0
    __table_args__ = (UniqueConstraint("code", "digest"),)


class SubjectEvent(SQLModel, table=True):
    """
    What one subject adds to a measure's cells: the difference events it gave.

    ``stratum`` is the number of a combination of strata; ``bin`` is that of a value,
    below 0 of what is missing to have one (``app.measures.compilation``).
    """

    __tablename__: ClassVar[str] = "subject_event"
    # The measure first: counted from nothing, its events are written one after another.
    measure_id: int = key_column(Integer)
    subject_id: int = key_column()
    grain: int = key_column(SmallInteger)
    stratum: int = key_column(SmallInteger)
    bin: int = key_column(Integer)
    month: int = key_column(Integer)
    population: int
    excluded: int = 0
    excepted: int = 0
    scored: int
    denominator: int
    numerator: int
    value_sum: int = big(default=0)
    value_squares: int = big(default=0)
    __table_args__ = (CLUSTERED,)


class LateEvent(SQLModel, table=True):
    """
    What one subject's events changed in intervals that were published before.

    Difference events as in ``SubjectEvent``, made under an ``edition`` of the measure.
    Subject 0 is all of a clinic's erased subjects, added up.
    """

    __tablename__: ClassVar[str] = "late_event"
    measure_id: int = key_column(Integer)
    clinic_id: int = key_column(Integer)
    subject_id: int = key_column()
    edition: int = key_column(Integer)
    grain: int = key_column(SmallInteger)
    stratum: int = key_column(SmallInteger)
    bin: int = key_column(Integer)
    month: int = key_column(Integer)
    population: int
    excluded: int = 0
    excepted: int = 0
    scored: int
    denominator: int
    numerator: int
    value_sum: int = big(default=0)
    value_squares: int = big(default=0)
    __table_args__ = (Index(None, "subject_id"), CLUSTERED)


class Cell(SQLModel, table=True):
    """The sum of a clinic's difference events; a series is its running sum."""

    measure_id: int = key_column(Integer)
    clinic_id: int = key_column(Integer)
    grain: int = key_column(SmallInteger)
    stratum: int = key_column(SmallInteger)
    bin: int = key_column(Integer)
    month: int = key_column(Integer)
    population: int = Field(sa_type=BigInteger)
    excluded: int = Field(default=0, sa_type=BigInteger)
    excepted: int = Field(default=0, sa_type=BigInteger)
    scored: int = Field(sa_type=BigInteger)
    denominator: int = Field(sa_type=BigInteger)
    numerator: int = Field(sa_type=BigInteger)
    value_sum: int = Field(default=0, sa_type=BigInteger)
    value_squares: int = Field(default=0, sa_type=BigInteger)
    __table_args__ = (CLUSTERED,)


class Lease(SQLModel, table=True):
    """Who may do a kind of work, until when (epoch milliseconds)."""

    name: str = Field(sa_type=String(64), primary_key=True)
    holder: str = Field(sa_type=String(64))
    expires_at: int = big()


class Release(SQLModel, table=True):
    """
    A frozen cube for one audience; JSON tells what it shows, and of its audit.

    ``counts`` says whether people of several clinics were summed or counted once.
    """

    id: int | None = Field(default=None, primary_key=True)
    audience: str = Field(sa_type=String(16), index=True)
    created_at: int = big()
    closed_before: int
    rules_digest: str = Field(sa_type=String(64))
    policy_digest: str = Field(sa_type=String(64))
    counts: str = Field(default="summed", sa_type=String(16))
    summary: str = Field(sa_type=Text)
    audit: str | None = Field(default=None, sa_type=Text)


class ReleasedCell(SQLModel, table=True):
    """
    A cell that its audience may see; clinic 0 is the network.

    The last seven are of a continuous variable, in thousandths; of these the
    percentiles are NULL one by one.
    """

    __tablename__: ClassVar[str] = "released_cell"
    release_id: int = key_column(Integer)
    measure_id: int = key_column(Integer)
    clinic_id: int = key_column(Integer)
    grain: int = key_column(SmallInteger)
    stratum: int = key_column(SmallInteger)
    month: int = key_column(Integer)
    population: int | None = None
    scored: int | None = None
    denominator: int | None = None
    numerator: int | None = None
    withheld: str | None = Field(default=None, sa_type=String(16))
    value_sum: int | None = Field(default=None, sa_type=BigInteger)
    value_squares: int | None = Field(default=None, sa_type=BigInteger)
    p10: int | None = None
    p25: int | None = None
    p50: int | None = None
    p75: int | None = None
    p90: int | None = None
    __table_args__ = (CLUSTERED,)


class Restatement(SQLModel, table=True):
    """
    A block of a measure, ``months`` long, that a release gave new numbers.

    Of its intervals those that end before ``published_before`` had numbers till then.
    """

    release_id: int = key_column(Integer)
    measure_id: int = key_column(Integer)
    month: int = key_column(Integer)
    months: int = small()
    published_before: int
    edition: int
    __table_args__ = (CLUSTERED,)


class NoisyCount(SQLModel, table=True):
    """
    A count with noise that was told, and what it cost of the budget.

    ``question`` is the SHA-256 of the definition's digest and the interval.
    """

    __tablename__: ClassVar[str] = "noisy_count"
    question: str = Field(sa_type=String(64), primary_key=True)
    asked_at: int = big()
    measure_code: str = Field(sa_type=String(64))
    interval_months: int = small()
    interval_start: int
    epsilon_millionths: int = big()
    numerator: int = big()
    others: int = big()
    uncounted: int = big()


class PublishingInterval(SQLModel, table=True):
    """How wide a clinic's published interval of a measure is; fixed once."""

    __tablename__: ClassVar[str] = "publishing_interval"
    audience: str = Field(sa_type=String(16), primary_key=True)
    measure_id: int = key_column(Integer)
    clinic_id: int = key_column(Integer)
    grain: int = small()
    __table_args__ = (CLUSTERED,)


class FrozenCount(SQLModel, table=True):
    """True counts behind a published line: JSON of people by clinic and state."""

    __tablename__: ClassVar[str] = "frozen_count"
    measure_id: int = key_column(Integer)
    grain: int = key_column(SmallInteger)
    month: int = key_column(Integer)
    counts: str = Field(sa_type=Text)
    __table_args__ = (CLUSTERED,)


class Signed(SQLModel):
    """Who said something, by which client, when (epoch milliseconds), and why."""

    author: str = Field(sa_type=String(200))
    reason: str = Field(sa_type=Text)
    client_id: str = Field(sa_type=String(64))
    created_at: int = big()


class Cohort(Signed, table=True):
    """A named set of clinics, which never changes."""

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(sa_type=String(64), unique=True)
    name: str = Field(sa_type=String(200))


class CohortClinic(SQLModel, table=True):
    """A clinic of a cohort."""

    __tablename__: ClassVar[str] = "cohort_clinic"
    cohort_id: int = key_column(Integer, foreign_key="cohort.id")
    clinic_id: int = key_column(Integer, foreign_key="clinic.id")
    __table_args__ = (CLUSTERED,)


class Annotation(Signed, table=True):
    """
    What somebody says or decides about charts; of the network where it is of nobody.

    The texts are people's own, screened by ``app.deid.free_texts``. ``measures`` is a
    JSON array, empty: of all; ``evidence`` that of a suggestion, as JSON.
    ``is_clinics``: the clinic itself wrote it.
    """

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(sa_type=String(16))
    clinic_id: int | None = Field(default=None, foreign_key="clinic.id")
    cohort_id: int | None = Field(default=None, foreign_key="cohort.id")
    month: int
    day: int | None = None
    measures: str = Field(sa_type=Text)
    what: str | None = Field(default=None, sa_type=Text)
    hypothesis: str | None = Field(default=None, sa_type=Text)
    evidence: str | None = Field(default=None, sa_type=Text)
    is_clinics: bool
    __table_args__ = (
        CheckConstraint("clinic_id IS NULL OR cohort_id IS NULL", name="subject"),
    )


class WithdrawnAnnotation(Signed, table=True):
    """Who took an annotation back, and why."""

    __tablename__: ClassVar[str] = "withdrawn_annotation"
    annotation_id: int = key_column(Integer, foreign_key="annotation.id")


class Project(Signed, table=True):
    """What some clinics set out to improve; ``measures`` is a JSON array."""

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(sa_type=String(64), unique=True)
    name: str = Field(sa_type=String(200))
    aim: str = Field(sa_type=Text)
    measures: str = Field(sa_type=Text)


class ProjectPhase(Signed, table=True):
    """The clinics (a JSON array of ids) that join a project, from a month on."""

    __tablename__: ClassVar[str] = "project_phase"
    project_id: int = key_column(Integer, foreign_key="project.id")
    number: int = key_column(Integer)
    kind: str = Field(sa_type=String(16))
    name: str = Field(sa_type=String(200))
    month: int
    clinics: str = Field(sa_type=Text)
    __table_args__ = (CLUSTERED,)


class EndedProject(Signed, table=True):
    """Who ended a project, and why."""

    __tablename__: ClassVar[str] = "ended_project"
    project_id: int = key_column(Integer, foreign_key="project.id")
