"""The audit of a release before it is saved, and the true counts that are frozen."""

import logging
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from app.disclosure.audits import (
    Audit,
    Failure,
    Findings,
    Table,
    audit_release,
    untold_to,
)
from app.disclosure.blocks import YEAR, Published
from app.disclosure.releases import place_of
from app.disclosure.remedies import remedied
from app.disclosure.states import States, states_of
from app.disclosure.truths import Lines, fresh_lines, fresh_tables, true_lines
from app.domain.calendar import first_day
from app.domain.clinics import Audience
from app.domain.counts import Basis, Cell, ReleasedCell
from app.domain.errors import ReleaseRefusedError
from app.measures.definitions import Measure, Scoring
from app.measures.strata import blocks
from app.store import frozen_counts
from app.store.sessions import ReadSession, WriteSession

log = logging.getLogger(__name__)

Cubes = Mapping[int, tuple[Measure, list[Cell]]]
Released = Mapping[int, Sequence[ReleasedCell]]


class Audited(NamedTuple):
    """A release that may be published, and what its audit did."""

    released: dict[int, list[ReleasedCell]]
    audit: Audit


class _Behind(NamedTuple):
    """What is behind one measure's release, whatever of it is shown."""

    measure: Measure
    cells: list[Cell]
    lines: Lines
    published: Published


def audited(
    session: ReadSession,
    audience: Audience,
    cubes: Cubes,
    released: Released,
    earlier: Released,
    narrower: Released | None,
    *,
    k: int,
    locked: int,
) -> Audited:
    """
    Return a release that passes its audit: the one given, or one that shows less.

    Args:
        session: where the true counts behind earlier releases are kept.
        audience: whose release it is.
        cubes: the true cells of each measure, by its number.
        released: what would be published, by measure.
        earlier: the audience's last release.
        narrower: the release for those who read this one too, if there are any.
        k: its threshold, in people.
        locked: the month number before which all is locked.

    Raises:
        ReleaseRefusedError: it does not pass, even with all that is fresh hidden.
    """
    behind = _behind(session, cubes, earlier, locked=locked)
    safe, found = remedied(
        released,
        audit=partial(_findings, behind, k=k, locked=locked),
        bases={number: one.measure.basis for number, one in behind.items()},
        published={
            number: {place_of(cell) for cell in cells}
            for number, cells in earlier.items()
        },
    )
    failures = found.failures
    if narrower is not None:
        beside = ((safe[number], narrower[number], number) for number in behind)
        failures += tuple(each for one in beside for each in untold_to(*one))
    if failures:
        raise _refusal(audience, behind, failures)
    return Audited(safe, found.audit)


def freeze(
    session: WriteSession, cubes: Cubes, earlier: Released, *, locked: int
) -> None:
    """Keep the true counts behind each line that is not in the *earlier* release."""
    for measure_id, one in _behind(session, cubes, earlier, locked=locked).items():
        fresh = one.published.fresh
        frozen_counts.freeze(
            session,
            measure_id,
            {slots[0]: line for slots, line in one.lines.items() if slots in fresh},
        )


def _findings(
    behind: Mapping[int, _Behind],
    released: Released,
    which: Collection[int],
    *,
    k: int,
    locked: int,
) -> Findings:
    """Return what the audit of some measures finds."""
    published: list[Published] = []
    tables: list[Table] = []
    for measure_id in sorted(which):
        one = behind[measure_id]
        seen = {place_of(cell): cell for cell in released[measure_id]}
        published.append(one.published._replace(seen=seen))
        tables += fresh_tables(
            one.cells,
            one.published,
            stratifiers=blocks(one.measure),
            closed_before=locked,
        )
    return audit_release(published, tables, k=k)


def _behind(
    session: ReadSession, cubes: Cubes, earlier: Released, *, locked: int
) -> dict[int, _Behind]:
    """Return what is behind the measures that count people, by measure."""
    numbers = {measure.id: number for number, (measure, _) in cubes.items()}
    found = {}
    for measure_id, (measure, cells) in cubes.items():
        if measure.basis is Basis.SUMMARIES:
            continue
        known = {place_of(cell): cell for cell in earlier.get(measure_id, ())}
        states = _states(measure)
        lines = true_lines(
            cells, basis=measure.basis, states=states, closed_before=locked
        )
        fresh = fresh_lines(lines, known)
        since = min((slots[0][1] for slots in fresh), default=locked) // YEAR * YEAR
        then = frozen_counts.frozen(session, measure_id, since=since)
        lines = {
            slots: line if slots in fresh else then.get(slots[0], line)
            for slots, line in lines.items()
            if slots[0][1] >= since
        }
        published = Published(
            measure_id=measure_id,
            basis=measure.basis,
            states=states,
            seen={},
            lines=lines,
            fresh=fresh,
            subset_of=_known(measure.subset_of, numbers),
            sum_of=_known(measure.sum_of, numbers),
        )
        found[measure_id] = _Behind(measure, cells, lines, published)
    return found


def _known(names: Sequence[str], numbers: Mapping[str, int]) -> tuple[int, ...]:
    """Return the numbers of the measures that are released too."""
    return tuple(numbers[name] for name in names if name in numbers)


def _states(measure: Measure) -> States:
    """Return what the people of a measure can be."""
    return states_of(
        has_numerator=measure.scoring is not Scoring.CONTINUOUS_VARIABLE,
        has_exceptions=measure.denominator_exception is not None,
        counts_unscored=measure.denominator == "population",
    )


def _refusal(
    audience: Audience, behind: Mapping[int, _Behind], failures: Sequence[Failure]
) -> ReleaseRefusedError:
    """Return the error that names a block; nothing of what is in it."""
    first = failures[0]
    interval, start = first.slot
    measure = behind[first.measure_id].measure.id
    when = f"{interval} of {first_day(start).isoformat()}"
    log.error(
        "release refused",
        extra={"measure": measure, "place": f"{first.shape}, {when}"},
    )
    msg = (
        f"Nothing is published: the release for {audience} would say too much of "
        f"{measure}, {first.shape}, {when}"
    )
    return ReleaseRefusedError(msg)
