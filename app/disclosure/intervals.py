"""
How long a clinic's published intervals are: fixed beforehand, from its size alone.

If each interval were judged by its outcome alone, a small clinic would be seen in the
months that it does badly and vanish as it does well.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import chain
from statistics import median
from typing import NamedTuple

from app.domain.counts import Cell, Interval

HISTORY_MONTHS = 24
EXPECTED_TO_THRESHOLD = 2
"""The rarer outcome is expected in twice k people, so that chance rarely hides it."""
COMPANY = 3
"""Clinics that are never shown: none, or enough to hide behind one another."""


class _History(NamedTuple):
    """
    Of one width: the network's rarer share, and clinics' median denominators.

    Without an outcome all are in the only share there is.
    """

    rarer_share: Fraction
    denominators: Mapping[int, Fraction]


def publishing_intervals(
    cells: Sequence[Cell],
    *,
    k: int,
    has_numerator: bool,
    closed_before: int,
    earlier: Mapping[int, Interval | None],
) -> dict[int, Interval | None]:
    """
    Return each clinic's interval: the finest with ``d * min(p, 1 - p) >= 2k``.

    *d* is the clinic's median denominator over its closed intervals of that width in
    the last 24 months, *p* the network's proportion over the closed history, so a
    clinic's own outcome has no say. A continuous variable has no outcome: there it is
    ``d >= 2k``. None: not even a year will do.

    An interval once chosen stays; None is looked at again as a clinic grows. Clinics
    with None are hidden in every line, so where there are any, the smallest of the
    others join them until what is left of them without the largest meets the same
    bound: otherwise the network's total would have to go.

    Args:
        cells: true counts at every width.
        k: the audience's threshold, in people.
        has_numerator: False of a continuous variable.
        closed_before: the month number before which all is locked.
        earlier: what was chosen at earlier releases.
    """
    histories = _histories(cells, closed_before, has_numerator=has_numerator)
    if not histories:
        return dict(earlier)
    clinics = chain.from_iterable(past.denominators for past in histories.values())
    chosen = dict.fromkeys(clinics) | {
        clinic: interval
        for interval, past in reversed(histories.items())
        for clinic, denominator in past.denominators.items()
        if _is_enough(denominator, past, k=k)
    }
    fixed = {clinic: interval for clinic, interval in earlier.items() if interval}
    coarsest = list(histories.values())[-1]
    return dict(earlier) | _in_company(chosen | fixed, coarsest, fixed=fixed, k=k)


def intervals_within(
    cells: Sequence[Cell],
    *,
    k: int,
    closed_before: int,
    shared: Mapping[int, Interval | None],
    earlier: Mapping[int, Interval | None],
) -> dict[int, Interval | None]:
    """
    Return the intervals of a measure that is part of others: the *shared* one or None.

    Who is counted beyond it is an outcome too. Where by the network's share these are
    fewer than 2k, a clinic would be seen as chance has it: so it is not published. The
    rest is as in ``publishing_intervals``, of cells ``with_beyond``.
    """
    histories = _histories(cells, closed_before, has_numerator=True)
    if not histories:
        return dict(shared)
    chosen: dict[int, Interval | None] = {
        clinic: interval
        if interval in histories
        and _is_enough(
            histories[interval].denominators.get(clinic, Fraction(0)),
            histories[interval],
            k=k,
        )
        else None
        for clinic, interval in shared.items()
    }
    fixed = {clinic: interval for clinic, interval in earlier.items() if interval}
    coarsest = list(histories.values())[-1]
    return _in_company({**chosen, **fixed}, coarsest, fixed=fixed, k=k)


def _is_enough(denominator: Fraction, past: _History, *, k: int) -> bool:
    """Tell whether the rarer outcome is expected in 2k people or more."""
    return denominator * past.rarer_share >= EXPECTED_TO_THRESHOLD * k


def _in_company(
    chosen: dict[int, Interval | None],
    past: _History,
    *,
    fixed: Mapping[int, Interval],
    k: int,
) -> dict[int, Interval | None]:
    """Return *chosen* with the smallest clinics taken out until the rest is safe."""
    sizes = {clinic: past.denominators.get(clinic, Fraction(0)) for clinic in chosen}
    movable = sorted(
        (clinic for clinic in chosen if chosen[clinic] and clinic not in fixed),
        key=lambda clinic: (sizes[clinic], clinic),
    )
    hidden = {clinic for clinic in chosen if chosen[clinic] is None}
    while hidden and movable and not _is_company(hidden, sizes, past, k=k):
        hidden.add(movable.pop(0))
    return chosen | dict.fromkeys(hidden)


def _is_company(
    hidden: set[int], sizes: Mapping[int, Fraction], past: _History, *, k: int
) -> bool:
    """Tell whether clinics that are never shown hide behind one another."""
    members = [sizes[clinic] for clinic in hidden if sizes[clinic]]
    return len(members) >= COMPANY and _is_enough(
        sum(members, Fraction(0)) - max(members), past, k=k
    )


def _histories(
    cells: Sequence[Cell], closed_before: int, *, has_numerator: bool
) -> dict[Interval, _History]:
    """Return what is known of each width that has a closed interval, finest first."""
    histories = {}
    for interval in Interval:
        closed = [
            cell
            for cell in cells
            if cell.interval is interval
            and not cell.stratum
            and cell.interval_start + interval.months <= closed_before
        ]
        if any(cell.denominator for cell in closed):
            since = closed_before - HISTORY_MONTHS
            histories[interval] = _History(
                min(
                    _rarer_share(closed) if has_numerator else Fraction(1),
                    *_shares_beyond(closed, since),
                    Fraction(1),
                ),
                _median_denominators(closed, since),
            )
    return histories


def _rarer_share(cells: Sequence[Cell]) -> Fraction:
    """Return min(p, 1 - p) of the pooled proportion p."""
    people = sum(cell.denominator for cell in cells)
    proportion = Fraction(sum(cell.numerator for cell in cells), people)
    return min(proportion, 1 - proportion)


def _shares_beyond(cells: Sequence[Cell], since: int) -> list[Fraction]:
    """
    Return the network's median share of each group that is beyond a measure.

    The median, since in the first months of a measure nearly all may be.
    """
    by_start: dict[int, list[Cell]] = defaultdict(list)
    for cell in cells:
        if cell.interval_start >= since and cell.denominator:
            by_start[cell.interval_start].append(cell)
    shares = [
        [
            Fraction(sum(group), sum(cell.denominator for cell in own))
            for group in zip(*(cell.beyond for cell in own), strict=True)
        ]
        for own in by_start.values()
    ]
    return [median(group) for group in zip(*shares, strict=True)]


def _median_denominators(cells: Sequence[Cell], since: int) -> dict[int, Fraction]:
    """Return each clinic's median from its first interval on; a gap counts as 0."""
    found = {(cell.clinic_id, cell.interval_start): cell.denominator for cell in cells}
    starts = sorted({start for _, start in found if start >= since})
    first: dict[int, int] = {}
    for clinic, start in sorted(found):
        first.setdefault(clinic, start)
    return {
        clinic: median(
            Fraction(found.get((clinic, start), 0))
            for start in starts
            if start >= begun
        )
        for clinic, begun in first.items()
        if starts and begun <= starts[-1]
    }
