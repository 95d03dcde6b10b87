"""`catchment export`, `catchment recount`: the same counts by other engines."""

import csv
import sys
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, TextIO

import typer

from app.commands.hubs import open_hub
from app.domain.calendar import first_day
from app.domain.counts import COUNTS
from app.domain.errors import InvalidElementError
from app.services import exports
from app.services.exports import Counted, Difference
from app.store.engines import LOCAL, EngineName
from app.store.recounts import EventRow

SHOWN = 10
"""So many differences are told."""


def export(
    parquet: Annotated[Path, typer.Option(help="A new folder to write into.")],
) -> None:
    """
    Write what is counted, and how, as Parquet files and SQL texts.

    The facts that measures read, each measure's SQL text and a manifest. They hold no
    name and no id of a clinic's, but the days and months of persons: keep the folder
    as you keep the database.
    """
    manifest = exports.export(open_hub(), parquet)
    for table, rows in manifest.rows.items():
        typer.echo(f"{table}\t{rows}")
    typer.echo(f"Exported with {len(manifest.measures)} measures to {parquet}")


def recount(
    engine: Annotated[EngineName, typer.Option(help="What counts.")],
    from_: Annotated[
        Path | None,
        typer.Option("--from", help="An exported folder; none: what is here now."),
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="Where to write the cells: .csv or .parquet.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Compare them with the hub's own.")
    ] = False,
    master: Annotated[str, typer.Option(help="Spark's cluster.")] = LOCAL,
) -> None:
    """
    Count all measures from nothing over exported facts, by another engine.

    The cells are true counts, as the database holds them: changes by clinic number,
    grain, stratum and month. They go to standard output as CSV unless --to says where,
    or --check asks only whether they equal the hub's; where they do not, it is told in
    which cells first, and the command ends with 1.
    """
    if to is not None and to.suffix not in {".csv", ".parquet"}:
        msg = f"{to} ends neither in .csv nor in .parquet"
        raise InvalidElementError(msg, expression="to")
    with TemporaryDirectory(prefix="catchment-") as temporary:
        folder = from_
        if folder is None:
            folder = Path(temporary) / "export"
            exports.export(open_hub(), folder)
        counted = list(exports.recount(folder, engine, master=master))
        waiting = exports.read_manifest(folder).waiting
    if to is not None or not check:
        _write(to, counted)
    if check:
        _compare(counted, waiting=waiting)


def _write(to: Path | None, counted: list[Counted]) -> None:
    if to is None:
        _write_csv(sys.stdout, counted)
    elif to.suffix == ".parquet":
        exports.save_cells(to, counted)
    else:
        with to.open("w", newline="") as out:
            _write_csv(out, counted)


def _write_csv(out: TextIO, counted: list[Counted]) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(exports.HEADER)
    for one in counted:
        writer.writerows(exports.lines(one))


def _compare(counted: list[Counted], *, waiting: bool) -> None:
    """Tell whether the hub's cells are the same; end with 1 where they are not."""
    hub = open_hub()
    found = [each for one in counted for each in exports.differences(hub, one)]
    if not found:
        cells = sum(len(one.cells) for one in counted)
        typer.echo(f"Equal: {len(counted)} measures, {cells} cells")
        return
    for difference in islice(found, SHOWN):
        typer.echo(_told(difference), err=True)
    typer.echo(f"{len(found)} cells differ", err=True)
    if waiting:
        typer.echo("The hub had not counted all that was exported", err=True)
    raise typer.Exit(1)


def _told(difference: Difference) -> str:
    """Return one line: which cell, and what each has there."""
    cell = difference.hub or difference.engine
    assert cell is not None
    where = f"{difference.measure_id}: clinic {cell.clinic_id}, grain {cell.grain}, "
    where += f"stratum {cell.stratum}, bin {cell.bin}, "
    where += f"month {first_day(cell.month):%Y-%m}"
    return f"{where}: hub {_counts(difference.hub)}, {_counts(difference.engine)} here"


def _counts(cell: EventRow | None) -> str:
    """Return the counts that are not 0, by name."""
    if cell is None:
        return "nothing"
    named = zip(COUNTS, cell.counts, strict=True)
    return " ".join(f"{name} {count}" for name, count in named if count)
