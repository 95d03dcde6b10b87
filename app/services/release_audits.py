"""The audit of a release before it is saved, and the true counts that are frozen."""

import logging
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from app.disclosure.audiences import AudienceRules
from app.disclosure.audits import (
    Audit,
    Failure,
    Findings,
    Proven,
    Table,
    audit_release,
    untold_to,
)
from app.disclosure.blocks import YEAR, Published, span_of
from app.disclosure.bounds import place_of
from app.disclosure.remedies import remedied
from app.disclosure.restatements import block_of
from app.disclosure.truths import Lines, fresh_lines, fresh_tables, true_lines
from app.domain.calendar import first_day
from app.domain.clinics import Audience
from app.domain.counts import Basis, ReleasedCell
from app.domain.errors import ReleaseRefusedError
from app.measures.strata import blocks
from app.services.cubes import Cube, Cubes, states_on
from app.services.families import Relations
from app.store import frozen_counts
from app.store.sessions import ReadSession, WriteSession

log = logging.getLogger(__name__)

Released = Mapping[int, Sequence[ReleasedCell]]


class Audited(NamedTuple):
    """A release that may be published, and what its audit did."""

    released: dict[int, list[ReleasedCell]]
    audit: Audit


class Behind(NamedTuple):
    """What is behind one measure's release, whatever of it is shown."""

    cube: Cube
    lines: Lines
    published: Published


Truth = Mapping[int, Behind]
"""By the measure's number; of those only that count people."""


def audited(
    truth: Truth,
    audience: Audience,
    released: Released,
    earlier: Released,
    narrower: Released | None,
    *,
    rules: AudienceRules,
    locked: int,
) -> Audited:
    """
    Return a release that passes its audit: the one given, or one that shows less.

    Args:
        truth: what is behind it (``truth_behind``).
        audience: whose release it is.
        released: what would be published, by measure.
        earlier: what was published and stays, or is told anew, and cannot be hidden.
        narrower: the release for those who read this one too, if there are any.
        rules: its thresholds.
        locked: the month number before which all is locked.

    Raises:
        ReleaseRefusedError: it does not pass, even with all that is fresh hidden.
    """
    safe, found = remedied(
        released,
        audit=partial(_findings, truth, k=rules.k, locked=locked, proven=set()),
        bases={number: one.cube.basis for number, one in truth.items()},
        published={
            number: {place_of(cell) for cell in cells}
            for number, cells in earlier.items()
        },
    )
    failures = found.failures
    if narrower is not None:
        beside = ((safe[number], narrower[number], number) for number in truth)
        failures += tuple(
            each
            for one in beside
            for each in untold_to(*one, round_to=rules.round_to or 1)
        )
    if failures:
        raise _refusal(audience, truth, failures)
    return Audited(safe, found.audit)


def freeze(session: WriteSession, truth: Truth) -> None:
    """Keep the true counts behind each line that is fresh."""
    for measure_id, one in truth.items():
        fresh = one.published.fresh
        frozen_counts.freeze(
            session,
            measure_id,
            {slots[0]: line for slots, line in one.lines.items() if slots in fresh},
        )


def _findings(
    truth: Truth,
    released: Released,
    failures: Sequence[Failure] | None,
    *,
    k: int,
    locked: int,
    proven: Proven,
) -> Findings:
    """Return what an audit finds, of all or of the blocks in which it failed before."""
    published: list[Published] = []
    tables: list[Table] = []
    for measure_id, one in sorted(truth.items()):
        fresh = one.published.fresh
        if failures is not None:
            spans = {
                span_of(failure.slot, one.cube.basis)
                for failure in failures
                if measure_id in failure.family
            }
            fresh = frozenset(
                slots for slots in fresh if span_of(slots[0], one.cube.basis) in spans
            )
        seen = {place_of(cell): cell for cell in released[measure_id]}
        own = one.published._replace(seen=seen, fresh=fresh)
        published.append(own)
        tables += fresh_tables(
            one.cube.cells,
            own,
            stratifiers=blocks(one.cube.measure),
            closed_before=locked,
            terms=one.cube.terms,
        )
    return audit_release(published, tables, k=k, proven=proven)


def truth_behind(
    session: ReadSession,
    cubes: Cubes,
    related: Mapping[str, Relations],
    earlier: Released,
    *,
    restated: Mapping[int, Collection[tuple[int, int]]],
    locked: int,
) -> Truth:
    """
    Return what is behind the measures of *cubes* that count people.

    Lines of *earlier* releases have the counts that were frozen with them; those in
    *restated* blocks, months with their lengths by measure, are as fresh as new ones.
    """
    numbers = {cube.measure.id: number for number, cube in cubes.items()}
    found = {}
    for measure_id, cube in cubes.items():
        if cube.measure.basis is Basis.SUMMARIES:
            continue
        spans = restated.get(measure_id, ())
        known = {
            place_of(cell): cell
            for cell in earlier.get(measure_id, ())
            if not any(_is_in(cell, *span) for span in spans)
        }
        states = states_on(cube.measure)
        lines = true_lines(
            cube.cells,
            basis=cube.basis,
            states=states,
            closed_before=locked,
            terms=cube.terms,
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
            basis=cube.basis,
            states=states,
            seen={},
            lines=lines,
            fresh=fresh,
            subset_of=_numbers(related[cube.measure.id].subset_of, numbers),
            sum_of=_numbers(related[cube.measure.id].parts, numbers),
            is_summed=cube.people is None,
        )
        found[measure_id] = Behind(cube, lines, published)
    return found


def _is_in(cell: ReleasedCell, begins: int, months: int) -> bool:
    """Tell whether a cell is of a block."""
    return block_of(cell.interval, cell.interval_start, months=months) == begins


def _numbers(names: Collection[str], numbers: Mapping[str, int]) -> tuple[int, ...]:
    """Return the numbers of some measures."""
    return tuple(sorted(numbers[name] for name in names))


def _refusal(
    audience: Audience, truth: Truth, failures: Sequence[Failure]
) -> ReleaseRefusedError:
    """Return the error that names a block; nothing of what is in it."""
    first = failures[0]
    interval, start = first.slot
    measure = truth[first.measure_id].cube.measure.id
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
