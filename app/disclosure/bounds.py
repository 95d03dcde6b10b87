"""What other releases, read beside one, leave it free to show."""

from collections.abc import Iterable, Mapping

import msgspec

from app.disclosure.groups import Groups
from app.domain.counts import Interval, ReleasedCell

Key = tuple[int | None, Interval, int, int]
"""Clinic (None is the network), width, start, stratum."""


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """
    Another release: what is not shown there is not shown here.

    ``strata`` are its strata by those here, where it has them; None: they are the same.
    From a ``wider`` measure the numbers here must be at least k away; of a ``part`` of
    this one, published before, only that is asked.
    """

    seen: Mapping[Key, ReleasedCell]
    strata: Mapping[int, int] | None = None
    wider: bool = False
    part: bool = False


def bound_of(
    cells: Iterable[ReleasedCell],
    *,
    strata: Mapping[int, int] | None = None,
    wider: bool = False,
    part: bool = False,
) -> Bound:
    """Return the release of *cells* as what bounds another."""
    seen = {place_of(cell): cell for cell in cells}
    return Bound(seen=seen, strata=strata, wider=wider, part=part)


def is_kept(bound: Bound, key: Key, numerator: int, groups: Groups, *, k: int) -> bool:
    """Tell whether *bound* lets a cell with this *numerator* be shown at *key*."""
    clinic, interval, start, stratum = key
    there = stratum if bound.strata is None else {0: 0, **bound.strata}.get(stratum)
    if there is None:
        return True
    told = bound.seen.get((clinic, interval, start, there))
    if told is None or not groups.shown_in(told):
        return bound.part
    if told.numerator is None or not (bound.wider or bound.part):
        return True
    more = told.numerator - numerator
    return (more if bound.wider else -more) >= k


def place_of(cell: ReleasedCell) -> Key:
    """Return what identifies a cell in a release."""
    return cell.clinic_id, cell.interval, cell.interval_start, cell.stratum
