"""
Numbers that clinics count themselves -> what an audience may see: a rule of their own.

No people are known behind such numbers. Of a rate the events must be none or at least
k, and the exposure at least 10 k units; of a proportion the parts are people, and both
of them must be at least k. Zero events may be told: they say nothing of anybody.

====================================  ==============================================
what                                  how
====================================  ==============================================
a pooled cell                         at least min_clinics contribute, and what is left
                                      without any one of them is large: k events and
                                      10 k units, where there is any event at all
a hidden clinic beside a total        hides among at least two others, as people do
                                      (``app.disclosure.lines``)
months, quarters and years            add up exactly. So the network is published at one
                                      width, fixed beforehand; a wider total is what its
                                      parts add up to, told where all of them are told
a clinic's cell of a wider interval   gives nothing away beside the narrower totals
                                      (``app.disclosure.time_sums``)
====================================  ==============================================
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

import msgspec

from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.disclosure.bounds import Key, place_of
from app.disclosure.cubes import Line, Slot, lines
from app.disclosure.intervals import publishing_intervals
from app.disclosure.lines import (
    Counts,
    Shown,
    Total,
    is_large,
    is_safe_pool,
    shown_in_line,
)
from app.disclosure.releases import NETWORK, order_of
from app.disclosure.rounding import rounded
from app.disclosure.time_sums import Place, Sums, gives_nothing_away
from app.domain.counts import (
    Basis,
    Cell,
    Interval,
    ReleasedCell,
    SummaryCell,
    Withheld,
)

EXPOSURE_FOR_EACH = 10
"""Units of exposure that go for one event, or one person, in every threshold."""
NETWORK_WIDTH = 0
"""Stands for the network among the clinics' publishing intervals."""


class Groups(NamedTuple):
    """What of one cell must not be small, how much is not, and whether none is."""

    counts: Callable[[Cell], Counts]
    units: int
    zero_is_small: bool


RATE = Groups(
    lambda cell: (EXPOSURE_FOR_EACH * cell.numerator, cell.denominator),
    units=EXPOSURE_FOR_EACH,
    zero_is_small=False,
)
PROPORTION = Groups(
    lambda cell: (cell.numerator, cell.denominator - cell.numerator),
    units=1,
    zero_is_small=True,
)


def groups_of(*, is_proportion: bool) -> Groups:
    """Return what must not be small of a proportion, or of a rate."""
    return PROPORTION if is_proportion else RATE


class _Release(msgspec.Struct, frozen=True, kw_only=True):
    """What every line is judged by; ``seen`` grows with each of them."""

    rules: AudienceRules
    groups: Groups
    intervals: Mapping[int, Interval | None]
    amounts: Mapping[Place, Counts]
    within: Mapping[Key, ReleasedCell] | None
    seen: dict[Key, ReleasedCell]

    @property
    def k(self) -> int:
        """Return the threshold, in the units of the groups."""
        return self.rules.k * self.groups.units


def summary_intervals(
    cells: Sequence[Cell],
    *,
    k: int,
    closed_before: int,
    earlier: Mapping[int, Interval | None],
) -> dict[int, Interval | None]:
    """
    Return each clinic's publishing interval, and the network's under NETWORK_WIDTH.

    The network's is chosen as a clinic's is, without the largest contributor of each
    interval; no clinic is published by a finer one.
    """
    fixed = {NETWORK_WIDTH: earlier.get(NETWORK_WIDTH)}
    network = publishing_intervals(
        _without_largest(cells),
        k=k,
        has_numerator=True,
        closed_before=closed_before,
        earlier=fixed,
    )
    clinics = publishing_intervals(
        cells,
        k=k,
        has_numerator=True,
        closed_before=closed_before,
        earlier={c: width for c, width in earlier.items() if c != NETWORK_WIDTH},
    )
    floor = network[NETWORK_WIDTH]
    return network | {
        clinic: width and max(width, floor or width, key=lambda each: each.months)
        for clinic, width in clinics.items()
    }


def _without_largest(cells: Sequence[Cell]) -> list[Cell]:
    """Return the network's cells without the clinic that adds most events to each."""

    def slot(cell: Cell) -> tuple[int, int]:
        return cell.interval.months, cell.interval_start

    pooled = []
    for _, found in groupby(sorted(cells, key=slot), key=slot):
        *rest, largest = sorted(found, key=lambda cell: cell.numerator)
        pooled.append(
            msgspec.structs.replace(
                largest,
                clinic_id=NETWORK_WIDTH,
                population=sum(cell.population for cell in rest),
                scored=sum(cell.scored for cell in rest),
                denominator=sum(cell.denominator for cell in rest),
                numerator=sum(cell.numerator for cell in rest),
            )
        )
    return pooled


