"""`catchment connect`, `connection` and `collect`: data that the hub fetches itself."""

import json
import time
from collections.abc import Callable
from typing import Annotated

import typer

from app.commands.hubs import open_hub, reaching_out
from app.commands.listings import echo_table
from app.domain.calendar import instant_of
from app.domain.errors import NotFoundError
from app.services import registry
from app.services.bulk import collections, connections, jobs, own_registrations
from app.services.bulk.connecting import Step, Trial, Verdict
from app.services.bulk.connections import ConnectionLine, Wishes
from app.services.bulk.jobs import work
from app.services.hub import Hub
from app.smart.bulk_exports import Level
from app.store.connections import Connection, Place, all_connections
from app.store.job_outcomes import counts_of, totals
from app.store.jobs import COLLECT, JobState
from app.store.sessions import read_session, write_session

app = typer.Typer(
    help="Servers that the hub collects from; see also connect and collect.",
    no_args_is_help=True,
)

PAUSE_SECONDS = 0.5

Clinic = Annotated[str, typer.Argument(help="The clinic's code.")]
Source = Annotated[str, typer.Option(help="Which of its sources.")]
FhirBase = Annotated[
    str | None, typer.Option(help="The server's FHIR R4 base, with its whole path.")
]
ClientId = Annotated[
    str | None, typer.Option(help="What the hub is called there, once registered.")
]
TokenUrl = Annotated[
    str | None, typer.Option(help="Where it gives tokens, if it does not say so.")
]
Scope = Annotated[
    str | None, typer.Option(help="The scopes to ask for, in place of the usual ones.")
]
LevelOption = Annotated[
    Level | None,
    typer.Option(help="Whom to export; search where the server exports nothing."),
]
Group = Annotated[str | None, typer.Option(help="The id of the group of patients.")]
Types = Annotated[
    list[str] | None, typer.Option("--type", help="A resource type; repeatable.")
]
Filters = Annotated[
    list[str] | None,
    typer.Option("--filter", help="As Observation?code=SYSTEM|CODE; repeatable."),
]
Hosts = Annotated[
    list[str] | None,
    typer.Option("--host", help="Another host that files may be on; repeatable."),
]
TokenHosts = Annotated[
    list[str] | None,
    typer.Option("--token-host", help="Such a host that may see the token."),
]
Snapshot = Annotated[
    bool | None,
    typer.Option(
        "--snapshot/--no-snapshot",
        help="Whether a full collection holds all there is, so that what it lacks is "
        "withdrawn.",
    ),
]
Every = Annotated[
    str | None,
    typer.Option(help="How often to collect by itself, as 24h, 7d or 90m."),
]
UNITS = {"m": 60, "h": 3600, "d": 24 * 3600}


def seconds_of(text: str) -> int:
    """Return a time span, as 24h, in seconds."""
    number, unit = text[:-1], text[-1:]
    if unit not in UNITS or not (number.isascii() and number.isdigit()):
        msg = "A time span is a number of m, h or d, as 24h"
        raise typer.BadParameter(msg)
    return int(number) * UNITS[unit]


def connect(
    clinic: Clinic,
    source: Source = registry.MAIN_SOURCE,
    fhir_base: FhirBase = None,
    client_id: ClientId = None,
    token_url: TokenUrl = None,
    scope: Scope = None,
    level: LevelOption = None,
    group: Group = None,
    type_: Types = None,
    filter_: Filters = None,
    host: Hosts = None,
    token_host: TokenHosts = None,
    snapshot: Snapshot = None,
    every: Every = None,
    register: Annotated[
        bool, typer.Option(help="Register the hub there, if the server takes it.")
    ] = False,
    rs384: Annotated[
        bool, typer.Option(help="Make an RSA key, for a server without ES384.")
    ] = False,
    try_export: Annotated[
        bool, typer.Option(help="Start an export, and cancel it.")
    ] = False,
) -> None:
    """
    Connect a source to its server, and try the connection step by step.

    What is given is kept and what is not given stays, so that it may be run again. A
    step that fails says what to ask the server's administrator for. Once all works,
    the source is collected by itself where --every says so.
    """
    wishes = Wishes(
        fhir_base=fhir_base,
        client_id=client_id,
        token_url=token_url,
        scope=scope,
        level=level,
        group_id=group,
        types=_listed(type_),
        type_filters=_listed(filter_),
        hosts=_listed(host),
        token_hosts=_listed(token_host),
        is_snapshot=snapshot,
        every_seconds=None if every is None else seconds_of(every),
    )
    with reaching_out() as hub:
        connection = _saved(hub, clinic, source, wishes)
        if rs384:
            with write_session(hub.engine) as session:
                connection = connections.make_rsa_key(session, hub, connection)
        if register:
            own_id = own_registrations.register(hub, connection)
            connection = _saved(hub, clinic, source, Wishes(client_id=own_id))
            typer.echo(f"Registered as {own_id}")
        if not _is_tried(hub, connection, tries_export=try_export):
            raise typer.Exit(1)
        with write_session(hub.engine) as session:
            connections.schedule(session, connection, now=hub.clock())
    typer.echo(f"Connected; `catchment collect {clinic} --source {source}` collects")


