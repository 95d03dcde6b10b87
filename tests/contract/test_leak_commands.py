"""`catchment leak-check` and `catchment elements`, as a privacy officer runs them."""

import gzip
import io
import json
import sys
from pathlib import Path

import pytest

from tests import make
from tests.conftest import ROOT

CLEAN = {"resourceType": "Patient", "gender": "female", "birthDate": "1985"}
NAMED = {"resourceType": "Patient", "name": [{"text": "Ann"}]}
UPDATED = {"resourceType": "Patient", "meta": {"lastUpdated": "2024-01-01T00:00:00Z"}}
NDJSON = b"\n".join(
    json.dumps({"resourceType": "Patient", "id": id_}).encode()
    for id_ in ("a1", "12345678")
)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "bad.ndjson").write_bytes(NDJSON)
    (tmp_path / "bad.json.gz").write_bytes(gzip.compress(NDJSON))
    (tmp_path / "good.json").write_text(json.dumps(CLEAN))
    (tmp_path / "low.json").write_text(json.dumps(UPDATED))
    bundle = make.bundle("collection", {"resource": NAMED})
    (tmp_path / "bundle.json").write_text(json.dumps(bundle, indent=1))
    return tmp_path


@pytest.mark.usefixtures("files")
def test_a_finding_is_one_line_and_the_command_fails(catchment):
    """File, line, place, severity, kind, letter, advice; then how many of each."""
    ended = catchment("leak-check", "bad.ndjson", "good.json", "bundle.json")

    first, second, *summary = ended.output.splitlines()
    assert ended.code == 1
    assert first.startswith("bad.ndjson:2: Patient.id: medium: raw-id (R): use a keyed")
    place = "bundle.json:1: Bundle.entry[0].resource.name[0]: high: name (A): drop it"
    assert second == place
    assert [line.split() for line in summary] == [
        ["1", "high", "A", "name"],
        ["1", "medium", "R", "raw-id"],
    ]
    assert "12345678" not in ended.output
    assert "Ann" not in ended.output


@pytest.mark.usefixtures("files")
def test_a_finding_is_json_for_machines(catchment):
    """One object a line, so that a long file can be piped."""
    ended = catchment("leak-check", "--json", "bad.json.gz")

    finding, summary = map(json.loads, ended.output.splitlines())
    assert finding["line"] == 2
    assert (finding["path"], finding["letter"]) == ("Patient.id", "R")
    assert summary == {"summary": {"raw-id": 1}}


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("good.json",), 0),
        (("bad.ndjson",), 1),
        (("bad.ndjson", "--fail-on", "high"), 0),
        (("low.json",), 0),
        (("low.json", "--fail-on", "low"), 1),
        (("missing.json",), 1),
    ],
)
def test_the_code_says_whether_something_bad_was_found(
    catchment, words: tuple[str, ...], code: int
):
    """A pipeline stops at what its owner calls bad."""
    assert catchment("leak-check", "--summary", *words).code == code


def test_standard_input_is_read(catchment, monkeypatch: pytest.MonkeyPatch):
    """What another program writes need not touch a disk."""
    stream = io.TextIOWrapper(io.BufferedReader(io.BytesIO(gzip.compress(NDJSON))))
    monkeypatch.setattr(sys, "stdin", stream)

    assert catchment("leak-check", "-").output.startswith("-:2: Patient.id")


def test_the_page_of_elements_is_printed(catchment):
    """The page in the repository is what the command says."""
    page = (ROOT / "docs/privacy/elements.md").read_text("utf-8")

    assert catchment("elements").output == page
