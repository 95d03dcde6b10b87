"""`catchment measure`: what an analyst is told, from an empty file to a measure."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import jsonschema_rs
import pytest

from app.main import APP
from tests.commands import refusal

LIBRARY = APP / "measures/library"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
DEFINITION = """# yaml-language-server: $schema=measure.schema.json
id: crohn-quiescent
version: 1.0.0
title: Crohn disease, quiescent
description: Children with Crohn disease whose last assessment is quiescent.
basis: latest-status
look_back_months: 12
scoring: proportion
improvement_notation: increase
observables:
  pga: {codes: ibd-pga, answers: [network|quiet, network|active], tie: highest}
initial_population: {condition: crohn-disease}
scorable: {measured: pga}
numerator: {answer: {of: pga, in: [network|quiet]}}
sources: ["Physician global assessment: ImproveCareNow, doi:10.1002/ibd.21394"]
examples:
  - title: Quiet
    conditions: [{code: icd-10-cm|K50.90}]
    visits: {2024-01-10: {pga: network|quiet}}
    expect: {2024-01: numerator}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A definition in a folder of its own."""
    path = tmp_path / "crohn.yaml"
    path.write_text(DEFINITION)
    return path


@pytest.mark.usefixtures("file")
def test_a_definition_of_twenty_lines_is_checked_and_its_example_run(catchment):
    """It names the hub's own value sets, and needs nothing beside it."""
    assert len(DEFINITION.splitlines()) == 20

    checked = catchment("measure", "check", "crohn.yaml")
    run = catchment("measure", "test", "crohn.yaml")

    assert (checked.code, run.code) == (0, 0), checked.output
    assert "crohn-quiescent: 1 examples hold" in run.output


def test_the_hubs_own_library_is_checked_where_nothing_is_named(catchment):
    """So a pipeline need not know where the hub keeps it; nor is there a database."""
    settings = {"CATCHMENT_DATABASE_URL": "sqlite:////nonexistent/x.db"}

    checked = catchment("measure", "check", **settings)

    assert checked.code == 0, checked.output
    assert "nothing is wrong" in checked.output


def test_a_check_tells_every_fault_by_file_and_line_and_ends_with_one(catchment, file):
    """An editor, or a pipeline, jumps there."""
    text = DEFINITION.replace("title: Crohn", "titel: Crohn")
    file.write_text(text.replace("tie: highest", "tie: worst"))

    checked = catchment("measure", "check", "crohn.yaml")

    assert checked.code == 1
    assert [line.partition(" ")[0] for line in checked.output.splitlines()] == [
        "crohn.yaml:2:",
        "crohn.yaml:4:",
        "crohn.yaml:11:",
    ]
    assert "did you mean `title`?" in checked.output


@pytest.mark.parametrize("command", ["check", "test"])
def test_an_example_that_fails_is_told_by_the_line_of_what_it_expects(
    catchment, file, command: str
):
    """What was expected, and what came instead."""
    file.write_text(DEFINITION.replace("2024-01: numerator", "2024-01: denominator"))

    ended = catchment("measure", command, "crohn.yaml")

    assert ended.code == 1
    assert ended.output == (
        "crohn.yaml:20: Quiet: 2024-01 is numerator, not denominator\n"
    )


def test_a_code_that_no_system_has_is_told(catchment, file):
    """A wrong check digit would match nobody, for ever."""
    file.write_text(
        DEFINITION.replace(
            "observables:", "value_sets: {x: [loinc|4548-5]}\nobservables:"
        )
    )

    ended = catchment("measure", "check", "crohn.yaml")

    assert ended.code == 1
    assert ended.output.startswith("crohn.yaml:10: `4548-5` is no code of")


def test_a_folder_is_a_library_of_its_own(catchment, file):
    """It knows the value sets in it and no others, as a hub that runs on it will."""
    alone = catchment("measure", "check", ".")
    sets = file.parent / "value_sets"
    sets.mkdir()
    for name in ("crohn-disease", "qualifying-visit", "ibd-pga"):
        text = (LIBRARY / "value_sets" / f"{name}.json").read_text()
        (sets / f"{name}.json").write_text(text)
    complete = catchment("measure", "check", ".")

    assert alone.code == 1
    assert "unknown value set `crohn-disease`" in alone.output
    assert complete.code == 0, complete.output


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"id: caf\xe9\n", "crohn.yaml: not text in UTF-8"),
        (DEFINITION.encode("utf-16"), "crohn.yaml: not text in UTF-8"),
        (None, "no definition in ."),
    ],
)
def test_a_folder_of_no_use_is_refused_in_one_line(catchment, file, text, told):
    """A pipeline that looks in the wrong folder must not be green."""
    file.unlink()
    if text is not None:
        file.write_bytes(text)

    assert refusal(catchment("measure", "check", ".")) == f"catchment: {told}"


def test_a_file_that_is_not_in_utf_8_is_refused_in_one_line(catchment, file):
    """A spreadsheet saves the letters of its country; so does the hub's own folder."""
    file.write_bytes(b"id: caf\xe9\n")
    own = {"CATCHMENT_MEASURES_FOLDER": "."}

    for ended in (
        catchment("measure", "check", "crohn.yaml"),
        catchment("serve", **own),
    ):
        assert refusal(ended) == "catchment: crohn.yaml: not text in UTF-8"


