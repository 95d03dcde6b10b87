r"""
Value sets: FHIR R4 ValueSet files -> rules, and rules -> the codes a database knows.

A rule is ``system|code``; ``system|prefix*``, a family of ICD codes; or one of these
after ``not``, which takes out what other rules put in. In a file a family is a filter
of the code itself, ``property`` code, ``op`` regex, ``value`` ``M08\.0.*``: what FHIR
has for "begins with", where ``is-a`` would ask a server for ICD's hierarchy. Only that
form is read, a prefix with its dot escaped and ``.*`` behind it, matched from the first
character to the last.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from app.domain.terminology import ICD_9_CM, ICD_10, ICD_10_CM, VALUE_SETS, Coding
from app.measures.checks import Path, Problem
from app.measures.definitions import SYSTEMS, Name, Text, Word, coding_of

WITHOUT = "not "
"""Before a rule: what it names is taken out, whatever puts it in."""
WITH_FAMILIES = frozenset({ICD_10_CM, ICD_10, ICD_9_CM})
"""The systems whose codes say by their first letters what they belong to."""
_SHORT = {system: short for short, system in SYSTEMS.items()}
_FAMILY = re.compile(r"([A-Z][0-9A-Z]*(?:\\\.[0-9A-Z]*)?|[0-9]+(?:\\\.[0-9]*)?)\.\*")

SetVersion = Annotated[str, Meta(pattern=r"^\d+(\.\d+){0,2}$", max_length=32)]
Code = Annotated[str, Meta(pattern=r"^[A-Za-z0-9.-]+$", max_length=64)]


class Concept(Word, frozen=True, kw_only=True, omit_defaults=True):
    """A code, and what its terminology calls it where the file says so."""

    code: Code
    display: Text | None = None


class Filter(Word, frozen=True, kw_only=True):
    """A family of codes by what their text begins with."""

    property_: Literal["code"] = field(default="code", name="property")
    op: Literal["regex"] = "regex"
    value: str

    @property
    def prefix(self) -> str | None:
        """Return what the codes of the family begin with; None in another form."""
        match = _FAMILY.fullmatch(self.value)
        return None if match is None else match[1].replace("\\", "")

    @classmethod
    def of(cls, prefix: str) -> "Filter":
        """Return the filter of the codes that begin with *prefix*."""
        return cls(value=f"{re.escape(prefix)}.*")


class Part(Word, frozen=True, kw_only=True, omit_defaults=True):
    """Codes of one system, listed or by a filter."""

    system: str
    concept: tuple[Concept, ...] = ()
    filter: Annotated[tuple[Filter, ...], Meta(max_length=1)] = ()

    @property
    def rules(self) -> tuple[str, ...]:
        """Return the rules of this part."""
        short = _SHORT[self.system]
        listed = (f"{short}|{concept.code}" for concept in self.concept)
        return (*listed, *(f"{short}|{each.prefix}*" for each in self.filter))


class Compose(Word, frozen=True, kw_only=True, omit_defaults=True):
    """What is in the set, less what is not."""

    include: Annotated[tuple[Part, ...], Meta(min_length=1)]
    exclude: tuple[Part, ...] = ()


class ValueSet(
    Word,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="resourceType",
    tag="ValueSet",
):
    """
    A FHIR R4 ValueSet, as far as definitions use one; definitions call it by its id.

    ``copyright`` and ``publisher`` are its maker's, whoever that is.
    """

    id: Name
    url: Text
    version: SetVersion
    name: Annotated[str, Meta(pattern="^[A-Z][A-Za-z0-9_]{0,254}$")]
    title: Text
    status: Literal["draft", "active", "retired", "unknown"]
    experimental: bool | None = None
    date: Text | None = None
    publisher: Text | None = None
    description: Text | None = None
    purpose: Text | None = None
    copyright: Text | None = None
    compose: Compose

    @property
    def rules(self) -> tuple[str, ...]:
        """Return the rules of the set, in an order that no file decides."""
        included = {rule for part in self.compose.include for rule in part.rules}
        excluded = {rule for part in self.compose.exclude for rule in part.rules}
        kept = {r for r in included if not any(_covers(e, r) for e in excluded)}
        needed = {e for e in excluded if any(_covers(r, e) for r in kept)}
        return (*sorted(kept), *(f"{WITHOUT}{rule}" for rule in sorted(needed)))

    @property
    def order(self) -> tuple[int, ...]:
        """Return the version as numbers: a later one is greater."""
        return tuple(map(int, self.version.split(".")))


def url_of(name: str) -> str:
    """Return the canonical URL of a set of the network's own."""
    return f"{VALUE_SETS}/{name}"


def written(value_set: ValueSet) -> str:
    """Return the canonical text of a set's file."""
    encoded = msgspec.json.encode(value_set)
    return msgspec.json.format(encoded, indent=2).decode() + "\n"


def problems_of(value_set: ValueSet) -> Iterator[Problem]:
    """Yield what is wrong with a set that its types cannot say."""
    for word in ("include", "exclude"):
        for index, part in enumerate(getattr(value_set.compose, word)):
            yield from _problems_of_part(part, ("compose", word, index))


def is_family_of_none(rule: str) -> bool:
    """Return whether *rule* asks for a family where the system knows of none."""
    system = SYSTEMS[rule.removeprefix(WITHOUT).partition("|")[0]]
    return rule.endswith("*") and system not in WITH_FAMILIES


def listed(rules: Iterable[str]) -> tuple[str, ...]:
    """Return the codes that *rules* name one by one."""
    return tuple(r for r in rules if not r.endswith("*") and not r.startswith(WITHOUT))


def expanded(rules: Iterable[str], concepts: Mapping[Coding, int]) -> list[int]:
    """Return the ids of the known *concepts* that *rules* name."""
    ids: set[int] = set()
    without: set[int] = set()
    for rule in rules:
        found = without if rule.startswith(WITHOUT) else ids
        found |= set(_known(rule.removeprefix(WITHOUT), concepts))
    return sorted(ids - without)


def _problems_of_part(part: Part, path: Path) -> Iterator[Problem]:
    """Yield what is wrong with the codes of one system."""
    if part.system not in _SHORT:
        known = ", ".join(_SHORT)
        yield Problem((*path, "system"), f"unknown code system; known are {known}")
    if bool(part.concept) == bool(part.filter):
        yield Problem(path, "give either the codes, as concept, or one filter")
    for each in part.filter:
        where = (*path, "filter", 0)
        if part.system not in WITH_FAMILIES:
            yield Problem(where, "only ICD has families: list the codes one by one")
        if each.prefix is None:
            message = r"write the first letters, a dot escaped, and `.*`: `M08\.0.*`"
            yield Problem((*where, "value"), message)


def _covers(rule: str, other: str) -> bool:
    """Return whether *rule* names all that *other* names."""
    family = rule.endswith("*")
    return other.startswith(rule[:-1]) if family else other == rule


def _known(rule: str, concepts: Mapping[Coding, int]) -> Iterator[int]:
    """Yield the ids of the known concepts of one rule."""
    wanted = coding_of(rule.removesuffix("*"))
    if not rule.endswith("*"):
        if wanted in concepts:
            yield concepts[wanted]
        return
    for known, number in concepts.items():
        if known.system == wanted.system and known.code.startswith(wanted.code):
            yield number
