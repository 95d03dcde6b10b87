"""Lists as commands print them: a header line, then cells with tabs between them."""

from collections.abc import Sequence

import msgspec
import typer


def echo_table(kind: type[msgspec.Struct], lines: Sequence[msgspec.Struct]) -> None:
    """Print *lines* of one *kind*, whose fields, all of them texts, are the columns."""
    typer.echo("\t".join(name.replace("_", " ") for name in kind.__struct_fields__))
    for line in lines:
        typer.echo("\t".join(msgspec.structs.astuple(line)))
