"""`catchment mllp`: a listener for one source's HL7 v2 messages."""

import signal
import ssl
import threading
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from app.commands.conversions import Authorities, CodeSystems, Encounters
from app.commands.hubs import open_hub
from app.crashes import leave_no_core
from app.domain.errors import InvalidElementError
from app.hl7v2.dialects import Dialect, named_systems
from app.hl7v2.listener import Limits, Listener
from app.log import configure_logging
from app.main import read_settings
from app.ports import try_port
from app.services import hl7_messages, reception, registry
from app.services.hl7_messages import Sender
from app.store.sessions import read_session

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
MEGABYTE = 1024 * 1024


def listen(
    source: Annotated[str, typer.Option(help="CLINIC or CLINIC/NAME: whose they are.")],
    port: Annotated[int, typer.Option(help="Where to listen.", min=0, max=65535)],
    host: Annotated[str, typer.Option(help="On which address.")] = "127.0.0.1",
    tls_cert: Annotated[
        Path | None, typer.Option(help="The certificate (PEM).", exists=True)
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(help="Its private key (PEM).", exists=True)
    ] = None,
    tls_client_ca: Annotated[
        Path | None,
        typer.Option(help="Senders need a certificate that one of these signed."),
    ] = None,
    insecure_network: Annotated[
        bool,
        typer.Option("--insecure-network", help="Listen beyond this machine in clear."),
    ] = False,
    authority: Authorities = None,
    code_system: CodeSystems = None,
    encounters: Encounters = True,
    max_megabytes: Annotated[
        int, typer.Option(help="How large a message may be.", min=1, max=256)
    ] = 16,
    idle_seconds: Annotated[
        int, typer.Option(help="When a silent connection is closed.", min=1)
    ] = 3600,
    connections: Annotated[
        int, typer.Option(help="How many senders at once.", min=1)
    ] = 64,
) -> None:
    """
    Take HL7 v2 results (ORU^R01) over MLLP, as one source of a clinic.

    Each message is de-identified and stored before it is acknowledged. MLLP itself does
    not ask who sends: whoever reaches the port writes as the source.
    """
    tls = _tls(tls_cert, tls_key, tls_client_ca)
    if host not in LOOPBACK and tls is None and not insecure_network:
        msg = (
            "Beyond this machine messages go under TLS: give --tls-cert and --tls-key,"
            " or say --insecure-network"
        )
        raise InvalidElementError(msg, expression="host")
    clinic, _, name = source.partition("/")
    sender = Sender(
        clinic=clinic,
        source=name or registry.MAIN_SOURCE,
        dialect=Dialect(
            authorities=named_systems(authority or (), option="--authority"),
            code_systems=named_systems(code_system or (), option="--code-system"),
            encounters=encounters,
        ),
    )
    leave_no_core()
    settings = read_settings()
    configure_logging(settings.log_level)
    hub = open_hub(settings)
    with read_session(hub.engine) as session:
        hl7_messages.check_sender(session, sender)
    reception.make_ready()
    try_port(host, port)
    limits = Limits(
        message_bytes=max_megabytes * MEGABYTE,
        idle_seconds=idle_seconds,
        connections=connections,
    )
    answer = partial(hl7_messages.answer, hub, sender)
    with Listener(host, port, answer, limits=limits, tls=tls) as listener:
        typer.echo(f"Listening on {host}:{listener.server_address[1]}")
        serve_until_told(listener)


def serve_until_told(listener: Listener) -> None:
    """Serve until the process is told to end; what is under way is answered first."""
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    serving = threading.Thread(target=listener.serve_forever, name="mllp")
    serving.start()
    told.wait()
    listener.stop()
    serving.join()


def _tls(
    certificate: Path | None, key: Path | None, client_ca: Path | None
) -> ssl.SSLContext | None:
    """Return how connections are secured; None where they are in clear."""
    if certificate is None:
        if key is not None or client_ca is not None:
            msg = "TLS takes a certificate: --tls-cert"
            raise InvalidElementError(msg, expression="tls_cert")
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=client_ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    if client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return context
