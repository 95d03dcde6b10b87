"""
Tokens -> who is one person: the rule, and what becomes of a chain of links.

Two subjects of different clinics are *linked* where they share

====  ==================================================================================
3     the name in full: ``NAME``
2     one other strong token: ``UNSEXED``, ``SWAPPED`` or ``GIVEN``
1     two weak ones that say different things: one name in full (``FIRST``, or
      ``INITIAL``), and both names roughly (``SOUND`` or ``LETTERS``)
====  ==================================================================================

One weak token never links: twins have the same last name, date of birth and often sex,
so they share ``INITIAL`` where their first names begin alike, and no ``SOUND``. Two
whose middle names begin differently *contradict* each other, and are not linked.

Subjects that links connect are one person, unless among them are two of one clinic or
two that contradict each other: then nobody knows which links are wrong, and only those
stay together whom stronger links alone connect. So the outcome depends on the tokens
alone, and not on who came first.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import combinations

from app.domain.linkage import LinkageToken, Person, TokenKind

STRONG = frozenset({TokenKind.UNSEXED, TokenKind.SWAPPED, TokenKind.GIVEN})
ONE_NAME = frozenset({TokenKind.FIRST, TokenKind.INITIAL})
BOTH_NAMES = frozenset({TokenKind.SOUND, TokenKind.LETTERS})
FULL_NAME, ONE_STRONG, TWO_WEAK = 3, 2, 1


def link_between(one: Person, other: Person) -> int:
    """Return how strong the link of two subjects is, from 1 to 3; 0: there is none."""
    if not is_compatible(one, other):
        return 0
    kinds = {token.kind for token in one.tokens & other.tokens}
    if TokenKind.NAME in kinds:
        return FULL_NAME
    if kinds & STRONG:
        return ONE_STRONG
    return TWO_WEAK if kinds & ONE_NAME and kinds & BOTH_NAMES else 0


def is_compatible(one: Person, other: Person) -> bool:
    """Tell whether two subjects can be one person: of two clinics, no other middle."""
    if one.clinic_id == other.clinic_id:
        return False
    known, stated = _middles(one), _middles(other)
    return all(known[v] & stated[v] for v in known.keys() & stated.keys())


def clusters(people: Mapping[int, Person]) -> set[frozenset[int]]:
    """Return which of *people*, by subject, are one person; whoever is alone is not."""
    strengths = _links(people)
    found: dict[int, frozenset[int]] = {}
    for least in (FULL_NAME, ONE_STRONG, TWO_WEAK):
        enough = [pair for pair, strength in strengths.items() if strength >= least]
        for group in _connected(enough):
            if all(
                is_compatible(people[a], people[b]) for a, b in combinations(group, 2)
            ):
                found.update(dict.fromkeys(group, group))
    return set(found.values())


def _links(people: Mapping[int, Person]) -> dict[tuple[int, int], int]:
    """Return the strength of each pair that is linked."""
    holders: dict[LinkageToken, list[int]] = defaultdict(list)
    for subject, person in sorted(people.items()):
        for token in person.tokens:
            holders[token].append(subject)
    pairs = {pair for same in holders.values() for pair in combinations(same, 2)}
    rated = {(a, b): link_between(people[a], people[b]) for a, b in pairs}
    return {pair: strength for pair, strength in rated.items() if strength}


def _middles(person: Person) -> dict[int, set[bytes]]:
    """Return the tokens of middle names by key version."""
    found: dict[int, set[bytes]] = defaultdict(set)
    for kind, version, token in person.tokens:
        if kind is TokenKind.MIDDLE:
            found[version].add(token)
    return found


def _connected(pairs: Iterable[tuple[int, int]]) -> set[frozenset[int]]:
    """Return what *pairs* connect."""
    group_of: dict[int, set[int]] = {}
    for one, other in pairs:
        joined = group_of.get(one, {one}) | group_of.get(other, {other})
        group_of.update(dict.fromkeys(joined, joined))
    return {frozenset(group) for group in group_of.values()}
