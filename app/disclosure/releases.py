"""
True cells -> the cells that an audience may see.

Two shapes are released: clinic x interval with the network's total of each interval,
and network x quarter x stratum. Of each cell three groups of people must not be small:
those who meet the measure, those who do not, and those who could not be scored. Of a
continuous variable there are two: those who have a value, and those who have none.

====================================  ==============================================
small                                 then
====================================  ==============================================
numerator, 0 included                 nothing of the cell is shown: at 0 of 40, all 40
                                      are known to fail
denominator - numerator, 0 included   nothing of the cell is shown: at 40 of 40 too
denominator                           follows: it is the sum of these two
population - denominator, 0 included  numerator and denominator are shown, population
                                      and scored are not: at 100 % completeness all
                                      that is lost is the number that says so
population                            follows: it is the sum of all three
scored                                follows: it is the denominator. Where everybody
                                      is in the denominator it is not shown at all:
                                      those without a value are part of the numerator,
                                      and could be subtracted from it
====================================  ==============================================

If zeros were shown, a hidden cell would be known not to be zero. The first two groups
are judged together, then the third, among the cells that are left, by the same rules.

A measure that is part of another has more groups: people who are counted there and not
here (``app.disclosure.nesting``); what is told of the other caps each number of it. The
rules below see one line at a time, with what other widths, measures and audiences say
about it (``app.disclosure.bounds``).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import zip_longest

import msgspec

from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.disclosure.bounds import Bound, Key, is_kept, place_of
from app.disclosure.concentration import is_spread, is_spread_without_any
from app.disclosure.cubes import UNSTRATIFIED, Line, Slot, lines, quarters, strata
from app.disclosure.groups import Groups, Judgement
from app.disclosure.lines import (
    Part,
    Shown,
    Total,
    is_large,
    is_safe_pool,
    shown_in_line,
)
from app.disclosure.nesting import Wider, with_beyond
from app.disclosure.people import People
from app.disclosure.quantiles import shown_quantiles
from app.disclosure.rounding import rounded
from app.disclosure.terms import ALWAYS, Terms
from app.domain.counts import Basis, Cell, Interval, ReleasedCell, Withheld

NETWORK = None
"""The clinic id of the network's own cells."""


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """What every line is judged by; ``seen`` grows with each of them."""

    rules: AudienceRules
    judgement: Judgement
    intervals: Mapping[int, Interval | None]
    within: Sequence[Bound]
    is_capped: bool
    people: People | None
    seen: dict[Key, ReleasedCell]


def release_measure(
    cells: Sequence[Cell],
    *,
    rules: AudienceRules,
    basis: Basis,
    judgement: Judgement,
    blocks: Sequence[range],
    intervals: Mapping[int, Interval | None],
    earlier: Sequence[ReleasedCell],
    within: Sequence[Bound],
    closed_before: int,
    wider: Sequence[Wider] = (),
    terms: Terms = ALWAYS,
    people: People | None = None,
) -> list[ReleasedCell]:
    """
    Return one measure's release for one audience: all earlier cells and the new ones.

    Args:
        cells: true counts of every clinic in releases, at every width, with totals
            (stratum 0) and, for quarters, strata.
        rules: the audience's thresholds.
        basis: under latest status an interval stands for its last day.
        judgement: which groups must not be small (``judgement_of``).
        blocks: the numbers of the strata that add up to the total, by stratifier.
        intervals: each clinic's interval (``publishing_intervals``).
        earlier: the audience's last release of this measure, repeated unchanged.
        within: other releases that are read beside this one, and bound it: that for a
            narrower audience, from the same *cells*, so that the two together say no
            more than the one; those of related measures for the same audience.
        closed_before: the month number before which all is locked.
        wider: the measures that this one is part of.
        terms: who takes part in which lines (``in_terms`` of which *cells* are).
        people: the network's people, each once, for the network's numbers; without
            them those are the sums of the clinics'.

    Returns:
        Cells by stratum, width, start and clinic, the network first. A clinic without
        an interval is ``not-published`` each year; one that had nobody in the
        population up to an interval is not in it.
    """
    release = Release(
        rules=rules,
        judgement=judgement,
        intervals=intervals,
        within=within,
        is_capped=bool(wider),
        people=people,
        seen={place_of(cell): cell for cell in earlier},
    )
    totals = with_beyond(cells, wider)
    by_block = {
        block: quarters(
            with_beyond(cells, wider, block=block)
            if people is None
            else people.strata(block),
            block=block,
        )
        for block in blocks
    }
    for line in lines(totals, basis=basis, closed_before=closed_before, terms=terms):
        if any((NETWORK, *slot, 0) in release.seen for slot in line.slots):
            continue
        _release_clinics(line, release)
        for interval, start in line.slots:
            if interval is Interval.QUARTER:
                for block in blocks:
                    table = strata(
                        by_block[block](start), totals=_behind_total(line, release)
                    )
                    _release_strata(table, (interval, start), release)
    return sorted(release.seen.values(), key=order_of)


