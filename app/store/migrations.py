"""Bring a database to the schema that this version of the hub needs."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def migrate(engine: Engine, *, revision: str = "head") -> None:
    """Run the migrations up to *revision*."""
    with engine.connect() as connection:
        command.upgrade(_config(connection), revision)
        connection.commit()


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
