"""`catchment export` and `catchment recount`: an operator has the counts checked."""

import csv
import stat
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from sqlalchemy import Engine, text

from app.store import exports
from app.store.exports import FACTS
from app.store.sessions import open_engine
from tests.commands import Ended, environment_of, refusal
from tests.contract.conftest import catchment  # noqa: F401  (a fixture)
from tests.engines.crowds import Crowd, drawn_crowd, fill

Run = Callable[..., Ended]
CELLS = (
    "SELECT m.code, m.version, c.clinic_id, c.grain, c.stratum, c.month, "
    "c.population, c.scored, c.denominator, c.numerator "
    "FROM cell c JOIN measure m ON m.id = c.measure_id ORDER BY 1, 3, 4, 5, 6"
)


@pytest.fixture(scope="module")
def crowd() -> Crowd:
    return drawn_crowd(more=0)


@pytest.fixture
def engine(database_url: str, crowd: Crowd):
    """The database of a hub, full of facts; closed at the end."""
    opened = open_engine(database_url)
    fill(opened, crowd.world)
    yield opened
    opened.dispose()


@pytest.fixture
def environment(tmp_path: Path, database_url: str) -> dict[str, str]:
    """The environment of the hub on that database."""
    return environment_of(tmp_path, database_url)


@pytest.fixture
def counting(engine: Engine, catchment: Run) -> Run:  # noqa: F811
    """Runs commands on a hub that has counted everything."""
    assert engine
    assert catchment("refresh").code == 0
    return catchment


@pytest.fixture
def exported(counting: Run, tmp_path: Path) -> Path:
    """A folder that was exported."""
    assert counting("export", "--parquet", "out").code == 0
    return tmp_path / "out"


@pytest.mark.usefixtures("exported")
def test_duckdb_counts_an_exported_hub_to_the_same_cells(counting: Run):
    """The hub's step-by-step cells are what a count from nothing gives elsewhere."""
    ended = counting("recount", "--engine", "duckdb", "--from", "out", "--check")

    assert (ended.code, ended.errors) == (0, "")
    assert ended.output.startswith("Equal: ")


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_spark_counts_the_hub_to_the_same_cells(counting: Run):
    """Without a folder it exports what is here now."""
    ended = counting("recount", "--engine", "spark", "--master", "local[2]", "--check")

    assert (ended.code, ended.errors) == (0, "")
    assert ended.output.startswith("Equal: ")


@pytest.mark.usefixtures("exported")
def test_a_wrong_cell_is_named_and_nobody_in_it(counting: Run, engine: Engine):
    """Whoever checks learns where to look: measure, clinic, grain and month."""
    with engine.begin() as connection:
        measure, month = connection.execute(
            text(
                "SELECT measure_id, MIN(month) FROM cell WHERE clinic_id = 2"
                " AND grain = 1 GROUP BY measure_id ORDER BY measure_id"
            )
        ).first()
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
    assert f"month {year}-{index + 1:02}: hub 1000 " in first
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
        live = [tuple(row) for row in connection.execute(text(CELLS)) if any(row[6:])]
    header, *lines = csv.reader(StringIO(printed))
    assert (tmp_path / "cells.csv").read_text() == printed
    assert [tuple(line) for line in lines] == [tuple(map(str, row)) for row in live]
    table = parquet.read_table(tmp_path / "cells.parquet")
    assert table.column_names == header
    assert [tuple(row.values()) for row in table.to_pylist()] == live


@pytest.mark.parametrize("dialect", ["sqlite"])
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


def test_facts_are_exported_in_parts(
    counting: Run, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Memory does not grow with the network; nothing is lost where parts meet."""
    monkeypatch.setattr(exports, "ROWS_AT_ONCE", 7)

    assert counting("export", "--parquet", "out").code == 0

    for table, names in FACTS.items():
        file = parquet.ParquetFile(tmp_path / "out" / f"{table}.parquet")
        groups = map(file.metadata.row_group, range(file.num_row_groups))
        assert all(group.num_rows <= 7 for group in groups)
        with engine.connect() as connection:
            query = text(f"SELECT {', '.join(names)} FROM {table}")
            kept = {tuple(row) for row in connection.execute(query)}
        assert {tuple(row.values()) for row in file.read().to_pylist()} == kept
        file.close()


@pytest.mark.parametrize("dialect", ["sqlite"])
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


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_folder_in_use_is_left_alone(exported: Path, counting: Run):
    """Half of one export and half of another would be counted without a word."""
    before = sorted(exported.rglob("*"))

    assert "name a new folder" in refusal(counting("export", "--parquet", "out"))
    assert sorted(exported.rglob("*")) == before


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_an_export_that_did_not_end_is_not_counted(exported: Path, counting: Run):
    """The manifest comes last."""
    (exported / "manifest.json").unlink()

    said = refusal(counting("recount", "--engine", "duckdb", "--from", "out"))

    assert "catchment export" in said


@pytest.mark.parametrize("dialect", ["sqlite"])
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


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_cells_go_to_a_file_whose_kind_is_known(counting: Run):
    """It is refused before anything is counted."""
    said = refusal(counting("recount", "--engine", "duckdb", "--to", "cells.xls"))
    assert ".csv" in said
