"""The schema: made by the migrations alone, up and down again."""

import pytest
from alembic import command
from sqlalchemy import inspect

from app.store.migrations import _config, is_current, migrate
from app.store.sessions import open_engine
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