def test_a_value_set_of_a_folder_is_checked_with_it(catchment, file):
    """A file that FHIR allows and no one here could count is said so, by its line."""
    sets = file.parent / "value_sets"
    sets.mkdir()
    text = (LIBRARY / "value_sets/crohn-disease.json").read_text()
    (sets / "crohn-disease.json").write_text(
        text.replace('"K50.*"', '"K50"').replace('"status"', '"state"')
    )
    broken = catchment("measure", "check", "crohn.yaml")
    (sets / "crohn-disease.json").write_text(text.replace("34000006", "34000007"))
    mistyped = catchment("measure", "check", "crohn.yaml")

    assert broken.output.splitlines()[0] == (
        "value_sets/crohn-disease.json:1: missing required field `status`: add it"
    )
    assert "unknown field `state`; did you mean `status`?" in broken.output
    assert "`34000007` is no code of http://snomed.info/sct" in mistyped.output
    assert (broken.code, mistyped.code) == (1, 1)


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize("name", ["crohn.yaml", "hba1c-poor-control"])
def test_a_measure_is_explained_by_its_file_or_its_id(catchment, name: str):
    """In sentences, with the value sets it needs and what it is compared in."""
    ended = catchment("measure", "explain", name)

    assert ended.code == 0
    assert "Each person counts at the end of the interval" in ended.output
    assert "Value set: qualifying-visit 1.0.0 (4 rules)" in ended.output
    assert "Compared: " in ended.output


def test_an_explanation_of_what_is_wrong_or_nowhere_is_refused(catchment, file):
    """One line says why."""
    file.write_text("id: x\n")

    assert "crohn.yaml:1: " in refusal(catchment("measure", "explain", "crohn.yaml"))
    assert "no file and no measure called nothing" in refusal(
        catchment("measure", "explain", "nothing")
    )


def test_the_schema_is_what_an_editor_completes_by(catchment):
    """It is printed as it is published."""
    schema = json.loads(catchment("measure", "schema").output)

    jsonschema_rs.validator_for(schema)
    assert "look_back_months" in schema["$defs"]["Measure"]["properties"]


@pytest.fixture
def one_patient(environment: dict[str, str]) -> None:
    """A clinic with somebody whose Crohn disease began before all."""
    path = environment["CATCHMENT_DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in (
            "INSERT INTO clinic VALUES (1, 'alder', 'Alder', 'active', NULL, NULL)",
            f"INSERT INTO concept (id, system, code) VALUES (1, '{ICD}', 'K50.90')",
            "INSERT INTO subject (id, clinic_id) VALUES (1, 1)",
            "INSERT INTO condition VALUES (1, 1, 1, 0, NULL)",
        ):
            connection.execute(statement)


@pytest.mark.usefixtures("file", "one_patient")
@pytest.mark.parametrize(("interval", "rows"), [("month", 36), ("quarter", 12)])
def test_a_preview_shows_what_could_be_scored_and_the_last_three_years(
    catchment, interval: str, rows: int
):
    """Nobody was assessed: one in the population, none scored, and no share of none."""
    ended = catchment("measure", "preview", "crohn.yaml", "--interval", interval)

    cells = [re.split(r"\s*[│┃]\s*", line)[1:-1] for line in ended.output.splitlines()]
    assert ended.code == 0, ended
    assert ["alder", "1", "0", "0.0%"] in cells
    shown = [row[1:] for row in cells if row and re.fullmatch(r"\d{4}-\d\d", row[0])]
    assert shown == [["1", "0", "0", "0", "-"]] * rows


@pytest.mark.usefixtures("one_patient")
@pytest.mark.parametrize(("people", "is_told"), [(10, False), (11, True)])
def test_a_set_is_shown_with_the_codes_that_many_here_have(
    catchment, environment: dict[str, str], people: int, *, is_told: bool
):
    """A family is a promise; what it holds here is told, but of no ten people."""
    path = environment["CATCHMENT_DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as connection, connection:
        for number in range(2, people + 1):
            connection.execute(
                "INSERT INTO subject (id, clinic_id) VALUES (?, 1)", [number]
            )
            connection.execute(
                "INSERT INTO condition VALUES (?, 1, ?, 0, NULL)", [number, number]
            )

    shown = catchment("valueset", "show", "crohn-disease").output

    assert ("Met so far of icd-10-cm, 1: K50.90\n" in shown) == is_told
    assert ("fewer than 11 people" in shown) == is_told
    assert ("none of these codes in 11 people or more" in shown) != is_told


@pytest.mark.usefixtures("file")
def test_a_preview_of_nothing_says_so_and_whom_it_is_for(catchment):
    """The first preview is often on an empty hub."""
    ended = catchment("measure", "preview", "crohn.yaml")

    assert ended.code == 0, ended
    assert "no disclosure control has looked at this" in ended.output
    assert "No record has the network's code ibd-pga" in ended.output


def test_the_pages_of_the_library_are_written_without_a_database(catchment, tmp_path):
    """They are what stands in docs/measures; a network makes those of its own."""
    settings = {"CATCHMENT_DATABASE_URL": "sqlite:////nonexistent/x.db"}
    kept = LIBRARY.parents[2] / "docs/measures"

    done = catchment("measure", "pages", str(tmp_path / "pages"), **settings)

    assert done.code == 0, done.output
    written = {path.name: path.read_text() for path in (tmp_path / "pages").iterdir()}
    assert written == {path.name: path.read_text() for path in kept.iterdir()}


def test_relations_that_hold_in_every_cell_are_said_to(catchment):
    """An empty hub has nothing that could contradict them."""
    told = catchment("measure", "relations")

    assert "Every relation holds" in told.output
