"""`catchment valueset`: code lists of others brought into a library, and shown."""

import json
from pathlib import Path

import pytest

from tests.commands import refusal

TABLE = "system,code,display\nicd-10-cm,l4054,Psoriatic\nsnomed-ct,410502007,\n"
NAMED = ("--id", "jia", "--version", "1.0.0", "--title", "JIA")
RESOURCE = {
    "resourceType": "ValueSet",
    "id": "jia",
    "version": "1.0.0",
    "title": "JIA",
    "compose": {
        "include": [
            {"system": "http://snomed.info/sct", "concept": [{"code": "410502007"}]}
        ]
    },
}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of codes."""
    path = tmp_path / "jia.csv"
    path.write_text(TABLE)
    return path


def test_a_table_is_imported_into_a_library(catchment, table):
    """Each set is a file, which definitions in the same folder then know."""
    ended = catchment("valueset", "import", "jia.csv", "--into", "own", *NAMED)

    assert ended.code == 0, ended
    written = json.loads((table.parent / "own/value_sets/jia.json").read_text())
    assert written["compose"]["include"][0]["concept"] == [
        {"code": "L40.54", "display": "Psoriatic"}
    ]


@pytest.mark.usefixtures("table")
def test_the_networks_own_folder_is_where_it_goes_and_where_it_is_read(catchment):
    """The folder of the settings is the hub's library, whatever it lacks."""
    settings = {"CATCHMENT_MEASURES_FOLDER": "own"}

    imported = catchment("valueset", "import", "jia.csv", *NAMED, **settings)
    shown = catchment("valueset", "show", "jia", **settings)
    listed = catchment("valueset", "list", **settings)

    assert imported.code == 0, imported
    assert "  icd-10-cm|L40.54\n" in shown.output
    assert "has met none of these codes" in shown.output
    assert listed.output == "name\tversion\trules\ttitle\njia\t1.0.0\t2\tJIA\n"


def test_a_version_with_other_content_is_refused_and_nothing_is_written(
    catchment, table
):
    """What a measure counted by under a version stays what it was."""
    into = ("--into", "own")
    catchment("valueset", "import", "jia.csv", *into, *NAMED)
    before = (table.parent / "own/value_sets/jia.json").read_text()
    again = catchment("valueset", "import", "jia.csv", *into, *NAMED)
    (table.parent / "jia.json").write_text(json.dumps(RESOURCE))

    refused = refusal(catchment("valueset", "import", "jia.json", *into))

    assert "is there already" in again.output
    assert "version 1.0.0 is here with other content" in refused
    assert (table.parent / "own/value_sets/jia.json").read_text() == before
    newer = catchment("valueset", "import", "jia.json", *into, "--version", "1.1.0")
    assert newer.code == 0, newer


@pytest.mark.parametrize("name", ["jia.csv", "jia.json"])
def test_a_file_that_is_not_in_utf_8_is_refused(catchment, table, name):
    """A table from a spreadsheet may be in the letters of its country."""
    (table.parent / name).write_bytes(b"system,code\nicd-10-cm,\xe9\n")

    refused = refusal(catchment("valueset", "import", name, "--into", "own", *NAMED))

    assert refused == f"catchment: {name}: not text in UTF-8"


def test_a_code_that_is_none_is_refused_by_its_line(catchment, table):
    """And of the file nothing is taken."""
    table.write_text(TABLE.replace("410502007", "410502008"))

    said = refusal(catchment("valueset", "import", "jia.csv", "--into", "own", *NAMED))

    assert "jia.csv:3: `410502008` is no code of http://snomed.info/sct" in said
    assert not (table.parent / "own").exists()


@pytest.mark.usefixtures("table")
def test_the_built_in_library_is_not_written_to(catchment):
    """It comes with the version of the hub, and would go with the next one."""
    assert "--into FOLDER" in refusal(
        catchment("valueset", "import", "jia.csv", *NAMED)
    )


def test_a_set_that_is_not_there_is_said_with_the_name_that_was_meant(catchment):
    """A typing error is the usual reason."""
    said = refusal(catchment("valueset", "show", "crohn-diseas"))

    assert said.endswith("called crohn-diseas; did you mean `crohn-disease`?")


def test_a_set_is_shown_without_a_database(catchment, tmp_path: Path):
    """An analyst's machine has none, and none is made."""
    shown = catchment(
        *("valueset", "show", "crohn-disease"),
        CATCHMENT_DATABASE_URL="sqlite:///none.db",
    )

    assert "There is no database" in shown.output
    assert not (tmp_path / "none.db").exists()
