"""`catchment release`: freeze what is counted and locked, or tell blocks anew."""

from typing import Annotated

import typer

from app.commands.hubs import open_hub
from app.domain.calendar import first_day
from app.domain.errors import InvalidElementError
from app.services import catalogue, releases, restatements
from app.services.restatements import Block, Outcome
from app.store.sessions import write_session


def release(
    *,
    restate: Annotated[
        bool, typer.Option("--restate", help="Tell anew what changed and may be.")
    ] = False,
    measure: Annotated[
        str | None, typer.Option(help="Restate this one, and what it is part of.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be restated.")
    ] = False,
) -> None:
    """
    Freeze a release for each audience from what is counted and locked.

    What was published stays as it was. With --restate, blocks of it that changed are
    told anew where that gives nobody away; how much they changed is not said.
    """
    if not restate and (measure is not None or dry_run):
        msg = "--measure and --dry-run go with --restate"
        raise InvalidElementError(msg)
    hub = open_hub()
    if measure is not None:
        catalogue.find_measure(hub, measure)
    with write_session(hub.engine) as session:
        if not restate:
            made = releases.publish(session, hub)
        else:
            found = restatements.restate(
                session, hub, measure_id=measure, dry_run=dry_run
            )
            _tell(found, dry_run=dry_run)
            made = dict(found.made)
    for audience, release_id in made.items():
        typer.echo(f"Release {release_id} for {audience}")


def _tell(found: Outcome, *, dry_run: bool) -> None:
    done = "can be restated" if dry_run else "restated"
    typer.echo(f"{found.changed} published blocks changed, {len(found.allowed)} {done}")
    for block in found.allowed:
        typer.echo(_named(block))


def _named(block: Block) -> str:
    names = ", ".join(block.measures)
    return f"{names}: {first_day(block.begins)} up to {first_day(block.ends)}"
