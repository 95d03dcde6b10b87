"""The schema: made by the migrations alone, up and down again."""

import pytest
from alembic import command
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from app.domain.counts import COUNTS
from app.services.admissions import conflicts
from app.store.migrations import _config, is_current, migrate
from app.store.policies import known_policies
from app.store.recounts import take_dirty
from app.store.sessions import open_engine, read_session
from tests.deidentification import POLICY, built_in
from tests.hubs import Databases


@pytest.fixture
def engine(databases: Databases, dialect: str):
    """An empty database, without a table."""
    opened = open_engine(databases.empty(dialect))
    yield opened
    opened.dispose()


def test_up_check_down_and_up_again(engine):
    """The tables of the code are those of the migrations; none is left behind."""
    migrate(engine)
    assert is_current(engine)

    with engine.connect() as connection:
        command.check(_config(connection))
        command.downgrade(_config(connection), "base")
        connection.commit()
    left = inspect(engine).get_table_names()
    migrate(engine)

    assert set(left) <= {"alembic_version", "sqlite_sequence"}
    assert is_current(engine)


def test_an_empty_database_is_not_current(engine):
    """Whoever serves it is told to migrate first."""
    assert not is_current(engine)


def test_migrating_twice_changes_nothing(engine):
    """An operator may run it at every start."""
    migrate(engine)
    migrate(engine)

    assert is_current(engine)


ADD_CLIENT = (
    "INSERT INTO client (client_id, audience, name, scopes, {columns}) "
    "VALUES (:client_id, 'public', 'x', 'system/Measure.rs', {values})"
)


def test_clients_keep_their_standing(engine):
    """Who was revoked stays out, who was not stays in: up, and down again."""
    migrate(engine, revision="0001")
    add = text(ADD_CLIENT.format(columns="revoked", values=":revoked"))
    with engine.begin() as connection:
        connection.execute(add, {"client_id": "in", "revoked": False})
        connection.execute(add, {"client_id": "out", "revoked": True})

    migrate(engine, revision="0002")
    with engine.connect() as connection:
        query = text("SELECT client_id, status, auth_method FROM client ORDER BY 1")
        up = [tuple(row) for row in connection.execute(query)]
        command.downgrade(_config(connection), "0001")
        connection.commit()
        query = text("SELECT client_id, revoked FROM client ORDER BY 1")
        down = {row.client_id: bool(row.revoked) for row in connection.execute(query)}

    assert up == [
        ("in", "active", "private_key_jwt"),
        ("out", "revoked", "private_key_jwt"),
    ]
    assert down == {"in": False, "out": True}


def test_who_was_never_approved_does_not_come_in_by_a_downgrade(engine):
    """The earlier version knows only clients that may call."""
    migrate(engine, revision="0002")
    columns = "status, auth_method, contacts, secret_hash"
    values = ":status, 'client_secret_post', '[]', :secret_hash"
    add = text(ADD_CLIENT.format(columns=columns, values=values))
    with engine.begin() as connection:
        for client_id, status, secret_hash in (
            ("waits", "pending", None),
            ("has-a-secret", "active", b"s"),
        ):
            stated = {"client_id": client_id, "status": status}
            connection.execute(add, stated | {"secret_hash": secret_hash})

    with engine.connect() as connection:
        command.downgrade(_config(connection), "0001")
        connection.commit()
        left = connection.execute(text("SELECT COUNT(*) FROM client")).scalar_one()

    assert left == 0


def test_no_secret_opens_a_clinics_door(engine):
    """The database refuses it too, should a check above it be lost."""
    migrate(engine)
    columns = "status, auth_method, contacts, secret_hash, source_id"
    values = "'active', 'client_secret_post', '[]', :secret_hash, 1"
    add = text(ADD_CLIENT.format(columns=columns, values=values))
    stated = {"client_id": "x", "secret_hash": b"s"}

    with (
        engine.connect() as connection,
        pytest.raises(IntegrityError, match="ck_client_secret"),
    ):
        connection.execute(add, stated)


def test_the_policy_of_what_is_stored_already_is_known_by_its_digest(engine):
    """Whoever starts with another one is held against it, though its text is gone."""
    migrate(engine, revision="0008")
    digest = "a" * 64
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO clinic (id, code, name, status)"
                " VALUES (1, 'a', 'a', 'active')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO source (id, clinic_id, name, base_urls,"
                " identifier_systems, time_zone, padded_dates)"
                " VALUES (1, 1, 'ehr', '[]', '[]', 'UTC', false)"
            )
        )
        for content, of in ((None, "b" * 64), ("{}", digest)):
            connection.execute(
                text(
                    "INSERT INTO record (type, source_id, subject_id, encounter_id,"
                    " version, state, content, policy_digest, received_at)"
                    " VALUES (1, 1, 1, 0, 1, 1, :content, :digest, 7)"
                ),
                {"content": content, "digest": of},
            )

    migrate(engine)

    with read_session(engine) as session:
        (known,) = known_policies(session)
        assert list(conflicts(session, POLICY)) == []
        (refused,) = conflicts(session, built_in("safe_harbor"))
    assert (known.digest, known.text, known.since) == (digest, None, 7)
    assert "begin with a new database" in refused


def test_events_stay_when_their_order_changes(engine):
    """A hub that is brought up to date counts nobody twice, and nobody anew."""
    migrate(engine, revision="0015")
    columns = "subject_id, measure_id, grain, stratum, bin, month, " + ", ".join(COUNTS)
    rows = [(s, m, *range(4), *range(m, m + 8)) for s in (1, 2) for m in (7, 8)]
    marks = ", ".join(f"({', '.join(map(str, row))})" for row in rows)
    with engine.begin() as connection:
        connection.execute(
            text(f"INSERT INTO subject_event ({columns}) VALUES {marks}")
        )

    migrate(engine)

    with engine.connect() as connection:
        kept = connection.execute(text(f"SELECT {columns} FROM subject_event"))
        assert sorted(map(tuple, kept)) == rows


def test_whose_values_name_a_visit_before_birth_is_counted_again(engine):
    """They were counted on that visit's day; of all others the cells are right."""
    migrate(engine, revision="0018")
    # The visits are of month 24276; the fourth has values of another encounter.
    born = {1: 24277, 2: 24276, 3: None, 4: 24277, 5: 24277}
    names = {1: 11, 2: 12, 3: 13, 4: 99, 5: 15}
    subject = text(
        "INSERT INTO subject (id, clinic_id, birth_month) VALUES (:id, 7, :m)"
    )
    visit = text(
        "INSERT INTO visit (subject_id, day, record_id, month, class_concept_id) "
        "VALUES (:id, 19358, 10 + :id, 24276, 1)"
    )
    value = text(
        "INSERT INTO observation (subject_id, concept_id, day, record_id, part, month, "
        "encounter_id) VALUES (:id, 2, 19389, 20 + :id, 0, 24277, :names)"
    )
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO clinic (id, code, name, status)"
                " VALUES (7, 'a', 'a', 'active')"
            )
        )
        for id_, month in born.items():
            connection.execute(subject, {"id": id_, "m": month})
            connection.execute(visit, {"id": id_})
            connection.execute(value, {"id": id_, "names": names[id_]})
        # The fifth waits already, and waits no longer for it.
        waits = "INSERT INTO dirty (subject_id, stamp, since, clinic_id)"
        connection.execute(text(f"{waits} VALUES (5, 3, 4, 7)"))

    migrate(engine)

    with read_session(engine) as session:
        waiting = take_dirty(session, busy=(), until=0, limit=9)
    assert waiting == [(5, 3), (1, 1)]