def _saved(hub: Hub, clinic: str, source: str, wishes: Wishes) -> Connection:
    with write_session(hub.engine) as session:
        return connections.save(
            session, hub, clinic=clinic, source=source, wishes=wishes
        )


def _is_tried(hub: Hub, connection: Connection, *, tries_export: bool) -> bool:
    """Print each step of a trial; return whether none failed."""
    verdict = Verdict.OK
    for step in Trial(hub, connection, tries_export=tries_export).steps():
        verdict = step.verdict
        _echo_step(step)
    return verdict is not Verdict.FAILED


def _echo_step(step: Step) -> None:
    typer.echo(f"{step.verdict:<7}{step.name:<10}{step.said}")
    if step.ask is not None:
        typer.echo(f"{'':<17}ask the EHR's administrator for: {step.ask}")


def _listed(given: list[str] | None) -> tuple[str, ...] | None:
    if given is None:
        return None
    return () if given == [""] else tuple(given)


@app.command("list")
def list_connections() -> None:
    """List connections: where they lead, what they collect, up to when all is here."""
    with read_session(open_hub().engine) as session:
        places = all_connections(session)
    echo_table(ConnectionLine, [_line(place) for place in places])


def _line(place: Place) -> ConnectionLine:
    it = place.connection
    every = None if it.every_seconds is None else f"{it.every_seconds / 3600:g}h"
    return ConnectionLine(
        clinic=place.clinic,
        source=place.source,
        fhir_base=it.fhir_base,
        client_id=it.client_id or "-",
        level=f"{it.level} {it.group_id or ''}".strip(),
        types=" ".join([*it.types, *it.type_filters]),
        snapshot="yes" if it.is_snapshot else "no",
        every=every or "-",
        since=it.since or "-",
        next="-" if it.next_at is None else instant_of(it.next_at),
    )


@app.command("keys")
def print_keys(clinic: Clinic, source: Source = registry.MAIN_SOURCE) -> None:
    """Print the key set to register for a connection, where it is wanted inline."""
    hub = open_hub()
    with read_session(hub.engine) as session:
        _, found = connections.required(session, clinic=clinic, source=source)
    typer.echo(json.dumps(connections.public_key_set(hub, found), indent=2))


@app.command("remove")
def remove(clinic: Clinic, source: Source = registry.MAIN_SOURCE) -> None:
    """Forget a connection; what was collected by it stays."""
    with write_session(open_hub().engine) as session:
        connections.remove(session, clinic=clinic, source=source)
    typer.echo(f"Source {source} of {clinic} is collected no more")


def collect(
    clinic: Annotated[
        str | None, typer.Argument(help="The clinic's code; none: every connection.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Which of its sources; none: each.")
    ] = None,
    full: Annotated[
        bool, typer.Option(help="All there is, not what changed since the last time.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(help="What changed since this instant of the server's."),
    ] = None,
    snapshot: Snapshot = None,
    wait: Annotated[
        bool, typer.Option(help="Stay until it is done, or leave it to the worker.")
    ] = True,
) -> None:
    """
    Collect now what changed since the last time, and show how far it is.

    It goes on in any worker if this command is ended.
    """
    with reaching_out() as hub:
        filed = []
        for place in _places(hub, clinic, source):
            with write_session(hub.engine) as session:
                job_id = collections.order(
                    session,
                    hub,
                    place.connection,
                    clinic_id=place.clinic_id,
                    is_full=full,
                    since=since,
                    is_snapshot=snapshot,
                )
            typer.echo(f"Job {job_id}: {place.clinic} {place.source}")
            filed.append(job_id)
        ended = [follow(hub, job_id, pause=time.sleep) for job_id in filed if wait]
    if not all(ended):
        raise typer.Exit(1)


def _places(hub: Hub, clinic: str | None, source: str | None) -> list[Place]:
    """Return the connections that are meant."""
    with read_session(hub.engine) as session:
        known = all_connections(session)
    meant = [
        place
        for place in known
        if clinic in {None, place.clinic} and source in {None, place.source}
    ]
    if not meant:
        msg = "There is no such connection: `catchment connect` makes one"
        raise NotFoundError(msg)
    return meant


def follow(hub: Hub, job_id: int, *, pause: Callable[[float], None]) -> bool:
    """Work on collections until one rests, say what it came to; return if all went."""
    before = ""
    kind = {COLLECT: collections.collect}
    while True:
        has_worked = work(hub, kind, holder=f"collect-{job_id}")
        job = jobs.required_job(hub, job_id)
        said = collections.told(job)
        if said != before:
            typer.echo(said)
            before = said
        if job.is_ended or job.state is JobState.HELD:
            break
        if not has_worked:
            pause(PAUSE_SECONDS)
    with read_session(hub.engine) as session:
        counts = totals(counts_of(session, job_id))
    for (type_, outcome), count in counts.items():
        typer.echo(f"  {type_ or 'unknown'}\t{outcome}\t{count:,}")
    if job.failure:
        typer.echo(f"  {job.failure}")
    return job.state is JobState.DONE
