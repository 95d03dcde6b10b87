"""`catchment export` and `catchment recount`: an operator has the counts checked."""

import csv
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from sqlalchemy import Engine, text

from app.store.exports import FACTS
from app.store.sessions import open_engine
from tests.commands import Ended, refusal
from tests.contract import conftest
from tests.engines.crowds import Crowd, fill
from tests.reference.library import FOLDER

Run = Callable[..., Ended]
environment, catchment = conftest.environment, conftest.catchment
pytestmark = pytest.mark.thorough

CELLS = (
    "SELECT m.code, m.version, c.clinic_id, c.grain, c.stratum, c.bin, c.month, "
    "c.population, c.excluded, c.excepted, c.scored, c.denominator, c.numerator, "
    "c.value_sum, c.value_squares FROM cell c JOIN measure m ON m.id = c.measure_id"
)


@pytest.fixture
def engine(environment: dict[str, str], crowd: Crowd) -> Iterator[Engine]:
    """The database of a hub, full of facts."""
    opened = open_engine(environment["CATCHMENT_DATABASE_URL"])
    fill(opened, crowd.world)
    yield opened
    opened.dispose()


@pytest.fixture
def counting(engine: Engine, catchment: Run) -> Run:
    """Runs commands on a hub that has counted everything."""
    assert engine
    assert catchment("refresh").code == 0
    return catchment


@pytest.fixture
def exported(counting: Run, tmp_path: Path) -> Path:
    """A folder that was exported."""
    assert counting("export", "--parquet", "out").code == 0
    return tmp_path / "out"


@pytest.mark.usefixtures("spark")
def test_spark_counts_the_hub_to_the_same_cells(counting: Run, tmp_path: Path):
    """Without a folder it exports what is here now."""
    library = tmp_path / "library"
    shutil.copytree(FOLDER / "value_sets", library / "value_sets")
    for name in ("hba1c-poor-control", "uc-remission-visits"):
        shutil.copy(FOLDER / f"{name}.yaml", library)
    words = ("recount", "--engine", "spark", "--master", "local[2]", "--check")

    ended = counting(*words, CATCHMENT_MEASURES_FOLDER=str(library))

    assert (ended.code, ended.errors) == (0, "")
    assert ended.output.startswith("Equal: ")


@pytest.mark.usefixtures("exported")
def test_a_wrong_cell_is_named_and_nobody_in_it(counting: Run, engine: Engine):
    """Whoever checks learns where to look: measure, clinic, grain and month."""
    with engine.begin() as connection:
        measure, month = connection.execute(
            text(
                "SELECT measure_id, MIN(month) FROM cell WHERE clinic_id = 2"
                " AND grain = 1 GROUP BY measure_id ORDER BY measure_id LIMIT 1"
            )
        ).one()
        wrong = f"measure_id = {measure} AND month = {month} AND clinic_id = 2"
        connection.execute(
            text(f"UPDATE cell SET population = 1000 WHERE {wrong} AND grain = 1")
        )
        code = connection.execute(
            text(f"SELECT code FROM measure WHERE id = {measure}")
        ).scalar_one()

    ended = counting("recount", "--engine", "duckdb", "--from", "out", "--check")

    assert ended.code == 1
    first, *_ = ended.errors.splitlines()
    year, index = divmod(month, 12)
    assert first.startswith(f"{code}: clinic 2, grain 1, stratum ")
    assert f"month {year}-{index + 1:02}: hub population 1000" in first
    assert "subject" not in ended.errors


@pytest.mark.usefixtures("exported")
def test_data_that_the_hub_has_yet_to_count_are_told_of(
    counting: Run, engine: Engine, tmp_path: Path
):
    """A difference is no fault where the hub is not through."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE subject SET birth_month = NULL"))
        connection.execute(text("INSERT INTO dirty VALUES (1, 1, 1, 1)"))
    assert counting("export", "--parquet", str(tmp_path / "later")).code == 0

    ended = counting("recount", "--engine", "duckdb", "--from", "later", "--check")

    assert ended.code == 1
    assert ended.errors.endswith("The hub had not counted all that was exported\n")


@pytest.mark.usefixtures("exported")
def test_cells_are_written_as_csv_or_parquet(
    counting: Run, engine: Engine, tmp_path: Path
):
    """An analyst goes on from there with whatever tool is at hand."""
    words = ("recount", "--engine", "duckdb", "--from", "out")
    printed = counting(*words).output
    for name in ("cells.csv", "cells.parquet"):
        assert counting(*words, "--to", name).code == 0

    with engine.connect() as connection:
        live = [tuple(row) for row in connection.execute(text(CELLS)) if any(row[7:])]
    header, *lines = csv.reader(StringIO(printed))
    assert (tmp_path / "cells.csv").read_text() == printed
    assert sorted(map(tuple, lines)) == sorted(tuple(map(str, row)) for row in live)
    table = parquet.read_table(tmp_path / "cells.parquet")
    assert table.column_names == header
    assert sorted(tuple(row.values()) for row in table.to_pylist()) == sorted(live)


def test_what_is_exported_are_whole_numbers_for_its_owner_only(exported: Path):
    """Codes are the only texts, and they are of terminologies."""
    texts = {
        f"{table}.{field.name}"
        for table in FACTS
        for field in parquet.read_schema(exported / f"{table}.parquet")
        if not pa.types.is_integer(field.type)
    }

    assert texts == {"concept.system", "concept.code"}
    assert stat.S_IMODE(exported.stat().st_mode) == 0o700


def test_a_person_under_two_ids_is_exported_once(
    counting: Run, engine: Engine, tmp_path: Path
):
    """Else the other engine would count an empty second one from birth to death."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE subject SET joined_to = 1 WHERE id = 2"))

    assert counting("export", "--parquet", "out").code == 0

    ids = parquet.read_table(tmp_path / "out/subject.parquet")["id"].to_pylist()
    assert 1 in ids
    assert 2 not in ids


def test_a_folder_in_use_is_left_alone(exported: Path, counting: Run):
    """Half of one export and half of another would be counted without a word."""
    before = sorted(exported.rglob("*"))

    assert "name a new folder" in refusal(counting("export", "--parquet", "out"))
    assert sorted(exported.rglob("*")) == before


def test_an_export_that_did_not_end_is_not_counted(exported: Path, counting: Run):
    """The manifest comes last."""
    (exported / "manifest.json").unlink()

    said = refusal(counting("recount", "--engine", "duckdb", "--from", "out"))

    assert "catchment export" in said


@pytest.mark.parametrize(
    ("module", "words", "extra"),
    [
        ("pyarrow", ("export", "--parquet", "new"), "engines"),
        ("duckdb", ("recount", "--engine", "duckdb", "--from", "out"), "engines"),
        ("pyspark.sql", ("recount", "--engine", "spark", "--from", "out"), "spark"),
    ],
)
@pytest.mark.usefixtures("exported")
def test_what_is_not_installed_is_named(
    counting: Run, monkeypatch: pytest.MonkeyPatch, module, words, extra
):
    """None of them is needed to run a hub."""
    monkeypatch.setitem(sys.modules, module, None)

    assert f"pip install 'catchment[{extra}]'" in refusal(counting(*words))


def test_cells_go_to_a_file_whose_kind_is_known(counting: Run):
    """It is refused before anything is counted."""
    said = refusal(counting("recount", "--engine", "duckdb", "--to", "cells.xls"))
    assert ".csv" in said
