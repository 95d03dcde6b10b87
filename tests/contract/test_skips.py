"""What skips here fails in CI, however it skips."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

MODULES = {
    "in_a_test": "def test_it():\n    pytest.skip('absent')",
    "by_a_mark": "@pytest.mark.skip\ndef test_it():\n    pass",
    "in_a_fixture": (
        "@pytest.fixture\ndef it():\n    pytest.skip('absent')\n\n\n"
        "def test_it(it):\n    pass"
    ),
    "as_a_module": "pytest.skip('absent', allow_module_level=True)",
    "for_an_import": "pytest.importorskip('no_such_module')",
    "passing": "def test_it():\n    pass",
    "failing_as_expected": "@pytest.mark.xfail\ndef test_it():\n    assert False",
}


ONE_PROCESS, TWO_PROCESSES = "0", "2"
processes = pytest.mark.parametrize("processes", [ONE_PROCESS, TWO_PROCESSES])


def closing_line(folder: Path, processes: str, *, ci: str) -> str:
    """Return how pytest closes over these modules, with this project's hooks."""
    for name, body in MODULES.items():
        (folder / f"test_{name}.py").write_text(f"import pytest\n\n{body}\n")
    command = [sys.executable, "-m", "pytest", "-q", "--continue-on-collection-errors"]
    command += ["-p", "no:schemathesis", "-p", "no:hypothesispytest"]  # slow to start
    output = subprocess.run(
        [*command, f"--numprocesses={processes}", "-p", "tests.skips", folder],
        check=False,
        capture_output=True,
        cwd=folder,
        env=os.environ | {"CI": ci, "PYTHONPATH": str(ROOT)},
        text=True,
    ).stdout
    return output.splitlines()[-1].rpartition(" in ")[0]


@processes
def test_every_kind_of_skip_fails_in_ci(tmp_path: Path, processes: str):
    """Nothing may go untested unnoticed because a machine lacks what it needs."""
    found = closing_line(tmp_path, processes, ci="true")

    # Failures before a test's own body are errors.
    assert found == "1 failed, 1 passed, 1 xfailed, 4 errors"


@processes
def test_a_skip_is_no_failure_on_a_laptop(tmp_path: Path, processes: str):
    """Whoever has no Chromium can still run the rest."""
    found = closing_line(tmp_path, processes, ci="")

    assert found == "1 passed, 5 skipped, 1 xfailed"
