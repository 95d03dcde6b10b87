"""`catchment convert`: what is no FHIR, made into it, at the clinic or the hub."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, BinaryIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import typer

from app.domain.errors import InvalidElementError, ServiceError
from app.hl7v2.dialects import Dialect, named_systems
from app.hl7v2.files import messages_in
from app.hl7v2.problems import refused
from app.hl7v2.results import Converted, convert_bytes

STANDARD_INPUT = "-"
PIECE_BYTES = 256 * 1024
MAX_MESSAGE_BYTES = 32 * 1024 * 1024

app = typer.Typer(help="Make FHIR of what is none.", no_args_is_help=True)

Authorities = Annotated[
    list[str] | None,
    typer.Option(
        help="NAME=SYSTEM: the system of what an assigning authority (PID-3.4) gives,"
        " by its namespace or universal id; =SYSTEM where none is stated. Repeatable."
    ),
]
CodeSystems = Annotated[
    list[str] | None,
    typer.Option(
        help="NAME=URI: the coding system of that name (OBX-3.3). Repeatable."
    ),
]
Encounters = Annotated[
    bool,
    typer.Option("--encounters/--no-encounters", help="Whether visits (PV1) are read."),
]


@app.command("oru")
def convert_oru(
    files: Annotated[
        list[str], typer.Argument(help="Files of HL7 v2 messages; - reads input.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Where to write, instead of standard output.")
    ] = None,
    authority: Authorities = None,
    code_system: CodeSystems = None,
    identifier_system: Annotated[
        list[str] | None,
        typer.Option(help="A system that the hub knows as unique; it comes first."),
    ] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="IANA name, for times without an offset.")
    ] = None,
    encounters: Encounters = True,
) -> None:
    """
    Turn HL7 v2 results (ORU^R01) into NDJSON of FHIR R4.

    Needs no hub and no key. What it writes is of patients, as what it reads. What is
    wrong is told by the number of the message and its field, never by its value; the
    command ends with 1 where anything was refused.
    """
    dialect = Dialect(
        authorities=named_systems(authority or (), option="--authority"),
        code_systems=named_systems(code_system or (), option="--code-system"),
        time_zone=_zone(time_zone),
        unique_systems=frozenset(identifier_system or ()),
        encounters=encounters,
    )
    encoder = msgspec.json.Encoder(decimal_format="number")
    messages = refusals = 0
    with _written_to(out) as output:
        for name, body in _messages(files):
            messages += 1
            converted = _converted(body, dialect)
            output.writelines(
                encoder.encode(resource) + b"\n" for resource in converted.resources
            )
            for problem in converted.problems:
                refusals += problem.is_refusal
                typer.echo(f"{name}: message {messages}: {problem}", err=True)
    typer.echo(f"Messages: {messages:,}; refusals: {refusals:,}", err=True)
    if refusals or not messages:
        raise typer.Exit(1)


def _converted(body: bytes | ServiceError, dialect: Dialect) -> Converted:
    if isinstance(body, ServiceError):
        return Converted(problems=(refused(body),))
    return convert_bytes(body, dialect=dialect)


def _zone(name: str | None) -> str | None:
    """Return the name of a time zone that there is."""
    try:
        return None if name is None else ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        msg = "There is no such time zone"
        raise InvalidElementError(msg, expression="time_zone") from None


def _messages(files: Iterable[str]) -> Iterator[tuple[str, bytes | ServiceError]]:
    """Yield each message with the name of its file."""
    with ExitStack() as opened:
        for name in files:
            stream: BinaryIO = (
                sys.stdin.buffer
                if name == STANDARD_INPUT
                else opened.enter_context(Path(name).open("rb"))
            )
            pieces = iter(partial(stream.read, PIECE_BYTES), b"")
            for body in messages_in(pieces, max_bytes=MAX_MESSAGE_BYTES):
                yield name, body


@contextmanager
def _written_to(out: Path | None) -> Iterator[BinaryIO]:
    """Yield where to write; the reader of a pipe may end early."""
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with out.open("wb") as file:
        yield file
