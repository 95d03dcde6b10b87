"""
Keep what Patients say of each other, what was taken back, and what was refused.

Expand step: the tables are new and the columns of ``record`` nullable. A join of before
was kept only by its effect; it becomes a link of the subject that was joined, and
stands until that Patient is sent again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "tie",
        sa.Column("record_id", BIG, autoincrement=False, nullable=False),
        sa.Column("other_id", BIG, autoincrement=False, nullable=False),
        sa.Column("kind", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("record_id", "other_id", "kind", name=op.f("pk_tie")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_tie_other_id"), "tie", ["other_id"])
    op.create_table(
        "block",
        sa.Column("key", sa.LargeBinary(length=20), nullable=False),
        sa.Column("key_version", sa.SmallInteger(), nullable=False),
        sa.Column("erasure", BIG, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_block")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_block_erasure"), "block", ["erasure"])
    op.create_table(
        "refusal",
        sa.Column("key", sa.LargeBinary(length=20), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("issue_type", sa.String(length=32), nullable=False),
        sa.Column("expression", sa.String(length=200), nullable=True),
        sa.Column("refused_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_refusal_source_id")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_refusal")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_refusal_source_id_refused_at"), "refusal", ["source_id", "refused_at"]
    )
    op.create_table(
        "audit",
        sa.Column("id", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("act", sa.String(length=32), nullable=False),
        sa.Column("record_type", sa.SmallInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_at"), "audit", ["at"])
    op.add_column("record", sa.Column("content_digest", sa.LargeBinary(length=20)))
    op.add_column("record", sa.Column("twin_id", BIG))
    op.execute(
        "INSERT INTO tie (record_id, other_id, kind) "
        "SELECT id, joined_to, 2 FROM subject WHERE joined_to IS NOT NULL"
    )


def downgrade() -> None:
    # Not as a batch: a copied table would lose SQLite's counter of record ids.
    op.execute("ALTER TABLE record DROP COLUMN twin_id")
    op.execute("ALTER TABLE record DROP COLUMN content_digest")
    for table in ("audit", "refusal", "block", "tie"):
        op.drop_table(table)
