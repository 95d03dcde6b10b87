"""Bring a database to the schema that this version of the hub needs."""

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
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            _leave_references(connection, unchecked=True)
        command.upgrade(_config(connection), revision)
        if engine.dialect.name == "sqlite":
            _check_references(connection)
        connection.commit()
        if engine.dialect.name == "sqlite":
            _leave_references(connection, unchecked=False)


def _leave_references(connection: Connection, *, unchecked: bool) -> None:
    """Say whether references are checked; within a transaction that has no effect."""
    driver: Any = connection.connection.dbapi_connection
    driver.execute(f"PRAGMA foreign_keys = {'OFF' if unchecked else 'ON'}")


def _check_references(connection: Connection) -> None:
    if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        msg = "After the migration rows refer to others that are not there"
        raise ConflictError(msg)


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
