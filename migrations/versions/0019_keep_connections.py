"""
Keep connections: the servers that the hub collects from, one for each source.

Expand step: a table of its own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "connection",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("fhir_base", sa.Text(), nullable=False),
        sa.Column("client_id", sa.String(255)),
        sa.Column("token_url", sa.Text()),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("group_id", sa.String(64)),
        sa.Column("types", sa.Text(), nullable=False),
        sa.Column("type_filters", sa.Text(), nullable=False),
        sa.Column("hosts", sa.Text(), nullable=False),
        sa.Column("token_hosts", sa.Text(), nullable=False),
        sa.Column("is_snapshot", sa.Boolean(), nullable=False),
        sa.Column("every_seconds", sa.Integer()),
        sa.Column("since", sa.String(64)),
        sa.Column("next_at", BIG),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("public_key", sa.Text()),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_connection_source_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection")),
        sa.UniqueConstraint("source_id", name=op.f("uq_connection_source_id")),
    )


def downgrade() -> None:
    op.drop_table("connection")
