"""Programs for Node that drive a client of JavaScript, call by call."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "node"
MAX_SECONDS = 60

Call = tuple[Any, ...]
"""The name of a client's method, and what it is called with."""


def drive(program: str, settings: dict[str, Any], *calls: Call) -> list[dict[str, Any]]:
    """
    Return what became of each of *calls*: its ``answer``, or its ``refusal``.

    *program* is a file of ``node/``, *settings* is what it makes its client with. The
    test skips where Node is not, or the packages of ``node/`` were not installed.
    """
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not here")
    if not (FOLDER / "node_modules").is_dir():
        pytest.skip("the clients are not installed (make node-clients)")
    done = subprocess.run(
        [node, FOLDER / program],
        input=json.dumps({"settings": settings, "calls": calls}),
        capture_output=True,
        check=False,
        text=True,
        timeout=MAX_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def statuses(answer: dict[str, Any]) -> list[str]:
    """Return each entry's status of the Bundle that a call was answered with."""
    entries = answer["answer"]["entry"]
    return [entry["response"]["status"] for entry in entries]
