"""
What people write of their own practice, looked through for what names a patient.

A screen finds what has a form: an address of mail, a number, a full date. It knows no
name from a word, so what must not be written is said where people write
(``docs/tests-of-change.md``).
"""

import re
import unicodedata
from collections.abc import Iterator

from app.deid.leak_values import spoken_kinds

_MONTHS = (
    "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|"
    "mär|mai|okt|dez|ene|abr|ago|dic|fév|avr|juin|juil|aoû|déc"
)
_FORMS = {
    "e-mail": re.compile(r"\S@\S|\S\s?@\s?[\w\-]+\.\w"),
    "web-address": re.compile(r"(?i)://|\bwww\."),
    "number": re.compile(r"\d{5}"),
    "phone": re.compile(
        r"\+\s?\d[\d\s().\-/]{5,}\d"
        r"|(?<!\d)\(?\d{3}\)?[\s.\-/]{0,3}\d{3,4}(?:[\s.\-/]{1,3}\d{3,4})+(?!\d)"
        r"|(?<!\d)\d{3}[\s.\-]\d{4}(?!\d)"
    ),
    "date": re.compile(
        r"(?<!\d)(?:19|20)\d\d\s\d\d\s\d\d(?!\d)"
        r"|(?<!\d)\d{4}\s?[-/.]\s?\d{1,2}\s?[-/.]\s?\d{1,2}(?!\d)"
        r"|(?<!\d)\d{1,2}\s?[-/.]\s?\d{1,2}\s?[-/.]\s?(?:\d{4}|\d\d)(?!\d)"
        rf"|(?i:\b(?:{_MONTHS})[^\W\d]*\.?\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}})"
        rf"|(?i:(?<!\d)\d{{1,2}}(?:st|nd|rd|th|\.)?\s+(?:of\s+|de\s+)?"
        rf"(?:{_MONTHS})[^\W\d]*\.?,?\s+(?:de\s+)?\d{{4}})"
    ),
}


def identifying_kinds(text: str) -> Iterator[str]:
    """
    Yield the kinds of identifiers that stand in *text*, each once.

    Digits are read in any script, and marks that are not seen are passed over.
    """
    plain = unicodedata.normalize("NFKC", text)
    seen = "".join(c for c in plain if unicodedata.category(c) != "Cf")
    found = {kind for kind, form in _FORMS.items() if form.search(seen)}
    yield from sorted(found.union(spoken_kinds(seen)))