def release_summaries(
    cells: Sequence[Cell],
    *,
    rules: AudienceRules,
    groups: Groups,
    intervals: Mapping[int, Interval | None],
    earlier: Sequence[ReleasedCell],
    within: Sequence[ReleasedCell] | None,
    closed_before: int,
) -> list[ReleasedCell]:
    """
    Return one measure's release for one audience: all earlier cells and the new ones.

    Args:
        cells: what each clinic counted at every width, where it sent all of it.
        rules: the audience's thresholds.
        groups: what must not be small.
        intervals: of clinics and the network (``summary_intervals``).
        earlier: the audience's last release of this measure, repeated unchanged.
        within: the release for a narrower audience that reads this one too.
        closed_before: the month number before which all is locked.
    """
    release = _Release(
        rules=rules,
        groups=groups,
        intervals=intervals,
        amounts={
            (cell.clinic_id, cell.interval_start): own
            for cell in cells
            if cell.interval is intervals.get(NETWORK_WIDTH)
            and any(own := groups.counts(cell))
        },
        within=None if within is None else {place_of(cell): cell for cell in within},
        seen={place_of(cell): cell for cell in earlier},
    )
    for line in lines(cells, basis=Basis.VISITS, closed_before=closed_before):
        if (NETWORK, *line.slots[0], 0) not in release.seen:
            _release_line(line, line.slots[0], release)
    return sorted(release.seen.values(), key=order_of)


def _release_line(line: Line, slot: Slot, release: _Release) -> None:
    """Add the clinics and the network of one interval to what is seen."""
    counts = _contributions(line.cells, release.groups)
    shown = _shown(counts, slot, release)
    key = (NETWORK, *slot, 0)
    why = _why(shown.total, has_data=bool(counts))
    if why and _is_too_fine(slot, release):
        why = Withheld.NOT_PUBLISHED
    base = release.rules.round_to
    release.seen[key] = rounded(_released(key, line.cells.values(), withheld=why), base)
    if release.rules.clinics is ClinicsShown.NONE:
        return
    for clinic, cell in line.cells.items():
        width = release.intervals.get(clinic)
        why = _why(clinic in shown.parts, has_data=clinic in counts)
        if slot[0] is (width or Interval.YEAR):
            told = _released(
                (clinic, *slot, 0),
                [cell],
                withheld=why if width else Withheld.NOT_PUBLISHED,
            )
            release.seen[clinic, *slot, 0] = rounded(told, base)


def _contributions(cells: Mapping[int, Cell], groups: Groups) -> dict[int, Counts]:
    """
    Return what each clinic adds to a line, of those that add anything.

    Where nobody had an event, and that may be told, only the exposure is left.
    """
    counts = {clinic: groups.counts(cell) for clinic, cell in cells.items()}
    if not groups.zero_is_small and not any(events for events, _ in counts.values()):
        counts = {clinic: (exposure,) for clinic, (_, exposure) in counts.items()}
    return {clinic: own for clinic, own in counts.items() if any(own)}


def _shown(counts: Mapping[int, Counts], slot: Slot, release: _Release) -> Shown:
    """Return which clinics of a line are shown, and whether its total is."""
    candidates = {
        clinic
        for clinic, own in counts.items()
        if release.rules.clinics is not ClinicsShown.NONE
        and release.intervals.get(clinic) is slot[0]
        and is_enough(own, release.groups, k=release.k)
    }
    width = release.intervals.get(NETWORK_WIDTH)
    if width is not None and width.months < slot[0].months:
        return _shown_beside(width, counts, candidates, slot, release)
    return shown_in_line(
        {clinic: {clinic: own} for clinic, own in counts.items()},
        candidates,
        total=_total(counts, slot, release),
        k=release.k,
    )


def _shown_beside(
    width: Interval,
    counts: Mapping[int, Counts],
    candidates: Collection[int],
    slot: Slot,
    release: _Release,
) -> Shown:
    """
    Return what is shown beside narrower totals; the smallest is hidden first.

    The total adds nothing to its parts, so it is shown where all of them are told.
    """
    span = _span(slot)
    starts = span[:: width.months]
    keys = {start: (NETWORK, width, start, 0) for start in starts}
    parts = {at: release.seen[key] for at, key in keys.items() if key in release.seen}
    places = {place: own for place, own in release.amounts.items() if place[1] in span}
    sums = Sums(
        amounts=places,
        told={at for at, cell in parts.items() if cell.withheld is None},
        k=release.k,
        zero_is_small=release.groups.zero_is_small,
    )
    cells = [
        _places((clinic, (interval, start)), places)
        for (clinic, interval, start, _), cell in release.seen.items()
        if clinic is not NETWORK and start in span and cell.withheld is None
    ]
    by_size = sorted(candidates, key=lambda clinic: (sum(counts[clinic]), clinic))
    while by_size and not gives_nothing_away(
        sums, [*cells, *(_places((clinic, slot), places) for clinic in by_size)]
    ):
        by_size = by_size[1:]
    return Shown(set(by_size), total=all(map(_is_told, parts.values())))


