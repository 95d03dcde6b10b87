"""
Create every table of the first version.

Expand step: there is nothing before it. ``record`` hands out its ids in ranges, so
SQLite's counter for it must exist before the first row does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "alias",
        sa.Column("key", sa.LargeBinary(length=20), nullable=False),
        sa.Column("record_id", BIG, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("key_version", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_alias")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("alias", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_alias_record_id"), ["record_id"], unique=False
        )

    op.create_table(
        "assertion_use",
        sa.Column("use_key", sa.LargeBinary(length=20), nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("use_key", name=op.f("pk_assertion_use")),
    )
    with op.batch_alter_table("assertion_use", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_assertion_use_expires_at"), ["expires_at"], unique=False
        )

    op.create_table(
        "cell",
        sa.Column("measure_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("clinic_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("grain", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("stratum", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("population", sa.BigInteger(), nullable=False),
        sa.Column("scored", sa.BigInteger(), nullable=False),
        sa.Column("denominator", sa.BigInteger(), nullable=False),
        sa.Column("numerator", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "measure_id", "clinic_id", "grain", "stratum", "month", name=op.f("pk_cell")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "clinic",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.CheckConstraint(
            "status IN ('onboarding', 'active')", name=op.f("ck_clinic_status")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clinic")),
        sa.UniqueConstraint("code", name=op.f("uq_clinic_code")),
    )
    op.create_table(
        "concept",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("system", sa.String(length=120), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_concept")),
        sa.UniqueConstraint("system", "code", name=op.f("uq_concept_system_code")),
    )
    op.create_table(
        "condition",
        sa.Column("subject_id", BIG, autoincrement=False, nullable=False),
        sa.Column("concept_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("record_id", BIG, autoincrement=False, nullable=False),
        sa.Column("onset_month", sa.Integer(), nullable=False),
        sa.Column("abatement_month", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint(
            "subject_id", "concept_id", "record_id", name=op.f("pk_condition")
        ),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("condition", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_condition_record_id"), ["record_id"], unique=False
        )

    op.create_table(
        "dirty",
        sa.Column("subject_id", BIG, autoincrement=False, nullable=False),
        sa.Column("stamp", BIG, nullable=False),
        sa.Column("since", BIG, nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_dirty")),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "measure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measure")),
        sa.UniqueConstraint("code", "digest", name=op.f("uq_measure_code_digest")),
    )
    op.create_table(
        "observation",
        sa.Column("subject_id", BIG, autoincrement=False, nullable=False),
        sa.Column("concept_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("record_id", BIG, autoincrement=False, nullable=False),
        sa.Column("part", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=True),
        sa.Column("value_concept_id", sa.Integer(), nullable=True),
        sa.Column("encounter_id", BIG, nullable=False),
        sa.PrimaryKeyConstraint(
            "subject_id",
            "concept_id",
            "day",
            "record_id",
            "part",
            name=op.f("pk_observation"),
        ),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("observation", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_observation_record_id"), ["record_id"], unique=False
        )

    op.create_table(
        "publishing_interval",
        sa.Column("audience", sa.String(length=16), nullable=False),
        sa.Column("measure_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("clinic_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("grain", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "audience", "measure_id", "clinic_id", name=op.f("pk_publishing_interval")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "release",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("audience", sa.String(length=16), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("closed_before", sa.Integer(), nullable=False),
        sa.Column("rules_digest", sa.String(length=64), nullable=False),
        sa.Column("policy_digest", sa.String(length=64), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release")),
    )
    with op.batch_alter_table("release", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_release_audience"), ["audience"], unique=False
        )

    op.create_table(
        "released_cell",
        sa.Column("release_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("measure_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("clinic_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("grain", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("stratum", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("population", sa.Integer(), nullable=True),
        sa.Column("scored", sa.Integer(), nullable=True),
        sa.Column("denominator", sa.Integer(), nullable=True),
        sa.Column("numerator", sa.Integer(), nullable=True),
        sa.Column("withheld", sa.String(length=16), nullable=True),
        sa.PrimaryKeyConstraint(
            "release_id",
            "measure_id",
            "clinic_id",
            "grain",
            "stratum",
            "month",
            name=op.f("pk_released_cell"),
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "subject_event",
        sa.Column("subject_id", BIG, autoincrement=False, nullable=False),
        sa.Column("measure_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("grain", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("stratum", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("scored", sa.Integer(), nullable=False),
        sa.Column("denominator", sa.Integer(), nullable=False),
        sa.Column("numerator", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "subject_id",
            "measure_id",
            "grain",
            "stratum",
            "month",
            name=op.f("pk_subject_event"),
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "visit",
        sa.Column("subject_id", BIG, autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("record_id", BIG, autoincrement=False, nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("class_concept_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "subject_id", "day", "record_id", name=op.f("pk_visit")
        ),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_visit_record_id"), ["record_id"], unique=False
        )

    op.create_table(
        "source",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("base_urls", sa.Text(), nullable=False),
        sa.Column("identifier_systems", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("padded_dates", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinic.id"], name=op.f("fk_source_clinic_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source")),
        sa.UniqueConstraint("clinic_id", "name", name=op.f("uq_source_clinic_id_name")),
    )
    with op.batch_alter_table("source", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_source_clinic_id"), ["clinic_id"], unique=False
        )

    op.create_table(
        "subject",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("clinic_id", sa.Integer(), nullable=False),
        sa.Column("birth_month", sa.Integer(), nullable=True),
        sa.Column("sex", sa.SmallInteger(), nullable=True),
        sa.Column("death_month", sa.Integer(), nullable=True),
        sa.Column("joined_to", BIG, nullable=True),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinic.id"], name=op.f("fk_subject_clinic_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subject")),
    )
    with op.batch_alter_table("subject", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_subject_clinic_id"), ["clinic_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_subject_joined_to"), ["joined_to"], unique=False
        )

    op.create_table(
        "client",
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=True),
        sa.Column("audience", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("key_set", sa.Text(), nullable=True),
        sa.Column("jwks_uri", sa.Text(), nullable=True),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_client_source_id")
        ),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_client")),
    )
    with op.batch_alter_table("client", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_client_source_id"), ["source_id"], unique=False
        )

    op.create_table(
        "record",
        sa.Column("id", BIG, nullable=False),
        sa.Column("type", sa.SmallInteger(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("subject_id", BIG, nullable=False),
        sa.Column("encounter_id", BIG, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("sent_order", BIG, nullable=True),
        sa.Column("digest", sa.LargeBinary(length=20), nullable=True),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("policy_digest", sa.String(length=64), nullable=False),
        sa.Column("received_at", BIG, nullable=False),
        sa.CheckConstraint("state IN (0, 1, 2)", name=op.f("ck_record_state")),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_record_source_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("record", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_record_digest"), ["digest"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_record_subject_id"), ["subject_id"], unique=False
        )
    if op.get_context().dialect.name == "sqlite":
        op.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('record', 0)")


def downgrade() -> None:
    with op.batch_alter_table("record", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_record_subject_id"))
        batch_op.drop_index(batch_op.f("ix_record_digest"))

    op.drop_table("record")
    with op.batch_alter_table("client", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_client_source_id"))

    op.drop_table("client")
    with op.batch_alter_table("subject", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_subject_joined_to"))
        batch_op.drop_index(batch_op.f("ix_subject_clinic_id"))

    op.drop_table("subject")
    with op.batch_alter_table("source", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_source_clinic_id"))

    op.drop_table("source")
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_visit_record_id"))

    op.drop_table("visit")
    op.drop_table("subject_event")
    op.drop_table("released_cell")
    with op.batch_alter_table("release", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_release_audience"))

    op.drop_table("release")
    op.drop_table("publishing_interval")
    with op.batch_alter_table("observation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_observation_record_id"))

    op.drop_table("observation")
    op.drop_table("measure")
    op.drop_table("lease")
    op.drop_table("dirty")
    with op.batch_alter_table("condition", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_condition_record_id"))

    op.drop_table("condition")
    op.drop_table("concept")
    op.drop_table("clinic")
    op.drop_table("cell")
    with op.batch_alter_table("assertion_use", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_assertion_use_expires_at"))

    op.drop_table("assertion_use")
    with op.batch_alter_table("alias", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alias_record_id"))

    op.drop_table("alias")
