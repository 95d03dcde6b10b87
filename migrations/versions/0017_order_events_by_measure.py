"""
Order the events of subjects by measure, so that one counted anew appends to them.

In the order of subjects each measure wrote to every page of the table.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0015"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REST = ("grain", "stratum", "bin", "month")
COUNTS = ("population", "excluded", "excepted", "scored", "denominator", "numerator")
SUMS = ("value_sum", "value_squares")
NAME = "pk_subject_event"
TYPES = {
    "subject_id": BIG,
    "measure_id": sa.Integer(),
    "grain": sa.SmallInteger(),
    "stratum": sa.SmallInteger(),
    "bin": sa.Integer(),
    "month": sa.Integer(),
}


def order_by(*first):
    key = (*first, *REST)
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f(NAME), "subject_event")
        op.create_primary_key(op.f(NAME), "subject_event", key)
        return
    # SQLite keeps the rows in the key itself.
    columns = (*key, *COUNTS, *SUMS)
    op.rename_table("subject_event", "event_before")
    op.create_table(
        "subject_event",
        *(
            sa.Column(name, TYPES[name], autoincrement=False, nullable=False)
            for name in key
        ),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in COUNTS),
        *(sa.Column(name, BIG, nullable=False) for name in SUMS),
        sa.PrimaryKeyConstraint(*key, name=op.f(NAME)),
        sqlite_with_rowid=False,
    )
    kept = sa.table("subject_event", *map(sa.column, columns))
    before = sa.table("event_before", *map(sa.column, columns))
    rows = sa.select(before).order_by(*(before.c[name] for name in key))
    op.execute(kept.insert().from_select(columns, rows))
    op.drop_table("event_before")


def upgrade() -> None:
    order_by("measure_id", "subject_id")


def downgrade() -> None:
    order_by("subject_id", "measure_id")
