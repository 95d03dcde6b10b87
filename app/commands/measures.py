"""`catchment measure`: is a definition right, what does it mean, what would it show."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from app.charts.descriptions import interval_label
from app.commands.hubs import open_hub
from app.commands.libraries import Paths, end_with, hub_library, library_of
from app.domain.calendar import first_day
from app.domain.counts import Interval
from app.main import meanings_text
from app.services import authoring, previews, relations
from app.services.authoring import Definition
from app.store import clinics
from app.store.sessions import read_session

app = typer.Typer(help="Definitions of measures.", no_args_is_help=True)

IdOrFile = Annotated[str, typer.Argument(help="A measure's id, or a file.")]


@app.command()
def check(paths: Paths = None) -> None:
    """Tell everything that is wrong with definitions, by file and line."""
    library = library_of(paths)
    end_with(authoring.faults_of(library))
    measures = f"{len(library.measures)} measures"
    typer.echo(f"{measures}: nothing is wrong, and every example holds")


@app.command("test")
def run_examples(paths: Paths = None) -> None:
    """Run the worked examples, and tell which do not hold."""
    library = library_of(paths)
    end_with(authoring.failed_of(library))
    for measure in library.measures:
        typer.echo(f"{measure.id}: {len(measure.examples)} examples hold")


@app.command()
def explain(measure: IdOrFile) -> None:
    """Say in sentences what a measure counts, and what it needs."""
    for each in definition(measure).measures:
        told = authoring.told(each)
        typer.echo(f"{told.id} {told.version}: {told.title}\n\n{told.explanation}\n")
        for line in told.value_sets:
            set_ = f"{line.value_set} {line.version}"
            typer.echo(f"Value set: {set_} ({line.rules} rules)")
        for name, unit in told.compared_in.items():
            typer.echo(f"Compared: {name} in {unit}")
        typer.echo()


@app.command()
def preview(
    measure: IdOrFile,
    interval: Annotated[
        Interval, typer.Option(help="How long a line of the table is.")
    ] = Interval.MONTH,
    clinic: Annotated[
        str | None, typer.Option(help="One clinic's code; none: all of them.")
    ] = None,
) -> None:
    """
    Count a definition over what the database has, and keep nothing of it.

    The numbers are true ones and for the hub's operator alone: no disclosure control
    has looked at them.
    """
    stated = definition(measure)
    hub = open_hub()
    console = Console()
    console.print("For the hub's operator: no disclosure control has looked at this.")
    for each in stated.measures:
        shown = previews.preview(hub, each, interval=interval, clinic=clinic)
        console.print(f"\n{each.id} {each.version}: {each.title}", highlight=False)
        for code in shown.unread:
            console.print(f"No record has the network's code {code}", highlight=False)
        console.print(_of_clinics(shown), _of_years(shown))


@app.command("relations")
def check_relations() -> None:
    """Hold what measures say of each other to all that is counted."""
    hub = open_hub()
    with read_session(hub.engine) as session:
        broken = relations.broken_relations(session, hub)
        codes = {clinic.id: clinic.code for clinic in clinics.all_clinics(session)}
    for breach in broken:
        word = "sum" if len(breach.others) > 1 else "part"
        when = interval_label(breach.interval_start, breach.interval)
        typer.echo(
            f"{breach.measure_id} is no {word} of {', '.join(breach.others)}:"
            f" {codes[breach.clinic_id]}, {when}"
        )
    if broken:
        raise typer.Exit(1)
    typer.echo("Every relation holds in every cell")


@app.command("pages")
def write_pages(
    folder: Annotated[Path, typer.Argument(help="Where to write them.")],
) -> None:
    """Write a page of each measure of the hub's, on which a clinician can check it."""
    library = hub_library()
    end_with(library.faults)
    folder.mkdir(parents=True, exist_ok=True)
    found = authoring.pages_of(library, meanings=meanings_text())
    for name, text in found.items():
        (folder / name).write_text(text, "utf-8")
    typer.echo(f"{len(found)} pages in {folder}")


@app.command()
def schema() -> None:
    """Print the JSON Schema of a definition, for an editor."""
    typer.echo(authoring.schema_text())


def definition(name: str) -> Definition:
    """Return the definition in a file, or of a measure of the hub's own."""
    path = Path(name)
    library = library_of([path] if path.is_file() else None)
    return authoring.definition_in(library, name)


def _of_clinics(shown: previews.Preview) -> Table:
    """Return the share of each clinic's population that could be scored."""
    table = _table("Clinic", "Population", "Can be scored", "Share")
    for code, sums in shown.clinics.items():
        cells = (sums.population, sums.scored)
        share = _percent(sums.completeness)
        table.add_row(code, *(f"{n:,}" for n in cells), share)
    return table


def _of_years(shown: previews.Preview) -> Table:
    """Return what the last years would have shown, interval by interval."""
    is_proportion = shown.measure.measure_observation is None
    columns = ("Population", "Scored", "Denominator")
    result = ("Numerator", "Share") if is_proportion else ("Mean",)
    table = _table("From", *columns, *result)
    for sums in shown.series:
        cells = [sums.population, sums.scored, sums.denominator]
        cells += [sums.numerator] if is_proportion else []
        mean = "-" if sums.value is None else f"{sums.value:.2f}"
        value = _percent(sums.value) if is_proportion else mean
        start = f"{first_day(sums.interval_start):%Y-%m}"
        table.add_row(start, *(f"{n:,}" for n in cells), value)
    return table


def _table(first: str, *others: str) -> Table:
    """Return an empty table whose columns but the first hold numbers."""
    table = Table(first)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
