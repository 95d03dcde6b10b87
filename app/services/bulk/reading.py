"""Lines of NDJSON -> what may be kept of them; the lines themselves go no further."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

import msgspec

from app.deid.policies import Policy
from app.deid.pseudonyms import KeyRing
from app.deid.records import deidentify
from app.domain.clinics import Source
from app.domain.deliveries import LineBatch, LineIssue, ReadLine, ReadLines
from app.domain.errors import (
    ForbiddenError,
    IssueType,
    MalformedError,
    ServiceError,
    Severity,
    TooLargeError,
)
from app.domain.records import DeidentifiedRecord, RecordType
from app.fhir.bindings import RESOURCE_TYPES
from app.fhir.json_documents import read_json
from app.fhir.ndjson import LONGEST_LINE_BYTES
from app.fhir.parsing import parse_resource
from app.fhir.references import record_id_of
from app.fhir.validation import InvalidResourceError
from app.services.reception import FrontDoor, checked
from app.services.sent_names import own_names
from app.smart.scopes import allows

Json = dict[str, Any]
T = TypeVar("T")
U = TypeVar("U")

TYPE_NAMES = frozenset(RESOURCE_TYPES)
TOGETHER = 16
"""
So many lines take a step together before the next: what a step needs is still in the
processor's caches then, which is a fifth of the time.
"""
OUT_OF_SCOPE = "The token's scopes do not cover this resource"


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """
    How lines of a delivery are read.

    ``scopes`` are what the sender may send; None where the hub fetched it itself.
    ``received_at`` is in epoch milliseconds.
    """

    policy: Policy
    keys: KeyRing
    source: Source
    scopes: tuple[str, ...] | None
    received_at: int
    max_line_bytes: int

    def clock(self) -> int:
        """Return when the lines came."""
        return self.received_at


class _NotKeptError(Exception):
    """The line is of a type of FHIR's that is not kept."""


class _Failed(msgspec.Struct, frozen=True, gc=False):
    """What came of a step in place of its result."""

    error: Exception


def read_lines(batch: LineBatch, reading: Reading) -> ReadLines:
    """Return what may be kept of each line of *batch*, and what is wrong with it."""
    records: list[ReadLine] = []
    issues: list[LineIssue] = []
    discarded: defaultdict[str, list[int]] = defaultdict(list)
    coming = numbered(batch)
    while some := list(islice(coming, TOGETHER)):
        numbers, bodies = zip(*some, strict=True)
        for line, resource, record in zip(
            numbers, *_read(bodies, batch, reading), strict=True
        ):
            if not isinstance(record, _Failed):
                records.append(ReadLine(line, record, _hub_record(resource)))
            elif isinstance(record.error, _NotKeptError):
                discarded[_type_name(resource)].append(line)
            else:
                issues += _issues(line, resource, record.error, reading)
    return ReadLines(
        first=batch.first,
        last=batch.last,
        received_at=reading.received_at,
        records=tuple(records),
        issues=tuple(issues),
        discarded={name: tuple(lines) for name, lines in discarded.items()},
    )


def _read(
    bodies: Sequence[bytes], batch: LineBatch, reading: Reading
) -> tuple[list[Json], list[DeidentifiedRecord | _Failed]]:
    """Return the resource in each of some lines, if any, and what may be kept of it."""
    source = reading.source
    most = reading.max_line_bytes
    decoded = _each(lambda body: object_in(body, batch, max_bytes=most), bodies)
    wanted = _each(lambda resource: _wanted(resource, reading), decoded)
    valid = _each(checked, wanted)
    identified = _each(
        lambda r: parse_resource(r, source=source, ids=_own_ids(r)), valid
    )
    records = _each(
        lambda one: deidentify(
            one,
            policy=reading.policy,
            keys=reading.keys,
            source=source,
            entries={},
            received_at=reading.received_at,
        ),
        identified,
    )
    return [{} if isinstance(r, _Failed) else r for r in decoded], records


def _each(step: Callable[[T], U], things: Iterable[T | _Failed]) -> list[U | _Failed]:
    """Return what *step* makes of each thing; what failed stays as it is."""
    return [one if isinstance(one, _Failed) else _result(step, one) for one in things]


