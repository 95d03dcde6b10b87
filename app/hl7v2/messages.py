"""
Bytes of one HL7 v2 message -> its segments, fields and parts.

The grammar only (HL7 v2.5.1, chapter 2.5-2.7): no version of the standard and no
message structure is asked for, since real senders keep to none.
"""

import re
from collections.abc import Iterator
from functools import partial
from typing import TypeAlias

import hl7
import msgspec
from typing_extensions import override

from app.domain.errors import InvalidElementError, MalformedError, NotSupportedError

READ = frozenset({"MSH", "PID", "PV1", "ORC", "OBR", "OBX"})
"""The segments that are looked at; of the others not even their form matters."""
USUAL = r"^~\&"
"""Delimiters of component, repetition, escape and subcomponent, as most state them."""
NULL = '""'
"""Says that a field is to be emptied (chapter 2.5.3), so it is empty."""

Part: TypeAlias = tuple[str, ...]
"""A component as its subcomponents, escapes undone."""

_LINE_ENDS = re.compile(rb"\r\n|\r|\n")
_HEADER = re.compile(r"MSH([^A-Za-z0-9\s])([^A-Za-z0-9\s]{1,5}?)(?:\1.*)?", re.DOTALL)
_CODECS = {
    "ASCII": "ascii",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "UNICODE": "utf-8",
} | {f"8859/{part}": f"iso8859-{part}" for part in (*range(1, 12), 13, 14, 15)}
"""HL7 table 0211, as far as the delimiters are single bytes of ASCII in it."""
_CONTROL_ID = re.compile(r"[ -~]{0,199}")


class Element(msgspec.Struct, frozen=True):
    """One repetition of a field; parts and subparts count from 1, as HL7's do."""

    parts: tuple[Part, ...]

    def text(self, part: int = 1, subpart: int = 1) -> str:
        """Return a part without blanks around it; empty where there is none."""
        subparts = self.subparts(part)
        text = subparts[subpart - 1].strip() if subpart <= len(subparts) else ""
        return "" if text == NULL else text

    def subparts(self, part: int) -> Part:
        """Return a component's subcomponents."""
        return self.parts[part - 1] if part <= len(self.parts) else ()

    @property
    def is_empty(self) -> bool:
        """Return whether nothing stands in it."""
        return not any(self.text(n + 1) for n in range(len(self.parts)))

    @override
    def __repr__(self) -> str:
        """Tell nothing of a patient's."""
        return "Element()"


NOTHING = Element(())


class Segment(msgspec.Struct, frozen=True):
    """A segment; ``place`` is its name and which one of that name it is."""

    name: str
    place: str
    fields: tuple[tuple[Element, ...], ...]

    def repetitions(self, field: int) -> tuple[Element, ...]:
        """Return those repetitions of a field in which something stands."""
        stated = self.fields[field] if field < len(self.fields) else ()
        return tuple(each for each in stated if not each.is_empty)

    def first(self, field: int) -> Element:
        """Return the first of them, which is empty where there is none."""
        return next(iter(self.repetitions(field)), NOTHING)

    def text(self, field: int, part: int = 1) -> str:
        """Return a part of a field's first repetition."""
        return self.first(field).text(part)

    def at(self, field: int) -> str:
        """Return how a field of it is called in what is told."""
        return f"{self.place}-{field}"

    @override
    def __repr__(self) -> str:
        """Tell nothing of a patient's."""
        return f"Segment({self.place})"


class Message(msgspec.Struct, frozen=True):
    """The segments of a message that are read, its header first."""

    segments: tuple[Segment, ...]

    @property
    def header(self) -> Segment:
        """Return the MSH."""
        return self.segments[0]


def parse_message(body: bytes) -> Message:
    r"""
    Return the message that *body* is; its lines may end in ``\r``, ``\n`` or both.

    Raises:
        MalformedError: it begins with no header, or has another one.
        NotSupportedError: it is in a character set that is not read.
        InvalidElementError: it is not in the character set that it says.
    """
    lines = [line for line in _LINE_ENDS.split(body.strip()) if line]
    kept = [line for line in lines if line[:3].decode("latin-1") in READ]
    if not kept or lines[0][:3] != b"MSH":
        msg = "A message begins with MSH"
        raise MalformedError(msg, expression="MSH")
    if any(line[:3] == b"MSH" for line in kept[1:]):
        msg = "A message has one MSH; others are to come by themselves"
        raise MalformedError(msg, expression="MSH")
    codec = _codec(kept[0], body)
    try:
        text = "\r".join(line.decode(codec) for line in kept)
    except UnicodeDecodeError:
        msg = "The message is not in this character set"
        raise InvalidElementError(msg, expression="MSH-18") from None
    if not _delimiters(text.partition("\r")[0]):
        msg = "The delimiters are not signs that differ"
        raise MalformedError(msg, expression="MSH-2")
    return Message(tuple(_segments(hl7.parse(text), codec)))


