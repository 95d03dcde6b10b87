"""Gzip as it comes -> what it holds, in memory that does not grow."""

import zlib
from collections.abc import Iterable, Iterator

WINDOW = 16 + zlib.MAX_WBITS
"""Tells zlib that what it reads has gzip's header and trailer."""
SUSPECT_BYTES = 32 * 1024 * 1024
LARGEST_RATIO = 250
"""FHIR shrinks to a thirtieth; what inflates to so much of so little is a bomb."""


class DamagedGzipError(Exception):
    """What came is no gzip, or not from there on."""


class CutGzipError(Exception):
    """What came ends before its gzip does."""


class GzipBombError(Exception):
    """What came inflates to far more than FHIR does."""


def inflated(pieces: Iterable[bytes], *, most_bytes: int) -> Iterator[bytes]:
    """
    Yield what *pieces* of gzip hold, at most *most_bytes* at a time.

    Members may follow each other; what comes of nothing is nothing.

    Raises:
        DamagedGzipError: they are no gzip.
        CutGzipError: they end before it does.
        GzipBombError: they hold far more than FHIR ever does in so little.

    Source: RFC 1952, section 2.2 (file format: a series of members).
    """
    inflator = zlib.decompressobj(WINDOW)
    is_open = False
    came = gave = 0
    for piece in pieces:
        came += len(piece)
        rest = piece
        while rest:
            if inflator.eof:
                inflator = zlib.decompressobj(WINDOW)
            try:
                plain = inflator.decompress(rest, most_bytes)
            except zlib.error:
                raise DamagedGzipError from None
            gave += len(plain)
            if gave > SUSPECT_BYTES and gave > LARGEST_RATIO * came:
                raise GzipBombError
            if plain:
                yield plain
            is_open = not inflator.eof
            rest = inflator.unused_data or inflator.unconsumed_tail
    if is_open:
        raise CutGzipError
