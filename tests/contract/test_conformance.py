"""The table of what the doors conform to is whole, and is of the tests there are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance import DOCUMENT, ROWS, Row
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page as the marks of today's tests would have it, not one of them run."""
    path: Path = tmp_path_factory.mktemp("conformance") / "page.md"
    subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", f"--conformance={path}"],
        check=True,
        capture_output=True,
        cwd=ROOT,
        env=os.environ | {"CI": ""},
    )
    return path.read_text()


def test_the_page_is_of_the_tests_that_there_are(collected: str):
    """A test that is renamed or gone would be claimed still; `make conformance`."""
    passed = DOCUMENT.read_text()

    assert passed.replace("| passed |", "| not run |") == collected


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_row_is_shown_and_refuses_a_mutation(collected: str, row: Row):
    """A requirement that no test could break is a claim."""
    _, _, after = collected.partition(f"## {row.name}\n")
    section = after.partition("\n## ")[0]
    shown = [line for line in section.splitlines() if line.endswith("| not run |")]
    holds = [line for line in shown if line.startswith("| (holds) |")]

    assert holds
    assert len(holds) < len(shown) or not row.refuses
