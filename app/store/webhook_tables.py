"""The table of webhooks: where servers notify the hub of what has changed."""

from sqlalchemy import LargeBinary, String, Text
from sqlmodel import Field, SQLModel

from app.store.tables import big


class Webhook(SQLModel, table=True):
    """
    Where the server of a source notifies the hub; times are epoch milliseconds.

    ``name`` ends its URL and can't be guessed. ``sealed`` holds the secrets that
    notifications may be signed with, the newest first, readable under the master key
    alone. ``subscriptions`` is JSON: by a digest of each Subscription, the numbers of
    its events; when one was last found missing is ``missed_at``.
    """

    id: int | None = Field(default=None, primary_key=True)
    source_id: int = Field(foreign_key="source.id", unique=True)
    name: str = Field(sa_type=String(43), unique=True)
    sealed: bytes = Field(sa_type=LargeBinary)
    subscriptions: str = Field(default="{}", sa_type=Text)
    created_at: int = big()
    received_at: int | None = big(default=None)
    missed_at: int | None = big(default=None)
