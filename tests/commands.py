"""Commands of `catchment` as an operator runs them, and how they ended."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

START_SECONDS = 60


class Ended(NamedTuple):
    """How a command ended, and what it said."""

    code: int | str | None
    output: str
    errors: str


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
