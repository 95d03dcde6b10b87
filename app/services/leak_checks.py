"""Files of FHIR that calls itself de-identified, looked through for identifiers."""

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple

from app.deid.leak_kinds import KINDS, Basis, Kind, Severity
from app.deid.leaks import Finding, Terms, leaks_in
from app.fhir.element_names import element_names

__all__ = ["KINDS", "Basis", "Finding", "Kind", "Located", "Severity", "findings_in"]

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Located(NamedTuple):
    """A finding, and the line of the file on which its resource begins."""

    line: int
    finding: Finding


class Document(NamedTuple):
    """A JSON document, or bytes that are none (``value`` is None), from a line on."""

    line: int
    value: Any


def findings_in(
    lines: Iterable[bytes], *, basis: Basis, year: int
) -> Iterator[Located]:
    """
    Yield what can identify somebody in NDJSON, or in one JSON document.

    Of NDJSON no more than a line is held at a time. A list is taken as the resources
    in it. *year* is this one, by which ages are judged.
    """
    terms = Terms(basis, year, element_names())
    for document in documents_in(lines):
        value = document.value
        for resource in value if isinstance(value, list) else [value]:
            for finding in leaks_in(resource, terms):
                yield Located(document.line, finding)


def documents_in(lines: Iterable[bytes]) -> Iterator[Document]:
    """Yield each line's document, or the one that all lines make."""
    numbered = ((n, line) for n, line in enumerate(lines, 1) if line.strip())
    first = next(numbered, None)
    if first is None:
        return
    begin, text = first
    text = text.removeprefix(BYTE_ORDER_MARK)
    begun = _decoded(begin, text)
    if begun.value is not None:
        yield begun
        yield from (_decoded(*each) for each in numbered)
        return
    rest = list(numbered)
    whole = _decoded(begin, b"\n".join([text, *(line for _, line in rest)]))
    if whole.value is not None:
        yield whole
        return
    yield from (_decoded(*each) for each in chain([(begin, text)], rest))


def _decoded(line: int, text: bytes) -> Document:
    """Return JSON decoded; what is none, or nests too deep, is None."""
    try:
        return Document(line, json.loads(text))
    except (ValueError, RecursionError):
        return Document(line, None)
