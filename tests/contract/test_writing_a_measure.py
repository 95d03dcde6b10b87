"""The walk through from an empty file to a measure can be walked."""

import re
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from app.measures.definitions import json_schema
from tests.conftest import ROOT

TEXT = (ROOT / "docs/writing-a-measure.md").read_text()
BLOCKS = re.findall(r"(?ms)^```(\w*)\n(.*?)^```$", TEXT)
FILE = "jia-little-pain.yaml"


@pytest.fixture
def definition(tmp_path: Path) -> Path:
    """The definition that the page shows."""
    (shown,) = (block for language, block in BLOCKS if language == "yaml")
    path = tmp_path / FILE
    path.write_text(shown)
    return path


def test_the_definition_of_the_page_is_right_and_of_twenty_lines(
    catchment, definition: Path
):
    """A reader who types it in is told that nothing is wrong."""
    text = definition.read_text()

    checked = catchment("measure", "check", FILE)

    assert len(text.splitlines()) <= 20
    assert checked.code == 0, checked.output
    stated = {**yaml.safe_load(text), "examples": [{"title": "a", "expect": {}}]}
    found = jsonschema_rs.validator_for(json_schema()).iter_errors(stated)
    assert [error.instance_path for error in found] == [["examples", 0, "expect"]]


def test_the_faults_that_the_page_shows_are_told_so(catchment, definition: Path):
    """Word for word, so that a reader knows them again."""
    (shown,) = (block for language, block in BLOCKS if not language)
    text = definition.read_text()
    mistaken = text.replace("title: Juv", "titel: Juv").replace("[loinc|", "[lonic|")
    definition.write_text(mistaken)
    misspelt = catchment("measure", "check", FILE).output
    definition.write_text(text.replace('unit: "{score}"', "unit: points"))
    no_unit = catchment("measure", "check", FILE).output
    definition.write_text(text.replace("2024-03: denominator", "2024-03: numerator"))
    failing = catchment("measure", "check", FILE).output

    told = {*f"{misspelt}{no_unit}{failing}".splitlines()}
    assert set(shown.splitlines()) <= told


def test_the_page_tells_every_command_of_an_author(catchment):
    """What is not on the page is not found."""
    for group in ("measure", "valueset"):
        shown = catchment(group, "--help").output
        for command in re.findall(r"(?m)^│ (\w+) ", shown):
            assert f"catchment {group} {command}" in TEXT
