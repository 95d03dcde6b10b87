"""A hub of its own that is really served, on a loopback port that was free."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from app.main import create_app, write_master_key
from app.services.hub import Hub
from app.settings import Settings
from app.store.migrations import migrate


@contextmanager
def served(folder: Path) -> Iterator[Hub]:
    """Serve a new hub, whose key and database are in *folder*, while the block runs."""
    write_master_key(folder / "master.key")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        settings = Settings(
            database_url=f"sqlite:///{folder / 'catchment.db'}",
            master_key_file=folder / "master.key",
            port=listener.getsockname()[1],
        )
        app = create_app(settings)
        hub: Hub = app.state.hub
        migrate(hub.engine)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield hub
        finally:
            server.should_exit = True
            thread.join()
