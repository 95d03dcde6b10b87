"""Engines that count over exported facts: DuckDB in this process, or Spark."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from app.store.exports import FACTS, fact_file, optional

Run = Callable[[str], list[tuple[int, ...]]]
"""Runs one SQL text over the facts; returns its rows."""
LOCAL = "local[*]"
"""Spark in this process, on all cores."""
_SCOPE = "SELECT id AS subject_id FROM subject"
_ON_THIS_MACHINE = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.shuffle.partitions": "4",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


class EngineName(StrEnum):
    """What can count besides the hub's own database."""

    DUCKDB = "duckdb"
    SPARK = "spark"


def opened(
    engine: EngineName, folder: Path, *, master: str = LOCAL
) -> AbstractContextManager[Run]:
    """
    Return an engine over the facts that were exported to *folder*.

    Args:
        engine: Which one.
        folder: Where the facts are; of a cluster each worker must see it.
        master: The cluster, in Spark's words.

    Raises:
        NotSupportedError: The engine is not installed.
    """
    if engine is EngineName.DUCKDB:
        return _duckdb(folder)
    return _spark(folder, master)


@contextmanager
def _duckdb(folder: Path) -> Iterator[Run]:
    duckdb = optional("duckdb", extra="engines")
    with TemporaryDirectory(prefix="catchment-") as spill:
        settings = {"temp_directory": spill, "autoinstall_known_extensions": False}
        with duckdb.connect(":memory:", config=settings) as connection:
            for table in FACTS:
                path = str(fact_file(folder, table)).replace("'", "''")
                connection.execute(
                    f"CREATE VIEW {table} AS FROM read_parquet('{path}')"
                )
            connection.execute(f"CREATE VIEW scope AS {_SCOPE}")
            yield lambda sql: connection.execute(sql).fetchall()


@contextmanager
def _spark(folder: Path, master: str) -> Iterator[Run]:
    """Open a session, or borrow the one that this process has open already."""
    sessions = optional("pyspark.sql", extra="spark").SparkSession
    borrowed = sessions.getActiveSession()
    spark = borrowed or _new_session(sessions.builder, master)
    try:
        for table in FACTS:
            path = fact_file(folder.resolve(), table).as_uri()
            spark.read.parquet(path).createOrReplaceTempView(table)
        spark.sql(_SCOPE).createOrReplaceTempView("scope")
        yield lambda sql: list(map(tuple, spark.sql(sql).collect()))
    finally:
        if borrowed is None:
            spark.stop()


def _new_session(builder: Any, master: str) -> Any:  # noqa: ANN401  (PySpark may be absent)
    builder = builder.master(master).appName("catchment")
    if master.startswith("local"):
        for name, value in _ON_THIS_MACHINE.items():
            builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark
