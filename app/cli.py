"""`catchment`: serve the hub, enrol clinics and clients, release, demonstrate."""

import gc
import json
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from sqlalchemy.exc import OperationalError

from app.commands import (
    annotations,
    clients,
    cohorts,
    collections,
    conceptmaps,
    conversions,
    doctor,
    engines,
    jobs,
    keys,
    leaks,
    measures,
    mllp,
    noisy_counts,
    policies,
    projects,
    quality,
    releases,
    reports,
    sources,
    valuesets,
    webhooks,
)
from app.commands.hubs import open_hub
from app.crashes import leave_no_core
from app.demo.sending import Credentials
from app.demonstration import (
    Place,
    demonstrate,
    folder_sources,
    send_everything,
    synthetic_sources,
    tell,
)
from app.domain.clinics import ClinicStatus, Source
from app.domain.errors import MalformedError, NotFoundError, ServiceError
from app.domain.records import RecordType
from app.log import configure_logging
from app.main import (
    StartError,
    create_app,
    hub_of,
    read_settings,
    start_worker,
)
from app.ports import try_port
from app.services import (
    erasures,
    invitations,
    reception,
    recounts,
    registry,
)
from app.services.hub import Hub
from app.serving import serve_until_signalled
from app.store import clinics
from app.store.migrations import migrate as migrate_store
from app.store.sessions import read_session, write_session

SIGNALLED = 128
"""A shell's exit code of a process that a signal ended, less the signal's number."""

ClinicCode = Annotated[str, typer.Argument(help="The clinic's code.")]
SourceName = Annotated[str, typer.Option(help="The source whose ids they are.")]

app = typer.Typer(
    name="catchment",
    help="The data hub of a learning health network.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
clinic_app = typer.Typer(help="Clinics that take part.", no_args_is_help=True)
app.add_typer(clinic_app, name="clinic")
app.add_typer(sources.app, name="source")
app.add_typer(clients.app, name="client")
app.add_typer(measures.app, name="measure")
app.add_typer(valuesets.app, name="valueset")
app.add_typer(policies.app, name="policy")
app.add_typer(noisy_counts.app, name="count")
app.add_typer(jobs.app, name="job")
app.add_typer(collections.app, name="connection")
app.add_typer(webhooks.app, name="webhook")
app.add_typer(keys.app, name="key")
app.add_typer(conceptmaps.app, name="conceptmap")
app.add_typer(conversions.app, name="convert")
app.add_typer(annotations.app, name="annotation")
app.add_typer(annotations.shift_app, name="shift")
app.add_typer(cohorts.app, name="cohort")
app.add_typer(projects.app, name="project")
app.command()(engines.export)
app.command()(engines.recount)
app.command("connect")(collections.connect)
app.command("collect")(collections.collect)
app.command("quality")(quality.show_quality)
app.command("elements")(leaks.show_elements)
app.command("leak-check")(leaks.check)
app.command("mllp")(mllp.listen)
app.command("release")(releases.release)
app.command("report")(reports.report)
app.command("doctor")(doctor.examine)


def main() -> None:
    """Run a command; a refusal is one line on standard error and exit code 1."""
    try:
        app()
    except (StartError, ServiceError, OSError) as error:
        refuse(str(error))
    except OperationalError as error:
        reason, *_ = str(error.orig).split("\n")
        refuse(f"The database does not answer: {reason}")


def refuse(reason: str) -> NoReturn:
    """End the command."""
    typer.echo(f"catchment: {reason}", err=True)
    sys.exit(1)


@app.command()
def serve() -> None:
    """Serve the hub on CATCHMENT_HOST and CATCHMENT_PORT."""
    leave_no_core()
    settings = read_settings()
    configure_logging(settings.log_level)
    served = create_app(settings, hub=open_hub(settings))
    try_port(settings.host, settings.port)  # the worker starts before uvicorn binds
    make_ready()
    serve_until_signalled(served, settings)


def make_ready() -> None:
    """
    Do what the first request would wait for, and everyone with it.

    What is in memory then stays there, so the garbage collector is spared its hundreds
    of thousands of objects from now on.
    """
    reception.make_ready()
    gc.collect()
    gc.freeze()


@app.command()
def migrate() -> None:
    """Bring the database to the schema of this version."""
    hub = hub_of(read_settings())
    migrate_store(hub.engine)
    typer.echo("The database is up to date")


@app.command()
def worker() -> None:
    """Count what is dirty and go on with jobs, in a process of its own."""
    leave_no_core()
    signal.signal(signal.SIGTERM, end)
    settings = read_settings()
    configure_logging(settings.log_level)
    workers = start_worker(hub_of(settings))
    try:
        workers.join()
    finally:
        workers.stop()


@app.command()
def refresh() -> None:
    """Make the facts again from what is kept, and count every measure from nothing."""
    done = recounts.refresh(open_hub())
    typer.echo(f"Counted again from {done:,} records")


@app.command()
def demo(
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Wipe what an earlier run left.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="Send this folder of FHIR files instead.")
    ] = None,
    clinics: Annotated[
        int, typer.Option(help="How many clinics --data is dealt to.", min=1)
    ] = 4,
    folder: Annotated[Path, typer.Option(help="Where to keep all of it.")] = Path(
        "var"
    ),
    stay: Annotated[
        bool, typer.Option("--stay/--no-stay", help="Go on serving at the end.")
    ] = True,
) -> None:
    """From an empty machine to a served network, through the hub's own doors."""
    signal.signal(signal.SIGTERM, end)
    console = Console()
    configure_logging("WARNING")
    place = Place(folder=folder.resolve())
    given = (
        None if data is None else folder_sources(data, clinics=clinics, notes=console)
    )
    if fresh:
        place.wipe()
    sources = given or synthetic_sources(place.last_day(datetime.now(UTC).date()))
    demonstrate(place, sources, console=console, stay=stay)


