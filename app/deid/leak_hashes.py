"""Hashes that can be made again from what stands beside them: no key was used."""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import permutations, product
from typing import Any

Json = Mapping[str, Any]

ALGORITHMS = ("md5", "sha1", "sha256", "sha512")
SEPARATORS = ("|", "", " ", "-", "_", ",", ":", ";", "^", "~")
ENDINGS = ("", "Test", "test", "TEST")
"""Parts that published recipes put last."""
MOST_PARTS = 40
"""Of one resource; what is hashed together is of one patient, not of a thousand."""


def remade(resource: Json, digests: Iterable[str]) -> frozenset[str]:
    """
    Return those of *digests* that are unkeyed hashes of what stands in *resource*.

    Tried are all its short texts by themselves, and first name, last name, birth date
    and sex, in any order, joined as is usual, in three cases.
    """
    wanted = {_canonical(digest): digest for digest in digests}
    found: set[str] = set()
    if wanted:
        for text in _recipes(resource):
            for form in _forms(text):
                if form in wanted:
                    found.add(wanted[form])
            if len(found) == len(wanted):
                break
    return frozenset(found)


def _canonical(digest: str) -> str:
    """Return a digest as ``_forms`` writes them."""
    is_hex = all(letter in "0123456789abcdefABCDEF" for letter in digest)
    return digest.lower() if is_hex else digest.rstrip("=")


def _forms(text: str) -> Iterator[str]:
    for name in ALGORITHMS:
        digest = hashlib.new(name, text.encode(), usedforsecurity=False).digest()
        yield digest.hex()
        yield base64.b64encode(digest).decode().rstrip("=")
        yield base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _recipes(resource: Json) -> Iterator[str]:
    """Yield what may have been hashed, the likely first."""
    firsts, lasts = _names(resource)
    births = list(_birth_dates(resource.get("birthDate")))
    sexes = [str(resource["gender"])] if "gender" in resource else []
    groups = [group for group in (firsts, lasts, births) if group]
    for size in range(len(groups), 0, -1):
        for order in permutations(groups, size):
            for parts in product(*order):
                yield from _joined(parts, (*ENDINGS, *sexes))
    for text in _texts(resource):
        yield from _cased(text)


def _joined(parts: tuple[str, ...], endings: Iterable[str]) -> Iterator[str]:
    for separator, ending in product(SEPARATORS, endings):
        text = separator.join([*parts, ending] if ending else parts)
        yield from _cased(text)


def _cased(text: str) -> Iterator[str]:
    yield from dict.fromkeys((text, text.lower(), text.upper()))


def _names(resource: Json) -> tuple[list[str], list[str]]:
    """Return the first and the last names of a person."""
    names = resource.get("name")
    stated = (
        [n for n in names if isinstance(n, dict)] if isinstance(names, list) else []
    )
    firsts: list[str] = []
    lasts: list[str] = []
    for name in stated:
        given = name.get("given")
        given = (
            [g for g in given if isinstance(g, str)] if isinstance(given, list) else []
        )
        firsts += [*given[:1], *([" ".join(given)] if len(given) > 1 else [])]
        if isinstance(name.get("family"), str):
            lasts.append(name["family"])
    return firsts[:4], lasts[:4]


def _birth_dates(stated: object) -> Iterator[str]:
    """Yield the ways in which a date of birth is written."""
    if not isinstance(stated, str) or not stated:
        return
    yield stated
    parts = stated.split("-")
    if len(parts) == len(("year", "month", "day")):
        year, month, day = parts
        yield from (f"{year}{month}{day}", f"{month}/{day}/{year}")
        yield f"{month}{day}{year}"


def _texts(resource: Json) -> list[str]:
    """Return the first texts of a resource that a hash may have been made of."""
    found: dict[str, None] = {}
    waiting: list[object] = [resource]
    while waiting and len(found) < MOST_PARTS:
        node = waiting.pop()
        if isinstance(node, dict):
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, str) and len(node) < MOST_PARTS:
            found[node] = None
    return list(found)
