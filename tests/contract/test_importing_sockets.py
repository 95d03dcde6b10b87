"""NDJSON over real connections: slow, cut, refused early; with a worker behind it."""

import json
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from app.services.hub import Hub
from tests import make
from tests.conftest import ROOT
from tests.fuzz.tokens import new_token
from tests.importing import NDJSON, counts, lines
from tests.served import served
from tests.waiting import wait_until

BODY = lines(*(make.lab(5 + i / 10, id=f"o{i}") for i in range(4)))
MEGABYTE = bytes(1024 * 1024)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub that is served, with its worker."""
    with served(tmp_path_factory.mktemp("served")) as hub:
        yield hub


@pytest.fixture(scope="module")
def token(hub: Hub) -> str:
    return new_token(hub, "socket-ehr")


@pytest.fixture
def http(hub: Hub, token: str) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": NDJSON}
    with httpx.Client(base_url=hub.fhir_base, headers=headers, timeout=30) as client:
        yield client


def opened(hub: Hub, token: str, *headers: str) -> socket.socket:
    """Return a connection on which an upload has begun."""
    address = urlsplit(hub.base_url)
    connection = socket.create_connection((address.hostname, address.port), 30)
    head = (
        "POST /fhir/$import HTTP/1.1",
        f"Host: {address.netloc}",
        f"Authorization: Bearer {token}",
        f"Content-Type: {NDJSON}",
        *headers,
    )
    connection.sendall("\r\n".join([*head, "", ""]).encode())
    return connection


def chunk(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(body), body)


def ended(http: httpx.Client, status_url: str) -> httpx.Response:
    """Ask for a status until it is the last."""
    answers = []

    def is_over() -> bool:
        answers.append(http.get(status_url))
        return answers[-1].status_code != 202

    wait_until(is_over)
    return answers[-1]


def test_a_slow_sender_keeps_nobody_waiting(hub: Hub, token: str, http: httpx.Client):
    """Line by line in chunks of HTTP; meanwhile others are answered."""
    with closing(opened(hub, token, "Transfer-Encoding: chunked")) as slow:
        for line in BODY.splitlines(keepends=True):
            slow.sendall(chunk(line[:30]))
            assert http.get("metadata").status_code == 200
            slow.sendall(chunk(line[30:]))
        slow.sendall(chunk(b""))
        answer = slow.recv(4096).decode()

    head = dict(line.split(": ", 1) for line in answer.splitlines()[1:] if ": " in line)
    told = ended(http, head["content-location"])
    assert answer.startswith("HTTP/1.1 202")
    assert counts(told.json()) == {("Observation", "created"): 4}


@pytest.mark.parametrize(
    "framing", ["Transfer-Encoding: chunked", "Content-Length: 99999999"]
)
def test_a_sender_that_is_gone_goes_on_later(
    hub: Hub, token: str, http: httpx.Client, framing: str
):
    """However its body was framed; it asks how far it came, and sends the rest."""
    name = {"Idempotency-Key": framing.partition(":")[0]}
    wide = [
        lines(make.lab(n, id=f"{len(framing)}-{n}", note=[{"text": "x" * 600_000}]))
        for n in range(12)
    ]

    def offset() -> int:
        return int(http.head("$import", headers=name).headers["Upload-Offset"])

    def gone_on() -> httpx.Response:
        at = offset()
        headers = name | {"Upload-Offset": str(at)}
        return http.post("$import", content=b"".join(wide[at:]), headers=headers)

    named = f"Idempotency-Key: {name['Idempotency-Key']}"
    with closing(opened(hub, token, framing, named)) as gone:
        for line in wide[:11]:
            gone.sendall(chunk(line) if "chunked" in framing else line)
        wait_until(lambda: offset() >= 1)
    answers = [gone_on()]
    while answers[-1].status_code == 409:  # what came before is being staged still
        answers.append(gone_on())

    told = ended(http, answers[-1].headers["Content-Location"]).json()
    assert told["extension"]["lines"] == 12
    assert counts(told) == {("Observation", "created"): 12}


def large() -> Iterator[bytes]:
    """Yield 20 MB."""
    for _ in range(20):
        yield MEGABYTE


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer none"}, 401),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Encoding": "gzip"}, 400),
        ({"Upload-Offset": "7", "Idempotency-Key": "none"}, 409),
    ],
)
@pytest.mark.parametrize("goes_on", [True, False], ids=["kept open", "closed after"])
def test_who_is_refused_early_reads_why(
    http: httpx.Client, headers: dict[str, str], status: int, *, goes_on: bool
):
    """In the middle of sending much: an answer, and not a connection that was reset."""
    connection = {} if goes_on else {"Connection": "close"}

    answer = http.post("$import", content=large(), headers=headers | connection)

    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_line_that_is_too_long_is_told_and_the_rest_taken(http: httpx.Client):
    """40 MB through a socket."""

    def body() -> Iterator[bytes]:
        yield json.dumps(make.lab(9, id="o9")).encode() + b"\n"
        yield from large()
        yield from large()

    answer = http.post("$import", content=body())
    told = ended(http, answer.headers["Content-Location"])

    assert counts(told.json()) == {
        ("Observation", "created"): 1,
        (None, "refused"): 1,
    }


def test_what_the_page_for_engineers_shows_is_true(hub: Hub, tmp_path: Path):
    """The blocks of its section, typed one after the other into one shell."""
    page = (ROOT / "docs/connecting-a-clinic.md").read_text()
    section = page.partition("## By NDJSON\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"(?ms)^```sh\n(.+?)^```$", section)
    script = "set -e\n" + "".join(blocks).replace("http://127.0.0.1:8000", hub.base_url)
    (tmp_path / "var").mkdir()
    again = "import os; print(os.environ['TOKEN'])"  # a section before it makes it
    (tmp_path / "var/sign.py").write_text(again)

    typed = subprocess.run(
        ["sh", "-c", script],
        env=os.environ | {"TOKEN": new_token(hub, "page-ehr")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert typed.returncode == 0, typed.stderr
    manifest = json.loads((tmp_path / "var/manifest.json").read_text())
    assert counts(manifest) == {
        ("Patient", "created"): 1,
        ("Observation", "created"): 1,
        ("Observation", "refused"): 1,
    }
    assert '"Observation.status"' in typed.stdout
    assert '"Observation"' in typed.stdout
    assert "upload-offset: 3" in typed.stdout
    assert "upload-complete: ?1" in typed.stdout
