"""`catchment conceptmap`: what a source's own codes mean, in those that are listed."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from app.commands.hubs import open_hub
from app.commands.listings import echo_table
from app.demo.deliveries import Json
from app.demo.files import Note, file_contents, folder_contents
from app.domain.errors import ServiceError
from app.fhir.json_documents import read_json
from app.main import library_folder, library_texts, read_settings
from app.services import code_coverage, concept_maps, registry
from app.store.sessions import read_session

MAX_MAP_BYTES = 256 * 1024 * 1024

app = typer.Typer(
    help="Maps from a source's own codes to listed ones.", no_args_is_help=True
)

Clinic = Annotated[str, typer.Option(help="The clinic's code.")]
SourceName = Annotated[str, typer.Option(help="The source whose codes they are.")]
MapFile = Annotated[
    Path, typer.Argument(help="A FHIR R4 ConceptMap (JSON).", exists=True)
]


@app.command("load")
def load_map(
    file: MapFile, clinic: Clinic, source: SourceName = registry.MAIN_SOURCE
) -> None:
    """
    Let a source's own codes count as listed ones; replaces the map that it had.

    Of the map nothing is kept in clear but the listed codes. What is stored counts by
    it from now on, as if it had been there from the first day.
    """
    hub = open_hub()
    with _placed():
        loaded = concept_maps.load(hub, _read(file), clinic=clinic, source=source)
    typer.echo(f"Codes of {clinic}/{source} that are mapped: {loaded.codes:,}")
    for reason, count in sorted(loaded.skipped.items()):
        typer.echo(f"Not used, {reason}: {count:,}")
    _tell(loaded.recounted)


@app.command("list")
def list_maps() -> None:
    """List maps: clinic, source, codes, how many were not used, when it was loaded."""
    hub = open_hub()
    with read_session(hub.engine) as session:
        listed = concept_maps.lines(session, hub)
    echo_table(concept_maps.Line, listed)


@app.command("remove")
def remove_map(clinic: Clinic, source: SourceName = registry.MAIN_SOURCE) -> None:
    """Take a source's map away: its own codes count as nothing again."""
    recounted = concept_maps.remove(open_hub(), clinic=clinic, source=source)
    typer.echo(f"The map of {clinic}/{source} is gone")
    _tell(recounted)


@app.command("coverage")
def show_coverage(
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="FHIR files (NDJSON, JSON, gzipped or not), or folders.", exists=True
        ),
    ],
    map_: Annotated[
        Path | None,
        typer.Option("--map", help="The ConceptMap to try.", exists=True),
    ] = None,
) -> None:
    """
    List the codes in a clinic's own files, and what the hub would make of each.

    For use at the clinic: no database and no key. The codes are shown in clear, and a
    local code may be a name, so what is printed stays there.
    """
    texts = library_texts(library_folder(read_settings()))
    resource = None if map_ is None else _read(map_)
    typer.echo(code_coverage.WARNING, err=True)
    with _placed():
        covered = code_coverage.coverage(_resources(paths), resource, library=texts)
    echo_table(code_coverage.Line, covered.lines)
    typer.echo(covered.summary, err=True)


@contextmanager
def _placed() -> Iterator[None]:
    """Say of what is wrong in a file where it stands."""
    try:
        yield
    except ServiceError as error:
        if error.expression is None:
            raise
        msg = f"{error.expression}: {error.message}"
        raise type(error)(msg) from None


def _resources(paths: Iterable[Path]) -> Iterator[Json]:
    """Yield the resources in files; what can't be read is named, and passed over."""
    for path in paths:
        is_folder = path.is_dir()
        for found in folder_contents(path) if is_folder else file_contents(path, ""):
            if isinstance(found, Note):
                line = "" if found.line is None else f":{found.line}"
                where = path / found.file if is_folder else path
                typer.echo(f"Not read: {where}{line}: {found.reason}", err=True)
            else:
                yield found


def _read(path: Path) -> Json:
    return read_json(path.read_bytes(), max_bytes=MAX_MAP_BYTES)


def _tell(recounted: concept_maps.Recounted) -> None:
    typer.echo(
        f"Stored records that count anew: {recounted.records:,}, of"
        f" {recounted.people:,} people, whom the worker counts again"
    )
