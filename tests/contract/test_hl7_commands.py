"""`catchment convert oru` and `catchment mllp`, as they are typed."""

import io
import json
import signal
import socket
import ssl
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.commands import mllp
from app.hl7v2.listener import END, START
from tests.commands import refusal, started
from tests.hl7_messages import MRN_OID, obx, oru

CANARY = "zqxcan"


@pytest.fixture(autouse=True)
def _logs_stay(monkeypatch: pytest.MonkeyPatch):
    """A command that runs within the tests leaves their loggers alone."""
    monkeypatch.setattr(mllp, "configure_logging", lambda _: None)


def test_files_become_lines_of_fhir(catchment, tmp_path: Path):
    """Numbers as they were written, on standard output or in a file."""
    (tmp_path / "a.hl7").write_bytes(oru(obx("7.10")))
    (tmp_path / "b.hl7").write_bytes(oru(obx("1"), obx("2", f4="2")))

    told = catchment("convert", "oru", "a.hl7", "b.hl7")
    written = catchment("convert", "oru", "a.hl7", "--out", "out.ndjson")

    assert (told.code, written.code, written.output) == (0, 0, "")
    lines = told.output.splitlines()
    assert [json.loads(line)["resourceType"] for line in lines] == ["Observation"] * 3
    assert '"value":7.10' in lines[0]
    assert (tmp_path / "out.ndjson").read_text() == f"{lines[0]}\n"
    assert told.errors == "Messages: 2; refusals: 0\n"


def test_standard_input_is_a_file_too(catchment, monkeypatch: pytest.MonkeyPatch):
    """So an engine can pipe what it has."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(oru(obx()))))

    told = catchment("convert", "oru", "-")

    assert told.code == 0
    assert len(told.output.splitlines()) == 1


def test_what_is_refused_is_told_by_message_and_field(catchment, tmp_path: Path):
    """The others are written; the command ends with 1, and quotes nothing."""
    bad = oru(obx(CANARY), obx(f4="2"))
    (tmp_path / "a.hl7").write_bytes(oru(obx()) + bad + oru(obx(), f9="ADT^A01"))

    told = catchment("convert", "oru", "a.hl7")

    assert told.code == 1
    assert len(told.output.splitlines()) == 2
    assert told.errors.splitlines() == [
        "a.hl7: message 2: error: OBX[1]-5: The value is not a number, as OBX-2 says",
        "a.hl7: message 3: error: MSH-9.1: Only results are taken: ORU^R01",
        "Messages: 3; refusals: 2",
    ]


def test_what_messages_leave_unsaid_is_said_by_options(catchment, tmp_path: Path):
    """Whose numbers they are, which codes, and in which zone the clock is."""
    body = oru(obx(f3="GLU^^HOUSE", f14="202401150830"))
    body = body.replace(f"ALPHA&{MRN_OID}&ISO".encode(), b"Lab One")
    (tmp_path / "a.hl7").write_bytes(body)
    options = (
        *("--authority", "lab one=urn:lab", "--code-system", "house=urn:house"),
        *("--time-zone", "America/Chicago", "--no-encounters"),
    )

    told = catchment("convert", "oru", "a.hl7", *options)

    said = json.loads(told.output)
    assert said["subject"]["identifier"]["system"] == "urn:lab"
    assert said["code"]["coding"] == [{"system": "urn:house", "code": "GLU"}]
    assert said["effectiveDateTime"] == "2024-01-15T08:30:00-06:00"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--authority", "LAB"), "--authority takes NAME=SYSTEM"),
        (("--code-system", "LAB="), "--code-system takes NAME=SYSTEM"),
        (("--time-zone", "Mars/Base"), "There is no such time zone"),
        (("--time-zone", "../etc"), "There is no such time zone"),
    ],
)
def test_options_that_mean_nothing_are_refused(
    catchment, tmp_path: Path, words: tuple[str, ...], reason: str
):
    """Before a line is read."""
    (tmp_path / "a.hl7").write_bytes(oru(obx()))

    assert reason in refusal(catchment("convert", "oru", "a.hl7", *words))


def test_a_file_that_is_not_there_or_empty_is_no_success(catchment, tmp_path: Path):
    """A script that lost its input should hear of it."""
    (tmp_path / "empty.hl7").write_bytes(b"\r\n")

    assert refusal(catchment("convert", "oru", "none.hl7"))
    assert catchment("convert", "oru", "empty.hl7").code == 1


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--host", "0.0.0.0"), "Beyond this machine messages go under TLS"),
        (("--tls-key", "master.key"), "TLS takes a certificate"),
        (("--source", "nobody"), "No clinic of that code"),
        (("--source", "alpha/lab"), "The clinic has no source of that name"),
    ],
)
def test_a_listener_refuses_what_it_could_not_do_safely(
    catchment, words: tuple[str, ...], reason: str
):
    """In clear it listens to this machine alone, and for a source that is there."""
    catchment("clinic", "add", "alpha")

    ended = catchment("mllp", "--source", "alpha", "--port", "0", *words)

    assert reason in refusal(ended)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of this machine with its key, both in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def asked(stream: socket.socket, body: bytes) -> bytes:
    """Return what is answered to a message."""
    stream.sendall(START + body + END + b"\r")
    heard = b""
    while END not in heard:
        piece = stream.recv(65536)
        assert piece
        heard += piece
    return heard


def test_a_listener_under_tls_takes_messages_until_it_is_told_to_end(
    catchment, tmp_path: Path, environment: dict[str, str], certificate: Path
):
    """The whole of it, as a process: listen, store, acknowledge, end."""
    system = f"urn:oid:{MRN_OID}"
    catchment("clinic", "add", "alpha", "--identifier-system", system)
    words = ("--source", "alpha/ehr", "--port", "0", "--tls-cert", str(certificate))
    context = ssl.create_default_context(cafile=certificate)
    with started(environment, tmp_path, "mllp", *words) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().rpartition(":")[2])
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as stream,
        ):
            said = asked(stream, oru(obx(), control_id="N1"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0

    assert b"MSA|AA|N1\r" in said
    lines = (tmp_path / "errors").read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["hl7 message"]
