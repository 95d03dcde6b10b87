"""HL7 v2 results into the hub: converted and sent, or over MLLP, each counted once."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import msgspec
import pytest
from sqlalchemy.exc import OperationalError

from app.domain.clinics import ClinicStatus
from app.hl7v2.dialects import Dialect
from app.hl7v2.listener import END, START, Answer, Limits, Listener
from app.services import hl7_messages, intake, recounts
from app.services.hl7_messages import Sender
from app.services.hub import Hub
from app.store import clinics
from app.store.sessions import write_session
from tests import make
from tests.hl7_messages import (
    MRN_OID,
    NEW_YORK,
    converted,
    header,
    message,
    obr,
    observations,
    obx,
    oru,
    pid,
    segment,
)
from tests.hubs import Caller, Network, count_of, current_of, kept_by, people_of

pytestmark = pytest.mark.anyio

MRN = f"urn:oid:{MRN_OID}"
CANARY = "zqxcan"
ENCODER = msgspec.json.Encoder(decimal_format="number")
SENDER = Sender(clinic="alpha", source="ehr", dialect=Dialect())


@pytest.fixture
def lab(network: Network) -> Caller:
    """The laboratory of a clinic, whose record numbers are declared unique."""
    return network.ehr(identifier_systems=(MRN,))


def plain(resource: dict) -> dict:
    """Return a resource as it is written to NDJSON."""
    document: dict = msgspec.json.decode(ENCODER.encode(resource))
    return document


async def send(lab: Caller, body: bytes) -> list[str]:
    """Convert a message and send what it says as a batch; return the statuses."""
    entries = [make.post(plain(each)) for each in converted(body).resources]
    return [status[:3] for status in await lab.send(make.batch(*entries))]


async def kept(lab: Caller, resource: dict) -> dict:
    """Return what is kept of a resource."""
    response = await lab.read(f"Observation/{resource['id']}")
    assert response.status_code == 200, response.text
    document: dict = response.json()
    return document


async def test_what_is_converted_goes_through_the_fhir_door(lab: Caller, hub: Hub):
    """With the right code, value and day, of one person, at one visit."""
    visit = segment("PV1", f2="O", f19="V1", f44="20240301")
    body = message(header(), pid(f7="19700517", f8="F"), visit, obr(), obx("7.10"))

    assert await send(lab, body) == ["201", "201", "201"]

    (said,) = observations(body)
    stored = await kept(lab, said)
    (coding,) = stored["code"]["coding"]
    assert (coding["system"], coding["code"]) == ("http://loinc.org", "4548-4")
    assert stored["valueQuantity"]["value"] == 7.1
    assert stored["valueQuantity"]["code"] == "%"
    assert stored["effectiveDateTime"] == "2024-03-01"
    assert current_of(hub.engine) == {"Patient": 1, "Encounter": 1, "Observation": 1}
    assert people_of(hub.engine) == 1


async def test_a_correction_replaces_what_it_corrects(lab: Caller, hub: Hub):
    """And a repetition of either counts once; a deletion takes it back."""
    first = oru(obx("7.1", f11="F"), f7="20240301093000-0500")
    corrected = oru(obx("9.4", f11="C"), f7="20240302093000-0500", control_id="2")
    deleted = oru(obx("", f11="D"), f7="20240303093000-0500", control_id="3")
    (said,) = observations(first)

    assert await send(lab, first) == ["201"]
    assert await send(lab, first) == ["200"]
    assert await send(lab, corrected) == ["200"]
    assert (await kept(lab, said))["valueQuantity"]["value"] == 9.4
    assert await send(lab, first) == ["200"]  # which overtook nothing: it is older
    assert (await kept(lab, said))["valueQuantity"]["value"] == 9.4
    assert current_of(hub.engine) == {"Observation": 1}
    await send(lab, deleted)
    assert current_of(hub.engine) == {}


async def test_a_person_is_the_one_whom_the_ehr_sent(network: Network, hub: Hub):
    """The lab's results and the EHR's are of one person, by the record number."""
    ehr = network.ehr(identifier_systems=(MRN,))
    lab = network.ehr(
        "alpha-lab", source="lab", identifier_systems=(MRN,), base_urls=()
    )
    await ehr.put(make.patient(id="p1", identifier=[make.identifier("M1", MRN)]))
    await ehr.put(make.lab(6.5, id="o1", subject=make.reference("Patient/p1")))

    await send(lab, message(header(), pid(f8="F"), obr(), obx()))

    assert current_of(hub.engine)["Observation"] == 2
    recounts.refresh(hub)
    assert people_of(hub.engine) == 1


def acknowledgement(hub: Hub, body: bytes, sender: Sender = SENDER) -> list[str]:
    """Return the segments that answer a message, its header left out."""
    said = hl7_messages.answer(hub, sender, body).decode()
    assert said.startswith("MSH|^~\\&|CATCHMENT|")
    return said.removesuffix("\r").split("\r")[1:]


@pytest.mark.usefixtures("lab")
async def test_a_message_is_acknowledged_once_it_is_stored(hub: Hub):
    """AA is a promise: what was accepted is there, and again changes nothing."""
    body = message(header(), pid(f7="19700517"), obr(), obx(), obx(f4="2"))

    assert acknowledgement(hub, body) == ["MSA|AA|MSG1"]
    once = count_of(hub.engine)
    assert current_of(hub.engine) == {"Patient": 1, "Observation": 2}
    assert acknowledgement(hub, body) == ["MSA|AA|MSG1"]
    assert count_of(hub.engine) == once


async def test_what_the_door_and_the_listener_keep_is_the_same(lab: Caller, hub: Hub):
    """A result that came by both is one record."""
    body = oru(obx())

    acknowledgement(hub, body)

    assert await send(lab, body) == ["200"]
    assert current_of(hub.engine) == {"Observation": 1}


@pytest.mark.usefixtures("lab")
async def test_what_is_refused_is_told_by_its_segment_and_the_rest_is_stored(hub: Hub):
    """By the conversion or by the hub: an interface engine shows either to somebody."""
    body = oru(obx(), obx("x", f4="2"), obx(f4="3", f6="furlongs"), obx("8", f4="4"))

    msa, by_conversion, by_hub = acknowledgement(hub, body)

    assert msa == "MSA|AE|MSG1"
    assert by_conversion.startswith("ERR||OBX^2^5|102^Data type error^HL70357|E||||")
    assert by_hub.startswith("ERR||OBX^3|103^Table value not found^HL70357|E||||")
    assert "furlongs" not in by_hub
    assert current_of(hub.engine) == {"Observation": 2}


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_a_person_is_known_by_what_the_source_declares(hub: Hub):
    """Of several identifiers the hub takes the one that is unique in the clinic."""
    several = f"7^^^ELSEWHERE&2.999.7&ISO^MR~M1^^^ALPHA&{MRN_OID}&ISO^PI"

    body = message(header(), pid(f3=several), obr(), obx())

    assert acknowledgement(hub, body) == ["MSA|AA|MSG1"]
    assert current_of(hub.engine) == {"Observation": 1}


@pytest.mark.usefixtures("lab")
async def test_what_was_left_out_is_told_with_an_acceptance(hub: Hub):
    """A warning is no reason to send again."""
    msa, warning = acknowledgement(hub, oru(obx("7", f2="ST")))

    assert msa == "MSA|AA|MSG1"
    assert "|W||||" in warning


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    ("body", "condition"),
    [
        (oru(obx(), f9="ADT^A01"), "200"),
        (oru(obx(), f9="ORU^R30"), "201"),
        (oru(obx(), f11="T"), "202"),
        (message(header(), pid("M1", f3=""), obr(), obx()), "101"),
        (b"PID|1", "100"),
        (b"", "100"),
    ],
)
async def test_what_is_not_taken_at_all_leaves_nothing(
    hub: Hub, body: bytes, condition: str
):
    """Least of all a message of a laboratory's own trials."""
    before = count_of(hub.engine)

    msa, error = acknowledgement(hub, body)[:2]

    assert msa.startswith("MSA|AE|")
    assert error.split("|")[3].startswith(condition)
    assert count_of(hub.engine) == before


