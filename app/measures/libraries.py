"""
Texts of definitions and value sets -> measures, or all that is wrong with them.

A library is a folder: definitions as ``*.yaml``, value sets as ``value_sets/*.json``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TypeVar

import msgspec

from app.domain.counts import Basis
from app.measures.checks import Path, Problem, leaves, problems
from app.measures.cut_off_sets import variants
from app.measures.definitions import LOADED, Measure, MeasureDefinitionError
from app.measures.documents import Document, Fault
from app.measures.facts import canonical_units
from app.measures.misfits import misfits, nearest
from app.measures.ranges import RANGES
from app.measures.unit_checks import growth_problems, unit_problems
from app.measures.value_sets import ValueSet, is_family_of_none, problems_of

SETS = "value_sets"
"""The folder of a library that has its value sets."""
SET_SUFFIX = ".json"
_SETS_ONCE = "value_sets.yaml"
_NO_DEFINITION = "no definition here: a measure is a mapping that begins with `id:`"
_Kind = TypeVar("_Kind", Measure, ValueSet)


class FaultyDefinitionError(MeasureDefinitionError):
    """Definitions or value sets are wrong: every fault with its file and line."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """
    A file's text, and the measures that it defines: none where it is wrong.

    With several cut-off sets they are several, that of the default set first.
    """

    document: Document
    stated: Measure | None = None
    measures: tuple[Measure, ...] = ()
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """
    Definitions and the value sets they share, as far as they can be read.

    ``set_documents`` are the texts of the sets whose files are among those read.
    """

    definitions: tuple[Definition, ...] = ()
    value_sets: Mapping[str, ValueSet]
    set_documents: Mapping[str, Document]
    faults: tuple[Fault, ...] = ()

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Return all measures that the definitions define."""
        return tuple(m for d in self.definitions for m in d.measures)


def parse_library(files: Mapping[str, str]) -> tuple[Measure, ...]:
    """
    Return the measures of a library: its files' texts by path within the folder.

    Raises:
        FaultyDefinitionError: A definition or value set is wrong, or they do not fit
            together.
    """
    library = read_library(files)
    if library.faults:
        raise FaultyDefinitionError(library.faults)
    return library.measures


def parse_measures(
    text: str, *, origin: str, shared: Mapping[str, ValueSet]
) -> tuple[Measure, ...]:
    """
    Return the measures that YAML *text* defines, with the value sets they use.

    They are several where the definition has several cut-off sets.

    Args:
        text: One definition.
        origin: Where it came from, for messages.
        shared: Value sets by name; the definition's own go before them.

    Raises:
        FaultyDefinitionError: It is not of the language; the message says where.
    """
    definition = read_definition(text, origin=origin, shared=shared)
    if definition.faults:
        raise FaultyDefinitionError(definition.faults)
    return definition.measures


def read_library(files: Mapping[str, str], *, beside: Library | None = None) -> Library:
    """
    Return the library of *files*, and everything that is wrong with it.

    Args:
        files: Texts by path within the folder: ``x.yaml``, ``value_sets/x.json``.
        beside: A library whose value sets and measures these may speak of too.
    """
    value_sets = {} if beside is None else dict(beside.value_sets)
    documents: dict[str, Document] = {}
    faults: list[Fault] = []
    for origin, text in sorted(files.items()):
        if is_value_set(origin):
            document = Document(text, origin=origin)
            found, wrong = read_value_set(document)
            faults += wrong
            if found is not None:
                value_sets[found.id] = found
                documents[found.id] = document
    definitions = tuple(
        read_definition(text, origin=origin, shared=value_sets)
        for origin, text in sorted(files.items())
        if is_definition(origin)
    )
    faults += [fault for each in definitions for fault in each.faults]
    others = () if beside is None else beside.measures
    faults += _relation_faults(definitions, others)
    faults += _unit_faults(definitions, others)
    return Library(
        definitions=definitions,
        value_sets=value_sets,
        set_documents=documents,
        faults=tuple(faults),
    )


def is_value_set(origin: str) -> bool:
    """Return whether a file of a library is a value set, not a definition."""
    return origin.endswith(SET_SUFFIX)


def is_definition(origin: str) -> bool:
    """Return whether a file of a library defines measures, not what values can be."""
    return not is_value_set(origin) and origin.rpartition("/")[2] != RANGES


def read_definition(
    text: str, *, origin: str, shared: Mapping[str, ValueSet]
) -> Definition:
    """Return what YAML *text* defines, or all that is wrong with it."""
    document = Document(text, origin=origin)
    found: list[Problem] = []
    stated = None
    if origin.rpartition("/")[2] == _SETS_ONCE:
        message = f"value sets are FHIR files in {SETS}/: see `catchment valueset`"
        return Definition(document=document, faults=(document.fault((), message),))
    if not document.faults and not isinstance(document.data, dict):
        found = [Problem((), _NO_DEFINITION)]
    elif not document.faults:
        found = [*_loaded(document), *misfits(document.data, Measure)]
    if not document.faults and not found:
        bare = _converted(document, Measure)
        stated = _with_value_sets(bare, shared)
        found = [
            *_families(bare),
            *problems(stated),
            *unit_problems(stated),
            *growth_problems(stated),
        ]
    located = (document.fault(problem.path, problem.message) for problem in found)
    faults = (*document.faults, *sorted(dict.fromkeys(located), key=attrgetter("line")))
    if faults or stated is None:
        return Definition(document=document, faults=faults)
    return Definition(document=document, stated=stated, measures=variants(stated))


