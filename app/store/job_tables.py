"""
The tables of bulk work: jobs, what is staged for them, and what became of it.

Here too there is nothing that a patient could be known by: what must be remembered of
a clinic's ids is sealed, and goes when its job ends.
"""

from typing import ClassVar

from sqlalchemy import CheckConstraint, Index, Integer, LargeBinary, String, Text
from sqlmodel import Field, SQLModel

from app.store.tables import CLUSTERED, BigId, big, key_column


class Job(SQLModel, table=True):
    """
    A piece of work that a worker does step by step; times are epoch milliseconds.

    ``name_key`` is a keyed hash of what its sender calls it. ``request`` and
    ``progress`` are JSON of closed records of its ``kind``; ``sealed`` is readable
    under the master key alone. ``received`` counts the lines of an upload that are
    staged, or were. ``attempts`` counts how often the step it is at has
    failed. ``holder`` works on it until ``held_until``; ``served_at`` is when a step
    of it last ended. ``failure`` says in the hub's words why it ended, or waits.
    """

    id: int | None = Field(default=None, sa_type=BigId, primary_key=True)
    kind: str = Field(sa_type=String(16))
    source_id: int = Field(foreign_key="source.id")
    clinic_id: int = Field(foreign_key="clinic.id")
    client_id: str = Field(sa_type=String(64))
    name_key: bytes | None = Field(default=None, sa_type=LargeBinary(20), index=True)
    state: str = Field(sa_type=String(16), index=True)
    request: str = Field(sa_type=Text)
    progress: str = Field(default="{}", sa_type=Text)
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    attempts: int = 0
    not_before: int = big(default=0)
    holder: str | None = Field(default=None, sa_type=String(64))
    held_until: int = big(default=0)
    received: int = 0
    served_at: int = big(default=0)
    created_at: int = big()
    updated_at: int = big()
    failure: str | None = Field(default=None, sa_type=Text)
    __table_args__ = (
        CheckConstraint(
            "state IN ('receiving', 'waiting', 'held', 'done', 'failed', 'cancelled')",
            name="state",
        ),
        {"sqlite_autoincrement": True},
    )


class Staged(SQLModel, table=True):
    """De-identified lines of a part of a job's delivery, packed, yet to be stored."""

    job_id: int = key_column()
    part: int = key_column(Integer)
    number: int = key_column(Integer)
    payload: bytes = Field(sa_type=LargeBinary)


class JobIssue(SQLModel, table=True):
    """
    What was found wrong, once for all lines of a part that it is wrong with.

    ``key`` digests what is said; ``lines`` is a JSON array of the first of them.
    """

    __tablename__: ClassVar[str] = "job_issue"
    job_id: int = key_column()
    part: int = key_column(Integer)
    key: bytes = key_column(LargeBinary(20))
    severity: str = Field(sa_type=String(16))
    issue_type: str = Field(sa_type=String(32))
    expression: str | None = Field(default=None, sa_type=Text)
    diagnostics: str = Field(sa_type=Text)
    count: int
    lines: str = Field(sa_type=Text)
    __table_args__ = (CLUSTERED,)


class JobCount(SQLModel, table=True):
    """How many resources of a FHIR type came to an outcome, in a part of a job."""

    __tablename__: ClassVar[str] = "job_count"
    job_id: int = key_column()
    part: int = key_column(Integer)
    type: str = key_column(String(64))
    outcome: str = key_column(String(16))
    count: int
    __table_args__ = (CLUSTERED,)


class Delivered(SQLModel, table=True):
    """That a part of a job held a record, which became or was ``version`` by it."""

    record_id: int = key_column()
    job_id: int = key_column()
    part: int = key_column(Integer)
    version: int
    __table_args__ = (Index(None, "job_id", "part", "record_id"), CLUSTERED)
