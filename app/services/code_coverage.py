"""
What a hub would make of the codes in a clinic's own files, tried at the clinic.

Codes are told in clear: nothing of this is for the hub, which has no key to tell them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from app.deid.concept_maps import (
    Clear,
    Standing,
    clear_code,
    clear_targets,
    standing_of,
)
from app.domain.terminology import Coding
from app.fhir.coded_elements import stated_codings
from app.fhir.concept_maps import parse_concept_map
from app.measures.libraries import parse_library
from app.services.openings import network_codes

WARNING = (
    "These are the clinic's own codes in clear. A local code may name a person: this"
    " list may be PHI, and is to stay at the clinic"
)

Json = dict[str, Any]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A code of the clinic's, how often it is there, and what becomes of it."""

    system: str
    code: str
    uses: str
    standing: str
    counts_as: str


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """Codes by system, the most frequent first, and how many uses fare how."""

    lines: list[Line]
    uses: Counter[Standing]

    @property
    def summary(self) -> str:
        """Return in words how much of the files a hub could count."""
        total = self.uses.total()
        parts = (f"{each} {self.uses[each]:,}" for each in Standing)
        return f"Codes in {total:,} places: {', '.join(parts)}"


def coverage(
    resources: Iterable[Json], concept_map: Json | None, *, library: Mapping[str, str]
) -> Coverage:
    """
    Return what a hub with the measures of *library* makes of the codes in *resources*.

    Raises:
        ServiceError: the map can't be read, or has a target that may not be kept.
    """
    own = network_codes(parse_library(library))
    stated = [] if concept_map is None else parse_concept_map(concept_map)
    targets = clear_targets(stated, network_codes=own)
    counts: Counter[Clear] = Counter()
    standings: dict[Clear, Standing] = {}
    for resource in resources:
        for coding in stated_codings(resource):
            code = clear_code(coding)
            counts[code] += 1
            if code not in standings:
                standings[code] = standing_of(coding, targets, network_codes=own)
    uses: Counter[Standing] = Counter()
    for code, count in counts.items():
        uses[standings[code]] += count
    return Coverage(lines=list(_lines(counts, standings, targets)), uses=uses)


def _lines(
    counts: Mapping[Clear, int],
    standings: Mapping[Clear, Standing],
    targets: Mapping[Clear, tuple[Coding, ...]],
) -> Iterator[Line]:
    for place in sorted(counts, key=lambda c: (c[0] or "", -counts[c], c[1])):
        system, code = place
        is_mapped = standings[place] is Standing.MAPPED
        yield Line(
            system=_printable(system or "-"),
            code=_printable(code),
            uses=str(counts[place]),
            standing=standings[place],
            counts_as=" ".join(
                f"{target.system}|{target.code}" for target in targets[place]
            )
            if is_mapped
            else "",
        )


def _printable(text: str) -> str:
    """Return *text* with what a terminal would obey spelt out."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
