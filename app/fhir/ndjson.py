"""A stream of bytes -> batches of whole lines, in memory that does not grow."""

from collections.abc import Iterable, Iterator

from app.domain import gzips
from app.domain.deliveries import LineBatch
from app.domain.errors import MalformedError, ServiceError, TooLargeError

LONGEST_LINE_BYTES = 32 * 1024 * 1024
"""Of what the hub fetches itself; what is sent is bound as any body is."""
BATCH_BYTES = 1024 * 1024
"""What is read at a time, and stored in one transaction: some thousand resources."""
BATCH_LINES = 10_000
"""More are never read at a time, however short they are."""
INFLATED_BYTES = 4 * BATCH_BYTES
GZIP_MAGIC = b"\x1f\x8b"


def batches(
    pieces: Iterable[bytes], *, max_line_bytes: int, after: int = 0
) -> Iterator[LineBatch]:
    """
    Cut a stream into batches of whole lines, numbered from the one *after* on.

    A line of more than *max_line_bytes* is left out, and told as one that is too long.
    The last line need not end. Where *pieces* fail, the lines that came whole are given
    before the failure is raised.
    """
    cutter = _Cutter(max_line_bytes=max_line_bytes, line=after + 1)
    try:
        for piece in pieces:
            yield from cutter.cut(piece)
    except ServiceError:
        yield from cutter.whole_lines()
        raise
    yield from cutter.rest()


def without_first(coming: Iterable[LineBatch], lines: int) -> Iterator[LineBatch]:
    """Yield batches without so many first lines of the whole."""
    for batch in coming:
        known = lines - batch.first + 1
        if known >= batch.lines:
            continue
        if known <= 0:
            yield batch
            continue
        rest = batch.body.split(b"\n", known)[known]
        yield LineBatch(first=lines + 1, body=rest)


class _Cutter:
    """What came of the lines that are not given yet; ``line`` is the first of them."""

    def __init__(self, *, max_line_bytes: int, line: int) -> None:
        self._max_line_bytes = max_line_bytes
        self._line = line
        self._held = bytearray()
        self._looked_at = 0
        self._is_skipping = False

    def cut(self, piece: bytes) -> Iterator[LineBatch]:
        """Yield batches where *piece* fills some."""
        self._held += piece
        if self._is_skipping:
            yield from self._skipped()
        if len(self._held) >= BATCH_BYTES and not self._is_skipping:
            yield from self.whole_lines()
            self._is_skipping = len(self._held) > self._max_line_bytes

    def _skipped(self) -> Iterator[LineBatch]:
        """Leave out what came of a line that is too long; tell of it at its end."""
        end = self._held.find(b"\n") + 1
        if not end:
            self._held.clear()
            return
        del self._held[:end]
        yield self._too_long()
        self._is_skipping = False

    def whole_lines(self) -> Iterator[LineBatch]:
        """Yield the lines that have ended."""
        end = self._held.rfind(b"\n", self._looked_at) + 1
        if not end or self._is_skipping:
            self._looked_at = len(self._held)
            return
        self._looked_at = 0
        body = bytes(self._held[:end])
        del self._held[:end]
        yield from self._numbered(body)

    def rest(self) -> Iterator[LineBatch]:
        """Yield what is there at the end."""
        if self._is_skipping:
            yield self._too_long()
            return
        yield from self.whole_lines()
        yield from self._numbered(bytes(self._held))

    def _too_long(self) -> LineBatch:
        self._line, line = self._line + 1, self._line
        self._looked_at = 0
        return LineBatch(first=line, is_too_long=True)

    def _numbered(self, body: bytes) -> Iterator[LineBatch]:
        """Yield *body* as batches of no more lines than may be."""
        while body:
            end = _end_of_lines(body)
            batch = LineBatch(first=self._line, body=body[:end])
            self._line += batch.lines
            yield batch
            body = body[end:]


def _end_of_lines(body: bytes) -> int:
    """Return where so many lines end as may go together."""
    if body.count(b"\n") <= BATCH_LINES:
        return len(body)
    end = 0
    for _ in range(BATCH_LINES):
        end = body.index(b"\n", end) + 1
    return end


def uncompressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """
    Yield *pieces* as they are.

    Raises:
        MalformedError: they are gzip, which was not said.
    """
    is_first = True
    for piece in pieces:
        if is_first and piece.startswith(GZIP_MAGIC):
            msg = "The body is gzip; say so by Content-Encoding: gzip"
            raise MalformedError(msg)
        is_first = is_first and not piece
        yield piece


def inflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """
    Yield what *pieces* of gzip (one or several after each other) hold.

    Raises:
        MalformedError: they are no gzip, or end before it does.
        TooLargeError: they inflate to far more than FHIR ever does.
    """
    try:
        yield from gzips.inflated(pieces, most_bytes=INFLATED_BYTES)
    except gzips.GzipBombError:
        msg = "The body inflates to far more than FHIR does"
        raise TooLargeError(msg) from None
    except gzips.DamagedGzipError:
        msg = "The body is no gzip"
        raise MalformedError(msg) from None
    except gzips.CutGzipError:
        msg = "The body ends before its gzip does"
        raise MalformedError(msg) from None
