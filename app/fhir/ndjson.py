"""A stream of bytes -> batches of whole lines, in memory that does not grow."""

import zlib
from collections.abc import Iterable, Iterator

from app.domain.deliveries import LineBatch
from app.domain.errors import MalformedError, TooLargeError

BATCH_BYTES = 1024 * 1024
"""What is read at a time, and stored in one transaction: some thousand resources."""
INFLATED_BYTES = 4 * BATCH_BYTES
SUSPECT_BYTES = 256 * 1024 * 1024
LARGEST_RATIO = 250
"""FHIR shrinks to a thirtieth; what inflates to so much of so little is a bomb."""


def batches(
    pieces: Iterable[bytes], *, max_line_bytes: int, after: int = 0
) -> Iterator[LineBatch]:
    """
    Cut a stream into batches of whole lines, numbered from the one *after* on.

    A line of more than *max_line_bytes* is left out, and told as one that is too long.
    The last line need not end.
    """
    held = bytearray()
    line, is_skipping = after + 1, False
    for piece in pieces:
        held += piece
        if is_skipping:
            end = held.find(b"\n") + 1
            if not end:
                held.clear()
                continue
            del held[:end]
            yield LineBatch(first=line, is_too_long=True)
            line, is_skipping = line + 1, False
        if len(held) < BATCH_BYTES:
            continue
        end = held.rfind(b"\n") + 1
        if end:
            batch = LineBatch(first=line, body=bytes(held[:end]))
            del held[:end]
            line += batch.lines
            yield batch
        is_skipping = len(held) > max_line_bytes
    if is_skipping:
        yield LineBatch(first=line, is_too_long=True)
    elif held:
        yield LineBatch(first=line, body=bytes(held))


def inflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """
    Yield what *pieces* of gzip (one or several after each other) hold.

    Raises:
        MalformedError: they are no gzip, or end before it does.
        TooLargeError: they inflate to far more than FHIR ever does.
    """
    inflator = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    came = gave = 0
    is_begun = False
    for piece in pieces:
        came += len(piece)
        rest = piece
        while rest:
            if inflator.eof:
                inflator = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
            is_begun = True
            try:
                plain = inflator.decompress(rest, INFLATED_BYTES)
            except zlib.error:
                msg = "The body is no gzip"
                raise MalformedError(msg) from None
            gave += len(plain)
            if gave > SUSPECT_BYTES and gave > LARGEST_RATIO * came:
                msg = "The body inflates to far more than FHIR does"
                raise TooLargeError(msg)
            if plain:
                yield plain
            rest = inflator.unused_data or inflator.unconsumed_tail
    if is_begun and not inflator.eof:
        msg = "The body ends before its gzip does"
        raise MalformedError(msg)
