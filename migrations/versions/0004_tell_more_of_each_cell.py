"""
Tell more of each cell: exclusions, exceptions, sums of values, bins, more strata.

The two tables hold what is worked out from the facts, so they are made anew and empty:
definitions of before have another digest, and are counted again from nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BEFORE = ("population", "scored", "denominator", "numerator")
PEOPLE = ("population", "excluded", "excepted", "scored", "denominator", "numerator")
VALUES = ("value_sum", "value_squares")


def key(name, kind):
    return sa.Column(name, kind, autoincrement=False, nullable=False)


def make_tables(*, bins, people, values):
    for table, owner in (
        ("subject_event", [key("subject_id", BIG), key("measure_id", sa.Integer())]),
        (
            "cell",
            [key("measure_id", sa.Integer()), key("clinic_id", sa.Integer())],
        ),
    ):
        of_people = sa.BigInteger() if table == "cell" else sa.Integer()
        of_values = sa.BigInteger() if table == "cell" else BIG
        keys = [
            *owner,
            key("grain", sa.SmallInteger()),
            key("stratum", sa.SmallInteger()),
            *([key("bin", sa.Integer())] if bins else []),
            key("month", sa.Integer()),
        ]
        op.create_table(
            table,
            *keys,
            *(sa.Column(name, of_people, nullable=False) for name in people),
            *(sa.Column(name, of_values, nullable=False) for name in values),
            sa.PrimaryKeyConstraint(
                *(column.name for column in keys), name=op.f(f"pk_{table}")
            ),
            sqlite_with_rowid=False,
        )


def drop_tables():
    for table in ("cell", "subject_event"):
        op.drop_table(table)


def upgrade() -> None:
    drop_tables()
    make_tables(bins=True, people=PEOPLE, values=VALUES)
    op.execute("UPDATE measure SET counted = false")


def downgrade() -> None:
    drop_tables()
    make_tables(bins=False, people=BEFORE, values=())
    op.execute("UPDATE measure SET counted = false")