def _release_clinics(line: Line, release: Release) -> None:
    """Add a line's clinics, and the network's total, to what is seen."""
    listed = {
        (clinic, slot): cell
        for slot in line.slots
        for clinic, cell in line.cells.items()
        if _is_listed(clinic, slot, release)
    }
    showable = {clinic for clinic, _ in listed if release.intervals.get(clinic)}
    judged, every = release.judgement, Shown(showable, total=line.is_whole)
    scored = _shown_clinics(line, judged.scored, every, release)
    complete = _shown_clinics(line, judged.unscored, scored, release)
    for slot in line.slots:
        key = (NETWORK, *slot, 0)
        release.seen[key] = _released(
            key,
            _behind_total(line, release).values(),
            release,
            scored=scored.total,
            complete=complete.total,
        )
    for (clinic, slot), cell in listed.items():
        has_interval = clinic in showable
        release.seen[clinic, *slot, 0] = _released(
            (clinic, *slot, 0),
            [cell],
            release,
            scored=clinic in scored.parts,
            complete=clinic in complete.parts,
            otherwise=Withheld.SUPPRESSED if has_interval else Withheld.NOT_PUBLISHED,
        )


def _shown_clinics(line: Line, groups: Groups, above: Shown, release: Release) -> Shown:
    """Return which clinics of *above* have these *groups* shown, and the total's."""
    counts = {clinic: groups.people(cell) for clinic, cell in line.cells.items()}
    finer = _seen_in_finer(line, groups, release)
    return shown_in_line(
        {clinic: {clinic: own} for clinic, own in counts.items()},
        {
            clinic
            for clinic in above.parts
            if is_large(counts[clinic], k=release.rules.k)
            and _is_shown_alone(clinic, line, groups, release)
        },
        total=_total(line, groups, counts, above, release),
        k=release.rules.k,
        known={clinic for clinic, seen in finer.items() if all(seen)},
        weak={clinic for clinic, seen in finer.items() if any(seen) and not all(seen)},
        is_capped=release.is_capped,
        hides_more=lambda hidden: _is_spread(
            [line.cells[clinic] for clinic in hidden], groups, release
        ),
    )


def _is_shown_alone(clinic: int, line: Line, groups: Groups, release: Release) -> bool:
    """Tell whether a clinic's cell is spread, and shown wherever it is bound to be."""
    cell, width = line.cells[clinic], release.intervals.get(clinic)
    keys = [(clinic, *slot, 0) for slot in line.slots if slot[0] is width]
    return all(_is_within(key, [cell], groups, release) for key in keys) and (
        not groups.with_values
        or is_spread(cell, rules=release.rules, least=release.judgement.least)
    )


