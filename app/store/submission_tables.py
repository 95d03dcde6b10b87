"""
The tables of bulk submissions: whose they are, their manifests, what these withdrew.

What a submitter calls things is known by keyed hashes; where things are is sealed.
"""

from typing import ClassVar

from sqlalchemy import CheckConstraint, Integer, LargeBinary, String
from sqlmodel import Field, SQLModel

from app.store.tables import CLUSTERED, BigId, key_column


class Submission(SQLModel, table=True):
    """
    A bulk submission, whose work is the job of its number.

    ``name_key`` hashes the submitter and what they call it; ``last_call`` what they
    said last. ``sealed`` is that name. One that ``is_dismissed`` is not told of.
    """

    job_id: int = key_column()
    name_key: bytes = Field(sa_type=LargeBinary(20), unique=True)
    source_id: int = Field(foreign_key="source.id")
    last_call: bytes = Field(sa_type=LargeBinary(20))
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    is_dismissed: bool = False


class SubmissionPart(SQLModel, table=True):
    """
    A manifest, a page of one or a file of it; the parts of a job are numbered.

    ``manifest`` is the part that it is of, ``place`` where among its files of that kind
    a file stands, from 1.
    ``lines`` of it are staged; ``told`` is how many resources the manifest says it
    has. ``mark`` tells versions of a file apart, ``restarts`` counts them. ``name_key``
    hashes a manifest's URL. ``replaces_job`` and ``replaces_part`` are what it
    replaces: a manifest of a job, or all of a job. ``sealed`` says where it is.
    """

    __tablename__: ClassVar[str] = "submission_part"
    job_id: int = key_column()
    part: int = key_column(Integer)
    manifest: int
    kind: str = Field(sa_type=String(16))
    state: str = Field(sa_type=String(16))
    place: int = 0
    lines: int = 0
    told: int | None = None
    mark: str | None = Field(default=None, sa_type=String(64))
    restarts: int = 0
    name_key: bytes | None = Field(default=None, sa_type=LargeBinary(20), index=True)
    replaces_job: int | None = Field(default=None, sa_type=BigId)
    replaces_part: int | None = None
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    __table_args__ = (
        CheckConstraint("kind IN ('manifest', 'page', 'file', 'deleted')", name="kind"),
        CheckConstraint(
            "state IN ('waiting', 'read', 'failed', 'replaced')", name="state"
        ),
    )


class TakenBack(SQLModel, table=True):
    """A record that a part withdrew: a manifest that replaced one, or deletions."""

    __tablename__: ClassVar[str] = "taken_back"
    job_id: int = key_column()
    part: int = key_column(Integer)
    record_id: int = key_column()
    __table_args__ = (CLUSTERED,)
