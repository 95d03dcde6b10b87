"""
A ConceptMap -> keyed digests of local codes, and the listed codes they count as.

Only what is true of every record with the local code is taken: a target that means the
same, or more. One that means less would say of a person what nobody found.

Source: FHIR R4, CodeSystem concept-map-equivalence.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from app.deid.codes import listed_coding, system_of
from app.deid.pseudonyms import KeyRing, local_codings
from app.domain.clinics import Source
from app.domain.errors import InvalidCodeError
from app.domain.identified import StatedCoding, StatedMapping
from app.domain.terminology import Coding

HOLDING = frozenset({"equal", "equivalent", "wider", "subsumes"})
"""Equivalences by which what is of the source is of the target too."""
WITHOUT_TARGET = frozenset({"unmatched", "disjoint"})


class Skipped(StrEnum):
    """Why a mapping is not used."""

    NO_TARGET = "without a target"
    NOT_HOLDING = "whose target does not hold of every source (R4: narrower, inexact)"
    CONDITIONAL = "that hold only beside other codes (dependsOn)"
    LISTED = "of codes of a listed system, which are kept as they are"


class Mapped(msgspec.Struct, frozen=True, order=True):
    """A local code's digest under one key version, and what it counts as."""

    digest: str
    key_version: int
    target: Coding


class KeyedMap(msgspec.Struct, frozen=True):
    """
    What is kept of a ConceptMap, each local code under every active key version.

    ``codes`` is how many local codes are mapped.
    """

    mapped: frozenset[Mapped]
    codes: int
    skipped: Counter[Skipped]


def keyed_map(
    stated: Iterable[StatedMapping],
    *,
    keys: KeyRing,
    source: Source,
    network_codes: frozenset[str],
) -> KeyedMap:
    """
    Return what is kept of the mappings for one source.

    Raises:
        InvalidCodeError: A target is no code of a listed system, in its syntax.
    """
    mapped: set[Mapped] = set()
    skipped: Counter[Skipped] = Counter()
    digests: set[str] = set()
    for each in stated:
        target = usable_target(each, network_codes=network_codes)
        if isinstance(target, Skipped):
            skipped[target] += 1
            continue
        system, code = system_of(each.source.system), each.source.code
        under_each = local_codings(system, code, keys=keys, source=source)
        digests.add(under_each[0].code)
        mapped.update(
            Mapped(local.code, version, target)
            for version, local in zip(keys.versions, under_each, strict=True)
        )
    return KeyedMap(frozenset(mapped), len(digests), skipped)


def usable_target(
    stated: StatedMapping, *, network_codes: frozenset[str]
) -> Coding | Skipped:
    """
    Return what a mapping lets its code count as, or why it is not used.

    Raises:
        InvalidCodeError: The target is no code of a listed system, in its syntax.
    """
    if stated.target is None or stated.equivalence in WITHOUT_TARGET:
        return Skipped.NO_TARGET
    if listed_coding(stated.source, network_codes=network_codes) is not None:
        return Skipped.LISTED
    if stated.equivalence not in HOLDING:
        return Skipped.NOT_HOLDING
    if stated.is_conditional:
        return Skipped.CONDITIONAL
    target = listed_coding(stated.target, network_codes=network_codes)
    if target is None:
        msg = "Not a code of a listed system, in that system's syntax"
        raise InvalidCodeError(msg, expression=stated.element)
    return target


class Standing(StrEnum):
    """What a hub makes of a code: kept as it is, translated, or a digest alone."""

    LISTED = "listed"
    MAPPED = "mapped"
    UNKNOWN = "unknown"


Clear = tuple[str | None, str]
"""A system and a code as a clinic has them: for the clinic's own eyes."""


def clear_code(stated: StatedCoding) -> Clear:
    """Return a code under the URI of its system."""
    return system_of(stated.system), stated.code


def clear_targets(
    stated: Iterable[StatedMapping], *, network_codes: frozenset[str]
) -> dict[Clear, tuple[Coding, ...]]:
    """
    Return what a map lets each of a clinic's codes count as.

    Raises:
        InvalidCodeError: A target is no code of a listed system, in its syntax.
    """
    found: dict[Clear, set[Coding]] = {}
    for each in stated:
        target = usable_target(each, network_codes=network_codes)
        if isinstance(target, Coding):
            found.setdefault(clear_code(each.source), set()).add(target)
    return {code: tuple(sorted(targets)) for code, targets in found.items()}


def standing_of(
    stated: StatedCoding,
    targets: Mapping[Clear, tuple[Coding, ...]],
    *,
    network_codes: frozenset[str],
) -> Standing:
    """Return what a hub with such a map would make of a code."""
    if listed_coding(stated, network_codes=network_codes) is not None:
        return Standing.LISTED
    return Standing.MAPPED if clear_code(stated) in targets else Standing.UNKNOWN
