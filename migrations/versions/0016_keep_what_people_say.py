"""
Keep what people say about charts, cohorts of clinics, and projects.

Expand step: tables of their own. Rows are added and never changed: what is taken back
or ended gets a row that says so.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0017"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "cohort",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        *_signed(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cohort")),
        sa.UniqueConstraint("code", name=op.f("uq_cohort_code")),
    )
    op.create_table(
        "cohort_clinic",
        sa.Column("cohort_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False, autoincrement=False),
        _references("cohort_clinic", "cohort_id", "cohort"),
        _references("cohort_clinic", "clinic_id", "clinic"),
        sa.PrimaryKeyConstraint(
            "cohort_id", "clinic_id", name=op.f("pk_cohort_clinic")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "annotation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("clinic_id", sa.Integer()),
        sa.Column("cohort_id", sa.Integer()),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer()),
        sa.Column("measures", sa.Text(), nullable=False),
        sa.Column("what", sa.Text()),
        sa.Column("hypothesis", sa.Text()),
        sa.Column("evidence", sa.Text()),
        sa.Column("is_clinics", sa.Boolean(), nullable=False),
        *_signed(),
        _references("annotation", "clinic_id", "clinic"),
        _references("annotation", "cohort_id", "cohort"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_annotation")),
        sa.CheckConstraint(
            "clinic_id IS NULL OR cohort_id IS NULL",
            name=op.f("ck_annotation_subject"),
        ),
    )
    op.create_table(
        "withdrawn_annotation",
        sa.Column("annotation_id", sa.Integer(), nullable=False, autoincrement=False),
        *_signed(),
        _references("withdrawn_annotation", "annotation_id", "annotation"),
        sa.PrimaryKeyConstraint("annotation_id", name=op.f("pk_withdrawn_annotation")),
    )
    op.create_table(
        "project",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("aim", sa.Text(), nullable=False),
        sa.Column("measures", sa.Text(), nullable=False),
        *_signed(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project")),
        sa.UniqueConstraint("code", name=op.f("uq_project_code")),
    )
    op.create_table(
        "project_phase",
        sa.Column("project_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("clinics", sa.Text(), nullable=False),
        *_signed(),
        _references("project_phase", "project_id", "project"),
        sa.PrimaryKeyConstraint("project_id", "number", name=op.f("pk_project_phase")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ended_project",
        sa.Column("project_id", sa.Integer(), nullable=False, autoincrement=False),
        *_signed(),
        _references("ended_project", "project_id", "project"),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_ended_project")),
    )


def downgrade() -> None:
    for name in (
        "ended_project",
        "project_phase",
        "project",
        "withdrawn_annotation",
        "annotation",
        "cohort_clinic",
        "cohort",
    ):
        op.drop_table(name)


def _signed() -> tuple[sa.Column, ...]:
    """Return the columns of who said it, by which client, when and why."""
    return (
        sa.Column("author", sa.String(200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
    )


def _references(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name)