@pytest.mark.usefixtures("lab")
async def test_a_database_that_is_away_is_a_reason_to_come_again(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
):
    """AR, and nothing is half-stored: an engine keeps the message and tries again."""
    body = oru(obx())

    def away(*_: object, **__: object) -> None:
        raise OperationalError(CANARY, {}, OSError(CANARY))

    with monkeypatch.context() as here:
        here.setattr(intake, "store", away)
        msa, told = acknowledgement(hub, body)
    assert msa == "MSA|AR|MSG1"
    assert "The database can't be reached" in told
    assert CANARY not in told
    assert current_of(hub.engine) == {}
    assert acknowledgement(hub, body) == ["MSA|AA|MSG1"]


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_a_clinic_that_left_is_heard_no_more(hub: Hub):
    """As at every other door, from the next message on."""
    with write_session(hub.engine) as session:
        clinics.set_status(session, "alpha", status=ClinicStatus.LEFT)

    assert acknowledgement(hub, oru(obx()))[0] == "MSA|AE|MSG1"
    assert current_of(hub.engine) == {}


async def test_a_refused_result_is_found_by_a_trace(lab: Caller, hub: Hub):
    """The clinic asks what became of it by its id, as of what came as FHIR."""
    body = oru(obx(f6="furlongs"))
    (said,) = observations(body)

    acknowledgement(hub, body)

    asked = {"name": "reference", "valueString": f"Observation/{said['id']}"}
    document = {"resourceType": "Parameters", "parameter": [asked]}
    answer = await lab.call("POST", "/$trace", document)
    assert "refused" in answer.text


@contextmanager
def listening(answer: Answer, **limits: float) -> Iterator[Listener]:
    """Listen on this machine while the block runs."""
    stated = Limits(**limits)  # type: ignore[arg-type]
    with Listener("127.0.0.1", 0, answer, limits=stated) as listener:
        serving = threading.Thread(target=listener.serve_forever, args=(0.01,))
        serving.start()
        try:
            yield listener
        finally:
            listener.stop()
            serving.join()


