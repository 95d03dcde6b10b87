"""The processes of a hub, kept up by a supervisor and killed at will."""

import random
import secrets
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx

from app.main import hub_of
from app.services.hub import Hub
from app.settings import Settings
from app.store.migrations import migrate
from tests.commands import environment_of
from tests.crashes.clusters import Cluster
from tests.crashes.nursery import Born, Nursery

UP_SECONDS = 60
LOOKS_EVERY_SECONDS = 0.02
LONGEST_SECONDS = 0.8
"""Between the moment that a victim is up and its end."""


class Site:
    """
    A hub's servers, its worker and its database, each started again where it ended.

    On SQLite there is one server, with the worker in it.
    """

    def __init__(
        self,
        folder: Path,
        nursery: Nursery,
        *,
        servers: int = 1,
        cluster: Cluster | None = None,
    ) -> None:
        url = f"sqlite:///{folder / 'catchment.db'}" if cluster is None else cluster.url
        ports = lasting_ports(servers)
        self.addresses = [f"http://127.0.0.1:{port}" for port in ports]
        self._environment = environment_of(folder, url) | {
            "CATCHMENT_BASE_URL": self.addresses[0],
            "CATCHMENT_EMBEDDED_WORKER": "true" if cluster is None else "false",
        }
        settings = Settings(
            database_url=url,
            master_key_file=folder / "master.key",
            base_url=self.addresses[0],
        )
        self.hub: Hub = hub_of(settings)
        migrate(self.hub.engine)
        self.cluster = cluster
        self._folder = folder
        self.orphans: set[int] = set()
        self._nursery = nursery
        self._stopping = threading.Event()
        self._supervisor = threading.Thread(target=self._keep_up, daemon=True)
        self._places = [(("serve",), {"CATCHMENT_PORT": str(port)}) for port in ports]
        if cluster is not None:
            self._places.append((("worker",), {}))
        self._processes = [self._born(place) for place in range(len(self._places))]
        self._supervisor.start()

    def _born(self, place: int) -> Born:
        words, own = self._places[place]
        return self._nursery.command(*words, environment=self._environment | own)

    def _keep_up(self) -> None:
        """Start again what has ended, as a supervisor does."""
        while not self._stopping.wait(LOOKS_EVERY_SECONDS):
            if self.cluster is not None:
                self.cluster.keep_up()
            for place, process in enumerate(self._processes):
                if not process.is_alive:
                    self._processes[place] = self._born(place)

    def wait(self) -> None:
        """Return when all servers, and with them the database, answer."""
        for address in self.addresses:
            self._wait_for(address)

    def _wait_for(self, address: str) -> None:
        until = time.monotonic() + UP_SECONDS
        with httpx.Client(timeout=5, trust_env=False) as http:
            while not _is_ready(http, address):
                assert time.monotonic() < until, f"{address}: {self.last_words}"
                time.sleep(0.02)

    @property
    def last_words(self) -> str:
        """Return the end of what the servers said, and what PostgreSQL waits for."""
        said = (self._folder / "serve").read_text().splitlines()[-20:]
        waits = [] if self.cluster is None else self.cluster.waits
        return "\n".join([*said, *map(str, waits)])

    def kill(self, victim: str, chosen: random.Random) -> bool:
        """Kill one of a kind that is at work; return whether there was one."""
        kinds: dict[str, Callable[[random.Random], bool]] = {
            "server": self._kill_server,
            "worker": self._kill_worker,
            "anyone": self._stop_anyone,
            "reader": self._kill_reader,
            "backend": self._kill_backend,
            "postmaster": self._kill_postmaster,
        }
        return kinds[victim](chosen)

    def _kill_server(self, chosen: random.Random) -> bool:
        number = chosen.randrange(len(self.addresses))
        self._wait_for(self.addresses[number])
        time.sleep(chosen.random() * LONGEST_SECONDS)
        process = self._processes[number]
        self.orphans |= process.descendants
        process.kill()
        return True

    def _kill_worker(self, chosen: random.Random) -> bool:
        time.sleep(chosen.random() * LONGEST_SECONDS)
        process = self._processes[-1]
        was_alive = process.is_alive
        process.kill()
        return was_alive

    def _stop_anyone(self, chosen: random.Random) -> bool:
        """Tell a server or the worker to end; it may take a while."""
        process = chosen.choice(self._processes)
        was_alive = process.is_alive
        process.stop()
        return was_alive

    def _kill_reader(self, chosen: random.Random) -> bool:
        servers = self._processes[: len(self.addresses)]
        readers = sorted(set().union(*(each.descendants for each in servers)))
        if readers:
            Born(chosen.choice(readers)).kill()
        return bool(readers)

    def _kill_backend(self, chosen: random.Random) -> bool:
        assert self.cluster is not None
        return self.cluster.kill_backend(chosen)

    def _kill_postmaster(self, chosen: random.Random) -> bool:
        assert self.cluster is not None
        self.cluster.wait()
        time.sleep(chosen.random() * LONGEST_SECONDS)
        self.cluster.kill_postmaster()
        return True

    def close(self) -> None:
        """Keep nothing up any more; the nursery ends what runs."""
        self._stopping.set()
        self._supervisor.join()
        self.hub.engine.dispose()


def lasting_ports(count: int) -> list[int]:
    """
    Return free ports that the system gives to nobody who connects.

    A server that is down for a second would find another's connection at its port.
    """
    found: list[int] = []
    while len(found) < count:
        port = 10_000 + secrets.randbelow(20_000)
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            found.append(port)
    return found


def _is_ready(http: httpx.Client, address: str) -> bool:
    with suppress(httpx.TransportError):
        answer = http.get(f"{address}/health/ready")
        return bool(answer.json().get("schema", False))
    return False