def _total(
    line: Line, groups: Groups, counts: Part, above: Shown, release: Release
) -> Total:
    """Return what may become of a line's total."""
    rules, people = release.rules, release.people
    cells = list(_behind_total(line, release).values())
    may_be_shown = (
        above.total
        and all(
            _is_within((NETWORK, *slot, 0), cells, groups, release)
            for slot in line.slots
        )
        and is_safe_pool(
            counts if people is None else people.part(cells, groups),
            k=rules.k,
            min_clinics=rules.min_clinics,
        )
        and (people is None or people.is_overlap_safe(line.slots[0], groups, rules))
        and _is_pool_spread(cells, groups, release)
    )
    return Total.SAFE if may_be_shown else Total.HIDDEN


def _behind_total(line: Line, release: Release) -> Mapping[int, Cell]:
    """Return the cells that add up to a line's total."""
    people = release.people
    return line.cells if people is None else people.of(line.slots[0])


def _seen_in_finer(
    line: Line, groups: Groups, release: Release
) -> dict[int, list[bool]]:
    """
    Return, of each clinic released at a finer width, what was shown of it in this span.

    Visits only: the numbers of a quarter are bounded by those of its months, closely
    where few people come twice. A latest status has one width with numbers of its own.
    """
    interval, start = line.slots[0]
    found = {}
    for clinic in line.cells:
        finer = release.intervals.get(clinic)
        if finer is not None and finer.months < interval.months:
            starts = range(start, start + interval.months, finer.months)
            keys = [(clinic, finer, each, 0) for each in starts]
            cells = [release.seen[key] for key in keys if key in release.seen]
            found[clinic] = [groups.shown_in(cell) for cell in cells]
    return {clinic: shown for clinic, shown in found.items() if shown}


def _release_strata(
    table: Mapping[int, Mapping[int, Cell]], slot: Slot, release: Release
) -> None:
    """Add the network's strata of one quarter to what is seen."""
    every = Shown(table.keys() - {UNSTRATIFIED}, total=True)
    judged = release.judgement
    scored = _shown_strata(table, judged.scored, every, slot, release)
    complete = _shown_strata(table, judged.unscored, scored, slot, release)
    for stratum in every.parts:
        key = (NETWORK, *slot, stratum)
        release.seen[key] = _released(
            key,
            table[stratum].values(),
            release,
            scored=stratum in scored.parts,
            complete=stratum in complete.parts,
        )


def _shown_strata(
    table: Mapping[int, Mapping[int, Cell]],
    groups: Groups,
    above: Shown,
    slot: Slot,
    release: Release,
) -> Shown:
    """Return which strata of *above* have these *groups* shown, if the total has."""
    rules = release.rules
    if not groups.shown_in(release.seen[NETWORK, *slot, 0]):
        return Shown(frozenset(), total=False)
    parts = {
        stratum: _part(cells.values(), groups, release)
        for stratum, cells in table.items()
    }
    pools = {stratum: list(cells.values()) for stratum, cells in table.items()}
    safe = {
        stratum
        for stratum in above.parts
        if _is_within((NETWORK, *slot, stratum), pools[stratum], groups, release)
        and is_safe_pool(parts[stratum], k=rules.k, min_clinics=rules.min_clinics)
        and _is_pool_spread(pools[stratum], groups, release)
    }
    return shown_in_line(
        parts,
        safe,
        total=Total.KNOWN,
        k=rules.k,
        is_capped=release.is_capped,
        hides_more=lambda hidden: _is_pool_spread(
            [cell for stratum in hidden for cell in pools[stratum]], groups, release
        ),
    )


def _part(cells: Collection[Cell], groups: Groups, release: Release) -> Part:
    """Return what each clinic adds to a pooled cell, or knows of its people."""
    if release.people is not None:
        return release.people.part(cells, groups)
    return {cell.clinic_id: groups.people(cell) for cell in cells}


