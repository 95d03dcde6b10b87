"""
A small part of FHIRPath: which nodes of a resource an expression may select.

``Type.path``, ``Resource.``, ``DomainResource.``, ``nodesByType('x')``,
``nodesByName('x')``, ``|``, ``as T``, ``ofType(T)`` and ``where(field = 'literal')``,
also joined by ``and``. What a ``where`` asks of content is not looked at, since a
policy is read without a resource: the selection is marked as one that may be.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

Node = tuple[str, str]
"""The name of an element and its type; of a resource both are its type."""
Chain = Sequence[Node]
"""A node and all that it is in, the resource first."""


class Term(NamedTuple):
    """One side of ``|``: its steps, and whether it depends on content."""

    steps: tuple["Step", ...]
    is_conditional: bool

    def selects(self, chain: Chain) -> bool:
        """Return whether it may select a node of *chain*."""
        found = {-1}
        for step in self.steps:
            found = {n for at in found for n in step(chain, at)}
        return bool(found)


Step = Callable[[Chain, int], list[int]]
"""From a place in a chain, -1 before it, to the places that are selected."""

_RESOURCES = frozenset({"Resource", "DomainResource"})
_STEP = re.compile(
    r"""
    (?P<call>nodesByType|nodesByName)\(\s*['"](?P<of>[A-Za-z0-9]+)['"]\s*\)
    | (?:ofType|as)\(\s*(?P<cast>[A-Za-z0-9]+)\s*\)
    | where\(\s*(?P<where>
        [A-Za-z.]+\s*=\s*'[^']*'(?:\s+and\s+[A-Za-z.]+\s*=\s*'[^']*')*)\s*\)
    | (?P<type>[A-Z][A-Za-z0-9]*)
    | (?P<name>[a-z][A-Za-z0-9]*)
    """,
    re.VERBOSE,
)
_AS = re.compile(r"\s+as\s+([A-Za-z0-9]+)\s*(?=\||$)")
_SPACE = re.compile(r"\s*")


def parse_path(text: str) -> tuple[Term, ...] | None:
    """Return the terms of an expression; None where it is not of the part above."""
    terms: list[Term] = []
    at = 0
    while True:
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]  # may be empty
        read = _term(text, at)
        if read is None:
            return None
        term, at = read
        terms.append(term)
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]  # may be empty
        if at == len(text):
            return tuple(terms)
        if text[at] != "|":
            return None
        at += 1


def _term(text: str, at: int) -> tuple[Term, int] | None:
    """Return the term that begins at a position, and where it ends."""
    steps: list[Step] = []
    is_conditional = False
    while True:
        match = _STEP.match(text, at)
        if match is None or (match["type"] and steps):
            return None
        is_conditional = is_conditional or match["where"] is not None
        if not steps and (match["where"] or match["cast"]):
            return None
        if not match["where"]:
            steps.append(_step(match, is_first=not steps))
        at = match.end()
        cast = _AS.match(text, at)
        if cast is not None:
            steps.append(_of_type(cast[1]))
            at = cast.end()
        elif text[at : at + 1] == ".":
            at += 1
            continue
        return Term(tuple(steps), is_conditional), at


def _step(match: re.Match[str], *, is_first: bool) -> Step:
    if match["call"]:
        place = 1 if match["call"] == "nodesByType" else 0
        return _below(match["of"], place=place)
    if match["cast"]:
        return _of_type(match["cast"])
    if match["type"]:
        return _root(match["type"])
    return _child(match["name"], is_first=is_first)


def _root(type_: str) -> Step:
    def select(chain: Chain, _at: int) -> list[int]:
        return [0] if type_ in _RESOURCES or chain[0][1] == type_ else []

    return select


def _child(name: str, *, is_first: bool) -> Step:
    """Return a step into an element; of an expression without a type, any type's."""

    def select(chain: Chain, at: int) -> list[int]:
        below = 1 if is_first else at + 1
        return [below] if below < len(chain) and chain[below][0] == name else []

    return select


def _below(word: str, *, place: int) -> Step:
    def select(chain: Chain, at: int) -> list[int]:
        return [n for n in range(at + 1, len(chain)) if chain[n][place] == word]

    return select


def _of_type(type_: str) -> Step:
    def select(chain: Chain, at: int) -> list[int]:
        return [at] if chain[at][1] == type_ else []

    return select
