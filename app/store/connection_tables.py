"""The table of connections: the servers that the hub collects from."""

from sqlalchemy import LargeBinary, String, Text
from sqlmodel import Field, SQLModel

from app.store.tables import big


class Connection(SQLModel, table=True):
    """
    How the hub reaches the server of a source; times are epoch milliseconds.

    ``client_id`` is what the hub is called there, None where nobody needs a token.
    ``types``, ``type_filters``, ``hosts`` and ``token_hosts`` are JSON arrays.
    ``level`` is whom an export is of. ``since`` is the server's own instant up to which
    all is here. ``next_at`` is when it is collected next, None where it is not by
    itself. ``sealed`` holds a key of the connection's own, readable under the master
    key alone; ``public_key`` is the public half, a JWK.
    """

    id: int | None = Field(default=None, primary_key=True)
    source_id: int = Field(foreign_key="source.id", unique=True)
    fhir_base: str = Field(sa_type=Text)
    client_id: str | None = Field(default=None, sa_type=String(255))
    token_url: str | None = Field(default=None, sa_type=Text)
    scope: str = Field(sa_type=Text)
    level: str = Field(sa_type=String(16))
    group_id: str | None = Field(default=None, sa_type=String(64))
    types: str = Field(sa_type=Text)
    type_filters: str = Field(sa_type=Text)
    hosts: str = Field(sa_type=Text)
    token_hosts: str = Field(sa_type=Text)
    is_snapshot: bool = False
    every_seconds: int | None = None
    since: str | None = Field(default=None, sa_type=String(64))
    next_at: int | None = big(default=None)
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    public_key: str | None = Field(default=None, sa_type=Text)
