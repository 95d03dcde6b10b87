"""
Keep what maps make of local codes, and which keys the names here were made under.

Expand step: all that is new is empty or has a value of its own, so the running version
keeps working. What was stored was named under the only key there was, version 1; its
fingerprint is taken at the next start.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0015"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "key_version",
        sa.Column("version", sa.SmallInteger(), autoincrement=False),
        sa.Column("fingerprint", sa.LargeBinary(20), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("retired_at", BIG),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_key_version")),
    )
    op.create_table(
        "concept_map",
        sa.Column("source_id", sa.Integer(), autoincrement=False),
        sa.Column("loaded_at", BIG, nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", name=op.f("pk_concept_map")),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_concept_map_source_id")
        ),
    )
    op.create_table(
        "concept_mapping",
        sa.Column("source_id", sa.Integer(), autoincrement=False),
        sa.Column("code", sa.String(26)),
        sa.Column("target_id", sa.Integer(), autoincrement=False),
        sa.Column("key_version", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "source_id", "code", "target_id", name=op.f("pk_concept_mapping")
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["concept.id"], name=op.f("fk_concept_mapping_target_id")
        ),
        sqlite_with_rowid=False,
    )
    # No batch: SQLite adds it in place, where a batch copies every record.
    op.add_column(
        "record",
        sa.Column("key_version", sa.SmallInteger(), nullable=False, server_default="1"),
    )


def downgrade() -> None:
    op.drop_column("record", "key_version")
    op.drop_table("concept_mapping")
    op.drop_table("concept_map")
    op.drop_table("key_version")
