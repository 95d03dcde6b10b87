"""
A Patient -> linkage tokens: keyed hashes by which it may be known at another clinic.

Each is an HMAC-SHA256 of a kind and its normalised parts, under a key for linkage alone
that all clinics of the network share. A token is made only where every part of it is
known: there is none of a birth date without its day, nor of a name that stands for an
unknown one. It is never shown, and which parts a token is of can't be read from it.

What the tokens say is told by ``app.deid.clusters``; ``docs/privacy/linkage.md`` has it
in plain words.
"""

from collections.abc import Iterator
from datetime import date
from itertools import product

import msgspec

from app.deid.dates import kept_date
from app.deid.names import ComparedNames, beginning, compared_names, shuffled, sound
from app.deid.pseudonyms import ALIAS_BYTES, KeyRing, digest_under
from app.domain.calendar import MONTHS_A_YEAR, date_of_day
from app.domain.clinics import Source
from app.domain.identified import IdentifiedPatient
from app.domain.keeping import EVERYTHING
from app.domain.linkage import LinkageToken, TokenKind
from app.domain.records import Precision

STATED_SEXES = frozenset({"male", "female"})
UNKNOWN_BIRTHS = frozenset(
    {date(1900, 1, 1), date(1900, 12, 31), date(1901, 1, 1), date(1970, 1, 1)}
)
"""Days that systems fill in where none is known: the first ones of their calendars."""

_encode = msgspec.json.Encoder().encode

Part = tuple[TokenKind, tuple[str, ...]]
"""What a token is of."""


def linkage_tokens(
    patient: IdentifiedPatient, *, keys: KeyRing, source: Source
) -> tuple[LinkageToken, ...]:
    """Return the tokens of *patient* under each active key version, sorted."""
    birth = _birth(patient, source)
    if birth is None:
        return ()
    names = compared_names(patient.names)
    sex = patient.gender if patient.gender in STATED_SEXES else None
    parts = set(_parts(names, birth, sex))
    return tuple(
        sorted(
            LinkageToken(
                kind, version, digest_under(key, _encode([kind, *of]))[:ALIAS_BYTES]
            )
            for kind, of in parts
            for version, key in keys.of("linkage", "network").items()
        )
    )


def _birth(patient: IdentifiedPatient, source: Source) -> date | None:
    """Return the date of birth; None where its day is not known."""
    kept = kept_date(patient.birth_date, source=source, keeping=EVERYTHING)
    if kept is None or kept.precision is not Precision.DAY:
        return None
    born = date_of_day(kept.day)
    return None if born in UNKNOWN_BIRTHS else born


def _parts(names: ComparedNames, birth: date, sex: str | None) -> Iterator[Part]:
    """Yield what each token is of."""
    born = birth.isoformat()
    for _, middle in names.given:
        yield TokenKind.MIDDLE, (beginning(middle), born)
    for first, last in product(names.firsts, names.lasts):
        yield TokenKind.UNSEXED, (first, last, born)
        if sex is not None:
            yield from _of_both_names(first, last, birth, sex)
    if sex is None:
        return
    for first, middle in names.given:
        if len(middle) > 1:
            yield TokenKind.GIVEN, (first, middle, born, sex)
    for first in names.firsts:
        yield TokenKind.FIRST, (first, born, sex)


def _of_both_names(first: str, last: str, birth: date, sex: str) -> Iterator[Part]:
    """Yield what needs a first and a last name, a date of birth and a sex."""
    born = birth.isoformat()
    yield TokenKind.NAME, (first, last, born, sex)
    yield TokenKind.INITIAL, (last, sound(first)[:1], born, sex)
    yield TokenKind.SOUND, (sound(first), sound(last), born, sex)
    yield TokenKind.LETTERS, (shuffled(first), shuffled(last), born, sex)
    if birth.day <= MONTHS_A_YEAR and birth.day != birth.month:
        low, high = sorted((birth.day, birth.month))
        yield TokenKind.SWAPPED, (first, last, f"{birth.year}:{low}:{high}", sex)
