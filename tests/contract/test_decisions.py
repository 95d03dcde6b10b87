"""The decision records are whole, and what enforces them exists."""

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

FOLDER = ROOT / "docs" / "decisions"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))
PARTS = ["Context", "Decision", "Consequences", "Alternatives", "Enforcer"]


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)
def test_a_record_has_its_five_parts(record: Path):
    """Half a page: why, what, what follows, what else, and what fails."""
    text = record.read_text()

    assert re.findall(r"(?m)^## (.+)$", text) == PARTS
    assert f"]({record.name})" in (FOLDER / "README.md").read_text()


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)
def test_a_record_names_files_that_exist(record: Path):
    """An enforcer that went away would leave a wish."""
    named = re.findall(r"`((?:app|tests)/[\w./]+|[\w.]+\.toml)`", record.read_text())

    assert named
    for path in named:
        assert (ROOT / path).exists(), path


def test_the_records_are_numbered_without_gaps():
    """A number is how others refer to one."""
    numbers = [int(record.name[:4]) for record in RECORDS]

    assert numbers == list(range(1, len(RECORDS) + 1))
