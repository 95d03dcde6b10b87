"""`catchment release`: publish, or compare what other rules would show."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from app.commands.hubs import open_hub
from app.disclosure.audiences import parse_audiences
from app.disclosure.summaries import Share, Summary
from app.domain.errors import InvalidElementError
from app.main import text_of
from app.services import releases
from app.services.release_previews import previewed
from app.store.sessions import read_session, write_session

OWN_RULES = "the hub's rules"


def release(
    preview: Annotated[
        bool, typer.Option("--preview", help="Publish nothing; tell what it shows.")
    ] = False,
    rules: Annotated[
        list[Path] | None,
        typer.Option(help="Compare with this audiences file (with --preview)."),
    ] = None,
) -> None:
    """Freeze a release for each audience from what is counted and locked."""
    if preview:
        _compare(rules or [])
        return
    if rules:
        msg = "--rules compares; a release is made by the hub's rules: add --preview"
        raise InvalidElementError(msg, expression="rules")
    hub = open_hub()
    with write_session(hub.engine) as session:
        made = releases.publish(session, hub)
    for audience, release_id in made.items():
        typer.echo(f"Release {release_id} for {audience}")


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
        "before. Nothing was published now."
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
