"""
Let a part of a submission be a file of what its manifest says was deleted.

Expand step: one more kind of part.
"""

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    _allow("'manifest', 'page', 'file', 'deleted'")


def downgrade() -> None:
    # The earlier version would take what is staged of them for resources.
    op.execute(
        "DELETE FROM staged WHERE EXISTS (SELECT 1 FROM submission_part p WHERE "
        "p.kind = 'deleted' AND p.job_id = staged.job_id AND p.part = staged.part)"
    )
    op.execute("DELETE FROM submission_part WHERE kind = 'deleted'")
    _allow("'manifest', 'page', 'file'")


def _allow(kinds: str) -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("SET LOCAL lock_timeout = '5s'")
    name = op.f("ck_submission_part_kind")
    with op.batch_alter_table("submission_part") as part:
        part.drop_constraint(name, type_="check")
        part.create_check_constraint(name, f"kind IN ({kinds})")
