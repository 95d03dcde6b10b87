"""
Keep each definition and how far it is counted, so that an old one serves meanwhile.

Expand step: the definition is unknown for rows of before, until a hub that has it
starts. What was counted is counted for everybody; the number stands after all ids.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EVERYBODY = 2**62


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
    with op.batch_alter_table("measure") as measure:
        measure.add_column(sa.Column("definition", sa.Text()))
        measure.add_column(
            sa.Column("wanted", sa.Boolean(), nullable=False, server_default=sa.true())
        )
        measure.add_column(
            sa.Column("counted_through", BIG, nullable=False, server_default="0")
        )
    op.execute(f"UPDATE measure SET counted_through = {EVERYBODY} WHERE counted")  # noqa: S608


def downgrade() -> None:
    # What is half counted is forgotten: the earlier version counts it from nothing.
    for table in ("cell", "subject_event"):
        op.execute(
            f"DELETE FROM {table} WHERE measure_id IN "  # noqa: S608  (our own names)
            "(SELECT id FROM measure WHERE NOT counted)"
        )
    with op.batch_alter_table("measure") as measure:
        measure.drop_column("counted_through")
        measure.drop_column("wanted")
        measure.drop_column("definition")
