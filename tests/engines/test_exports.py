"""What is exported of a hub, and that other engines count the same from it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import parquet
from sqlalchemy import text

from app.measures.definitions import Measure
from app.services.exports import differences, export, recount
from app.services.hub import Hub
from app.services.recounts import refresh
from app.store import exports
from app.store.engines import EngineName
from app.store.exports import FACTS
from app.store.sessions import open_engine
from tests.conftest import DIALECTS
from tests.engines.crowds import Crowd, fill
from tests.hubs import Clock, Databases, hub_on

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module", params=DIALECTS)
def full_hub(
    request: pytest.FixtureRequest,
    databases: Databases,
    shared_parts: Hub,
    crowd: Crowd,
) -> Iterator[Hub]:
    """A hub that has counted many histories; nothing here changes it."""
    engine = open_engine(databases.fresh(request.param))
    hub = hub_on(shared_parts, engine, Clock())
    fill(engine, crowd.world)
    refresh(hub)
    yield hub
    engine.dispose()


def of_people(hub: Hub) -> list[Measure]:
    """Return the measures that count people: what clinics count is not exported."""
    return [measure for measure in hub.measures if measure.summary is None]


def test_duckdb_counts_every_cell_of_the_hub(full_hub: Hub, tmp_path: Path):
    """Cells kept step by step are what a count from nothing gives elsewhere."""
    export(full_hub, tmp_path / "out")

    counted = list(recount(tmp_path / "out", EngineName.DUCKDB))

    assert {one.measure.id for one in counted} == {m.id for m in of_people(full_hub)}
    assert {cell.clinic_id for one in counted for cell in one.cells} == {1, 2}
    for one in counted:
        assert differences(full_hub, one) == []


def test_the_manifest_says_what_was_exported_when(full_hub: Hub, tmp_path: Path):
    """Whoever finds the folder knows its policy, its definitions and its moment."""
    manifest = export(full_hub, tmp_path / "out")

    assert manifest.as_of == "2027-01-15T08:00:00+00:00"
    assert manifest.policy_digest == full_hub.policy.digest
    assert not manifest.waiting
    stated = {(m.id, m.version, m.digest) for m in manifest.measures}
    assert stated == {(m.id, m.version, m.digest) for m in of_people(full_hub)}
    with full_hub.engine.connect() as connection:
        for table, rows in manifest.rows.items():
            query = text(f"SELECT COUNT(*) FROM {table}")
            assert rows == connection.execute(query).scalar_one() > 0


def test_facts_are_exported_in_parts(
    full_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Memory does not grow with the network; nothing is lost where parts meet."""
    monkeypatch.setattr(exports, "ROWS_AT_ONCE", 7)

    export(full_hub, tmp_path / "out")

    for table, names in FACTS.items():
        with parquet.ParquetFile(tmp_path / "out" / f"{table}.parquet") as file:
            groups = map(file.metadata.row_group, range(file.num_row_groups))
            assert all(group.num_rows <= 7 for group in groups)
            found = [tuple(row.values()) for row in file.read().to_pylist()]
        with full_hub.engine.connect() as connection:
            query = text(f"SELECT {', '.join(names)} FROM {table}")
            kept = [tuple(row) for row in connection.execute(query)]
        assert set(found) == set(kept)
        assert len(found) == len(kept)
