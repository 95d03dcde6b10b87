"""
Keep the policies under which records are stored, so that two can be compared.

Expand step: a table of its own. Of records that are there only the digest of their
policy is known: each gets a row without a text, which stands for a limited data set,
the only policy there was.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "policy",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("text", sa.Text()),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("since", _big(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_policy")),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO policy (digest, rules, since) "
        "SELECT policy_digest, '{}', MIN(received_at) FROM record "
        "WHERE content IS NOT NULL GROUP BY policy_digest"
    )


def downgrade() -> None:
    op.drop_table("policy")


def _big() -> sa.types.TypeEngine:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")
