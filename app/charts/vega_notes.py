"""What people said and decided, as marks on a control chart."""

from collections.abc import Iterable, Iterator, Sequence
from string import ascii_uppercase
from textwrap import shorten

import msgspec

from app.charts.descriptions import interval_label
from app.charts.lines import Phase
from app.charts.vega_layers import GREY, INK, WHITE, Spec
from app.domain.calendar import first_day
from app.domain.counts import Interval

MOST_NOTES = 6
"""More would hide the points; the rest is counted under the title."""
NOTE_LENGTH = 120
FLAG_HEIGHT = 16


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What was tried or said in a month: a month number, and a text about no person."""

    interval_start: int
    text: str


def lettered(notes: Iterable[Note]) -> list[tuple[str, Note]]:
    """Return the notes that are drawn, in time order, each with its letter."""
    ordered = sorted(notes, key=lambda note: note.interval_start)
    return [*zip(ascii_uppercase[:MOST_NOTES], ordered, strict=False)]


def note_lines(notes: Sequence[Note]) -> Iterator[str]:
    """Yield what the letters stand for, a line a note."""
    for letter, note in lettered(notes):
        when = interval_label(note.interval_start, Interval.MONTH)
        yield f"{letter}  {when}: {shorten(note.text, NOTE_LENGTH, placeholder=' …')}"
    if len(notes) > MOST_NOTES:
        yield f"and {len(notes) - MOST_NOTES} more"


def note_layers(notes: Sequence[Note]) -> Iterator[Spec]:
    """Yield a dotted line at each note's month, and a flag with its letter on top."""
    rows = [
        {"start": first_day(note.interval_start).isoformat(), "name": letter}
        for letter, note in lettered(notes)
    ]
    if not rows:
        return
    top = {"value": FLAG_HEIGHT / 2}
    yield _rule(rows, dash=[1, 3], color=INK)
    flag = {"type": "point", "shape": "square", "size": 190, "opacity": 1}
    yield {
        "data": {"values": rows},
        "mark": flag | {"fill": INK, "stroke": INK},
        "encoding": {"y": top},
    }
    yield {
        "data": {"values": rows},
        "mark": {"type": "text", "fontSize": 11, "color": WHITE, "baseline": "middle"},
        "encoding": {"y": top, "text": {"field": "name"}},
    }


def phase_layers(phases: Sequence[Phase], *, height: int) -> Iterator[Spec]:
    """Yield a line at the start of each phase but the first, and what it is."""
    rows = [
        {"start": first_day(phase.start).isoformat(), "name": "new level"}
        for phase in phases[1:]
    ]
    if not rows:
        return
    yield _rule(rows, dash=[6, 3], color=GREY)
    yield {
        "data": {"values": rows},
        "mark": {
            "type": "text", "align": "left", "dx": 4, "fontSize": 12, "color": GREY
        },
        "encoding": {"y": {"value": height - 22}, "text": {"field": "name"}},
    }  # fmt: skip


def _rule(rows: list[Spec], *, dash: list[int], color: str) -> Spec:
    return {
        "data": {"values": rows},
        "mark": {"type": "rule", "color": color, "strokeWidth": 1, "strokeDash": dash},
    }
