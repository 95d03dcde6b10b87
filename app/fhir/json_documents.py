"""Bytes from the wire -> one JSON object, or an error that quotes none of them."""

import json
from decimal import Decimal, InvalidOperation
from functools import cache
from itertools import chain
from typing import Any

import msgspec

from app.domain.errors import MalformedError, TooLargeError

MAX_DEPTH = 64
MAX_EXPONENT = 308
"""Decimal exponent of the largest number that an IEEE double holds."""
BEYOND_RANGE = "A number is beyond the range of a double"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
ESCAPED_QUOTE = rb"\u0022"


def objects_in(stated: object) -> list[dict[str, Any]]:
    """Return the objects among what should be a list of them, and may be anything."""
    members = stated if isinstance(stated, list) else []
    return [each for each in members if isinstance(each, dict)]


def read_json(body: bytes, *, max_bytes: int) -> dict[str, Any]:
    """
    Return the JSON object that *body* is, strictly.

    Integers become ``int``; numbers with a fraction or an exponent become ``Decimal``
    and so keep the precision that they were written with (FHIR's 1.10 is not 1.1).

    Raises:
        TooLargeError: *body* has more than *max_bytes* bytes.
        MalformedError: *body* is not UTF-8, not JSON (NaN and comments are not), not
            an object, names a member twice, nests deeper than ``MAX_DEPTH``, or has a
            number beyond the range of a double.
    """
    if len(body) > max_bytes:
        msg = f"The body is larger than {max_bytes} bytes"
        raise TooLargeError(msg)
    if body.startswith(BYTE_ORDER_MARK):
        msg = "The body starts with a byte order mark, which JSON does not allow"
        raise MalformedError(msg)
    document = _decode(body)
    if is_too_deep(body, document):
        raise _too_deep()
    if has_duplicate_names(body, document):
        msg = "A JSON object names the same member twice"
        raise MalformedError(msg)
    return document


def _decode(body: bytes) -> dict[str, Any]:
    """Decode, and translate each refusal into words that carry no input."""
    try:
        return _decoder().decode(body)
    except UnicodeDecodeError:
        msg = "The body is not UTF-8"
    except RecursionError:
        raise _too_deep() from None
    except InvalidOperation:
        msg = BEYOND_RANGE
    except msgspec.ValidationError:
        # In an object only an integer of thousands of digits has this error.
        is_object = body.lstrip().startswith(b"{")
        msg = BEYOND_RANGE if is_object else "The body must be one JSON object"
    except msgspec.DecodeError:
        msg = "The body is not valid JSON"
    raise MalformedError(msg) from None


@cache
def _decoder() -> msgspec.json.Decoder[dict[str, Any]]:
    return msgspec.json.Decoder(dict[str, Any], float_hook=_decimal)


@cache
def _encoder() -> msgspec.json.Encoder:
    return msgspec.json.Encoder(decimal_format="number")


def _decimal(text: str) -> Decimal:
    """Return a number as written; its size is bounded, so that printing it is too."""
    number = Decimal(text)
    if abs(number.adjusted()) > MAX_EXPONENT:
        raise InvalidOperation
    return number


def _too_deep() -> MalformedError:
    return MalformedError(f"The JSON nests deeper than {MAX_DEPTH} levels")


def is_too_deep(body: bytes, document: dict[str, Any]) -> bool:
    """Tell whether *document*, decoded from *body*, nests deeper than allowed."""
    if body.count(b"{") + body.count(b"[") <= MAX_DEPTH:
        return False
    level: list[Any] = [document]
    for _ in range(MAX_DEPTH):
        children = chain.from_iterable(
            node.values() if type(node) is dict else node for node in level
        )
        level = [node for node in children if type(node) is dict or type(node) is list]
        if not level:
            return False
    return True


def has_duplicate_names(body: bytes, document: dict[str, Any]) -> bool:
    r"""
    Tell whether an object in *body*, decoded as *document*, names a member twice.

    Decoding keeps the last of equal names. So a body that is the document written again
    lost nothing, and most bodies of machines are. In others a duplicate has lost
    quotation marks: the document written again has as many as the body exactly where
    nothing was lost. A quotation mark escaped as ``\u0022`` comes back as ``\"`` and
    would hide a loss, so there each object's pairs are compared instead.
    """
    written = _encoder().encode(document)
    if written == body:
        return False
    if ESCAPED_QUOTE in body:
        return has_duplicate_pairs(body)
    return body.count(b'"') != written.count(b'"')


def has_duplicate_pairs(body: bytes) -> bool:
    """Answer as ``has_duplicate_names`` does, slowly and for every body."""
    found = False

    def compare(pairs: list[tuple[str, Any]]) -> None:
        nonlocal found
        found = found or len(dict(pairs)) != len(pairs)

    json.loads(body, object_pairs_hook=compare, parse_int=str)
    return found
