"""Commands of `catchment` as an operator runs them, and how they ended."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from app.key_files import write_master_key
from tests.conftest import ROOT

START_SECONDS = 60


class Ended(NamedTuple):
    """How a command ended, and what it said."""

    code: int | str | None
    output: str
    errors: str


def environment_of(folder: Path, database_url: str) -> dict[str, str]:
    """Return the environment of a hub on that database, its key in *folder*."""
    write_master_key(folder / "master.key")
    ours = {k: v for k, v in os.environ.items() if not k.startswith("CATCHMENT_")}
    return ours | {
        "CATCHMENT_DATABASE_URL": database_url,
        "CATCHMENT_MASTER_KEY_FILE": str(folder / "master.key"),
        "PYTHONPATH": str(ROOT),
    }


def run(environment: dict[str, str], folder: Path, *words: str) -> str:
    """Run a command that ends well as a process of its own; return what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", *words],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def started(
    environment: dict[str, str], folder: Path, *words: str
) -> Iterator[subprocess.Popen[str]]:
    """Run a command as a process of its own; its standard error is in *folder*."""
    with (folder / "errors").open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", *words],
            env=environment,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    with process:
        try:
            yield process
        finally:
            process.terminate()


def refusal(ended: Ended) -> str:
    """Return the one line that a refused command says."""
    assert ended.code == 1, ended
    (line,) = ended.errors.splitlines()
    assert line.startswith("catchment: ")
    return line