def _places(cell: tuple[int, Slot], places: Iterable[Place]) -> set[Place]:
    """Return what a clinic's cell adds up."""
    clinic, slot = cell
    return {place for place in places if place[0] == clinic and place[1] in _span(slot)}


def _span(slot: Slot) -> range:
    """Return the months of an interval."""
    interval, start = slot
    return range(start, start + interval.months)


def is_enough(counts: Counts, groups: Groups, *, k: int) -> bool:
    """Tell whether a clinic's own cell may be shown; no event at all may be."""
    if not groups.zero_is_small and not counts[0]:
        return is_large(counts[1:], k=k)
    return is_large(counts, k=k)


def _total(counts: Mapping[int, Counts], slot: Slot, release: _Release) -> Total:
    """Return what may become of the total of a line that nothing narrower adds up."""
    if _is_too_fine(slot, release):
        return Total.HIDDEN
    key = (NETWORK, *slot, 0)
    is_within = release.within is None or (
        key in release.within and release.within[key].denominator is not None
    )
    is_safe = is_safe_pool(counts, k=release.k, min_clinics=release.rules.min_clinics)
    return Total.SAFE if is_within and is_safe else Total.HIDDEN


def _is_too_fine(slot: Slot, release: _Release) -> bool:
    """Tell whether the network is published by wider intervals only, or by none."""
    width = release.intervals.get(NETWORK_WIDTH)
    return width is None or slot[0].months < width.months


def _is_told(cell: ReleasedCell) -> bool:
    """Tell whether a cell's numbers are known; of no data they are 0."""
    return cell.withheld in {None, Withheld.NO_DATA}


def _why(shown: object, *, has_data: bool) -> Withheld | None:
    """Return why a cell is withheld, if it is."""
    if not has_data:
        return Withheld.NO_DATA
    return None if shown else Withheld.SUPPRESSED


def _released(
    key: Key, cells: Collection[Cell], *, withheld: Withheld | None
) -> ReleasedCell:
    """Return the sum of *cells*, or why there is none."""
    clinic_id, interval, start, stratum = key
    shown = withheld is None
    return ReleasedCell(
        clinic_id=clinic_id,
        interval=interval,
        interval_start=start,
        stratum=stratum,
        population=None,
        scored=None,
        denominator=sum(cell.denominator for cell in cells) if shown else None,
        numerator=sum(cell.numerator for cell in cells) if shown else None,
        withheld=withheld,
    )


def is_small_summary(
    released: ReleasedCell,
    true: Sequence[Cell],
    rules: AudienceRules,
    *,
    groups: Groups,
) -> bool:
    """Tell whether a cell is withheld for its own sake (``summarize``)."""
    counts = _contributions({cell.clinic_id: cell for cell in true}, groups)
    k = rules.k * groups.units
    if released.clinic_id is NETWORK:
        return not is_safe_pool(counts, k=k, min_clinics=rules.min_clinics)
    own = counts.get(released.clinic_id)
    return own is None or not is_enough(own, groups, k=k)


def own_summary_cells(
    cells: Sequence[SummaryCell], *, until: int, closed_before: int
) -> list[ReleasedCell]:
    """
    Return what one clinic counted itself, as it sees it: of one width, in time order.

    Every interval from the first to *until*, a month number, is there: one of which
    nothing was sent has no data, and one whose exposure is 0 has no rate. One whose
    data lock has not passed is provisional.
    """
    if not cells:
        return []
    known = {cell.interval_start: cell for cell in cells}
    width = cells[0].interval
    return [
        _own_cell(
            known.get(start)
            or SummaryCell(
                clinic_id=cells[0].clinic_id,
                interval=width,
                interval_start=start,
                missing=Withheld.NO_DATA,
            ),
            closed_before,
        )
        for start in range(min(known), until, width.months)
    ]


def _own_cell(cell: SummaryCell, closed_before: int) -> ReleasedCell:
    withheld = cell.missing
    if withheld is None and not cell.exact[1]:
        withheld = Withheld.NO_EXPOSURE
    is_told = withheld is None
    return ReleasedCell(
        clinic_id=cell.clinic_id,
        interval=cell.interval,
        interval_start=cell.interval_start,
        population=None,
        scored=None,
        denominator=cell.exposure if is_told else None,
        numerator=cell.events if is_told else None,
        exact=cell.exact if is_told else None,
        withheld=withheld,
        provisional=cell.interval_start + cell.interval.months > closed_before,
    )