def header_of(body: bytes) -> bytes:
    """Return the first line of a message, which may be cut off."""
    return _LINE_ENDS.split(body.strip(), maxsplit=1)[0]


def control_id_of(body: bytes) -> str:
    """
    Return MSH-10, by which a sender knows its message, of whatever can't be read else.

    Empty where it is none: beyond plain ASCII, of more than 199 characters (v2.7; 20
    before), or with a delimiter in it.
    """
    header = header_of(body)
    stated = _header_field(header, 10)
    is_one = _CONTROL_ID.fullmatch(stated) and not set(stated) & set(rf"|{USUAL}")
    return stated if is_one and _delimiters(header.decode("latin-1")) else ""


def _header_field(header: bytes, number: int) -> str:
    """Return a field of a header that is not decoded yet; its separator is MSH-1."""
    fields = header.split(header[3:4]) if len(header) > len("MSH") else []
    return fields[number - 1].decode("latin-1").strip() if number <= len(fields) else ""


def _codec(header: bytes, body: bytes) -> str:
    """Return Python's name of the character set in MSH-18, or of what it looks like."""
    first = re.split(r"[~^]", _header_field(header, 18))[0].strip().upper()
    if first in {"", NULL}:
        return "utf-8" if _is_utf_8(body) else "latin-1"
    codec = _CODECS.get(first)
    if codec is None:
        msg = "Messages in this character set are not read; send UNICODE UTF-8"
        raise NotSupportedError(msg, expression="MSH-18")
    return codec


def _is_utf_8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _delimiters(header: str) -> str:
    """Return the signs that tell parts apart; none where nothing could be."""
    match = _HEADER.fullmatch(header)
    if match is None:
        return ""
    signs: str = match[1] + match[2] + USUAL[len(match[2]) :]
    return signs if len(set(signs)) == len(signs) else ""


def _segments(parsed: hl7.Message, codec: str) -> Iterator[Segment]:
    """Yield the library's containers as ours, of equal depth everywhere."""
    seen: dict[str, int] = {}
    undo = partial(
        unescaped,
        escape=parsed.esc,
        delimiters=parsed.separators[1:],
        codec=codec,
    )
    for segment in parsed:
        name = str(segment[0])
        seen[name] = seen.get(name, 0) + 1
        is_header = name == "MSH"
        yield Segment(
            name,
            name if is_header else f"{name}[{seen[name]}]",
            tuple(
                tuple(
                    Element(
                        tuple(
                            tuple(
                                undo(str(subpart))
                                for subpart in _below(part, hl7.Component)
                            )
                            for part in _below(repetition, hl7.Repetition)
                        )
                    )
                    for repetition in _below(field, hl7.Field)
                )
                if not is_header or number > 2  # noqa: PLR2004  (delimiters themselves)
                else ()
                for number, field in enumerate(segment)
            ),
        )


def _below(node: object, kind: type[list[object]]) -> list[object]:
    """Return what a container holds; the library leaves out levels of single texts."""
    return list(node) if isinstance(node, kind) else [node]


def unescaped(text: str, *, escape: str, delimiters: str, codec: str) -> str:
    r"""
    Return *text* with its escape sequences undone (HL7 v2.5.1, chapter 2.7).

    *delimiters* are those of field, repetition, component and subcomponent.
    Highlighting goes, ``\.br\`` is a new line, ``\Xhh..\`` bytes; what is no sequence
    stays. (The library's own function logs the field that it can't read.)
    """
    if escape not in text:
        return text
    field, repetition, component, subcomponent = tuple(delimiters)
    plain = {
        "F": field,
        "R": repetition,
        "S": component,
        "T": subcomponent,
        "E": escape,
        "H": "",
        "N": "",
        ".br": "\n",
    }

    def meant(match: re.Match[str]) -> str:
        sequence = match[1]
        if re.fullmatch(r"X(?:[0-9A-Fa-f]{2})+", sequence):
            return bytes.fromhex(sequence[1:]).decode(codec, "replace")
        return plain.get(sequence, match[0])

    mark = re.escape(escape)
    return re.sub(f"{mark}([^{mark}]*){mark}", meant, text)
