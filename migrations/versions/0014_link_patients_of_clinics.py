"""
Keep what tells that patients of several clinics are one, where the policy allows it.

Expand step: two tables of their own, which refer to nothing and stay empty where the
policy is silent; and of each release whether it summed people or counted each once. All
releases of before summed them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0012"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "linkage_token",
        sa.Column("subject_id", BIG, autoincrement=False, nullable=False),
        sa.Column("kind", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "key_version", sa.SmallInteger(), autoincrement=False, nullable=False
        ),
        sa.Column("token", sa.LargeBinary(20), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint(
            "subject_id",
            "kind",
            "key_version",
            "token",
            name=op.f("pk_linkage_token"),
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_linkage_token_token"), "linkage_token", ["token"])
    op.create_table(
        "linkage_cluster",
        sa.Column("subject_id", BIG, autoincrement=False, nullable=False),
        sa.Column("cluster_id", BIG, nullable=False),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_linkage_cluster")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_linkage_cluster_cluster_id"), "linkage_cluster", ["cluster_id"]
    )
    # SQLite adds and drops a column in place, where a batch copies the table.
    op.add_column(
        "release",
        sa.Column("counts", sa.String(16), nullable=False, server_default="summed"),
    )


def downgrade() -> None:
    op.drop_column("release", "counts")
    op.drop_table("linkage_cluster")
    op.drop_table("linkage_token")
