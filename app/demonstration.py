"""
`catchment demo`: from an empty machine to a served network.

A dozen clinics are enrolled, their synthetic EHRs send three years of visits through
the hub's own doors, a release is published for each audience, and all stays served.
Or the same with a folder of FHIR files in place of the synthetic EHRs.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import httpx
import msgspec
from catchment_client.models import ChartAnswer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn
from rich.table import Table

from app.demo.deliveries import Delivery
from app.demo.folders import Dealt, folder_deliveries
from app.demo.network import demo_network
from app.demo.partner import ChartRefusedError, read_chart
from app.demo.practice import Practice, begin_project, tell_change
from app.demo.sending import Credentials, Sender, Tally
from app.domain.clinics import Audience, ClinicStatus
from app.key_files import write_master_key
from app.main import StartError, hub_of, read_settings
from app.ports import try_port
from app.services import registry, releases
from app.services.hub import Clock, Hub, epoch_milliseconds
from app.services.invitations import members_link
from app.services.recounts import is_all_counted
from app.settings import Settings
from app.smart.clients import fetch_token, generate_key
from app.store import clinics
from app.store.migrations import migrate
from app.store.sessions import (
    WriteSession,
    write_session,
)

SEED = 1
SENDERS = 3
LAST_PORT = 65535
PORTS = 100
START_SECONDS = 30
COUNT_SECONDS = 120
FIRST_ERROR = 400
PARTNER = "partner-app"
COORDINATOR = "coordinator"


class DemoSource(msgspec.Struct, frozen=True, kw_only=True):
    """
    One clinic of the demonstration, and what its EHR sends.

    ``practice`` is what its people tell of a change, if they made one.
    """

    code: str
    name: str
    time_zone: str
    base_url: str | None
    identifier_system: str | None
    resource_count: int
    deliveries: Callable[[], Iterable[Delivery]]
    practice: Practice | None = None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a demonstration keeps its database, keys and memory of what it did."""

    folder: Path

    def settings(self, **chosen: object) -> Settings:
        """Return the settings of a hub that lives here."""
        return read_settings(
            database_url=f"sqlite:///{self.folder}/catchment.db",
            master_key_file=self.folder / "master.key",
            **chosen,
        )

    @property
    def finished(self) -> Path:
        """Return the file that says that all was sent."""
        return self.folder / "sent.json"

    def last_day(self, today: date) -> date:
        """Return the last day of the synthetic visits: that of the first run here."""
        path = self.folder / "last-day"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            path.write_text(today.isoformat())
        return date.fromisoformat(path.read_text())

    def key_file(self, client_id: str) -> Path:
        """Return the file of a client's private key."""
        return self.folder / "keys" / f"{client_id}.jwk"

    def check(self, sources: Iterable[DemoSource]) -> None:
        """Refuse to go on where an earlier run enrolled other clinics."""
        began = self.key_file(PARTNER).exists()
        if began and not all(self.key_file(each.code).exists() for each in sources):
            msg = f"{self.folder} holds another demonstration; begin anew with --fresh"
            raise StartError(msg)

    def wipe(self) -> None:
        """Remove what a demonstration leaves; nothing else in the folder."""
        for name in ("catchment.db", "catchment.db-wal", "catchment.db-shm"):
            (self.folder / name).unlink(missing_ok=True)
        for path in (
            self.folder / "master.key",
            self.folder / "last-day",
            self.finished,
        ):
            path.unlink(missing_ok=True)
        shutil.rmtree(self.folder / "keys", ignore_errors=True)


def synthetic_sources(last_day: date) -> list[DemoSource]:
    """Return the clinics of the synthetic network."""
    network = demo_network(seed=SEED, last_day=last_day)
    return [
        DemoSource(
            code=clinic.slug,
            name=clinic.name,
            time_zone=clinic.time_zone,
            base_url=clinic.base_url,
            identifier_system=clinic.identifier_system,
            resource_count=sum(each.resource_count for each in clinic.deliveries()),
            deliveries=clinic.deliveries,
            practice=Practice.of(network.truth)
            if clinic.slug == network.truth.improving_clinic
            else None,
        )
        for clinic in network.clinics
    ]


def folder_sources(folder: Path, *, clinics: int, notes: Console) -> list[DemoSource]:
    """
    Return *clinics* clinics among whom the patients in *folder* are dealt.

    Raises:
        StartError: there is nothing in it that could be sent.
    """
    counts = [0] * clinics
    for each in folder_deliveries(folder, clinics=clinics):
        if isinstance(each, Dealt):
            counts[each.clinic] += each.delivery.resource_count
        else:
            line = "" if each.line is None else f":{each.line}"
            notes.print(f"  not sent: {each.file}{line}: {each.reason}", style="dim")
    if not any(counts):
        msg = f"There is nothing to send in {folder}"
        raise StartError(msg)

    def of(clinic: int) -> Iterator[Delivery]:
        for each in folder_deliveries(folder, clinics=clinics):
            if isinstance(each, Dealt) and each.clinic == clinic:
                yield each.delivery

    return [
        DemoSource(
            code=f"clinic-{number + 1}",
            name=f"Clinic {number + 1}",
            time_zone="America/New_York",
            base_url=None,
            identifier_system=None,
            resource_count=counts[number],
            deliveries=partial(of, number),
        )
        for number in range(clinics)
    ]


