"""
Keep numbers of nobody known: what clinics count themselves.

Expand step: the table is new. The version before does not write to it, and its records
of summaries have no subject.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "summary_fact",
        sa.Column("clinic_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("concept_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("record_id", BIG, autoincrement=False, nullable=False),
        sa.Column("ward", sa.String(length=26), nullable=False),
        sa.Column("day", sa.Integer(), nullable=True),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "clinic_id",
            "concept_id",
            "month",
            "record_id",
            name=op.f("pk_summary_fact"),
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_summary_fact_record_id"), "summary_fact", ["record_id"])


def downgrade() -> None:
    op.drop_table("summary_fact")
