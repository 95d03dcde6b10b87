"""Bring a database to the schema that this version of the hub needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from app.domain.errors import ConflictError

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def migrate(engine: Engine, *, revision: str = "head") -> None:
    """
    Run the migrations up to *revision*.

    To change a table SQLite makes another one of its name. While the first is dropped,
    rows that refer to it refer to nothing, so references are checked at the end.

    Raises:
        ConflictError: rows refer to others that are gone.
    """
    with engine.connect() as connection, _references_checked_at_end(connection):
        command.upgrade(_config(connection), revision)


@contextmanager
def _references_checked_at_end(connection: Connection) -> Iterator[None]:
    """Commit what is done within; SQLite checks references only at its end."""
    if connection.dialect.name != "sqlite":
        yield
        connection.commit()
        return
    driver: Any = connection.connection.dbapi_connection
    driver.execute("PRAGMA foreign_keys = OFF")  # which has no effect within it
    try:
        yield
        if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
            msg = "After the migration rows refer to others that are not there"
            raise ConflictError(msg)
        connection.commit()
    finally:
        connection.rollback()
        driver.execute("PRAGMA foreign_keys = ON")


def is_current(engine: Engine) -> bool:
    """Return whether the database has the schema of this version."""
    with engine.execution_options(read_only=True).connect() as connection:
        here = MigrationContext.configure(connection).get_current_revision()
    return here == ScriptDirectory(str(MIGRATIONS)).get_current_head()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