def _is_spread(cells: Collection[Cell], groups: Groups, release: Release) -> bool:
    """Tell whether the sum of *cells*, if values are in it, gives no value away."""
    return not groups.with_values or is_spread_without_any(
        cells, rules=release.rules, least=release.judgement.least
    )


def _is_pool_spread(cells: Collection[Cell], groups: Groups, release: Release) -> bool:
    """Tell the same of a pooled cell's."""
    if release.people is None or not groups.with_values:
        return _is_spread(cells, groups, release)
    return all(
        _is_spread(rest, groups, release) for rest in release.people.rests(cells)
    )


def _is_within(
    key: Key, cells: Collection[Cell], groups: Groups, release: Release
) -> bool:
    """Tell whether all that bounds this release lets it show the sum of *cells*."""
    numerator = sum(cell.numerator for cell in cells)
    return all(
        is_kept(bound, key, numerator, groups, k=release.rules.k)
        for bound in release.within
    )


def _is_listed(clinic: int, slot: Slot, release: Release) -> bool:
    """Tell whether a clinic has a cell here: one of its own width, or a yearly one."""
    if release.rules.clinics is ClinicsShown.NONE:
        return False
    return slot[0] is (release.intervals.get(clinic) or Interval.YEAR)


def _released(
    key: Key,
    cells: Collection[Cell],
    release: Release,
    *,
    scored: bool,
    complete: bool,
    otherwise: Withheld = Withheld.SUPPRESSED,
) -> ReleasedCell:
    """Return the sum of *cells*, with what is shown of it."""
    judgement, (clinic_id, interval, start, stratum) = release.judgement, key
    told = ReleasedCell(
        clinic_id=clinic_id,
        interval=interval,
        interval_start=start,
        stratum=stratum,
        population=sum(cell.population for cell in cells) if complete else None,
        scored=sum(cell.scored for cell in cells)
        if complete and judgement.tells_scored
        else None,
        denominator=sum(cell.denominator for cell in cells),
        numerator=sum(cell.numerator for cell in cells)
        if judgement.has_numerator
        else None,
    )
    if not scored:
        return told.blank(otherwise)
    if not judgement.has_numerator:
        told = _with_values(told, key, cells, release)
    return rounded(told, release.rules.round_to)


def _with_values(
    told: ReleasedCell, key: Key, cells: Collection[Cell], release: Release
) -> ReleasedCell:
    """Return *told* with what is shown of the values in *cells*."""
    people = [cell.denominator for cell in cells]
    known = 0
    if told.clinic_id is NETWORK:
        once = release.people
        known = max(people) if once is None else once.most_of_a_clinic(cells)
    quantiles = shown_quantiles(
        tuple(cells), people=sum(people) - known, k=release.rules.k
    )
    return msgspec.structs.replace(
        told,
        value_sum=sum(cell.value_sum for cell in cells),
        value_squares=sum(cell.value_squares for cell in cells),
        quantiles=tuple(_also_within(quantiles, key, release)),
    )


def _also_within(
    quantiles: Sequence[int | None], key: Key, release: Release
) -> Iterator[int | None]:
    """Yield *quantiles*; None where a release that bounds this one has none."""
    bounding = [bound.seen.get(key) for bound in release.within]
    seen = [cell.quantiles if cell is not None else () for cell in bounding]
    for here, *there in zip_longest(quantiles, *seen):
        yield None if None in there else here


def not_published(like: ReleasedCell, *, clinic_id: int) -> ReleasedCell:
    """Return the mark of a clinic that publishes nothing where *like* stands."""
    blank = like.blank(Withheld.NOT_PUBLISHED)
    return msgspec.structs.replace(blank, clinic_id=clinic_id)


def order_of(cell: ReleasedCell) -> tuple[int, int, int, int]:
    """Return a cell's place in a release, the network before the clinics."""
    clinic = -1 if cell.clinic_id is NETWORK else cell.clinic_id
    return cell.stratum, cell.interval.months, cell.interval_start, clinic
