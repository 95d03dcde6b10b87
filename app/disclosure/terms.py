"""
Who takes part in a line: clinics for their whole term, a definition from a month on.

A total without a clinic that began or left within its interval would, beside totals of
finer intervals with that clinic, give it away. So a line holds those who take part in
all of it, and if anybody began or left within it, its total is not told.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from app.domain.calendar import FOREVER
from app.domain.counts import Basis, Cell, Interval

MONTHS_A_QUARTER = Interval.QUARTER.months


class Term(NamedTuple):
    """The months in which a clinic takes part, half-open."""

    begins: int
    ends: int = FOREVER


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """
    What takes part in new lines; months are month numbers.

    No line begins before ``since``: what is before was published by another definition.
    Clinics that are not named take part throughout.
    """

    since: int = 0
    clinics: Mapping[int, Term] = {}

    def takes_part(self, clinic: int, start: int, end: int) -> bool:
        """Tell whether a clinic takes part in all of ``[start, end)``."""
        term = self.clinics.get(clinic)
        return term is None or (term.begins <= start and end <= term.ends)

    def is_whole(self, start: int, end: int) -> bool:
        """Tell whether nobody begins or leaves within ``[start, end)``."""
        return not any(
            start < month < end for term in self.clinics.values() for month in term
        )


ALWAYS = Terms()


def new_term(published_before: int) -> Term:
    """
    Return the term of a clinic that is new to releases.

    It begins with the first quarter of which nothing is published, so that no quarter
    is partly with it.
    """
    return Term(-(-published_before // MONTHS_A_QUARTER) * MONTHS_A_QUARTER)


def in_terms(cells: Iterable[Cell], terms: Terms, *, basis: Basis) -> list[Cell]:
    """Return the true *cells* of clinics that take part in all of their interval."""
    return [
        cell
        for cell in cells
        if terms.takes_part(cell.clinic_id, *_months_of(cell, basis))
    ]


def _months_of(cell: Cell, basis: Basis) -> tuple[int, int]:
    """Return the months that a cell tells of: of a latest status the last one."""
    end = cell.interval_start + cell.interval.months
    is_status = basis is Basis.LATEST_STATUS
    return (end - 1 if is_status else cell.interval_start), end
