"""Overlapping deliveries of one source by eight writers come out as one."""

import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path

from sqlalchemy import Engine, text

from app.domain.records import Observation, content_of
from app.services import recounts as counting
from app.services.hub import Hub
from tests.api.test_counting import cells_of, count
from tests.hubs import Network
from tests.store import writers
from tests.store.writers import (
    NAMELESS,
    PATIENTS,
    RESULTS,
    VERSIONS,
    WRITERS,
    nameless_value,
    value_of,
)


def run_processes(url: str, folder: Path) -> None:
    """Run the writers as processes."""
    command = [sys.executable, "-m", writers.__name__, url, str(folder)]
    subprocess.run(command, check=True)


def run_threads(hub: Hub) -> None:
    """Run the writers as threads: SQLite is for one process."""
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(partial(writers.write, hub), range(WRITERS)))


def values_that_count(engine: Engine) -> Counter[str]:
    """Return how often each value counts."""
    query = text(
        "SELECT content FROM record WHERE type = 3 AND state = 1 AND twin_id IS NULL"
    )
    with engine.connect() as connection:
        contents = connection.execute(query).scalars().all()
    read = [content_of(content) for content in contents]
    return Counter(
        each.value.quantity.value
        for each in read
        if isinstance(each, Observation) and each.value.quantity is not None
    )


def number_of(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        count = connection.execute(text(f"SELECT COUNT(*) FROM {table}"))
        return int(count.scalar_one())


def test_eight_writers_are_as_one(hub: Hub, database_url: str, tmp_path: Path):
    """
    No deadlock comes out, nothing is there twice, and the highest version stays.

    Somebody counts meanwhile; in the end what is counted equals a count from nothing.
    """
    Network(hub, None).ehr()  # type: ignore[arg-type]
    count(hub)
    run = (
        partial(run_processes, database_url, tmp_path)
        if hub.engine.dialect.name == "postgresql"
        else partial(run_threads, hub)
    )

    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(run)
        while wait([written], timeout=0.05).not_done:
            counting.recount_dirty(hub, holder="test")
        written.result()
    count(hub)
    stepwise = cells_of(hub)
    counting.count_from_nothing(hub)

    assert stepwise == cells_of(hub)
    assert stepwise
    results = PATIENTS * (RESULTS + NAMELESS)
    # A Patient and the placeholder of its number, a visit and a diagnosis.
    assert number_of(hub.engine, "record") == PATIENTS * 4 + results
    named = PATIENTS * (4 + RESULTS)
    assert number_of(hub.engine, "alias") == named
    found = values_that_count(hub.engine)
    latest = [
        value_of(n, number, VERSIONS - 1)
        for n in range(PATIENTS)
        for number in range(2, RESULTS)
    ]
    nameless = [nameless_value(n, k) for n in range(PATIENTS) for k in range(NAMELESS)]
    expected = Counter(map(str, (*latest, *nameless)))
    torn = {str(value_of(n, 1, v)) for n in range(PATIENTS) for v in range(VERSIONS)}
    assert {v: n for v, n in found.items() if v not in torn} == expected
