"""Nothing identifying stays of what comes as HL7 v2, wherever in a message it stood."""

import socket
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from app.hl7v2.dialects import Dialect
from app.hl7v2.listener import END, START, Limits, Listener
from app.hl7v2.results import convert_bytes
from app.services import hl7_messages
from app.services.hl7_messages import Sender
from app.services.hub import Hub
from tests.hubs import Caller, current_of
from tests.leaks.doors import HL7_FAILING, hl7_message
from tests.leaks.mints import Mint
from tests.leaks.searches import Search
from tests.leaks.traces import Logs, database_bytes, everything_logged, files_watched

pytestmark = pytest.mark.anyio

SENDER = Sender(clinic="alpha", source="ehr", dialect=Dialect())


@pytest.fixture
def logs() -> Iterator[Logs]:
    """Everything is logged, from before the database is opened."""
    with everything_logged() as kept:
        yield kept


def sent(hub: Hub, bodies: list[bytes]) -> bytes:
    """Send messages over MLLP; return all that was answered."""
    answer = partial(hl7_messages.answer, hub, SENDER)
    with Listener("127.0.0.1", 0, answer, limits=Limits()) as listener:
        serving = threading.Thread(target=listener.serve_forever, args=(0.01,))
        serving.start()
        host, port = listener.server_address[:2]
        heard = b""
        with socket.create_connection((str(host), int(port)), timeout=30) as stream:
            for body in bodies:
                stream.sendall(START + body + END + b"\r")
            while heard.count(END) < len(bodies):
                heard += stream.recv(65536)
        listener.stop()
        serving.join()
    return heard


@pytest.mark.usefixtures("ehr")
async def test_nothing_stays_of_any_field_of_any_message(
    logs: Logs, hub: Hub, tmp_path: Path
):
    """Whether it is taken or turned away: not stored, logged, answered or in a file."""
    mint = Mint()
    bodies = [hl7_message(mint) for _ in range(2)]
    bodies += [hl7_message(mint, changes) for changes in HL7_FAILING.values()]
    bodies += [b"\xff" + bodies[0], bodies[0].replace(b"|", b"^"), bodies[0] * 2]

    with files_watched(tmp_path) as opened:
        heard = sent(hub, bodies)

    assert current_of(hub.engine).keys() == {"Patient", "Encounter", "Observation"}
    assert heard.count(b"MSA|AA|N1\r") >= 2
    assert heard.count(b"MSA|AE|") >= 10
    assert opened == []
    assert len(mint.planted) > 5000
    left = {"database": database_bytes(hub.engine), "logs": logs.everything()}
    search = Search(mint.planted)
    found = {name: search.found_in(each) for name, each in left.items()}
    assert found == {"database": set(), "logs": set()}
    assert search.found_in(heard) == set()
    assert b"hl7 refused" in left["logs"]


@pytest.mark.usefixtures("ehr")
@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_of_birth_and_time_only_the_month_and_the_day_stay(logs: Logs, hub: Hub):
    """As of what comes as FHIR."""
    birth, moment = "19030217", "20240301070913.0417-0500"
    body = hl7_message(
        Mint(), {"PID": {7: birth}, "OBX": {14: moment}, "PV1": {44: moment}}
    )

    heard = sent(hub, [body])

    left = b"".join([database_bytes(hub.engine), logs.everything(), heard])
    assert b"MSA|AA|N1" in heard
    for gone in (b"19030217", b"1903-02-17", b"070913", b"07:09:13", b"0417"):
        assert gone not in left, gone


async def test_no_problem_of_a_conversion_quotes_its_message(ehr: Caller):
    """The command prints them for whoever runs it, and a script keeps them."""
    mint = Mint()
    bodies = [hl7_message(mint, changes) for changes in HL7_FAILING.values()]

    told = [
        str(problem)
        for body in bodies
        for problem in convert_bytes(body, dialect=Dialect()).problems
    ]

    assert ehr.clinic == "alpha"
    assert len(told) >= len(HL7_FAILING) - 3
    assert Search(mint.planted).found_in("\n".join(told).encode()) == set()
