"""
Keep a ledger of the counts with noise that were told, and of what they cost.

Expand step: a new table, empty where such counts are off.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NUMBERS = ("numerator", "others", "uncounted")


def upgrade() -> None:
    op.create_table(
        "noisy_count",
        sa.Column("question", sa.String(64), nullable=False),
        sa.Column("asked_at", BIG, nullable=False),
        sa.Column("measure_code", sa.String(64), nullable=False),
        sa.Column("interval_months", sa.SmallInteger(), nullable=False),
        sa.Column("interval_start", sa.Integer(), nullable=False),
        sa.Column("epsilon_millionths", BIG, nullable=False),
        *(sa.Column(name, BIG, nullable=False) for name in NUMBERS),
        sa.PrimaryKeyConstraint("question", name=op.f("pk_noisy_count")),
    )


def downgrade() -> None:
    op.drop_table("noisy_count")
