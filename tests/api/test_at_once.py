"""Many deliveries at once come out as if one had come after the other."""

import gzip
import itertools
import json
import random
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app.services.hub import Hub, epoch_milliseconds
from app.settings import Settings
from tests import make
from tests.commands import environment_of, started
from tests.hubs import BASE_URL, FHIR_JSON, Clock, Network, bearer, current_of, rows_of
from tests.served import listening

pytestmark = pytest.mark.anyio

THREADS = 8
HOSPITAL = "http://hospital.smarthealthit.org"


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    """The hub behind a real server on a port of this machine."""
    with listening(app, lifespan="off") as address:
        yield address


def at_once(calls: list[Callable[[httpx.Client], Any]], *addresses: str) -> list[Any]:
    """
    Make *calls*, each on a connection of its own, as nearly at once as can be.

    With several addresses they take turns.
    """
    gate = threading.Barrier(len(calls))

    def make_call(call: Callable[[httpx.Client], Any], address: str) -> Any:
        with httpx.Client(base_url=address, timeout=60, trust_env=False) as http:
            http.get("/health/live")
            gate.wait()
            return call(http)

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(make_call, calls, itertools.cycle(addresses)))


def sender(method: str, path: str, body: dict, headers: dict) -> Callable:
    content = json.dumps(body).encode()

    def send(http: httpx.Client) -> httpx.Response:
        return http.request(method, f"/fhir{path}", content=content, headers=headers)

    return send


async def headers_of(ehr: Any, **more: str) -> dict[str, str]:
    token = await ehr.fresh_token()
    return bearer(token) | {"Content-Type": FHIR_JSON} | more


@pytest.mark.conforms("R18")
@pytest.mark.parametrize(
    "resource",
    [
        make.lab(7.1),
        make.lab(7.1, id="o1"),
        make.patient(gender="female", birthDate="2010-01-01"),
        make.patient(identifier=[make.identifier("M1")]),
        make.lab(7.1, identifier=[make.identifier("A1")]),
    ],
    ids=["nameless", "id", "nameless patient", "patient", "identifier"],
)
async def test_the_same_post_at_once_creates_once(
    network: Network, hub: Hub, address: str, resource: dict
):
    """Exactly one 201; a general-purpose server stored such a create three times."""
    headers = await headers_of(network.ehr())
    call = sender("POST", f"/{resource['resourceType']}", resource, headers)

    answers = at_once([call] * THREADS, address)

    assert Counter(a.status_code for a in answers) == {201: 1, 200: THREADS - 1}
    assert current_of(hub.engine) == {resource["resourceType"]: 1}
    about = 1 if resource["resourceType"] == "Patient" else 2
    assert len(rows_of(hub.engine)["record"]) == about


async def test_the_same_number_of_a_ward_at_once_is_kept_once(
    network: Network, hub: Hub, address: str
):
    """It has neither a name nor a person: its content is all that it is known by."""
    number = make.observation(
        subject=make.reference("Location/picu"),
        effectiveDateTime="2024-06",
        valueInteger=412,
    )
    headers = await headers_of(network.ehr())
    call = sender("POST", "", make.batch(make.post(number)), headers)

    answers = at_once([call] * THREADS, address)

    statuses = [a.json()["entry"][0]["response"]["status"] for a in answers]
    assert Counter(statuses) == {"201": 1, "200": THREADS - 1}
    assert current_of(hub.engine) == {"Observation": 1}


@pytest.mark.parametrize("alike", [True, False], ids=["identical", "different"])
@pytest.mark.conforms("R18")
@pytest.mark.conforms("R4")
async def test_a_conditional_create_at_once_creates_once(
    network: Network, hub: Hub, address: str, *, alike: bool
):
    """Of twenty with one If-None-Exist exactly one is 201, nineteen are 200."""
    condition = {"If-None-Exist": f"identifier={make.MRN}|A1"}
    headers = await headers_of(network.ehr(), **condition)
    calls = [
        sender("POST", "/Observation", make.lab(7 if alike else 7 + n / 10), headers)
        for n in range(20)
    ]

    answers = at_once(calls, address)

    assert Counter(a.status_code for a in answers) == {201: 1, 200: 19}
    assert len({a.headers["Location"] for a in answers}) == 1
    assert current_of(hub.engine) == {"Observation": 1}


