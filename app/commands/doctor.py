"""`catchment doctor`: what an operator is to put right, and what to tune."""

from typing import Annotated

import typer

from app.main import hub_of, read_settings
from app.services import doctor

Processes = Annotated[
    int,
    typer.Option(min=1, help="How many services and workers use the database."),
]


def examine(processes: Processes = 2) -> None:
    """
    Tell what is wrong with the database and the hub on it, and what could be better.

    Ends with 1 where something is wrong, with 0 where there is only advice.
    """
    hub = hub_of(read_settings())
    found = doctor.advice(hub, processes=processes)
    for each in found:
        typer.echo(f"{'wrong' if each.is_wrong else 'advice'}: {each.what}")
        typer.echo(f"  why: {each.why}")
        typer.echo(f"  do:  {each.remedy}")
    for line in doctor.sizes(hub):
        typer.echo(line)
    if any(each.is_wrong for each in found):
        raise typer.Exit(1)
