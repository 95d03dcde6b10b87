"""`catchment valueset`: what the names of codes in definitions stand for."""

from pathlib import Path
from typing import Annotated

import typer

from app.commands.hubs import listable_concepts
from app.commands.libraries import hub_library
from app.commands.listings import echo_table
from app.main import SETS_FOLDER, StartError, read_settings, text_of
from app.services import value_set_imports, value_sets
from app.services.value_set_imports import Stated

app = typer.Typer(help="Value sets of the measure library.", no_args_is_help=True)


@app.command("import")
def import_value_sets(
    files: Annotated[
        list[Path], typer.Argument(help="FHIR ValueSets (JSON), or CSV tables.")
    ],
    into: Annotated[
        Path | None,
        typer.Option(help="The library's folder; by default the network's own."),
    ] = None,
    id_: Annotated[
        str | None, typer.Option("--id", help="What definitions call the set.")
    ] = None,
    version: Annotated[str | None, typer.Option(help="As 1.0.0, or 20240326.")] = None,
    title: Annotated[str | None, typer.Option(help="What people call it.")] = None,
) -> None:
    """
    Bring FHIR ValueSets or tables of codes into a library, each as a file of its own.

    A ValueSet may be an expansion; a table has the columns system, code and maybe
    display, and needs --id, --version and --title. Every code is checked. A version
    that is there with other content is not replaced.
    """
    if len(files) > 1 and (id_ is not None or title is not None):
        msg = "--id and --title are for one file"
        raise StartError(msg)
    folder = _sets_folder(into)
    stated = Stated(id=id_, version=version, title=title)
    read = [_imported(path, stated) for path in files]
    folder.mkdir(parents=True, exist_ok=True)
    for value_set in read:
        path = folder / value_sets.file_of(value_set.id)
        there = text_of(path) if path.is_file() else None
        if value_sets.check_place(value_set, there, origin=str(path)):
            path.write_text(value_sets.written(value_set), "utf-8")
            said = f"{len(value_set.rules)} rules, in {path}"
        else:
            said = "is there already"
        typer.echo(f"{value_set.id} {value_set.version}: {said}")


@app.command("list")
def list_value_sets() -> None:
    """List the value sets of the hub's library: name, version, rules, title."""
    echo_table(value_sets.Line, value_sets.lines(hub_library().value_sets))


@app.command("show")
def show_value_set(
    name: Annotated[str, typer.Argument(help="What definitions call the set.")],
) -> None:
    """Show what a set holds, and which codes of it many people here have."""
    value_set = value_sets.find(hub_library(), name)
    typer.echo(f"{value_set.id} {value_set.version}: {value_set.title}")
    typer.echo(value_set.url)
    for said in (value_set.description, value_set.copyright):
        if said is not None:
            typer.echo(said)
    for rule in value_set.rules:
        typer.echo(f"  {rule}")
    concepts = listable_concepts(read_settings())
    if concepts is None:
        typer.echo("There is no database to look for these codes in")
        return
    known = value_sets.known_codes(value_set.rules, concepts)
    for system, codes in known.items():
        typer.echo(f"Met so far of {system}, {len(codes)}: {' '.join(codes)}")
    if known:
        typer.echo("Codes that fewer than 11 people have are not told")
    else:
        typer.echo("The database has met none of these codes in 11 people or more")


def _sets_folder(into: Path | None) -> Path:
    """Return the folder that the files go to."""
    folder = into or read_settings().measures_folder
    if folder is None:
        msg = (
            "The built-in library is not written to: say --into FOLDER, or name the"
            " network's own with CATCHMENT_MEASURES_FOLDER"
        )
        raise StartError(msg)
    return folder if folder.name == SETS_FOLDER else folder / SETS_FOLDER


def _imported(path: Path, stated: Stated) -> value_sets.ValueSet:
    """Return the value set in a file, by what the file is."""
    text = text_of(path)
    is_table = path.suffix.lower() == ".csv"
    reader = value_set_imports.from_csv if is_table else value_set_imports.from_fhir
    return reader(text, origin=str(path), stated=stated)
