"""Lines of NDJSON -> what may be kept of them; the lines themselves go no further."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from app.deid.policies import Policy
from app.deid.pseudonyms import KeyRing
from app.domain.clinics import Source
from app.domain.deliveries import LineBatch, LineIssue, ReadLine, ReadLines
from app.domain.errors import (
    ForbiddenError,
    IssueType,
    MalformedError,
    ServiceError,
    TooLargeError,
)
from app.domain.records import DeidentifiedRecord, RecordType
from app.fhir.bindings import RESOURCE_TYPES
from app.fhir.json_documents import read_json
from app.fhir.ndjson import LONGEST_LINE_BYTES
from app.fhir.references import record_id_of
from app.fhir.validation import InvalidResourceError
from app.services.reception import FrontDoor, deidentified
from app.services.sent_names import own_names
from app.smart.scopes import allows

Json = dict[str, Any]

TYPE_NAMES = frozenset(RESOURCE_TYPES)
ERROR = "error"
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


def read_lines(batch: LineBatch, reading: Reading) -> ReadLines:
    """Return what may be kept of each line of *batch*, and what is wrong with it."""
    records: list[ReadLine] = []
    issues: list[LineIssue] = []
    discarded: defaultdict[str, list[int]] = defaultdict(list)
    for line, body in _numbered(batch):
        resource: Json = {}
        try:
            resource = _resource_in(body, batch, reading)
            if _is_discarded(resource):
                discarded[_type_name(resource)].append(line)
                continue
            _check_scope(resource, reading)
            record = _deidentified(resource, reading)
        except ServiceError as error:
            issues += _issues(line, resource, error, reading)
        except Exception as error:  # noqa: BLE001  (told of its line; others go on)
            failed = ServiceError(f"The hub failed here ({type(error).__name__})")
            issues += _issues(line, resource, failed, reading)
        else:
            own_id = resource.get("id")
            hub_record = None if own_id is None else record_id_of(own_id)
            records.append(ReadLine(line, record, hub_record))
    return ReadLines(
        first=batch.first,
        last=batch.last,
        received_at=reading.received_at,
        records=tuple(records),
        issues=tuple(issues),
        discarded={name: tuple(lines) for name, lines in discarded.items()},
    )


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


def _numbered(batch: LineBatch) -> Iterator[tuple[int, bytes]]:
    """Yield each line that is not blank with its number."""
    if batch.is_too_long:
        yield batch.first, b""
        return
    for number, line in enumerate(batch.body.split(b"\n"), batch.first):
        if line and not line.isspace():
            yield number, line


def _resource_in(body: bytes, batch: LineBatch, reading: Reading) -> Json:
    if batch.is_too_long or len(body) > reading.max_line_bytes:
        msg = f"A line may have {reading.max_line_bytes} bytes"
        raise TooLargeError(msg)
    return read_json(body, max_bytes=reading.max_line_bytes)


def _is_discarded(resource: Json) -> bool:
    """Return whether a resource is of a type of FHIR's that is not kept."""
    type_name = resource.get("resourceType")
    if not isinstance(type_name, str):
        msg = "The line is no resource: it says no resourceType"
        raise MalformedError(msg, expression="resourceType")
    if RecordType.of(type_name) is not None:
        return False
    if type_name not in TYPE_NAMES:
        msg = "FHIR has no such type of resource"
        raise MalformedError(msg, expression="resourceType")
    return True


def _deidentified(resource: Json, reading: Reading) -> DeidentifiedRecord:
    """Return what may be kept, as of a PUT under its id where it has one."""
    own_id = resource.get("id")
    own_ids = (own_id,) if isinstance(own_id, str) else ()
    return deidentified(resource, front=reading, source=reading.source, own_ids=own_ids)


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
    line: int, resource: Json, error: ServiceError, reading: Reading
) -> Iterator[LineIssue]:
    """Yield what is told of a line that is refused; its names with the first of it."""
    names = tuple(a.key for a in own_names(resource, reading.keys, reading.source))
    for issue_type, message, expression in _told(error):
        yield LineIssue(
            line=line,
            type_name=_type_name(resource),
            severity=ERROR,
            issue_type=issue_type.value,
            diagnostics=message,
            expression=expression,
            names=names,
        )
        names = ()


def _told(error: ServiceError) -> Iterator[tuple[IssueType, str, str | None]]:
    if isinstance(error, InvalidResourceError):
        for issue in error.issues:
            yield issue.issue_type, issue.message, issue.expression
        return
    yield error.issue_type, error.message, error.expression


def _type_name(resource: Mapping[str, Any]) -> str:
    """Return a resource type of FHIR's; what is none is not repeated."""
    name = resource.get("resourceType")
    return name if isinstance(name, str) and name in TYPE_NAMES else ""