def read_value_set(document: Document) -> tuple[ValueSet | None, tuple[Fault, ...]]:
    """Return the value set in a file's JSON, or what is wrong with it."""
    if document.faults:
        return None, document.faults
    found = list(misfits(document.data, ValueSet))
    value_set = None
    if not found:
        value_set = _converted(document, ValueSet)
        found = list(problems_of(value_set))
        if document.origin.rpartition("/")[2] != file_of(value_set.id):
            message = f"its file must be called {file_of(value_set.id)}: rename one"
            found.append(Problem(("id",), message))
    faults = tuple(document.fault(path, message) for path, message in found)
    return (None if faults else value_set), faults


def file_of(name: str) -> str:
    """Return what the file of a value set is called."""
    return f"{name}{SET_SUFFIX}"


def _converted(document: Document, kind: type[_Kind]) -> _Kind:
    """Return a document's data as the *kind* that they are known to be."""
    return msgspec.convert(document.data, kind)


def _loaded(document: Document) -> Iterator[Problem]:
    """Refuse the fields that a definition has but no text may set."""
    for name in LOADED:
        if isinstance(document.data, dict) and name in document.data:
            yield Problem((name,), f"`{name}` is not for a file to say: leave it out")


def _families(measure: Measure) -> Iterator[Problem]:
    """Let a definition's own sets have families of ICD codes only."""
    for name, rules in measure.value_sets.items():
        for index, rule in enumerate(rules):
            if is_family_of_none(rule):
                message = (
                    f"only ICD has families: list the codes of `{name}` one by one"
                )
                yield Problem(("value_sets", name, index), message)


def _with_value_sets(measure: Measure, shared: Mapping[str, ValueSet]) -> Measure:
    """Return *measure* with the rules and versions of all sets that it names."""
    named = sorted(_named(measure))
    own = {
        name: measure.value_sets[name] for name in named if name in measure.value_sets
    }
    others = {n: shared[n] for n in named if n in shared and n not in own}
    rules = {name: value_set.rules for name, value_set in others.items()}
    versions = {name: value_set.version for name, value_set in others.items()}
    return msgspec.structs.replace(
        measure,
        value_sets=dict(sorted({**own, **rules}.items())),
        value_set_versions=dict(
            sorted({**dict.fromkeys(own, measure.version), **versions}.items())
        ),
    )


def _named(measure: Measure) -> set[str]:
    """Return the names of the value sets that *measure* uses."""
    names = {
        leaf.condition
        for predicate in measure.predicates.values()
        for leaf in leaves(predicate)
    }
    names |= {observable.codes for observable in measure.observables.values()}
    for stratifier in measure.stratifiers.values():
        names |= set((stratifier.condition or {}).values())
    if measure.index is not None:
        names.add(measure.index.condition)
    if measure.summary is not None:
        names |= {measure.summary.events, measure.summary.exposure}
    if measure.basis is not Basis.SUMMARIES:
        names.add(measure.visit_classes)
    return {name for name in names if name is not None}


def _relation_faults(
    definitions: Sequence[Definition], others: Iterable[Measure]
) -> Iterator[Fault]:
    """Yield where two have one id, or one is related to none, or to itself."""
    origins: dict[str, str] = {}
    for definition in definitions:
        for measure in definition.measures:
            first = origins.setdefault(measure.id, definition.document.origin)
            if first != definition.document.origin:
                message = f"`{measure.id}` is the id of {first} too: rename one"
                yield definition.document.fault(("id",), message)
    known = {*origins, *(measure.id for measure in others)}
    stated = {each.stated.id: each.stated for each in definitions if each.stated}
    for definition in definitions:
        for path, other in _related(definition.stated):
            if other not in known:
                message = f"there is no measure `{other}` here{nearest(other, known)}"
                yield definition.document.fault(path, message)
            elif definition.stated and _leads(other, definition.stated.id, stated):
                message = f"this leads by `{other}` back to itself: take one out"
                yield definition.document.fault(path, message)


def _related(measure: Measure | None) -> Iterator[tuple[Path, str]]:
    """Yield the measures that a definition is related to, and where it says so."""
    for word in ("subset_of", "sum_of"):
        for index, other in enumerate(getattr(measure, word, ())):
            yield (word, index), other


def _leads(first: str, last: str, stated: Mapping[str, Measure]) -> bool:
    """Return whether relations lead from the measure *first* to *last*."""
    met: set[str] = set()
    ahead = [first]
    while ahead:
        met.add(here := ahead.pop())
        ahead += [n for _, n in _related(stated.get(here)) if n not in met]
    return last in met


def _unit_faults(
    definitions: Iterable[Definition], others: Iterable[Measure]
) -> Iterator[Fault]:
    """Yield where two definitions want one code in different units."""
    ids = {measure.id for each in definitions for measure in each.measures}
    agreed = [measure for measure in others if measure.id not in ids]
    for definition in definitions:
        try:
            canonical_units([*agreed, *definition.measures])
        except MeasureDefinitionError as error:
            yield definition.document.fault(("observables",), error.message)
        else:
            agreed += definition.measures
