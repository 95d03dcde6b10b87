"""
Let clients register themselves, have secrets, and be revoked; and tokens with them.

Expand and contract in one step: ``status`` takes the place of ``revoked``, and no
version that reads ``revoked`` was released. Every client so far signs assertions.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
    with op.batch_alter_table("client") as client:
        client.add_column(sa.Column("secret_hash", sa.LargeBinary(length=32)))
        client.add_column(sa.Column("auth_method", sa.String(length=32)))
        client.add_column(sa.Column("status", sa.String(length=16)))
        client.add_column(sa.Column("contacts", sa.Text()))
        client.add_column(sa.Column("created_at", BIG))
    op.execute(
        "UPDATE client SET auth_method = 'private_key_jwt', contacts = '[]', "
        "status = CASE WHEN revoked THEN 'revoked' ELSE 'active' END"
    )
    with op.batch_alter_table("client") as client:
        client.drop_column("revoked")
        for name in ("auth_method", "status", "contacts"):
            client.alter_column(name, nullable=False)
        client.create_check_constraint(
            op.f("ck_client_status"), "status IN ('pending', 'active', 'revoked')"
        )
        client.create_check_constraint(
            op.f("ck_client_secret"), "secret_hash IS NULL OR source_id IS NULL"
        )
        client.create_index(op.f("ix_client_status"), ["status"], unique=False)

    op.create_table(
        "revoked_token",
        sa.Column("token_key", sa.LargeBinary(length=20), nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("token_key", name=op.f("pk_revoked_token")),
    )
    op.create_index(
        op.f("ix_revoked_token_expires_at"),
        "revoked_token",
        ["expires_at"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_table("revoked_token")
    # What the earlier version could not tell from an approved client.
    op.execute("DELETE FROM client WHERE status = 'pending' OR secret_hash IS NOT NULL")
    with op.batch_alter_table("client") as client:
        client.add_column(sa.Column("revoked", sa.Boolean()))
    op.execute("UPDATE client SET revoked = (status = 'revoked')")
    with op.batch_alter_table("client") as client:
        client.alter_column("revoked", nullable=False)
        client.drop_index(op.f("ix_client_status"))
        client.drop_constraint(op.f("ck_client_secret"), type_="check")
        client.drop_constraint(op.f("ck_client_status"), type_="check")
        for name in ("created_at", "contacts", "status", "auth_method", "secret_hash"):
            client.drop_column(name)
