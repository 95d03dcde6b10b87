"""
Keep webhooks: where the servers of sources notify the hub of what has changed.

Expand step: a table of its own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(43), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("subscriptions", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("received_at", BIG),
        sa.Column("missed_at", BIG),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_webhook_source_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
        sa.UniqueConstraint("name", name=op.f("uq_webhook_name")),
        sa.UniqueConstraint("source_id", name=op.f("uq_webhook_source_id")),
    )


def downgrade() -> None:
    op.drop_table("webhook")
