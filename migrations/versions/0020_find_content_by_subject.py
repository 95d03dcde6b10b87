"""
Find a record's content by its subject, so that what is new of somebody stands together.

Digests alone were an index whose every new entry went to a page of its own.
"""

from alembic import op
from sqlalchemy import text

revision = "0020"
down_revision = "0019"

PATIENTS = text("type = 1")


def upgrade() -> None:
    with op.batch_alter_table("record") as record:
        record.drop_index("ix_record_digest")
        record.drop_index("ix_record_subject_id")
        record.create_index("ix_record_subject_id_digest", ["subject_id", "digest"])
        record.create_index(
            "ix_record_digest",
            ["digest"],
            postgresql_where=PATIENTS,
            sqlite_where=PATIENTS,
        )


def downgrade() -> None:
    with op.batch_alter_table("record") as record:
        record.drop_index("ix_record_digest")
        record.drop_index("ix_record_subject_id_digest")
        record.create_index("ix_record_subject_id", ["subject_id"])
        record.create_index("ix_record_digest", ["digest"])