def end(number: int, _frame: object) -> NoReturn:
    """End on a signal as on an interrupt: every block closes what it opened."""
    sys.exit(SIGNALLED + number)


@app.command()
def send(
    data: Annotated[Path, typer.Argument(help="A folder of FHIR files.")],
    client_id: Annotated[str, typer.Option(help="The clinic's registered client.")],
    key: Annotated[Path, typer.Option(help="The file of its private JWK.")],
    base_url: Annotated[
        str, typer.Option(help="Where the hub is.")
    ] = "http://127.0.0.1:8000",
) -> None:
    """Send a folder of FHIR files to a running hub, as a clinic's agent would."""
    console = Console()
    (source,) = folder_sources(data, clinics=1, notes=console)
    keys = Credentials(client_id=client_id, key=json.loads(key.read_text()))
    tally = send_everything([(source, keys)], base_url=base_url, console=console)
    tell(tally, console=console)


@app.command()
def link(
    days: Annotated[
        int, typer.Option(min=1, help="How long it opens them.")
    ] = invitations.LINK_DAYS,
) -> None:
    """Print a link that opens the members' pages; whoever has it may read them."""
    typer.echo(invitations.members_link(open_hub(), days=days))


@app.command()
def erase(clinic: ClinicCode, source: SourceName = registry.MAIN_SOURCE) -> None:
    """
    Erase the patients whose ids stand on standard input, one in each line.

    ID, Patient/ID, or system|value of an identifier. They are never read from the
    command line, which a shell remembers. A line that is none of these is refused by
    its number before anything is done.
    """
    hub = open_hub()
    erased = Counter[RecordType]()
    known, names = names_on_input(hub, clinic, source)
    strangers = 0
    for number, name in names.items():
        with at_line(number), write_session(hub.engine) as session:
            of_one = erasures.erase(session, hub, known, name)
        erased.update(of_one)
        strangers += not any(of_one.values())
    counts = ", ".join(f"{n} {t.fhir_name}" for t, n in sorted(erased.items()))
    typer.echo(f"Erased: {counts or 'nothing, no id was given'}")
    if strangers:
        typer.echo(
            f"Lines that found nobody: {strangers}; they are blocked all the same"
        )


@app.command()
def unblock(clinic: ClinicCode, source: SourceName = registry.MAIN_SOURCE) -> None:
    """Let erased patients be sent again; their ids as for `erase`."""
    hub = open_hub()
    _, names = names_on_input(hub, clinic, source)
    people = 0
    for name in names.values():
        with write_session(hub.engine) as session:
            people += bool(erasures.unblock(session, hub, name))
    typer.echo(f"Unblocked: {people}")
    if people < len(names):
        typer.echo(f"Lines that found nobody who was blocked: {len(names) - people}")


def names_on_input(
    hub: Hub, clinic: str, source: str
) -> tuple[Source, dict[int, erasures.Name]]:
    """Return a source and the keyed names on standard input, by line, all read."""
    with read_session(hub.engine) as session:
        known = clinics.required_source(session, clinic=clinic, name=source)
    try:
        lines = sys.stdin.readlines()
    except UnicodeDecodeError:
        msg = "Standard input is not text in UTF-8; nothing was done"
        raise MalformedError(msg) from None
    return known, erasures.patient_names(lines, hub=hub, source=known)


@contextmanager
def at_line(number: int) -> Iterator[None]:
    """Say which line named nothing, and that those before it are done."""
    try:
        yield
    except NotFoundError as error:
        msg = f"Line {number}: {error.message}; the lines before it are done"
        raise NotFoundError(msg) from None


@clinic_app.command("add")
def add_clinic(
    code: Annotated[str, typer.Argument(help="Its name in URLs, as alder-creek.")],
    name: Annotated[str, typer.Option(help="Its name as people say it.")] = "",
    time_zone: sources.TimeZone = registry.USUAL_TIME_ZONE,
    base_url: sources.BaseUrls = None,
    identifier_system: sources.IdentifierSystems = None,
    padded_dates: sources.PaddedDates = False,
    active: Annotated[
        bool, typer.Option(help="Part of releases at once, not only onboarding.")
    ] = False,
) -> None:
    """Enrol a clinic, onboarding unless --active; only then is it in releases."""
    new = registry.NewClinic(
        code=code,
        name=name or code,
        status=ClinicStatus.ACTIVE if active else ClinicStatus.ONBOARDING,
        time_zone=time_zone,
        base_urls=tuple(base_url or ()),
        identifier_systems=tuple(identifier_system or ()),
        padded_dates=padded_dates,
    )
    with write_session(open_hub().engine) as session:
        registry.enrol_clinic(session, new)
    typer.echo(f"Clinic {code} is {new.status}")


@clinic_app.command("activate")
def activate_clinic(code: str) -> None:
    """Make a clinic part of the next release."""
    with write_session(open_hub().engine) as session:
        clinics.set_status(session, code, status=ClinicStatus.ACTIVE)
    typer.echo(f"Clinic {code} is active")


@clinic_app.command("leave")
def let_clinic_leave(code: ClinicCode) -> None:
    """Take a clinic out of all releases to come; its clients are refused at once."""
    with write_session(open_hub().engine) as session:
        clinics.set_status(session, code, status=ClinicStatus.LEFT)
    typer.echo(f"Clinic {code} has left; what was published of it stays")


@clinic_app.command("list")
def list_clinics() -> None:
    """List the clinics and whether they are in releases."""
    with read_session(open_hub().engine) as session:
        for row in clinics.all_clinics(session):
            typer.echo(f"{row.code}\t{row.status}\t{row.name}")


if __name__ == "__main__":
    main()
