"""`catchment cohort`: named sets of clinics."""

from typing import Annotated

import msgspec
import typer

from app.commands.annotations import Author, Reason
from app.commands.hubs import open_hub
from app.commands.listings import echo_table
from app.services import cohorts
from app.services.cohorts import NewCohort
from app.services.parties import CONSOLE
from app.store.sessions import read_session, write_session

app = typer.Typer(
    help="Named sets of clinics, which never change.", no_args_is_help=True
)


class CohortLine(msgspec.Struct, frozen=True, kw_only=True):
    """A cohort as a list shows it; its fields are the list's columns."""

    code: str
    name: str
    clinics: str
    author: str
    reason: str


@app.command("add")
def add_cohort(
    code: Annotated[str, typer.Argument(help="Its name in URLs, as first-five.")],
    clinic: Annotated[list[str], typer.Option(help="A clinic's code; repeatable.")],
    author: Author,
    reason: Reason,
    name: Annotated[str, typer.Option(help="Its name as people say it.")] = "",
) -> None:
    """Give some clinics a name; other clinics are another cohort, of another code."""
    hub = open_hub()
    new = NewCohort(
        code=code,
        name=name or code,
        clinics=tuple(clinic),
        author=author,
        reason=reason,
    )
    with write_session(hub.engine) as session:
        made = cohorts.add_cohort(session, hub, CONSOLE, new)
    typer.echo(f"Cohort {code} has {len(made.clinics)} clinics")


@app.command("list")
def list_cohorts() -> None:
    """List cohorts: code, name, clinics, who named them and why."""
    hub = open_hub()
    with read_session(hub.engine) as session:
        found = cohorts.find_cohorts(session, hub, CONSOLE)
    lines = [
        CohortLine(
            code=each.cohort.code,
            name=each.cohort.name,
            clinics=" ".join(each.clinics),
            author=each.cohort.signed.author,
            reason=each.cohort.signed.reason,
        )
        for each in found
    ]
    echo_table(CohortLine, lines)
