"""What can identify somebody in FHIR that says it does not: kinds of findings."""

from enum import IntEnum, StrEnum

import msgspec


class Severity(IntEnum):
    """How sure it is that somebody can be identified by what was found."""

    NONE = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3


class Basis(StrEnum):
    """By which rule the data are said to be de-identified."""

    SAFE_HARBOR = "safe-harbor"
    LIMITED_DATA_SET = "limited-data-set"


class Kind(msgspec.Struct, frozen=True):
    """
    A kind of finding.

    ``letter`` is HIPAA's for the identifier; empty where none is meant. ``in_limited``
    is how bad it is in a limited data set, which may keep dates and places.
    """

    name: str
    letter: str
    severity: Severity
    in_limited: Severity
    advice: str

    def severity_under(self, basis: Basis) -> Severity:
        """Return how bad it is under a legal basis."""
        is_limited = basis is Basis.LIMITED_DATA_SET
        return self.in_limited if is_limited else self.severity


_TABLE = """
name | A | high | high | drop it
display-of-reference | A | high | high | drop it: people and places are named here
display | A | low | low | drop it, or use a terminology's own label
display-local | A | medium | medium | drop it: names were seen in local displays
free-text | A | high | high | drop it: free text can hold anything
text | A | medium | medium | drop it, or use a terminology's own label
street | B | high | high | drop it
town | B | high | none | drop it; keep no more than the state and a ZIP3
zip5 | B | high | none | cut it to its first three digits, if populated; else 000
zip-plus-4 | B | high | none | drop it: the last four digits are one block
zip3-restricted | B | high | none | write 000: too few people live there
postal-code | B | medium | none | drop it: it is no ZIP code
state | B | medium | medium | drop it: it is no state
position | B | high | high | drop it
place | B | medium | medium | drop it: it is smaller than a state
birth-date | C | high | none | cut it to the year
birth-year | C | high | none | drop it: the year tells an age over 89
age | C | high | none | put all of 90 and over in one group
date | C | high | none | cut it to the year
time-of-day | C | high | low | cut it to the year, in the local zone first
written-at | C | low | low | drop it, unless the de-identifying server wrote it
phone | D | high | high | drop it
fax | E | high | high | drop it
e-mail | F | high | high | drop it
ssn | G | high | high | drop it
medical-record | H | high | high | drop it, or put a keyed hash in its place
beneficiary | I | high | high | drop it
account | J | high | high | drop it
license | K | high | high | drop it
device | M | high | high | drop it
web-address | N | medium | medium | drop it: the address names a site
profile | N | low | low | drop it: the address of a profile may name a site
network-address | O | high | high | drop it
sampled-data | P | medium | medium | drop it: a curve or a voice is like a fingerprint
photograph | Q | high | high | drop it
attachment | Q | high | high | drop it: a document holds what it was written for
identifier | R | high | high | drop it, or put a keyed hash in its place
element-id | R | low | low | drop it: no one refers to it
raw-id | R | medium | medium | use a keyed hash: it looks like a source's
unkeyed-hash | R | high | high | use a key: it was made again from what is here
hash | R | medium | medium | looks like an unkeyed hash; show that it is keyed
uuid-of-name | R | medium | medium | it is an unkeyed hash of a name; use a key
uuid-of-time | O | medium | medium | it holds a time and a network address
local-code | R | medium | medium | map it, or put a keyed hash in its place
not-a-code | R | medium | medium | drop it: no such code, so maybe free text
identifier-system | N | low | low | drop it: the address may name a site
contained | A | medium | medium | drop it: whole resources of other people and places
extension | R | low | low | drop it, or allow it by its url
unknown-element | R | medium | medium | drop it: FHIR has no such element
false-claim | - | medium | medium | take the label off, or what was found out
not-json | - | high | high | it was not read: what stands in it nobody knows
"""


def _read(text: str) -> dict[str, Kind]:
    """Return the kinds by name."""
    kinds = {}
    for line in text.split("\n")[1:-1]:
        name, letter, severity, in_limited, advice = line.split(" | ")
        kinds[name] = Kind(
            name,
            letter.strip("-"),
            Severity[severity.upper()],
            Severity[in_limited.upper()],
            advice,
        )
    return kinds


KINDS = _read(_TABLE)
