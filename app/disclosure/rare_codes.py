"""Codes that few people have: a code alone may say who somebody is."""

from collections.abc import Mapping
from typing import TypeVar

RARE_BELOW = 11
"""People in the network, as CMS counts small cells; not an audience's to choose."""

K = TypeVar("K")


def is_rare(people: int) -> bool:
    """Return whether a code that so many *people* have is in no list for others."""
    return people < RARE_BELOW


def without_rare(codes: Mapping[K, int]) -> frozenset[K]:
    """Return those of *codes*, given with how many people have each, to be listed."""
    return frozenset(code for code, people in codes.items() if not is_rare(people))
