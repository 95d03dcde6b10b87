"""
Release what is known of values: their sum, their squares, five percentiles.

Expand step: the columns are nullable and those of before stay, so the running version
keeps working. Percentiles are columns, not a text: each is withheld by itself, and a
query can tell.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"

VALUES = ("value_sum", "value_squares")
PERCENTILES = ("p10", "p25", "p50", "p75", "p90")


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
    # No batch: SQLite adds and drops these in place, where a batch copies the table.
    for name in VALUES:
        op.add_column("released_cell", sa.Column(name, sa.BigInteger()))
    for name in PERCENTILES:
        op.add_column("released_cell", sa.Column(name, sa.Integer()))


def downgrade() -> None:
    for name in (*PERCENTILES, *VALUES):
        op.drop_column("released_cell", name)
