"""What an author of definitions asks: is it right, what does it mean, does it hold."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from app.domain.errors import NotFoundError
from app.measures.definitions import Measure, json_schema
from app.measures.documents import Fault
from app.measures.explanations import compared_in, explain
from app.measures.libraries import (
    Definition,
    FaultyDefinitionError,
    Library,
    is_definition,
    read_library,
)
from app.measures.pages import pages, parse_meanings
from app.services.trials import failed_examples
from app.services.value_sets import code_faults

__all__ = ["Definition", "Fault", "Library", "is_definition"]


class SetLine(msgspec.Struct, frozen=True, kw_only=True):
    """A value set that a measure needs."""

    value_set: str
    version: str
    rules: str


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """
    A measure in words.

    ``compared_in`` is, by observable, the unit that its values are compared in.
    """

    id: str
    version: str
    title: str
    explanation: str
    value_sets: Sequence[SetLine]
    compared_in: Mapping[str, str]


def read(files: Mapping[str, str], *, beside: Library | None = None) -> Library:
    """Return the library of texts by their path, and of what stands *beside* it."""
    return read_library(files, beside=beside)


def faults_of(library: Library) -> list[Fault]:
    """Return all that is wrong with a library, its examples included."""
    return in_order([*library.faults, *code_faults(library), *_failed(library)])


def failed_of(library: Library) -> list[Fault]:
    """Return what keeps the worked examples from holding, or from being run."""
    return in_order([*library.faults, *_failed(library)])


def definition_in(library: Library, origin: str) -> Definition:
    """
    Return the definition of the file *origin*, or of the measure of that id.

    Raises:
        FaultyDefinitionError: it is wrong.
        NotFoundError: there is neither.
    """
    for definition in library.definitions:
        ids = {measure.id for measure in definition.measures}
        if origin not in {definition.document.origin, *ids}:
            continue
        if not definition.measures:
            raise FaultyDefinitionError(definition.faults)
        return definition
    msg = f"There is no file and no measure called {origin}"
    raise NotFoundError(msg)


def told(measure: Measure) -> Told:
    """Return a measure in words: what it means, and what it needs."""
    return Told(
        id=measure.id,
        version=measure.version,
        title=measure.title,
        explanation=explain(measure),
        value_sets=[
            SetLine(
                value_set=name,
                version=measure.value_set_versions[name],
                rules=str(len(rules)),
            )
            for name, rules in measure.value_sets.items()
        ],
        compared_in={n: compared_in(each) for n, each in measure.observables.items()},
    )


def pages_of(library: Library, *, meanings: str) -> dict[str, str]:
    """
    Return the page of each definition by file name, and an index of them.

    Args:
        library: What to tell of.
        meanings: What each code is, in our own words: CSV of code and meaning.
    """
    return pages(library.measures, parse_meanings(meanings))


def schema_text() -> str:
    """Return the JSON Schema of a definition."""
    encoded = msgspec.json.encode(json_schema())
    return msgspec.json.format(encoded, indent=2).decode()


def in_order(faults: Sequence[Fault]) -> list[Fault]:
    """Return faults as their files and lines come, each of them once."""
    return sorted(set(faults), key=lambda each: (each.origin, each.line, each.message))


def _failed(library: Library) -> Iterator[Fault]:
    for definition in library.definitions:
        yield from failed_examples(definition)
