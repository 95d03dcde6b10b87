"""A key set over a real connection: the address is checked, the host is proven."""

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from time import monotonic

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from typing_extensions import override

from app.smart.fetches import FetchError, fetch_document, resolve_host
from tests.reference.parties import EC_KEY


class Handler(BaseHTTPRequestHandler):
    """Say which host was asked for; move whoever asks for /moved."""

    def do_GET(self) -> None:
        """Answer."""
        moved = self.path == "/moved"
        body = self.headers["Host"].encode()
        self.send_response(302 if moved else 200)
        self.send_header("Location", "/here")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, *_args: object) -> None:
        """Keep quiet."""


def serve(certificate: Path | None) -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def port() -> Iterator[int]:
    yield from serve(None)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of localhost by its name, which no IP address satisfies."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, EC_KEY.public_key(), 1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)  # noqa: FBT003 - not critical
        .sign(EC_KEY, hashes.SHA384())
    )
    path = tmp_path / "localhost.pem"
    key = EC_KEY.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + key)
    return path


@pytest.fixture
def tls_port(certificate: Path) -> Iterator[int]:
    yield from serve(certificate)


def fetched(url: str, *, verify: ssl.SSLContext | bool = False) -> bytes:
    with httpx.Client(trust_env=False, verify=verify) as http:
        return fetch_document(
            http,
            url,
            dev_mode=True,
            clock=monotonic,
            resolve=lambda _host, _port: ["127.0.0.1"],
        ).body


def test_the_host_asked_for_is_the_one_in_the_url(port: int):
    """Servers of many names answer by the Host header, address or not."""
    assert fetched(f"http://localhost:{port}/") == b"localhost:%d" % port


def test_a_redirect_is_not_followed(port: int):
    """It would lead past every check of the address."""
    with pytest.raises(FetchError, match="not 200"):
        fetched(f"http://localhost:{port}/moved")


def test_the_certificate_must_be_of_the_host_and_not_of_its_address(
    certificate: Path, tls_port: int
):
    """Going to a checked address must not weaken what TLS proves."""
    trust = ssl.create_default_context(cafile=str(certificate))

    assert fetched(f"https://localhost:{tls_port}/", verify=trust)
    with pytest.raises(FetchError, match="No address"):
        fetched(f"https://127.0.0.1:{tls_port}/", verify=trust)


def test_this_machine_resolves_to_itself():
    """The one name that every machine knows."""
    assert set(resolve_host("localhost", 80)) <= {"127.0.0.1", "::1"}
