"""Which clinics and intervals an estimate of a change can be made from."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from app.domain.counts import Interval

MIN_CLINICS = 3
"""Clinics of the project, and clinics that they are compared with, at least."""
MIN_BEFORE = 6
MIN_AFTER = 3
"""Intervals that a clinic needs on either side where others are compared."""
MIN_ALONE = 8
"""Intervals that a clinic needs on either side where none are."""


class ProjectPoint(msgspec.Struct, frozen=True, kw_only=True):
    """
    One clinic's released counts of one interval; both None where they are withheld.

    ``starts`` is the month number in which a clinic that takes part began, None while
    it has not: until then it is like any other clinic.
    """

    clinic_id: int
    interval_start: int
    numerator: int | None
    denominator: int | None
    takes_part: bool
    starts: int | None = None


class PanelRow(msgspec.Struct, frozen=True, kw_only=True):
    """One clinic in one interval; ``has_begun`` from its start on."""

    clinic_id: int
    interval_start: int
    events: int
    exposure: int
    has_begun: bool


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """
    The rows of the clinics that have enough of them; ``has_begun`` if any clinic had.

    ``begun`` are the clinics of the project that began, ``others`` those that they are
    compared with, none where there are too few. ``withheld`` counts the points without
    numbers, ``left_out`` the clinics without enough of them. Of all clinics that began,
    ``with_before`` have enough intervals before, ``with_after`` after.
    """

    rows: tuple[PanelRow, ...]
    has_begun: bool
    begun: frozenset[int]
    others: frozenset[int]
    withheld: int
    left_out: int
    with_before: int
    with_after: int

    @property
    def is_controlled(self) -> bool:
        """Return whether there are clinics to compare with."""
        return bool(self.others)


def panel_of(
    points: Iterable[ProjectPoint], *, interval: Interval, has_complement: bool
) -> Panel:
    """
    Return the panel of a project's points, all of one width.

    The interval in which a clinic began, if not on its first day, is neither before nor
    after, and left out.

    Args:
        points: of the clinics that take part, and of those that do not.
        interval: the width of all points.
        has_complement: events are some of the people in the denominator.
    """
    given = [*points]
    starts = {
        point.clinic_id: point.starts
        for point in given
        if point.takes_part and point.starts is not None
    }
    rows = [row for each in given if (row := _row(each, starts, interval))]
    begun = {row.clinic_id for row in rows if row.has_begun}
    first = min((starts[clinic] for clinic in begun), default=0)
    since = {row.clinic_id: first for row in rows} | {id_: starts[id_] for id_ in begun}
    others = _enough(rows, since, before=MIN_BEFORE, after=MIN_AFTER) - begun
    before, after = MIN_BEFORE, MIN_AFTER
    if len(others) < MIN_CLINICS:
        others, before, after = set(), MIN_ALONE, MIN_ALONE
    wanted = _enough(rows, since, before=before, after=after) & begun | others
    kept = _telling(
        [row for row in rows if row.clinic_id in wanted],
        has_complement=has_complement,
        is_controlled=bool(others),
    )
    compared = {row.clinic_id for row in kept}
    return Panel(
        rows=tuple(kept),
        has_begun=bool(begun),
        begun=frozenset(row.clinic_id for row in kept if row.has_begun),
        others=frozenset(others & compared),
        withheld=sum(point.numerator is None for point in given),
        left_out=len({point.clinic_id for point in given} - compared),
        with_before=len(_enough(rows, since, before=before, after=0) & begun),
        with_after=len(_enough(rows, since, before=0, after=after) & begun),
    )


def _row(
    point: ProjectPoint, starts: Mapping[int, int], interval: Interval
) -> PanelRow | None:
    """Return the row of a point; None without numbers, or if it holds the start."""
    if point.numerator is None or not point.denominator:
        return None
    began = starts.get(point.clinic_id)
    end = point.interval_start + interval.months
    if began is not None and point.interval_start < began < end:
        return None
    return PanelRow(
        clinic_id=point.clinic_id,
        interval_start=point.interval_start,
        events=point.numerator,
        exposure=point.denominator,
        has_begun=began is not None and began <= point.interval_start,
    )


def _enough(
    rows: Iterable[PanelRow], since: Mapping[int, int], *, before: int, after: int
) -> set[int]:
    """Return the clinics with so many intervals before and after ``since``."""
    counts = Counter(
        (row.clinic_id, row.interval_start >= since[row.clinic_id]) for row in rows
    )
    return {
        clinic
        for clinic in since
        if counts[clinic, False] >= before and counts[clinic, True] >= after
    }


def _telling(
    rows: Sequence[PanelRow], *, has_complement: bool, is_controlled: bool
) -> list[PanelRow]:
    """
    Leave out clinics and intervals that say nothing of what was to be expected.

    That is where, while nobody had begun, there was no event or nothing else: no
    multiple of nothing is anything. An interval of others needs two of them, so that it
    can still be told without either.
    """
    while True:
        clinics = _told(
            rows, lambda row: row.clinic_id, least=1, has_complement=has_complement
        )
        times = _told(
            rows, lambda row: row.interval_start, least=2, has_complement=has_complement
        )
        kept = [
            row
            for row in rows
            if row.clinic_id in clinics
            and (not is_controlled or row.interval_start in times)
        ]
        if len(kept) == len(rows):
            return kept
        rows = kept


def _told(
    rows: Iterable[PanelRow],
    key: Callable[[PanelRow], int],
    *,
    least: int,
    has_complement: bool,
) -> set[int]:
    """Return what has *least* rows without the project, and events, but not only."""
    groups = defaultdict(list)
    for row in rows:
        if not row.has_begun:
            groups[key(row)].append(row)
    return {
        name
        for name, group in groups.items()
        if len(group) >= least and _is_mixed(group, has_complement=has_complement)
    }


def _is_mixed(rows: Sequence[PanelRow], *, has_complement: bool) -> bool:
    """Return whether there are events, and, if they are some of people, others too."""
    events = sum(row.events for row in rows)
    is_all = has_complement and events == sum(row.exposure for row in rows)
    return events > 0 and not is_all
