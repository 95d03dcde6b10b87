"""`catchment webhook`: servers that notify the hub of what has changed."""

from typing import Annotated

import typer

from app.commands.hubs import open_hub
from app.commands.listings import echo_table
from app.services import registry
from app.services.bulk import webhooks
from app.services.bulk.webhooks import Opened, WebhookLine
from app.store.sessions import write_session

app = typer.Typer(
    help="Where servers say what has changed; see also connect.", no_args_is_help=True
)

Clinic = Annotated[str, typer.Argument(help="The clinic's code.")]
Source = Annotated[str, typer.Option(help="Which of its sources.")]


@app.command("add")
def add(clinic: Clinic, source: Source = registry.MAIN_SOURCE) -> None:
    """Open a webhook for a connected source; its secret is shown this once."""
    hub = open_hub()
    with write_session(hub.engine) as session:
        opened = webhooks.add(session, hub, clinic=clinic, source=source)
    _echo(opened)


@app.command("list")
def list_webhooks() -> None:
    """List webhooks: where they are, when one was heard of, how many events lack."""
    echo_table(WebhookLine, webhooks.list_webhooks(open_hub()))


@app.command("rotate")
def rotate(
    clinic: Clinic,
    source: Source = registry.MAIN_SOURCE,
    newest_only: Annotated[
        bool, typer.Option(help="Make none; let the newest secret hold alone.")
    ] = False,
) -> None:
    """Make a new secret, beside which the last one holds until the next time."""
    hub = open_hub()
    if newest_only:
        with write_session(hub.engine) as session:
            webhooks.keep_newest(session, hub, clinic=clinic, source=source)
        typer.echo("The newest secret holds alone")
        return
    with write_session(hub.engine) as session:
        opened = webhooks.rotate(session, hub, clinic=clinic, source=source)
    _echo(opened)


@app.command("remove")
def remove(clinic: Clinic, source: Source = registry.MAIN_SOURCE) -> None:
    """Close a webhook; what was named to it is fetched all the same."""
    with write_session(open_hub().engine) as session:
        webhooks.remove(session, clinic=clinic, source=source)
    typer.echo(f"Nobody notifies source {source} of {clinic} any more")


def _echo(opened: Opened) -> None:
    typer.echo(f"url     {opened.url}")
    typer.echo(f"secret  {opened.secret}")
    typer.echo("The secret is not shown again.")