def demonstrate(
    place: Place,
    sources: list[DemoSource],
    *,
    console: Console,
    stay: bool,
    clock: Clock = epoch_milliseconds,
) -> None:
    """
    Run the main job end to end and, with *stay*, serve until interrupted.

    What an earlier run sent is not sent again. The *clock* says which intervals are
    closed when the release is made.
    """
    settings = place.settings(port=free_port(place.settings().port))
    place.check(sources)
    place.folder.mkdir(parents=True, exist_ok=True)
    if not settings.master_key_file.exists():
        write_master_key(settings.master_key_file)
    hub = replace(hub_of(settings), clock=clock)
    migrate(hub.engine)
    console.print(f"The hub:     {settings.public_base_url}")
    with serving(settings, place) as server:
        if not place.finished.exists():
            enrol(hub, place, sources)
            senders = [(each, credentials(place, each.code)) for each in sources]
            tally = send_everything(senders, base_url=hub.base_url, console=console)
            tell(tally, console=console)
            wait_until_counted(hub, console=console)
            with write_session(hub.engine) as session:
                releases.publish(session, hub)
            tell_of_practice(hub, place, sources)
            place.finished.write_text(json.dumps({"resources": tally.sent}))
        show(hub, place, sources, console=console)
        if stay:
            console.print("Serving; stop with Ctrl-C")
            server.wait()
    hub.engine.dispose()


def free_port(first: int) -> int:
    """Return a port that nobody listens on: the *first*, or one after it; 0 is any."""
    for port in range(first, min(first + PORTS, LAST_PORT + 1)):
        with suppress(StartError):
            return try_port("127.0.0.1", port)
    msg = f"No port from {first} on is free"
    raise StartError(msg)


@contextmanager
def serving(settings: Settings, place: Place) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server as a process of its own; end it with the block."""
    chosen = {
        "CATCHMENT_DATABASE_URL": settings.database_url,
        "CATCHMENT_MASTER_KEY_FILE": str(settings.master_key_file),
        "CATCHMENT_PORT": str(settings.port),
    }
    with (place.folder / "server.log").open("ab") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve"],
            env=os.environ | chosen,
            stderr=log,
        )
    try:
        _wait_until_ready(settings.public_base_url, server)
        yield server
    finally:
        server.terminate()
        server.wait(timeout=START_SECONDS)


def _wait_until_ready(base_url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(f"{base_url}/health/ready").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    msg = "The server did not start; see server.log"
    raise StartError(msg)


def enrol(hub: Hub, place: Place, sources: Iterable[DemoSource]) -> None:
    """
    Enrol each clinic with a client of its own, a partner's, and a coordinator's.

    All at once; a run that was stopped later finds them there, and sends all again.
    """
    (place.folder / "keys").mkdir(mode=0o700, exist_ok=True)
    with write_session(hub.engine) as session:
        if clinics.find_client(session, PARTNER) is not None:
            return
        for source in sources:
            registry.enrol_clinic(
                session,
                registry.NewClinic(
                    code=source.code,
                    name=source.name,
                    status=ClinicStatus.ACTIVE,
                    time_zone=source.time_zone,
                    base_urls=() if source.base_url is None else (source.base_url,),
                    identifier_systems=()
                    if source.identifier_system is None
                    else (source.identifier_system,),
                ),
            )
            register = partial(_register, clinic=source.code)
            register(session, hub, place, source.code, scopes=registry.CLINIC_SCOPES)
        _register(session, hub, place, PARTNER, scopes=registry.PARTNER_SCOPES)
        scopes = registry.COORDINATOR_SCOPES
        _register(session, hub, place, COORDINATOR, scopes=scopes)


def _register(
    session: WriteSession,
    hub: Hub,
    place: Place,
    client_id: str,
    *,
    scopes: tuple[str, ...],
    clinic: str | None = None,
) -> None:
    """Register a client with a new key, which is kept in the demonstration's folder."""
    private, public = generate_key()
    path = place.key_file(client_id)
    path.touch(mode=0o600)
    path.write_text(json.dumps(private))
    new = registry.NewClient(
        client_id=client_id,
        name=client_id,
        audience=Audience.MEMBERS,
        scopes=scopes,
        clinic=clinic,
        key_set=json.dumps(public),
    )
    registry.register_client(session, new, dev_mode=hub.is_local)


def credentials(place: Place, client_id: str) -> Credentials:
    """Return the credentials that ``enrol`` made."""
    key = json.loads(place.key_file(client_id).read_text())
    return Credentials(client_id=client_id, key=key)