def connected(listener: Listener) -> socket.socket:
    address = listener.server_address
    return socket.create_connection((str(address[0]), int(address[1])), timeout=10)


def framed(body: bytes) -> bytes:
    return START + body + END + b"\r"


def replies(stream: socket.socket, number: int) -> list[bytes]:
    """Return that many framed answers."""
    heard = b""
    while heard.count(END) < number:
        piece = stream.recv(65536)
        assert piece, heard
        heard += piece
    return [each.strip(START + b"\r") for each in heard.split(END)[:number]]


def echo(body: bytes, *, is_whole: bool) -> bytes:
    return body if is_whole else b"cut"


@pytest.mark.usefixtures("lab")
async def test_messages_come_over_mllp_in_their_order(hub: Hub):
    """Several in one piece, one in many pieces: each answered, the last one stands."""
    bodies = [
        oru(obx(str(n), f11="C"), control_id=f"N{n}", f7=f"2024030109300{n}-0500")
        for n in range(5)
    ]

    answer = partial(hl7_messages.answer, hub, SENDER)
    with listening(answer) as listener, connected(listener) as stream:
        stream.sendall(b"".join(framed(body) for body in bodies[:4]))
        heard = replies(stream, 4)
        for byte in framed(bodies[4]):
            stream.sendall(bytes([byte]))
        heard += replies(stream, 1)

    assert [each.split(b"\r")[1] for each in heard] == [
        f"MSA|AA|N{n}".encode() for n in range(5)
    ]
    assert current_of(hub.engine) == {"Observation": 1}
    assert kept_by(hub.engine, "alpha") == {"Observation": 1}


def test_frames_are_read_as_they_come():
    """Noise between them, no CR at the end, an end in a piece of its own."""
    sent = b"\r\nnoise" + START + b"one" + END + START + b"left" + START + b"two" + END

    with listening(echo) as listener, connected(listener) as stream:
        stream.sendall(sent)
        stream.sendall(b"\r")
        stream.sendall(framed(b"three"))
        assert replies(stream, 3) == [b"one", b"two", b"three"]


def test_a_message_that_is_too_long_is_answered_and_the_next_one_read():
    """It is not kept in memory, and its sender is told."""
    with listening(echo, message_bytes=100) as listener, connected(listener) as stream:
        stream.sendall(framed(b"x" * 500_000) + framed(b"next"))

        assert replies(stream, 2) == [b"cut", b"next"]


def test_who_is_silent_or_too_slow_is_left():
    """A sender that hangs holds no place for ever; what was cut off is unanswered."""
    heard: list[bytes] = []

    def answer(body: bytes, *, is_whole: bool) -> bytes:
        assert is_whole
        heard.append(body)
        return body

    limits = {"idle_seconds": 0.01, "message_seconds": 0.01}
    with listening(answer, **limits) as listener:
        with connected(listener) as silent:
            assert silent.recv(1) == b""
        with connected(listener) as slow:
            slow.sendall(START + b"half")
            assert slow.recv(1) == b""
    assert heard == []


def test_no_more_connections_than_allowed_are_served():
    """The one more is closed at once; when one ends there is room again."""
    with listening(echo, connections=1) as listener:
        with connected(listener) as first:
            first.sendall(framed(b"one"))
            assert replies(first, 1) == [b"one"]
            with connected(listener) as second:
                assert second.recv(1) == b""
        while True:  # its thread notices within a moment
            with connected(listener) as third:
                third.sendall(framed(b"three"))
                if third.recv(1):
                    break


def test_a_fault_of_ours_closes_the_connection_without_an_answer(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    """What has no answer is sent again; what failed is told without its words."""

    def fail(body: bytes, *, is_whole: bool) -> bytes:
        assert is_whole
        raise RuntimeError(body.decode())

    with listening(fail) as listener, connected(listener) as stream:
        stream.sendall(framed(CANARY.encode()))
        assert stream.recv(1) == b""

    (record,) = (each for each in caplog.records if each.name == "app.hl7v2.listener")
    assert record.__dict__["error"] == "RuntimeError"
    assert CANARY not in f"{capsys.readouterr()} {vars(record)}"


def test_the_listener_ends_with_what_is_under_way_answered():
    """A stop between a commit and its answer would have the message sent again."""
    begun, go_on = threading.Event(), threading.Event()
    heard: list[bytes] = []

    def answer(body: bytes, *, is_whole: bool) -> bytes:
        assert is_whole
        heard.append(body)
        begun.set()
        assert go_on.wait(10)
        return body

    with listening(answer) as listener, connected(listener) as stream:
        stream.sendall(framed(b"one") + framed(b"two"))
        assert begun.wait(10)
        listener.stop()
        go_on.set()
        assert replies(stream, 1) == [b"one"]
    assert heard == [b"one"]


def test_new_york_is_the_zone_of_every_test():
    """What is worked out by hand here holds of the clinics of the tests."""
    assert NEW_YORK.time_zone == "America/New_York"
