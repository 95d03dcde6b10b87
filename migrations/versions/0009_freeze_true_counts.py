"""
Keep the true counts behind each published line, and what a release's audit did.

A later release is audited together with the earlier ones, and true counts change after
publication. Expand step: the column is nullable and the table new, so the running
version keeps working; lines that were published before have nothing frozen.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("release", sa.Column("audit", sa.Text()))
    op.create_table(
        "frozen_count",
        sa.Column("measure_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("grain", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "measure_id", "grain", "month", name=op.f("pk_frozen_count")
        ),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("frozen_count")
    op.drop_column("release", "audit")