def send_everything(
    senders: Sequence[tuple[DemoSource, Credentials]],
    *,
    base_url: str,
    console: Console,
) -> Tally:
    """Let each clinic send all it has, a few clinics at a time."""
    total = sum(source.resource_count for source, _ in senders)
    columns = (
        "[progress.description]{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with (
        ThreadPoolExecutor(SENDERS) as pool,  # closed last: an interrupt ends its work
        Progress(*columns, console=console) as progress,
        httpx.Client(timeout=120, trust_env=False) as http,
    ):
        task = progress.add_task("Sending     ", total=total)

        def send(source: DemoSource, keys: Credentials) -> Tally:
            sender = Sender(http, base_url=base_url, credentials=keys)
            return sender.send_all(
                source.deliveries(),
                sent=lambda count: progress.advance(task, count),
            )

        tally = Tally()
        for each in pool.map(send, *zip(*senders, strict=True)):
            tally.add(each)
    return tally


def tell(tally: Tally, *, console: Console) -> None:
    """Say what became of all that was sent."""
    taken = sum(n for status, n in tally.statuses.items() if status < FIRST_ERROR)
    console.print(f"Taken:       {taken:,} of {tally.sent:,} resources")
    for reason, count in tally.refusals.most_common(5):
        console.print(f"  refused {count:,}: {reason}", style="dim")


def wait_until_counted(hub: Hub, *, console: Console) -> None:
    """Wait until the worker has counted every subject."""
    deadline = time.monotonic() + COUNT_SECONDS
    with console.status("Counting"):
        while time.monotonic() < deadline:
            if is_all_counted(hub):
                return
            time.sleep(0.1)
    msg = "The counting did not end; see server.log"
    raise StartError(msg)


def show(
    hub: Hub, place: Place, sources: Iterable[DemoSource], *, console: Console
) -> None:
    """Print what the network published, as a partner's app reads it, and where."""
    token = _token(hub, place, PARTNER, *registry.PARTNER_SCOPES)
    read = partial(read_chart, hub.base_url, token)
    table = Table(title="The network, as a partner among its members reads it")
    for column in ("measure", "newest interval", "n / d", "value", "change"):
        table.add_column(column)
    measures = [
        measure
        for measure in hub.measures
        if measure.summary is None and measure.variant_of is None
    ]
    charts = {measure.id: _chart(read, measure.id) for measure in measures}
    lines = [_line(measure.title, charts[measure.id]) for measure in measures]
    for line in filter(None, lines):
        table.add_row(*line)
    console.print(table)
    console.print(f"Nothing to publish of {lines.count(None)} more measures")
    for source in sources:
        for measure in measures:
            chart = _chart(read, measure.id, clinic=source.code)
            if chart is not None and chart.suggested_shift:
                console.print(f"A change at {source.name}: {_change(chart)}")
                console.print(f"  {measure.title}", style="dim")
    console.print(f"In public:   {hub.base_url}/", soft_wrap=True)
    console.print(f"For members: {members_link(hub)}", soft_wrap=True)
    console.print(f"The API:     {hub.base_url}/docs", soft_wrap=True)


def tell_of_practice(hub: Hub, place: Place, sources: Iterable[DemoSource]) -> None:
    """Let who changed something say so, and the coordinator begin its project."""
    for source in sources:
        if source.practice is not None:
            own = _token(hub, place, source.code, "system/MeasureReport.cruds")
            tell_change(hub.base_url, own, source.practice)
            scopes = registry.COORDINATOR_SCOPES
            lead = _token(hub, place, COORDINATOR, *scopes)
            begin_project(hub.base_url, lead, source.practice)


def _token(hub: Hub, place: Place, client_id: str, *scopes: str) -> str:
    """Return a token of a client of the demonstration."""
    known = credentials(place, client_id)
    with httpx.Client(trust_env=False) as http:
        token, _ = fetch_token(
            http,
            token_endpoint=hub.token_endpoint,
            client_id=known.client_id,
            key=known.key,
            scope=" ".join(scopes),
            now=int(time.time()),
            jti=secrets.token_urlsafe(16),
        )
    return token


def _chart(
    read: Callable[..., ChartAnswer], measure_id: str, *, clinic: str | None = None
) -> ChartAnswer | None:
    """Return a chart, or None where nothing of it is published."""
    try:
        return read(measure_id, clinic=clinic)
    except ChartRefusedError:
        return None


def _line(title: str, chart: ChartAnswer | None) -> tuple[str, ...] | None:
    """Return a line of the table: the newest point shown; None: there is none."""
    points = [] if chart is None else [p for p in chart.points if p.value is not None]
    if chart is None or not points:
        return None
    last = points[-1]
    return (
        title,
        f"{chart.interval} of {last.interval_start:%b %Y}",
        f"{last.d}" if last.n is None else f"{last.n} / {last.d}",
        _written(last.value or 0.0, chart),
        _change(chart),
    )


def _change(chart: ChartAnswer) -> str:
    """Return in words when a series most likely changed, if it did."""
    shift = chart.suggested_shift
    if not shift:
        return "-"
    before, after = _written(shift.before, chart), _written(shift.after, chart)
    return f"{before} to {after} in {shift.interval_start:%b %Y}"


def _written(value: float, chart: ChartAnswer) -> str:
    """Return a mean to one decimal, anything else as a share."""
    return f"{value:.1f}" if chart.measure.unit else f"{value:.0%}"
