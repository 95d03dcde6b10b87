"""
A file of a bulk export or submission: opened as its manifest says, read in pieces.

The body is inflated here, whole or not at all: a gzip stream that ends before its end
is a body that broke off, which a usual HTTP client takes for a shorter file.
"""

import hashlib
from collections.abc import Iterator, Mapping
from itertools import chain

import httpx
import msgspec

from app.domain.gzips import (
    CutGzipError,
    DamagedGzipError,
    GzipBombError,
    inflated,
)
from app.smart.bulk_errors import BrokenOffError, UnboundedError, UnreadableAnswerError
from app.smart.bulk_servers import BulkServer
from app.smart.outbound import closing_response

ACCEPT = "application/fhir+ndjson, application/ndjson;q=0.9, */*;q=0.1"
PIECE_BYTES = 256 * 1024

_GZIP = b"\x1f\x8b"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a file is read, inflated, and for how long: it may have no end."""

    max_bytes: int = 256 * 1024**3
    max_seconds: float = 24 * 3600.0


class OpenFile:
    """
    A file that is being fetched.

    ``mark`` tells versions of a file apart, as far as its server lets them be told:
    positions in one are none in another.
    """

    def __init__(
        self, response: httpx.Response, server: BulkServer, limits: Limits
    ) -> None:
        self.mark = _mark(response.headers)
        self._response = response
        self._clock = server.outbound.clock
        self._limits = limits

    def pieces(self) -> Iterator[bytes]:
        """
        Yield the file's bytes, inflated, at most 256 kB at a time.

        Raises:
            BrokenOffError: it ended before its end.
            UnboundedError: it goes beyond the limits, or is a gzip bomb.
            UnreadableAnswerError: it is compressed in a way that was not asked for.
        """
        deadline = self._clock() + self._limits.max_seconds
        left = self._limits.max_bytes
        with closing_response(self._response):
            for piece in _inflated(self._response):
                left -= len(piece)
                if left < 0 or self._clock() > deadline:
                    msg = "A file is larger than it may be, or takes too long"
                    raise UnboundedError(msg)
                yield piece

    def close(self) -> None:
        """Read no further."""
        self._response.close()


def open_file(
    server: BulkServer,
    url: str,
    *,
    with_token: bool,
    headers: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> OpenFile:
    """
    Return the file at *url*, open; see ``BulkServer.open`` for what it raises.

    *with_token* is what its manifest says of ``requiresAccessToken``; *headers* are
    sent too, to wherever the reach lets a redirect lead.
    """
    response = server.open(
        "GET",
        url,
        headers={**(headers or {}), "Accept": ACCEPT, "Accept-Encoding": "gzip"},
        with_token=with_token,
    )
    return OpenFile(response, server, limits or Limits())


def _mark(headers: httpx.Headers) -> str:
    stated = (headers.get("ETag"), headers.get("Last-Modified"))
    length = headers.get("Content-Length")
    return hashlib.sha256(repr((*stated, length)).encode()).hexdigest()[:16]


def _inflated(response: httpx.Response) -> Iterator[bytes]:
    """Yield the body; gzip is known by its header or, unsaid, by how it begins."""
    coding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in {"identity", "gzip", "x-gzip", ""}:
        msg = "A file is compressed in a way that was not asked for"
        raise UnreadableAnswerError(msg)
    pieces = response.iter_raw(PIECE_BYTES)
    first = next(pieces, b"")
    if not first.startswith(_GZIP):
        yield first
        yield from pieces
        return
    try:
        yield from inflated(chain([first], pieces), most_bytes=PIECE_BYTES)
    except GzipBombError:
        msg = "A compressed file inflates to far more than FHIR does"
        raise UnboundedError(msg) from None
    except DamagedGzipError:
        msg = "A compressed file is damaged"
        raise BrokenOffError(msg) from None
    except CutGzipError:
        msg = "A compressed file ends before its end"
        raise BrokenOffError(msg) from None
