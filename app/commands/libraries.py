"""The library that a command is about: the hub's own, a folder, or some files."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from app.main import (
    SETS_FOLDER,
    StartError,
    library_folder,
    library_texts,
    read_settings,
    text_of,
)
from app.services import authoring
from app.services.authoring import Fault, Library, is_definition

Paths = Annotated[
    list[Path] | None,
    typer.Argument(help="Files, or a library's folder; the hub's own library if none."),
]


def hub_library() -> Library:
    """Return the library that the hub of the settings counts by."""
    folder = library_folder(read_settings())
    return authoring.read(_within(folder))


def library_of(paths: Sequence[Path] | None) -> Library:
    """
    Return the library of *paths*: a folder, or files; the hub's own for none.

    Files may name the value sets that stand beside them, and those of the hub's own.
    """
    if not paths:
        return hub_library()
    texts: dict[str, str] = {}
    for path in paths:
        if path.is_dir():
            texts |= _definitions_within(path)
        else:
            texts[str(path)] = text_of(path)
            texts |= _read(path.parent.glob(f"{SETS_FOLDER}/*.json"))
    alone = all(path.is_dir() for path in paths)
    return authoring.read(texts, beside=None if alone else hub_library())


def end_with(faults: Sequence[Fault]) -> None:
    """Print *faults*, one a line, and end with exit code 1 where there are any."""
    for fault in faults:
        typer.echo(str(fault))
    if faults:
        raise typer.Exit(1)


def _definitions_within(folder: Path) -> dict[str, str]:
    """Return the texts of a folder, in which there must be a definition."""
    texts = _within(folder)
    if not any(map(is_definition, texts)):
        msg = f"no definition in {folder}"
        raise StartError(msg)
    return texts


def _within(folder: Path) -> dict[str, str]:
    """Return the texts of a folder by their whole path."""
    return {str(folder / name): text for name, text in library_texts(folder).items()}


def _read(paths: Iterable[Path]) -> dict[str, str]:
    return {str(path): text_of(path) for path in sorted(paths)}
