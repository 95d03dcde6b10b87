"""`catchment conceptmap`: at the hub by digests, at the clinic in clear."""

import gzip
import json
from pathlib import Path

import pytest

from tests import make
from tests.commands import refusal
from tests.concept_maps import LAB, LOINC, concept_map, element, group, one_code, target

NAME = "ANN MILLER\x1b[31m"
SHOWN = r"ANN MILLER\x1b[31m"


@pytest.fixture
def map_file(catchment, tmp_path: Path) -> str:
    """A clinic, and a map of two of its codes of which one is used."""
    assert catchment("clinic", "add", "alder").code == 0
    codes = (element(NAME, target("4548-4")), element("X", target("8480-6", "inexact")))
    text = json.dumps(concept_map(group(LAB, LOINC, *codes)))
    (tmp_path / "map.json").write_text(text)
    return "map.json"


def test_a_map_is_loaded_told_and_taken_away(catchment, map_file: str):
    """What was not used is counted with its reason; no code of the clinic's is told."""
    loaded = catchment("conceptmap", "load", map_file, "--clinic", "alder")
    header, line = catchment("conceptmap", "list").output.splitlines()
    removed = catchment("conceptmap", "remove", "--clinic", "alder")

    assert loaded.code == 0, loaded
    assert "Codes of alder/ehr that are mapped: 1\n" in loaded.output
    assert "does not hold of every source (R4: narrower, inexact): 1" in loaded.output
    assert header == "clinic\tsource\tcodes\tskipped\tloaded\tstate"
    clinic, source, codes, skipped, _, state = line.split("\t")
    assert (clinic, source, codes, skipped) == ("alder", "ehr", "1", "1")
    assert state == "in use"
    assert removed.code == 0, removed
    assert catchment("conceptmap", "list").output == f"{header}\n"
    assert "MILLER" not in f"{loaded} {line} {removed}"


@pytest.mark.usefixtures("map_file")
def test_a_map_that_cannot_be_used_is_refused_in_one_line(catchment, tmp_path: Path):
    """And what is there of a map stays."""
    bad = json.dumps(one_code(NAME, "4548-5"))
    (tmp_path / "bad.json").write_text(bad)
    (tmp_path / "none.json").write_text("no JSON")
    load = ("conceptmap", "load")

    said = refusal(catchment(*load, "bad.json", "--clinic", "alder"))

    assert "Not a code of a listed system" in said
    assert "ConceptMap.group[0].element[0].target[0].code" in said
    assert "MILLER" not in said
    assert "not valid JSON" in refusal(
        catchment(*load, "none.json", "--clinic", "alder")
    )
    assert "No clinic" in refusal(catchment(*load, "map.json", "--clinic", "birch"))
    source = ("--clinic", "alder", "--source", "lab")
    assert "no source" in refusal(catchment(*load, "map.json", *source))
    gone = catchment("conceptmap", "remove", "--clinic", "alder")
    assert "has no map" in refusal(gone)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A clinic's own files: NDJSON, gzipped, a Bundle, and what is neither."""
    folder = tmp_path / "fhir"
    folder.mkdir()
    local = make.observation(code=make.concept(LAB, NAME))
    listed = make.lab(7.0)
    odd = make.condition(code=make.concept(None, "odd"))
    lines = "\n".join(json.dumps(each) for each in (local, local, listed))
    (folder / "a.ndjson.gz").write_bytes(gzip.compress(lines.encode()))
    part = {"code": make.concept(LAB, "SYS"), "valueInteger": 1}
    whole = make.bundle("collection", {"resource": odd}, {"resource": make.encounter()})
    whole["entry"].append({"resource": make.observation(component=[part])})
    (folder / "b.json").write_text(json.dumps(whole))
    (folder / "notes.txt").write_text("Ann")
    return folder


@pytest.mark.usefixtures("map_file")
def test_a_clinic_sees_its_codes_in_clear_without_key_or_database(
    catchment, files: Path
):
    """It is tried where the codes are; what is printed stays there, and says so."""
    nothing = {
        "CATCHMENT_MASTER_KEY_FILE": "none.key",
        "CATCHMENT_DATABASE_URL": "sqlite:///none.db",
    }

    ended = catchment("conceptmap", "coverage", "fhir", "--map", "map.json", **nothing)

    assert ended.code == 0, ended
    act = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    header, *lines = ended.output.splitlines()
    assert header == "system\tcode\tuses\tstanding\tcounts as"
    assert [line.split("\t") for line in lines] == [
        ["-", "odd", "1", "unknown", ""],
        [LOINC, "4548-4", "1", "listed", ""],
        [LOINC, "8480-6", "1", "listed", ""],
        [act, "AMB", "1", "listed", ""],
        [LAB, SHOWN, "2", "mapped", f"{LOINC}|4548-4"],
        [LAB, "SYS", "1", "unknown", ""],
    ]
    assert "is to stay at the clinic" in ended.errors
    assert "Codes in 7 places: listed 3, mapped 2, unknown 2" in ended.errors
    assert "notes.txt: not a FHIR file by its name" in ended.errors
    assert not (files.parent / "none.db").exists()


def test_a_single_file_is_looked_at_too(catchment, files: Path):
    """Without a map there is nothing that is mapped."""
    ended = catchment("conceptmap", "coverage", str(files / "a.ndjson.gz"))

    assert "listed 1, mapped 0, unknown 2" in ended.errors
