"""
Note what changes in published intervals, which blocks are restated, and clinics' terms.

Expand step. What changed before this is not known, so what is published by now is never
restated. A clinic that has a publishing interval is in releases already.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEY = (
    ("measure_id", sa.Integer()),
    ("clinic_id", sa.Integer()),
    ("subject_id", BIG),
    ("edition", sa.Integer()),
    ("grain", sa.SmallInteger()),
    ("stratum", sa.SmallInteger()),
    ("bin", sa.Integer()),
    ("month", sa.Integer()),
)
COUNTS = (
    ("population", sa.Integer()),
    ("excluded", sa.Integer()),
    ("excepted", sa.Integer()),
    ("scored", sa.Integer()),
    ("denominator", sa.Integer()),
    ("numerator", sa.Integer()),
    ("value_sum", BIG),
    ("value_squares", BIG),
)
TRACKED = ("published_before", "tracked_from", "edition")


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
    with op.batch_alter_table("clinic") as clinic:
        clinic.add_column(sa.Column("first_month", sa.Integer()))
        clinic.add_column(sa.Column("end_month", sa.Integer()))
        clinic.drop_constraint(op.f("ck_clinic_status"), type_="check")
        clinic.create_check_constraint(
            op.f("ck_clinic_status"), "status IN ('onboarding', 'active', 'left')"
        )
    op.execute(
        "UPDATE clinic SET first_month = 0 "
        "WHERE id IN (SELECT clinic_id FROM publishing_interval)"
    )
    with op.batch_alter_table("measure") as measure:
        for name in TRACKED:
            measure.add_column(
                sa.Column(name, sa.Integer(), nullable=False, server_default="0")
            )
    op.execute(
        "UPDATE measure SET published_before = "
        "(SELECT COALESCE(MAX(closed_before), 0) FROM release) "
        "WHERE id IN (SELECT measure_id FROM released_cell)"
    )
    op.execute("UPDATE measure SET tracked_from = published_before")
    op.create_table(
        "late_event",
        *(sa.Column(name, kind, nullable=False) for name, kind in KEY + COUNTS),
        sa.PrimaryKeyConstraint(*(name for name, _ in KEY), name=op.f("pk_late_event")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_late_event_subject_id"), "late_event", ["subject_id"])
    op.create_table(
        "restatement",
        sa.Column("release_id", sa.Integer(), nullable=False),
        sa.Column("measure_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("months", sa.SmallInteger(), nullable=False),
        sa.Column("published_before", sa.Integer(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "release_id", "measure_id", "month", name=op.f("pk_restatement")
        ),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("restatement")
    op.drop_table("late_event")
    with op.batch_alter_table("measure") as measure:
        for name in TRACKED:
            measure.drop_column(name)
    # The earlier version keeps such a clinic out of releases by another word.
    op.execute("UPDATE clinic SET status = 'onboarding' WHERE status = 'left'")
    with op.batch_alter_table("clinic") as clinic:
        clinic.drop_constraint(op.f("ck_clinic_status"), type_="check")
        clinic.create_check_constraint(
            op.f("ck_clinic_status"), "status IN ('onboarding', 'active')"
        )
        clinic.drop_column("end_month")
        clinic.drop_column("first_month")
