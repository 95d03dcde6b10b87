"""
What becomes of every element of FHIR R4 that a clinic may send: kept, changed, or gone.

The code that reads and builds decides by allow-lists of its own (``app.fhir.elements``,
``app.deid.records``); this is the same said in one place for those who must agree to
it. Tests hold it to R4's models and to what is stored.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache

import msgspec

from app.deid.element_table import PATHS, TYPES

LETTERS: dict[str, str] = {
    "A": "names",
    "B": "places smaller than a state",
    "C": "dates finer than a year, ages over 89",
    "D": "telephone numbers",
    "E": "fax numbers",
    "F": "e-mail addresses",
    "G": "social security numbers",
    "H": "medical record numbers",
    "I": "health plan beneficiary numbers",
    "J": "account numbers",
    "K": "certificate and license numbers",
    "L": "vehicle identifiers",
    "M": "device identifiers and serial numbers",
    "N": "web addresses",
    "O": "network addresses",
    "P": "biometric identifiers",
    "Q": "photographs",
    "R": "any other unique number, characteristic or code",
}
"""
The eighteen identifiers, by their letter in the law.

Source: 45 CFR 164.514(b)(2)(i).
"""


class Act(StrEnum):
    """What is done with an element; to refuse is to drop the whole resource."""

    KEEP = "keep"
    TRANSFORM = "transform"
    DROP = "drop"
    REFUSE = "refuse"

    @property
    def is_gone(self) -> bool:
        """Return whether nothing of the element is stored, nor of what is below it."""
        return self in {Act.DROP, Act.REFUSE}


class Decision(msgspec.Struct, frozen=True):
    """
    What is done with an element, and how or why.

    ``letters`` are those of HIPAA for what the element may hold; empty where none does.
    """

    act: Act
    letters: str
    how: str


PRIMITIVE = "primitive"
"""What stands beside a primitive element, under its name with ``_`` before it."""

SUMMARY = "Summary"
"""How paths call an Observation of a Group or Location, which is of no person."""

ROOTS: dict[str, str] = {
    "Observation": "Observation",
    SUMMARY: "Observation",
    "Condition": "Condition",
    "Encounter": "Encounter",
    "Patient": "Patient",
    "MeasureReport": "MeasureReport",
}
"""Where paths begin, and the type that each is of."""


@cache
def by_type() -> Mapping[str, Mapping[str, Decision]]:
    """Return the decision on each element of each type that is not dropped whole."""
    return _read(TYPES)


@cache
def by_path() -> Mapping[str, Mapping[str, Decision]]:
    """Return the decisions on what is below a path, where they differ."""
    return _read(PATHS)


def decision_on(name: str, *, of: str, at: str) -> Decision:
    """
    Return what is done with the element called *name*, as JSON calls it.

    Args:
        name: The element.
        of: The type that it is an element of; ``primitive`` for a ``_name``.
        at: The path of what it is in, without indices.

    Raises:
        KeyError: nothing was decided.
    """
    found = by_path().get(at, {}).get(name)
    return by_type()[of][name] if found is None else found


def page() -> str:
    """Return all decisions as a page in Markdown."""
    return "\n".join([_HEAD, *_letters(), *_sections()])


def _read(text: str) -> dict[str, dict[str, Decision]]:
    """Return rows by the names in the heading above them."""
    found: dict[str, dict[str, Decision]] = {}
    owners: list[str] = []
    for line in text.splitlines():
        if line.startswith(":"):
            owners = line.removeprefix(":").split()
        elif line:
            names, act, letters, how = line.split(" | ")
            decision = Decision(Act(act), letters.strip("-"), how)
            for owner in owners:
                found.setdefault(owner, {}).update(
                    dict.fromkeys(names.split(), decision)
                )
    return found


_HEAD = """\
# What becomes of every element

For the privacy officer of a clinic. A clinic sends FHIR R4; this page says of each
element whether it is stored. It is made of `app/deid/element_table.py` by
`catchment elements`, not written by hand. Tests hold it to two things: R4's own models
(no element is without a decision, and no decision without an element), and the code (a
token planted in every place that is dropped, at every depth, is in nothing that is
stored; a change of what is kept changes what is stored).

- **keep**: stored as it is, from a list of R4's or as a number.
- **transform**: stored in another form, and only in that form. An element with parts is
  never copied: it is built anew of those of its parts that are kept.
- **drop**: not stored. *All that stands below a dropped element is dropped with it*, so
  its parts are not listed.
- **refuse**: the whole resource is refused, and nothing of it is stored.

An element that R4 does not have is refused with its resource, and its name is not
repeated. Beside what is listed here one keyed hash of the whole content is stored, from
which nothing can be read, so that a delivery that comes twice counts once. Days are the
most that any policy keeps of a date.

`Summary` is an Observation of a Group or Location: a number about no person.
"""


def _letters() -> Iterator[str]:
    """Yield what HIPAA's letters stand for."""
    yield "## The letters"
    yield ""
    yield "What may stand in an element, by 45 CFR 164.514(b)(2)(i):"
    yield ""
    yield "; ".join(f"**{letter}** {name}" for letter, name in LETTERS.items()) + "."
    yield ""


def _sections() -> Iterator[str]:
    """Yield a table for each type, and after it where a path differs from it."""
    for type_, decisions in by_type().items():
        title = f"Beside any {type_} element (`_name`)" if type_ == PRIMITIVE else type_
        yield from _table(f"## {title}", decisions)
        for path, differing in by_path().items():
            if ROOTS.get(path.partition(".")[0]) == type_:
                yield from _table(f"### Below `{path}`", differing)


def _table(title: str, decisions: Mapping[str, Decision]) -> Iterator[str]:
    """Yield one table; elements in the order of their names."""
    yield from (
        title,
        "",
        "| element | what | letter | how or why |",
        "|---|---|---|---|",
    )
    for name, decision in sorted(decisions.items()):
        letters = decision.letters or "none"
        yield f"| `{name}` | {decision.act} | {letters} | {decision.how} |"
    yield ""