def _result(step: Callable[[T], U], thing: T) -> U | _Failed:
    try:
        return step(thing)
    except Exception as error:  # noqa: BLE001  (told of its line; others go on)
        return _Failed(error)


def read_fetched(
    resources: Sequence[bytes], front: FrontDoor, source: Source, *, first: int
) -> ReadLines:
    """Return what may be kept of resources that the hub fetched one by one."""
    reading = Reading(
        policy=front.policy,
        keys=front.keys,
        source=source,
        scopes=None,
        received_at=front.clock(),
        max_line_bytes=LONGEST_LINE_BYTES,
    )
    return read_lines(LineBatch(first=first, body=b"\n".join(resources)), reading)


def numbered(batch: LineBatch) -> Iterator[tuple[int, bytes]]:
    """Yield each line that is not blank with its number."""
    if batch.is_too_long:
        yield batch.first, b""
        return
    for number, line in enumerate(batch.body.split(b"\n"), batch.first):
        if line and not line.isspace():
            yield number, line


def object_in(body: bytes, batch: LineBatch, *, max_bytes: int) -> Json:
    """
    Return the JSON object in a line of *batch*.

    Raises:
        TooLargeError: the line has more than *max_bytes* bytes.
        MalformedError: it is no JSON object.
    """
    if batch.is_too_long or len(body) > max_bytes:
        msg = f"A line may have {max_bytes} bytes"
        raise TooLargeError(msg)
    return read_json(body, max_bytes=max_bytes)


def _wanted(resource: Json, reading: Reading) -> Json:
    """Return a resource that is kept, and may be sent by who sends it."""
    type_name = resource.get("resourceType")
    if not isinstance(type_name, str):
        msg = "The line is no resource: it says no resourceType"
        raise MalformedError(msg, expression="resourceType")
    if type_name not in TYPE_NAMES:
        msg = "FHIR has no such type of resource"
        raise MalformedError(msg, expression="resourceType")
    if RecordType.of(type_name) is None:
        raise _NotKeptError
    _check_scope(resource, reading)
    return resource


def _own_ids(resource: Json) -> tuple[str, ...]:
    """Return the id of a resource, which is as a PUT under it."""
    own_id = resource.get("id")
    return (own_id,) if isinstance(own_id, str) else ()


def _hub_record(resource: Json) -> int | None:
    own_id = resource.get("id")
    return None if own_id is None else record_id_of(own_id)


def _check_scope(resource: Json, reading: Reading) -> None:
    """Refuse what the sender may not send: a line is a PUT if it has an id."""
    if reading.scopes is not None and not allows(
        reading.scopes,
        resource_type=resource["resourceType"],
        interaction="u" if "id" in resource else "c",
        resource=resource,
    ):
        raise ForbiddenError(OUT_OF_SCOPE)


def _issues(
    line: int, resource: Json, error: Exception, reading: Reading
) -> Iterator[LineIssue]:
    """Yield what is told of a line that is refused; its names with the first of it."""
    names = tuple(a.key for a in own_names(resource, reading.keys, reading.source))
    for issue_type, message, expression in _told(error):
        yield LineIssue(
            line=line,
            type_name=_type_name(resource),
            severity=Severity.ERROR,
            issue_type=issue_type.value,
            diagnostics=message,
            expression=expression,
            names=names,
        )
        names = ()


def _told(error: Exception) -> Iterator[tuple[IssueType, str, str | None]]:
    if not isinstance(error, ServiceError):  # its message may quote the line
        error = ServiceError(f"The hub failed here ({type(error).__name__})")
    if isinstance(error, InvalidResourceError):
        for issue in error.issues:
            yield issue.issue_type, issue.message, issue.expression
        return
    yield error.issue_type, error.message, error.expression


def _type_name(resource: Mapping[str, Any]) -> str:
    """Return a resource type of FHIR's; what is none is not repeated."""
    name = resource.get("resourceType")
    return name if isinstance(name, str) and name in TYPE_NAMES else ""
