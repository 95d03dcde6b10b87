"""The points that lines come from, and how many of them it takes."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import compress, groupby

import msgspec

from app.charts.lines import Fit, Frame, Lines, Phase, frame
from app.charts.remarks import MIN_FROZEN_POINTS, MIN_POINTS
from app.domain.counts import ReleasedCell


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """The points that a phase's lines come from: how many, first and last interval."""

    phase: int
    points: int
    first: int
    last: int
    frozen: bool


def is_closed(cell: ReleasedCell) -> bool:
    """Return whether the cell has a value that will not change any more."""
    return bool(cell.told[1]) and not cell.provisional


def is_short(
    phase: Phase, series: Sequence[ReleasedCell], excluded: Collection[int]
) -> bool:
    """Return whether *phase* has a frozen baseline of too few points to stand."""
    if phase.baseline_end is None:
        return False
    span = range(phase.start, phase.baseline_end)
    closed = (cell.interval_start for cell in series if is_closed(cell))
    return sum(at in span and at not in excluded for at in closed) < MIN_FROZEN_POINTS


def frame_of(
    series: Sequence[ReleasedCell], phases: Sequence[Phase], excluded: Collection[int]
) -> Frame:
    """Return the frame of a series: what is not closed is in no baseline."""
    open_ = {cell.interval_start for cell in series if not is_closed(cell)}
    return frame(
        [cell.interval_start for cell in series],
        phases=phases,
        excluded=open_.union(excluded),
    )


def young_phases(within: Frame) -> set[int]:
    """Return the phases whose baselines have too few points for limits."""
    usable = Counter(compress(within.phases, within.baseline))
    return {phase for phase in within.phases if usable[phase] < MIN_POINTS}


def without_limits(fit: Fit, within: Frame, phases: Collection[int]) -> Fit:
    """Return *fit* with the centre line alone in *phases*."""
    lines = tuple(
        Lines(center_line=line.center_line) if line and phase in phases else line
        for line, phase in zip(fit.lines, within.phases, strict=True)
    )
    return msgspec.structs.replace(fit, lines=lines)


def baselines(
    series: Sequence[ReleasedCell], fit: Fit, within: Frame
) -> Iterator[Baseline]:
    """Yield what the lines of each phase come from."""
    rows = zip(series, fit.lines, within.phases, within.frozen, strict=True)
    used = (row for row in compress(rows, within.baseline) if row[1])
    for phase, group in groupby(used, key=lambda row: row[2]):
        points = [*group]
        yield Baseline(
            phase=phase,
            points=len(points),
            first=points[0][0].interval_start,
            last=points[-1][0].interval_start,
            frozen=points[0][3],
        )
