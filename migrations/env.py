"""Alembic's entry: brings the store of a database URL to the current schema."""

from alembic import context

from app.store import (
    connection_tables,  # noqa: F401  (known to SQLModel by this)
    job_tables,  # noqa: F401
    submission_tables,  # noqa: F401
    tables,
    webhook_tables,  # noqa: F401
)


def run() -> None:
    """Run the migrations on the connection that the caller opened."""
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=tables.metadata,
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
