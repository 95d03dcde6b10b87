"""A hub of its own that is really served, on a loopback port that was free."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from app.key_files import write_master_key
from app.main import create_app, hub_of
from app.services.hub import Hub
from app.settings import Settings
from app.store.migrations import migrate

START_SECONDS = 60
STOP_SECONDS = 30


@contextmanager
def served(folder: Path, **chosen: Any) -> Iterator[Hub]:
    """
    Serve a new hub while the block runs, with the settings *chosen*.

    Its key and database are in *folder*.
    """
    write_master_key(folder / "master.key")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        settings = Settings(
            database_url=f"sqlite:///{folder / 'catchment.db'}",
            master_key_file=folder / "master.key",
            port=listener.getsockname()[1],
            **chosen,
        )
        app = create_app(settings)
        hub: Hub = app.state.hub
        migrate(hub.engine)
        with listening(app, listener, access_log=False):
            yield hub


@contextmanager
def listening(
    app: FastAPI, listener: socket.socket | None = None, **config: Any
) -> Iterator[str]:
    """Run *app* in a thread of this process; yield its address on this machine."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, **config))
    sockets = None if listener is None else [listener]
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets})
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def served_by_a_process(folder: Path) -> Iterator[Hub]:
    """
    Run ``catchment serve`` while the block runs; yield a view of its new hub.

    Key, database and what the process says (``serve.log``) are in *folder*.
    """
    write_master_key(folder / "master.key")
    settings = Settings(
        database_url=f"sqlite:///{folder / 'catchment.db'}",
        master_key_file=folder / "master.key",
        port=_free_port(),
    )
    hub = hub_of(settings)
    migrate(hub.engine)
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve"],
            env=os.environ | _environment(settings),
            stdout=log,
            stderr=log,
        )
    try:
        wait_until_ready(hub, process)
        yield hub
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)
        hub.engine.dispose()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _environment(settings: Settings) -> dict[str, str]:
    return {
        "CATCHMENT_DATABASE_URL": settings.database_url,
        "CATCHMENT_MASTER_KEY_FILE": str(settings.master_key_file),
        "CATCHMENT_PORT": str(settings.port),
    }


def wait_until_ready(hub: Hub, process: subprocess.Popen[bytes]) -> None:
    """Wait until a process answers for a hub."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"{hub.base_url}/health/ready").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)  # nothing tells when another process begins to listen
    msg = "the served hub did not become ready"
    raise TimeoutError(msg)
