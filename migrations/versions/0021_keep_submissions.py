"""
Keep bulk submissions: whose they are, their manifests, what these replaced.

Expand step: tables of their own. What a part of a job held is read in order, page by
page, so its index is in that order.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "submission",
        sa.Column("job_id", BIG, nullable=False, autoincrement=False),
        sa.Column("name_key", sa.LargeBinary(20), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("last_call", sa.LargeBinary(20), nullable=False),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("is_dismissed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_submission_source_id")
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_submission")),
        sa.UniqueConstraint("name_key", name=op.f("uq_submission_name_key")),
    )
    op.create_table(
        "submission_part",
        sa.Column("job_id", BIG, nullable=False, autoincrement=False),
        sa.Column("part", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("manifest", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("told", sa.Integer()),
        sa.Column("mark", sa.String(64)),
        sa.Column("restarts", sa.Integer(), nullable=False),
        sa.Column("name_key", sa.LargeBinary(20)),
        sa.Column("replaces_job", BIG),
        sa.Column("replaces_part", sa.Integer()),
        sa.Column("sealed", sa.LargeBinary()),
        sa.CheckConstraint(
            "kind IN ('manifest', 'page', 'file')",
            name=op.f("ck_submission_part_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'read', 'failed', 'replaced')",
            name=op.f("ck_submission_part_state"),
        ),
        sa.PrimaryKeyConstraint("job_id", "part", name=op.f("pk_submission_part")),
    )
    op.create_index(
        op.f("ix_submission_part_name_key"), "submission_part", ["name_key"]
    )
    op.create_table(
        "taken_back",
        sa.Column("job_id", BIG, nullable=False, autoincrement=False),
        sa.Column("part", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("record_id", BIG, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint(
            "job_id", "part", "record_id", name=op.f("pk_taken_back")
        ),
        sqlite_with_rowid=False,
    )
    op.drop_index(op.f("ix_delivered_job_id_part"), "delivered")
    op.create_index(
        op.f("ix_delivered_job_id_part_record_id"),
        "delivered",
        ["job_id", "part", "record_id"],
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_delivered_job_id_part_record_id"), "delivered")
    op.create_index(op.f("ix_delivered_job_id_part"), "delivered", ["job_id", "part"])
    for table in ("taken_back", "submission_part", "submission"):
        op.drop_table(table)