@contextmanager
def serving(settings: Settings, database_url: str, folder: Path) -> Iterator[str]:
    """Run a server process on a database, with the hub's own key; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = environment_of(folder, database_url) | {
        "CATCHMENT_MASTER_KEY_FILE": str(settings.master_key_file),
        "CATCHMENT_BASE_URL": BASE_URL,
        "CATCHMENT_PORT": str(port),
        "CATCHMENT_EMBEDDED_WORKER": "false",
    }
    address = f"http://127.0.0.1:{port}"
    with started(environment, folder, "serve") as process:
        wait_for(address, process)
        yield address


def wait_for(address: str, process: subprocess.Popen) -> None:
    """Return when a server answers."""
    for _ in range(600):
        assert process.poll() is None
        try:
            httpx.get(f"{address}/health/live", trust_env=False)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    msg = "the server did not come up"
    raise AssertionError(msg)


@pytest.mark.thorough
@pytest.mark.parametrize("dialect", ["postgresql"])
@pytest.mark.conforms("R18")
async def test_two_server_processes_create_once(
    network: Network, hub: Hub, settings: Settings, clock: Clock, tmp_path: Path
):
    """Nothing in a process' memory decides it: the database does."""
    clock.now = epoch_milliseconds()  # the servers have clocks of their own
    condition = {"If-None-Exist": f"identifier={make.MRN}|A1"}
    headers = await headers_of(network.ehr(), **condition)
    call = sender("POST", "/Observation", make.lab(7.1), headers)
    url = hub.engine.url.render_as_string(hide_password=False)
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()

    with (
        serving(settings, url, folders[0]) as one,
        serving(settings, url, folders[1]) as other,
    ):
        answers = at_once([call] * 20, one, other)

    assert Counter(a.status_code for a in answers) == {201: 1, 200: 19}
    assert current_of(hub.engine) == {"Observation": 1}


async def test_versions_at_once_are_counted_one_by_one(
    network: Network, hub: Hub, address: str
):
    """Eight contents under one id: eight versions, one row that measures see."""
    headers = await headers_of(network.ehr())
    calls = [
        sender("PUT", "/Observation/o1", make.lab(7 + n / 10, id="o1"), headers)
        for n in range(THREADS)
    ]

    answers = at_once(calls, address)

    assert sorted(a.headers["ETag"] for a in answers) == [
        f'W/"{n}"' for n in range(1, THREADS + 1)
    ]
    assert len(rows_of(hub.engine)["observation"]) == 1


