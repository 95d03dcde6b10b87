"""`catchment release`: publish, tell blocks anew, or compare what rules would show."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from app.commands.hubs import open_hub
from app.disclosure.audiences import parse_audiences
from app.disclosure.summaries import Share, Summary
from app.domain.calendar import first_day
from app.domain.clinics import Audience
from app.domain.errors import InvalidElementError
from app.main import text_of
from app.services import catalogue, releases, restatements
from app.services.release_previews import previewed
from app.services.restatements import Block, Outcome
from app.store.sessions import read_session, write_session

OWN_RULES = "the hub's rules"


def release(
    *,
    preview: Annotated[
        bool, typer.Option("--preview", help="Publish nothing; tell what it shows.")
    ] = False,
    rules: Annotated[
        list[Path] | None,
        typer.Option(help="Compare with this audiences file (with --preview)."),
    ] = None,
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
    if rules and not preview:
        msg = "--rules compares; a release is made by the hub's rules: add --preview"
        raise InvalidElementError(msg, expression="rules")
    if not restate and (measure is not None or dry_run):
        msg = "--measure and --dry-run go with --restate"
        raise InvalidElementError(msg)
    if preview and restate:
        msg = "--preview is of a first release, and restates nothing"
        raise InvalidElementError(msg)
    if preview:
        _compare(rules or [])
        return
    made = _restate(measure, dry_run=dry_run) if restate else _publish()
    for audience, release_id in made.items():
        typer.echo(f"Release {release_id} for {audience}")


def _publish() -> Mapping[Audience, int]:
    hub = open_hub()
    with write_session(hub.engine) as session:
        return releases.publish(session, hub)


def _restate(measure: str | None, *, dry_run: bool) -> Mapping[Audience, int]:
    """Tell anew what may be, and say which blocks those are."""
    hub = open_hub()
    if measure is not None:
        catalogue.find_measure(hub, measure)
    with write_session(hub.engine) as session:
        found = restatements.restate(session, hub, measure_id=measure, dry_run=dry_run)
        _tell(found, dry_run=dry_run)
        return found.made


def _tell(found: Outcome, *, dry_run: bool) -> None:
    done = "can be restated" if dry_run else "restated"
    typer.echo(f"{found.changed} published blocks changed, {len(found.allowed)} {done}")
    for block in found.allowed:
        typer.echo(_named(block))


def _named(block: Block) -> str:
    names = ", ".join(block.measures)
    return f"{names}: {first_day(block.begins)} up to {first_day(block.ends)}"


def _compare(files: list[Path]) -> None:
    """Print what a first release would show, by the hub's rules and by others."""
    hub = open_hub()
    others = {str(path): parse_audiences(text_of(path)) for path in files}
    with read_session(hub.engine) as session:
        found = previewed(session, hub, {OWN_RULES: hub.audiences} | others)
    console = Console()
    for audience, by_rules in found.items():
        console.print(_table(audience, by_rules))
    console.print(
        "Shares of cells, of clinics and of people, as if nothing had been published "
        "before; the audit may hide more. Nothing was published now."
    )


def _table(audience: str, by_rules: Mapping[str, Mapping[str, Summary]]) -> Table:
    """Return measures down, rules across."""
    table = Table("measure", *by_rules, title=f"What {audience} would see")
    measures = sorted({name for shown in by_rules.values() for name in shown})
    for name in measures:
        table.add_row(name, *(_told(shown.get(name)) for shown in by_rules.values()))
    return table


def _told(summary: Summary | None) -> str:
    """Return what is shown of cells, clinics and people."""
    if summary is None:
        return ""
    return " / ".join(map(_per_cent, (summary.cells, summary.clinics, summary.people)))


def _per_cent(share: Share) -> str:
    return f"{share.shown / share.total:.0%}" if share.total else "none"
