"""What tells that patients of several clinics may be one person: keyed tokens only."""

from enum import IntEnum
from typing import NamedTuple


class TokenKind(IntEnum):
    """What of a Patient a token is made of; the numbers stand in the database."""

    NAME = 1
    """First and last name, date of birth, sex."""
    UNSEXED = 2
    """The same without the sex."""
    SWAPPED = 3
    """The same with day and month of the birth in either order."""
    GIVEN = 4
    """First and middle name, date of birth, sex: the last name may have changed."""
    FIRST = 5
    """First name, date of birth, sex."""
    INITIAL = 6
    """Last name, how the first begins, date of birth, sex."""
    SOUND = 7
    """How first and last name sound, date of birth, sex."""
    LETTERS = 8
    """The letters of first and last name in any order, date of birth, sex."""
    MIDDLE = 9
    """How the middle name begins, date of birth: it only ever speaks against a link."""


class LinkageToken(NamedTuple):
    """An HMAC-SHA256 (20 bytes) of normalised parts; nothing can be read from it."""

    kind: TokenKind
    key_version: int
    token: bytes


class Person(NamedTuple):
    """A subject that counts at a clinic, and all tokens of those that count for it."""

    clinic_id: int
    tokens: frozenset[LinkageToken]
