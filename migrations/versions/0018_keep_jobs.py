"""
Keep jobs as rows: what came in bulk, how far it is, and what became of it.

Expand step: tables of their own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "job",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("name_key", sa.LargeBinary(20)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("progress", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", BIG, nullable=False),
        sa.Column("holder", sa.String(64)),
        sa.Column("held_until", BIG, nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("served_at", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("updated_at", BIG, nullable=False),
        sa.Column("failure", sa.Text()),
        sa.CheckConstraint(
            "state IN ('receiving', 'waiting', 'held', 'done', 'failed', 'cancelled')",
            name=op.f("ck_job_state"),
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_job_source_id")
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinic.id"], name=op.f("fk_job_clinic_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_job_state"), "job", ["state"])
    op.create_index(op.f("ix_job_name_key"), "job", ["name_key"])
    op.create_table(
        "staged",
        *_of_a_job(),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "part", "number", name=op.f("pk_staged")),
    )
    op.create_table(
        "job_issue",
        *_of_a_job(),
        sa.Column("key", sa.LargeBinary(20), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("issue_type", sa.String(32), nullable=False),
        sa.Column("expression", sa.Text()),
        sa.Column("diagnostics", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "part", "key", name=op.f("pk_job_issue")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "job_count",
        *_of_a_job(),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "job_id", "part", "type", "outcome", name=op.f("pk_job_count")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "delivered",
        sa.Column("record_id", BIG, nullable=False, autoincrement=False),
        *_of_a_job(),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "record_id", "job_id", "part", name=op.f("pk_delivered")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_delivered_job_id_part"), "delivered", ["job_id", "part"])
    if op.get_context().dialect.name == "postgresql":
        # It is packed as it comes, and gone in a moment.
        op.execute("ALTER TABLE staged ALTER payload SET STORAGE EXTERNAL")


def _of_a_job() -> tuple[sa.Column, ...]:
    return (
        sa.Column("job_id", BIG, nullable=False, autoincrement=False),
        sa.Column("part", sa.Integer(), nullable=False, autoincrement=False),
    )


def downgrade() -> None:
    for table in ("delivered", "job_count", "job_issue", "staged", "job"):
        op.drop_table(table)
