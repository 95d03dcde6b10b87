"""
Count again whose values name a visit that is dated before their birth.

They were counted on that visit's day, which is none; of all others the cells are right.
Rows of ``dirty`` alone are added: the hub that starts next counts these people, and
notes what that changes in published intervals.
"""

import time

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

MARK = sa.text(
    "INSERT INTO dirty (subject_id, stamp, since, clinic_id) "
    "SELECT DISTINCT s.id, 1, CAST(:now AS BIGINT), s.clinic_id "
    "FROM subject s JOIN visit v ON v.subject_id = s.id AND v.month < s.birth_month "
    "WHERE EXISTS (SELECT 1 FROM observation o WHERE o.subject_id = s.id "
    "AND o.encounter_id = v.record_id) "
    "ON CONFLICT (subject_id) DO NOTHING"
)


def upgrade() -> None:
    op.get_bind().execute(MARK, {"now": time.time_ns() // 1_000_000})


def downgrade() -> None:
    # Counted right they stay until something of theirs changes.
    pass
