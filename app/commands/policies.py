"""`catchment policy`: what a de-identification policy is, keeps and can answer."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from app.commands.hubs import stored_conflicts
from app.commands.libraries import hub_library
from app.main import policy_text, read_settings
from app.services import policy_audits

app = typer.Typer(help="De-identification policies.", no_args_is_help=True)

Chosen = Annotated[
    str | None,
    typer.Argument(help="A file, or a built-in's name; the hub's own policy if none."),
]
Other = Annotated[str, typer.Argument(help="A file, or a built-in's name.")]


@app.command()
def check(policy: Chosen = None) -> None:
    """
    Tell what a policy is, until when it holds, and which measures it can answer.

    Ends with 1 where records are stored that it would not have kept so.
    """
    settings = read_settings()
    read = policy_audits.read(policy_text(policy or settings.policy))
    today = datetime.now(UTC).date()
    for line in policy_audits.checked(read, hub_library(), today=today):
        typer.echo(line)
    conflicts = stored_conflicts(settings, read)
    for conflict in conflicts:
        typer.echo(conflict)
    if conflicts:
        raise typer.Exit(1)


@app.command()
def explain(policy: Chosen = None) -> None:
    """Say element by element what stays, what changes and what goes."""
    chosen = policy or read_settings().policy
    for line in policy_audits.explained(policy_audits.read(policy_text(chosen))):
        typer.echo(line)


@app.command()
def diff(first: Other, second: Other) -> None:
    """Tell what each of two policies keeps more; ends with 1 if the SECOND does."""
    policies = [policy_audits.read(policy_text(each)) for each in (first, second)]
    added = policy_audits.beyond(*policies)
    for line in policy_audits.beyond(*reversed(policies)):
        typer.echo(f"- {line}")
    for line in added:
        typer.echo(f"+ {line}")
    if added:
        raise typer.Exit(1)
