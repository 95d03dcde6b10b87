"""A file of HL7 v2 messages, batches or a recorded connection -> one message each."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from app.domain.errors import ServiceError, TooLargeError

BATCH = frozenset({b"FHS", b"BHS", b"BTS", b"FTS"})
"""Around messages (HL7 v2.5.1, chapter 2.10.3); they say nothing of results."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ENDS = re.compile(rb"[\r\n\x0b\x1c]+")
"""Of lines, and of messages in MLLP's frames."""


def messages_in(
    pieces: Iterable[bytes], *, max_bytes: int
) -> Iterator[bytes | ServiceError]:
    """
    Yield each message, or that it is larger than *max_bytes*.

    Memory is that of one message. What stands before the first message is yielded too,
    and is none.
    """
    lines: list[bytes] = []
    size = 0
    for line in _lines(pieces, max_bytes=max_bytes):
        is_header = line.startswith(b"MSH")
        if (is_header or line[:3] in BATCH) and lines:
            yield _message(lines, size, max_bytes)
            lines, size = [], 0
        if line[:3] in BATCH:
            continue
        size += len(line) + 1
        if size <= max_bytes or not lines:
            lines.append(line)
    if lines:
        yield _message(lines, size, max_bytes)


def _message(lines: list[bytes], size: int, max_bytes: int) -> bytes | ServiceError:
    if size > max_bytes:
        msg = f"The message is larger than {max_bytes} bytes"
        return TooLargeError(msg)
    return b"\r".join(lines)


def _lines(pieces: Iterable[bytes], *, max_bytes: int) -> Iterator[bytes]:
    """Yield lines that have something in them; one beyond the limit just beyond it."""
    rest = b""
    is_first = True
    for piece in chain(pieces, (b"\n",)):
        *whole, last = _ENDS.split(rest + piece)
        for line in whole:
            stated = line.removeprefix(BYTE_ORDER_MARK) if is_first else line
            is_first = is_first and not line
            if stated:
                yield stated
        rest = last[: max_bytes + 1]
