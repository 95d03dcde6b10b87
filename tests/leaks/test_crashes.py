"""A server that dies amid a request: what it says last, and what it leaves on disk."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from app.main import hub_of
from app.services.hub import Hub
from app.settings import Settings
from app.store.migrations import migrate
from tests import make
from tests.commands import environment_of
from tests.hubs import Caller, Network, bearer
from tests.leaks.mints import Mint
from tests.leaks.plants import Planter
from tests.leaks.searches import Search
from tests.leaks.traces import files_below, files_in
from tests.served import wait_until_ready

pytestmark = pytest.mark.anyio

STATUS = """
import ctypes, resource
from app.crashes import leave_no_core
most = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (most, most))
leave_no_core()
print(*resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3))
"""


def allow_core_dumps() -> None:
    """Give a process to be the limits of an operator who wants dumps."""
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A hub on a database in an otherwise empty folder, which no one serves yet."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    database_url = f"sqlite:///{tmp_path / 'catchment.db'}"
    environment_of(tmp_path, database_url)
    settings = Settings(
        database_url=database_url, master_key_file=tmp_path / "master.key", port=port
    )
    opened = hub_of(settings)
    migrate(opened.engine)
    yield opened
    opened.engine.dispose()


@contextmanager
def served(hub: Hub, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Serve a hub as loosely as can be: debugging on, dumps allowed, faults told."""
    (folder / "temporary").mkdir(exist_ok=True)
    settings = {
        "CATCHMENT_DATABASE_URL": f"sqlite:///{folder / 'catchment.db'}",
        "CATCHMENT_MASTER_KEY_FILE": str(folder / "master.key"),
        "CATCHMENT_PORT": hub.base_url.rpartition(":")[2],
        "CATCHMENT_LOG_LEVEL": "DEBUG",
        "PYTHONFAULTHANDLER": "1",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "TMPDIR": str(folder / "temporary"),
    }
    with (folder / "said").open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve"],
            env=os.environ | settings,
            cwd=folder,
            stdout=said,
            stderr=said,
            preexec_fn=allow_core_dumps,  # noqa: PLW1509  (before any thread of ours)
        )
    try:
        wait_until_ready(hub, process)
        yield process
    finally:
        process.kill()
        process.wait()


def begin(hub: Hub, token: str, body: bytes) -> socket.socket:
    """Send all of a request but its last byte."""
    port = int(hub.base_url.rpartition(":")[2])
    begun = socket.create_connection(("127.0.0.1", port))
    head = [
        "POST /fhir HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/fhir+json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in bearer(token).items()),
    ]
    begun.sendall("\r\n".join([*head, "", ""]).encode() + body[:-1])
    return begun


async def send_amid(ehr: Caller, mint: Mint, *, turn: int) -> socket.socket:
    """Send resources of each kind, and begin to send one more."""
    entries = []
    for root in ("Patient", "Encounter", "Observation", "Condition"):
        sent = Planter(mint, turn=turn).resource(root)
        assert (await ehr.put(sent)).status_code in {200, 201}
        refused = await ehr.post(sent | {"status": sent["id"], "gender": "x"})
        assert refused.status_code == 400
        entries.append(make.put(sent))
    bundle = make.transaction(*entries)
    return begin(ehr.hub, ehr.token, json.dumps(bundle).encode())


@pytest.mark.thorough
async def test_nothing_stays_of_what_a_server_died_of(hub: Hub, tmp_path: Path):
    """Killed from outside, or by a fault of its own whose place Python tells."""
    mint = Mint()
    async with httpx.AsyncClient(base_url=hub.base_url, trust_env=False) as http:
        ehr = Network(hub, http).ehr()
        for turn, number in enumerate((signal.SIGABRT, signal.SIGKILL)):
            with (
                served(hub, tmp_path) as process,
                await send_amid(ehr, mint, turn=turn),
            ):
                process.send_signal(number)
                assert process.wait(10) == -number

    left = files_below(tmp_path)
    assert b"Fatal Python error: Aborted" in left
    assert b"refused" in left
    assert Search(mint.planted).found_in(left) == set()
    names = {file.name.partition(".")[0] for file in files_in(tmp_path)}
    assert names == {"master", "catchment", "said"}


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
def test_no_core_is_dumped_whatever_the_limits_were():
    """Not into a file, and not into a program that takes them."""
    done = subprocess.run(
        [sys.executable, "-c", STATUS], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["0", "0", "0"]
