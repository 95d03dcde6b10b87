"""`catchment project`: what clinics set out to improve, and in which phases."""

from datetime import datetime
from typing import Annotated

import msgspec
import typer

from app.commands.annotations import Author, Reason
from app.commands.hubs import open_hub
from app.commands.listings import echo_table
from app.domain.annotations import PhaseKind
from app.domain.calendar import first_day, month_number
from app.services import estimates, projects
from app.services.parties import CONSOLE
from app.services.projects import NewPhase, NewProject
from app.store.sessions import read_session, write_session

app = typer.Typer(
    help="What clinics set out to improve, and in which phases.", no_args_is_help=True
)

Code = Annotated[str, typer.Argument(help="Its name in URLs, as joint-counts.")]
Kind = Annotated[PhaseKind, typer.Option(help="The kind of the phase.")]
PhaseName = Annotated[str, typer.Option(help="What the phase is called.")]
Month = Annotated[
    datetime, typer.Option(formats=["%Y-%m"], help="The first month of the phase.")
]
Clinics = Annotated[
    list[str] | None,
    typer.Option("--clinic", help="A clinic that joins; repeatable."),
]


class ProjectLine(msgspec.Struct, frozen=True, kw_only=True):
    """A project as a list shows it; its fields are the list's columns."""

    code: str
    name: str
    status: str
    phases: str
    measures: str
    author: str


@app.command("add")
def add_project(
    code: Code,
    aim: Annotated[str, typer.Option(help="What is to be how much better by when.")],
    measure: Annotated[list[str], typer.Option(help="A measure's id; repeatable.")],
    start: Month,
    author: Author,
    reason: Reason,
    clinic: Clinics = None,
    name: Annotated[str, typer.Option(help="Its name as people say it.")] = "",
    kind: Kind = PhaseKind.PILOT,
    phase: PhaseName = "",
) -> None:
    """Write a project down with the clinics that begin it."""
    hub = open_hub()
    new = NewProject(
        code=code,
        name=name or code,
        aim=aim,
        measures=tuple(measure),
        phases=(_phase(kind, phase, start, clinic),),
        author=author,
        reason=reason,
    )
    with write_session(hub.engine) as session:
        made = projects.add_project(session, hub, CONSOLE, new)
    typer.echo(f"Project {code} is {made.status}")
    for remark in made.remarks:
        typer.echo(remark)


@app.command("join")
def add_phase(
    code: Code,
    start: Month,
    author: Author,
    reason: Reason,
    clinic: Clinics = None,
    kind: Kind = PhaseKind.ALL,
    phase: PhaseName = "",
) -> None:
    """Let further clinics join; without --clinic all that are left."""
    hub = open_hub()
    new = _phase(kind, phase, start, clinic)
    with write_session(hub.engine) as session:
        changed = projects.add_phase(
            session, hub, CONSOLE, code, new, author=author, reason=reason
        )
    added = changed.project.phases[-1]
    typer.echo(f"{len(added.clinics)} clinics join {code} from {start:%Y-%m} on")


@app.command("end")
def end_project(code: Code, author: Author, reason: Reason) -> None:
    """End a project; it stays to be read."""
    hub = open_hub()
    with write_session(hub.engine) as session:
        projects.end_project(session, hub, CONSOLE, code, author=author, reason=reason)
    typer.echo(f"Project {code} has ended")


@app.command("list")
def list_projects() -> None:
    """List projects: code, name, status, phases, measures, author."""
    hub = open_hub()
    with read_session(hub.engine) as session:
        found = projects.find_projects(session, hub, CONSOLE)
    lines = [
        ProjectLine(
            code=each.project.code,
            name=each.project.name,
            status=each.status.value,
            phases=", ".join(phase.name for phase in each.project.phases),
            measures=" ".join(each.project.measures),
            author=each.project.signed.author,
        )
        for each in found
    ]
    echo_table(ProjectLine, lines)


@app.command("show")
def show_project(code: Code) -> None:
    """Tell of one project: aim, phases, and what changed as far as is published."""
    hub = open_hub()
    with read_session(hub.engine) as session:
        found = projects.find_project(session, hub, CONSOLE, code)
        typer.echo(f"{found.project.name} ({found.status})")
        typer.echo(found.project.aim)
        for phase in found.project.phases:
            clinics = " ".join(found.clinics(phase))
            typer.echo(f"{first_day(phase.month):%Y-%m} {phase.name}: {clinics}")
        for measure_id in found.project.measures:
            told = estimates.find_estimate(session, hub, CONSOLE, code, measure_id)
            typer.echo(f"{measure_id}: {told.estimate.words}")


def _phase(
    kind: PhaseKind, name: str, start: datetime, clinics: list[str] | None
) -> NewPhase:
    return NewPhase(
        kind=kind,
        name=name or kind.value,
        month=month_number(start.year, start.month),
        clinics=tuple(clinics or ()),
    )
