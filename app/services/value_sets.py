"""Value sets of a library: what they hold, and whether another may take the place."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

import msgspec

from app.deid.codes import canonical_code
from app.disclosure.rare_codes import without_rare
from app.domain.errors import ConflictError, NotFoundError
from app.domain.terminology import NETWORK, Coding
from app.measures.checks import Path
from app.measures.definitions import SYSTEMS
from app.measures.documents import Document, Fault
from app.measures.libraries import (
    FaultyDefinitionError,
    Library,
    file_of,
    read_value_set,
)
from app.measures.misfits import nearest
from app.measures.value_sets import ValueSet, expanded, written
from app.store.concepts import all_concepts, people_by_concept
from app.store.sessions import ReadSession

__all__ = ["ValueSet", "file_of", "written"]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A value set in a list."""

    name: str
    version: str
    rules: str
    title: str


def check_place(value_set: ValueSet, there: str | None, *, origin: str) -> bool:
    """
    Return whether a set is new where the text *there* stands in its file.

    Raises:
        ConflictError: that version has other content, or a later one is there.
    """
    if there is None:
        return True
    found, faults = read_value_set(Document(there, origin=origin))
    if found is None:
        raise FaultyDefinitionError(faults)
    if found.version == value_set.version:
        if written(found) == written(value_set):
            return False
        msg = (
            f"{origin}: version {found.version} is here with other content:"
            " give the new content a new version (--version)"
        )
        raise ConflictError(msg)
    if found.order > value_set.order:
        msg = f"{origin}: version {found.version} is here, which is later"
        raise ConflictError(msg)
    return True


def code_faults(library: Library) -> Iterator[Fault]:
    """Yield the codes in a library's files that their systems could not have."""
    for name, document in library.set_documents.items():
        compose = library.value_sets[name].compose
        for word, parts in (("include", compose.include), ("exclude", compose.exclude)):
            for index, part in enumerate(parts):
                path: Path = ("compose", word, index)
                codes = [c.code for c in part.concept] or [f"{part.filter[0].prefix}"]
                for number, code in enumerate(codes):
                    if not _is_canonical(part.system, code):
                        where = (*path, "concept", number, "code")
                        yield document.fault(where, _not_a_code(part.system, code))
    for definition in library.definitions:
        data = {} if definition.stated is None else definition.document.data
        for name, rules in data.get("value_sets", {}).items():
            for index, rule in enumerate(rules):
                short, _, code = rule.removesuffix("*").partition("|")
                if not _is_canonical(SYSTEMS[short], code):
                    message = _not_a_code(SYSTEMS[short], code)
                    yield definition.document.fault(
                        ("value_sets", name, index), message
                    )


def find(library: Library, name: str) -> ValueSet:
    """Return a value set of a library, or refuse."""
    if name not in library.value_sets:
        hint = nearest(name, library.value_sets)
        msg = f"There is no value set called {name}{hint}"
        raise NotFoundError(msg)
    return library.value_sets[name]


def lines(value_sets: Mapping[str, ValueSet]) -> list[Line]:
    """Return value sets as lines of a list, by name."""
    return [
        Line(
            name=name,
            version=value_set.version,
            rules=str(len(value_set.rules)),
            title=value_set.title,
        )
        for name, value_set in sorted(value_sets.items())
    ]


def listable_concepts(session: ReadSession) -> dict[Coding, int]:
    """Return the ids of the codes that are met, but for those of few people."""
    listed = without_rare(people_by_concept(session))
    known = all_concepts(session)
    return {coding: number for coding, number in known.items() if coding in listed}


def known_codes(
    rules: Iterable[str], concepts: Mapping[Coding, int]
) -> dict[str, list[str]]:
    """Return, by the short name of its system, which known codes *rules* name."""
    codings = {number: coding for coding, number in concepts.items()}
    found = sorted(codings[number] for number in expanded(rules, concepts))
    short = {system: name for name, system in SYSTEMS.items()}
    return {
        short[system]: [coding.code for coding in of_system]
        for system, of_system in groupby(found, key=lambda coding: coding.system)
    }


def _is_canonical(system: str, code: str) -> bool:
    return system == NETWORK or canonical_code(system, code) == code


def _not_a_code(system: str, code: str) -> str:
    return f"`{code}` is no code of {system}: correct it, or leave it out"
