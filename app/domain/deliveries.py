"""Lines of a bulk delivery: what was read of them, and what became of them."""

from enum import StrEnum

import msgspec

from app.domain.errors import Severity
from app.domain.records import DeidentifiedRecord, RecordType


class LineBatch(msgspec.Struct, frozen=True, kw_only=True):
    """
    Whole lines as they came, from line number ``first``.

    ``is_too_long`` stands for one line that is longer than may be, in place of it.
    """

    first: int
    body: bytes = b""
    is_too_long: bool = False

    @property
    def lines(self) -> int:
        """Return how many lines there are; the last may lack its end."""
        if self.is_too_long:
            return 1
        return self.body.count(b"\n") + (not self.body.endswith(b"\n"))

    @property
    def last(self) -> int:
        """Return the number of the last line."""
        return self.first + self.lines - 1


class LineIssue(msgspec.Struct, frozen=True, kw_only=True):
    """
    One thing to say of a line; it names elements, never what they hold.

    ``type_name`` is a resource type of FHIR's, or empty. ``names`` are the keyed names
    of a resource that was refused.
    """

    line: int
    type_name: str
    severity: Severity
    issue_type: str
    diagnostics: str
    expression: str | None = None
    names: tuple[bytes, ...] = ()


class FoldedIssue(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with ``count`` lines, the first of which are told."""

    severity: Severity
    issue_type: str
    expression: str | None
    diagnostics: str
    count: int
    lines: tuple[int, ...]


class ReadLine(msgspec.Struct, frozen=True):
    """
    What may be kept of the resource in a line.

    ``hub_record`` is the record that the hub's own id names, where the line has that.
    """

    line: int
    record: DeidentifiedRecord
    hub_record: int | None = None


class ReadLines(msgspec.Struct, frozen=True, kw_only=True):
    """
    What was read of the lines from ``first`` to ``last``, in their order.

    ``received_at`` is when they came, in epoch milliseconds. ``discarded`` are the
    lines of resources of types that are not kept, by type.
    """

    first: int
    last: int
    received_at: int
    records: tuple[ReadLine, ...] = ()
    issues: tuple[LineIssue, ...] = ()
    discarded: dict[str, tuple[int, ...]] = {}


class KeyedName(msgspec.Struct, frozen=True):
    """By what a source's own id of a type is known, under each key version."""

    type: RecordType
    keys: tuple[bytes, ...]


class ReadDeletions(msgspec.Struct, frozen=True, kw_only=True):
    """
    What the lines from ``first`` to ``last`` say that a server has no more.

    Of what is newer than ``up_to`` they say nothing: when the server listed them. They
    came at ``received_at``; both are in epoch milliseconds.
    """

    first: int
    last: int
    received_at: int
    up_to: int
    names: tuple[KeyedName, ...] = ()
    issues: tuple[LineIssue, ...] = ()


class PackedLines(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of lines, on its way between processes or into the store."""

    first: int
    last: int
    resources: int
    payload: bytes


class LineOutcome(StrEnum):
    """What became of the resource in a line."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    WITHDRAWN = "withdrawn"
    DISCARDED = "discarded"
    REFUSED = "refused"


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(ReadLines)
_DELETIONS_DECODER = msgspec.msgpack.Decoder(ReadDeletions)


def packed(read: ReadLines | ReadDeletions) -> PackedLines:
    """Return *read* as bytes, with what is to be known of it unread."""
    found = read.records if isinstance(read, ReadLines) else read.names
    return PackedLines(
        first=read.first,
        last=read.last,
        resources=len(found),
        payload=_ENCODER.encode(read),
    )


def unpacked(payload: bytes) -> ReadLines:
    """Return the lines that were packed."""
    return _DECODER.decode(payload)


def unpacked_deletions(payload: bytes) -> ReadDeletions:
    """Return the deletions that were packed."""
    return _DELETIONS_DECODER.decode(payload)