async def test_joins_at_once_lose_no_result(network: Network, hub: Hub, address: str):
    """Patients that join subjects, while results of each of these arrive."""
    ehr = network.ehr()
    headers = await headers_of(ehr)
    link = {"type": "replaces", "other": make.reference("Patient/p0")}
    calls = []
    for n in range(THREADS // 2):
        about = make.reference(f"Patient/p{n}")
        patient = make.patient(id=f"p{n}", **({"link": [link]} if n else {}))
        labs = [
            make.post(make.lab(i, id=f"o{n}-{i}", subject=about)) for i in range(1, 6)
        ]
        calls.append(sender("PUT", f"/Patient/p{n}", patient, headers))
        calls.append(sender("POST", "", make.batch(*labs), headers))

    answers = at_once(calls, address)

    assert {a.status_code for a in answers} <= {200, 201}
    rows = rows_of(hub.engine)["observation"]
    assert len(rows) == 5 * THREADS // 2
    assert len({row[0] for row in rows}) == 1


def deadlocks(hub: Hub) -> int:
    """Return how often PostgreSQL had to end a circle of those who waited."""
    query = text("SELECT deadlocks FROM pg_stat_database WHERE datname = :name")
    with hub.engine.connect() as connection:
        name = {"name": hub.engine.url.database}
        return int(connection.execute(query, name).scalar_one())


@pytest.mark.parametrize("dialect", ["postgresql"])
async def test_joins_partings_and_results_at_once_never_wait_in_a_circle(
    network: Network, hub: Hub, address: str
):
    """Three clients write of six patients: links, identifiers, withdrawals."""
    headers = [
        await headers_of(network.ehr(f"alder-{n}", clinic="alder")) for n in range(3)
    ]
    people = [f"p{n}" for n in range(6)]
    chosen = random.Random(1)

    def call(number: int) -> Callable:
        mine, other = chosen.sample(people, 2)
        about = make.reference(f"Patient/{mine}")
        link = {"type": "replaces", "other": make.reference(f"Patient/{other}")}
        labs = [make.lab(number, id=f"o{n}", subject=about) for n in range(4)]
        patient = f"/Patient/{mine}"
        method, path, body = chosen.choice(
            [
                ("PUT", patient, make.patient(id=mine, link=[link])),
                ("PUT", patient, named(mine, other)),
                ("PUT", patient, make.patient(id=mine)),
                ("DELETE", patient, {}),
                ("POST", "", make.transaction(*map(make.put, labs))),
                ("PUT", "/Observation/o1", labs[1]),
            ]
        )
        return sender(method, path, body, headers[number % 3])

    answers = at_once([call(number) for number in range(60)], address)

    assert {a.status_code for a in answers} <= {200, 201, 204}
    assert deadlocks(hub) == 0


def named(own_id: str, value: str) -> dict:
    return make.patient(id=own_id, identifier=[make.identifier(value)])


async def test_whole_records_at_once_are_stored_once(
    network: Network, hub: Hub, address: str, shared: Path
):
    """Eight threads send the same three patients in different orders; nothing fails."""
    files = sorted(
        (shared / "data/synthea_2019/bundles").glob("*.json.gz"),
        key=lambda file: file.stat().st_size,
    )[:3]
    bundles = [json.loads(gzip.decompress(file.read_bytes())) for file in files]
    headers = await headers_of(network.ehr(identifier_systems=(HOSPITAL,)))

    def send_all(turn: int) -> Callable[[httpx.Client], list[httpx.Response]]:
        ordered = bundles[turn % 3 :] + bundles[: turn % 3]
        sends = [sender("POST", "", bundle, headers) for bundle in ordered]
        return lambda http: [send(http) for send in sends]

    answers = at_once([send_all(turn) for turn in range(THREADS)], address)

    flat = [answer for each in answers for answer in each]
    assert {answer.status_code for answer in flat} == {200}
    statuses = Counter(
        entry["response"]["status"] for a in flat for entry in a.json()["entry"]
    )
    kept = Counter(
        entry["resource"]["resourceType"]
        for bundle in bundles
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"]
        in {"Patient", "Encounter", "Observation", "Condition"}
    )
    assert statuses.keys() == {"201", "200"}
    assert statuses["201"] == kept.total()
    assert current_of(hub.engine) == kept
    with hub.engine.connect() as connection:
        query = text("SELECT MAX(version) FROM record")
        assert connection.execute(query).scalar_one() == 1


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_more_writers_than_threads_are_all_served(
    network: Network, hub: Hub, address: str
):
    """Who holds SQLite's write lock never waits for a thread behind who wants it."""
    headers = await headers_of(network.ehr())
    calls = [
        sender("PUT", f"/Observation/o{n}", make.lab(7.1, id=f"o{n}"), headers)
        for n in range(90)
    ]

    answers = at_once(calls, address)

    assert {a.status_code for a in answers} == {201}
    assert current_of(hub.engine) == {"Observation": 90}


async def test_of_fifty_uses_of_one_assertion_one_wins(network: Network, address: str):
    """jti: the database decides, so no two servers can both say yes."""
    form = network.ehr().form()

    def ask(http: httpx.Client) -> httpx.Response:
        return http.post("/oauth/token", data=form)

    answers = at_once([ask] * 50, address)

    assert Counter(a.status_code for a in answers) == {200: 1, 401: 49}
    errors = {a.json()["error"] for a in answers if a.status_code != 200}
    assert errors == {"invalid_client"}
