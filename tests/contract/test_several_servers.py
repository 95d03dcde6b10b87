"""
Several servers on one database: what one was told, the others know.

Each is a process of its own, started as an operator does, on PostgreSQL.
"""

import json
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import httpx
import pytest

from app.domain.clinics import Audience, ClinicStatus
from app.services import registry
from app.smart.clients import client_assertion, generate_key
from app.smart.vocabulary import ASSERTION_TYPE, GRANT_TYPE
from app.store.sessions import open_engine, write_session
from tests.commands import START_SECONDS, environment_of, run, started
from tests.hubs import Databases, bearer

pytestmark = pytest.mark.thorough

SERVERS = 3
AT_ONCE = 50
WITHIN_SECONDS = 5
"""How soon a revocation is felt everywhere."""
PUBLIC_HUB = "https://hub.example"
ALDER = registry.NewClinic(
    code="alder", name="Alder", status=ClinicStatus.ACTIVE, time_zone="UTC"
)


def agent(key_set: str) -> registry.NewClient:
    """Return the clinic's agent."""
    return registry.NewClient(
        client_id="agent",
        name="agent",
        audience=Audience.MEMBERS,
        scopes=registry.CLINIC_SCOPES,
        clinic="alder",
        key_set=key_set,
    )


class Servers(NamedTuple):
    """Servers of one hub, the environment they run in, and a clinic's key."""

    environment: dict[str, str]
    folder: Path
    doors: tuple[httpx.Client, ...]
    base_url: str
    key: dict[str, Any]

    def form(self, jti: str) -> dict[str, str]:
        """Return a token request of the clinic's agent."""
        assertion = client_assertion(
            client_id="agent",
            token_endpoint=f"{self.base_url}/oauth/token",
            key=self.key,
            now=int(time.time()),
            jti=jti,
        )
        return {
            "grant_type": GRANT_TYPE,
            "scope": "system/Observation.cruds",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
        }

    def token(self, jti: str) -> str:
        """Return a token of the clinic's agent."""
        answer = self.doors[0].post("/oauth/token", data=self.form(jti))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def command(self, *words: str) -> None:
        """Run a command of the administrator's."""
        run(self.environment, self.folder, *words)

    def believe(self, token: str) -> set[bool]:
        """Return whether the servers take a token, at either of their doors."""
        headers = bearer(token)
        return {
            door.get(path, headers=headers).status_code != httpx.codes.UNAUTHORIZED
            for door in self.doors
            for path in ("/fhir/Observation/none", "/v1/measures/none")
        }

    def disbelieve_soon(self, token: str) -> bool:
        """Return whether within some seconds no server takes a token any more."""
        until = time.monotonic() + WITHIN_SECONDS
        while time.monotonic() < until:
            if self.believe(token) == {False}:
                return True
            time.sleep(0.1)
        return False


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    with ExitStack() as stack:
        listeners = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            for _ in range(count)
        ]
        return [listener.getsockname()[1] for listener in listeners]


def wait_for(door: httpx.Client) -> None:
    """Return when a server answers."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            if door.get("/health/live").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail("a server did not start")


@pytest.fixture(scope="module")
def servers(databases: Databases) -> Iterator[Servers]:
    """Three servers that believe to be one hub, and a clinic's agent."""
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        ports = free_ports(SERVERS)
        base_url = f"http://127.0.0.1:{ports[0]}"
        environment = environment_of(folder, databases.fresh("postgresql")) | {
            "CATCHMENT_BASE_URL": base_url,
            "CATCHMENT_EMBEDDED_WORKER": "false",
        }
        key, public = generate_key()
        engine = open_engine(environment["CATCHMENT_DATABASE_URL"])
        with write_session(engine) as session:
            registry.enrol_clinic(session, ALDER)
            registry.register_client(session, agent(json.dumps(public)), dev_mode=False)
        engine.dispose()
        doors = []
        for port in ports:
            settings = environment | {"CATCHMENT_PORT": str(port)}
            stack.enter_context(started(settings, folder, "serve"))
            door = httpx.Client(
                base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False
            )
            doors.append(stack.enter_context(door))
        for door in doors:
            wait_for(door)
        yield Servers(environment, folder, tuple(doors), base_url, dict(key))


@pytest.mark.conforms("A9", mutation="50 send one assertion at once to three processes")
def test_of_many_at_once_exactly_one_is_first(servers: Servers):
    """The database decides, not what each process remembers."""
    form = servers.form("race")

    def ask(number: int) -> httpx.Response:
        return servers.doors[number % SERVERS].post("/oauth/token", data=form)

    with ThreadPoolExecutor(AT_ONCE) as callers:
        answers = list(callers.map(ask, range(AT_ONCE)))

    assert Counter(a.status_code for a in answers) == {200: 1, 401: AT_ONCE - 1}
    refused = [a.json() for a in answers if a.status_code == 401]
    assert {body["error"] for body in refused} == {"invalid_client"}
    assert {"jti" in body["error_description"] for body in refused} == {True}


@pytest.mark.conforms("A18", mutation="the token was revoked in another process")
def test_a_revoked_token_is_out_in_every_process(servers: Servers):
    """Those that had just believed it included, and nobody else's token."""
    token, other = servers.token("t1"), servers.token("t2")
    before = servers.believe(token)

    answer = servers.doors[0].post(
        "/oauth/revoke", data=servers.form("r1") | {"token": token}
    )
    told = servers.doors[-1].post(
        "/oauth/introspect", data=servers.form("i1") | {"token": token}
    )

    assert answer.status_code == 200
    assert told.json() == {"active": False}
    assert before == {True}
    assert servers.disbelieve_soon(token)
    assert servers.believe(other) == {True}


@pytest.mark.conforms("A18", mutation="the client was revoked by command")
def test_a_client_comes_and_goes_by_command(servers: Servers):
    """The administrator's commands reach servers that they never talk to."""
    said = {"client_name": "An app", "scope": "system/Measure.rs"}
    registered = servers.doors[0].post("/oauth/register", json=said).json()
    app = (registered["client_id"], registered["client_secret"])
    form = {"grant_type": GRANT_TYPE, "scope": said["scope"]}
    early = servers.doors[1].post("/oauth/token", data=form, auth=app)
    servers.command("client", "approve", app[0], "--audience", "public")
    granted = servers.doors[2].post("/oauth/token", data=form, auth=app)
    token = granted.json()["access_token"]
    before = servers.believe(token)

    servers.command("client", "revoke", app[0])

    assert [early.status_code, granted.status_code] == [401, 200]
    assert before == {True}
    assert servers.disbelieve_soon(token)
    late = servers.doors[0].post("/oauth/token", data=form, auth=app)
    assert late.json()["error"] == "invalid_client"


@pytest.mark.conforms("A20", mutation="a trusted proxy says that plain http came to it")
def test_a_proxy_says_how_a_request_came(servers: Servers):
    """TLS ends in front of the hub; what is in front knows whether there was any."""
    (port,) = free_ports(1)
    settings = servers.environment | {
        "CATCHMENT_PORT": str(port),
        "CATCHMENT_BASE_URL": PUBLIC_HUB,
    }
    with (
        started(settings, servers.folder, "serve"),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as door,
    ):
        wait_for(door)
        statuses = [
            door.get(
                "/.well-known/smart-configuration",
                headers={"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": scheme},
            ).status_code
            for scheme in ("https", "http")
        ]

    assert statuses == [200, 403]
