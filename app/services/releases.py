"""A release: what each audience may see, frozen, and published once."""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

import msgspec

from app.disclosure.audiences import PeopleCounted
from app.disclosure.audits import Audit
from app.disclosure.people import People
from app.disclosure.summaries import IsSmall, Summary, is_about_few, summarize
from app.disclosure.summary_rates import is_small_summary
from app.domain.calendar import day_number
from app.domain.clinics import Audience
from app.domain.counts import ReleasedCell
from app.domain.errors import ConflictError, NotFoundError
from app.measures.definitions import Measure
from app.services import release_audits
from app.services.cubes import Cubes, judgement_on, true_cubes
from app.services.drafts import (
    NARROWEST_FIRST,
    Draft,
    Past,
    draft_of,
    related_measures,
    summary_groups,
)
from app.services.hub import Hub
from app.services.participation import settle_terms
from app.store import recounts, releases, restatements
from app.store.leases import wait_for_lease
from app.store.releases import ReleaseRow
from app.store.sessions import ReadSession, WriteSession

log = logging.getLogger(__name__)


class Restated(msgspec.Struct, frozen=True, kw_only=True):
    """
    Blocks that a release tells anew.

    ``cells`` are all that takes the place of what was published, by audience and the
    measure's row, ``blocks`` the month and the length of each, by the measure's row.
    """

    cells: Mapping[Audience, Mapping[int, Sequence[ReleasedCell]]] = {}
    blocks: Mapping[int, Sequence[tuple[int, int]]] = {}


NOTHING = Restated()


def today_number(hub: Hub) -> int:
    """Return the day number of today in UTC."""
    return day_number(datetime.fromtimestamp(hub.clock() / 1000, UTC).date())


def closed_before(hub: Hub) -> int:
    """Return the month before which every interval's data lock has passed."""
    return hub.audiences.closed_before(today_number(hub))


def publish(
    session: WriteSession, hub: Hub, *, restated: Restated = NOTHING
) -> dict[Audience, int]:
    """
    Freeze a release for each audience; return their ids.

    An interval that an earlier release has is taken over as it was published, unless it
    is *restated*; also of definitions that are no longer counted. Each release is
    audited first, as a whole.

    Raises:
        ReleaseRefusedError: one does not pass; then neither is published.
        ConflictError: an earlier release counted people in the other way, and readers
            would have both; or blocks are restated whose people count once, though
            what changed is known of each clinic's by themselves.
    """
    _refuse_both_ways(session, hub)
    if restated.blocks and hub.audiences.counts is PeopleCounted.DEDUPLICATED:
        msg = "What counts people of several clinics once is not restated"
        raise ConflictError(msg, expression="restate")
    wait_for_lease(session, "recount")
    settle_terms(session, recounts.known_measures(session))
    locked = closed_before(hub)
    cubes = true_cubes(session, hub, before_month=locked)
    told = {audience: last_cells(session, audience) for audience in NARROWEST_FIRST}
    past = published_before(session, cubes, told, restated)
    made: dict[Audience, int] = {}
    related = related_measures(session, hub, [cube.measure for cube in cubes.values()])
    truth = release_audits.truth_behind(
        session,
        cubes,
        related,
        told[NARROWEST_FIRST[0]],
        restated=restated.blocks,
        locked=locked,
    )
    narrower: Draft | None = None
    for audience in NARROWEST_FIRST:
        rules = hub.audiences.rules(audience)
        draft = draft_of(
            cubes,
            related,
            past[audience],
            narrower,
            rules=rules,
            closed_before=locked,
        )
        safe, audit = release_audits.audited(
            truth,
            audience,
            draft.cells,
            past[audience].cells,
            None if narrower is None else narrower.cells,
            rules=rules,
            locked=locked,
        )
        draft = msgspec.structs.replace(draft, cells=safe)
        made[audience] = _save(session, hub, audience, cubes, draft, audit)
        gone = past[audience].cells.keys() - draft.cells.keys()
        for measure_id in sorted(gone):
            earlier = past[audience].cells[measure_id]
            releases.save_cells(session, made[audience], measure_id, earlier)
        narrower = draft
    release_audits.freeze(session, truth)
    restatements.add_restatements(session, made.values(), restated.blocks)
    restatements.note_published(session, cubes.keys(), before=locked)
    log.info("release published", extra={"count": len(made)})
    return made


def _refuse_both_ways(session: ReadSession, hub: Hub) -> None:
    """Refuse to add de-duplicated counts to summed ones, or summed ones to those."""
    for audience in NARROWEST_FIRST:
        last = latest(session, audience)
        if last is not None and last.counts != hub.audiences.counts:
            msg = f"Releases so far have {last.counts} counts; no audience gets both"
            raise ConflictError(msg, expression=f"{audience}.counts")


def last_cells(
    session: ReadSession, audience: Audience
) -> dict[int, list[ReleasedCell]]:
    """Return what an audience's newest release shows, by the measure's row."""
    last = latest(session, audience)
    return {} if last is None else releases.read_cells(session, last.id)


def published_before(
    session: ReadSession,
    cubes: Cubes,
    told: Mapping[Audience, Mapping[int, Sequence[ReleasedCell]]],
    restated: Restated,
) -> dict[Audience, Past]:
    """Return what stays of what is *told*, and what is *restated* in its place."""
    return {
        audience: Past(
            intervals={
                measure_id: releases.read_intervals(
                    session, audience=audience, measure_id=measure_id
                )
                for measure_id in cubes
            },
            cells={**told[audience], **restated.cells.get(audience, {})},
        )
        for audience in NARROWEST_FIRST
    }


def is_small_in(measure: Measure, people: People | None) -> IsSmall:
    """Return what tells whether a cell of *measure* is withheld for its own sake."""
    if measure.summary is None:
        return partial(is_about_few, judgement=judgement_on(measure), people=people)
    return partial(is_small_summary, groups=summary_groups(measure))


def summaries(
    hub: Hub, audience: Audience, cubes: Cubes, draft: Draft
) -> dict[str, Summary]:
    """Return what a release shows of each measure, by its id."""
    return {
        cube.measure.id: summarize(
            cube.cells,
            draft.cells[measure_id],
            rules=hub.audiences.rules(audience),
            is_small=is_small_in(cube.measure, cube.people),
            people=cube.people,
        )
        for measure_id, cube in cubes.items()
    }


def _save(
    session: WriteSession,
    hub: Hub,
    audience: Audience,
    cubes: Cubes,
    draft: Draft,
    audit: Audit,
) -> int:
    for measure_id, intervals in draft.intervals.items():
        releases.save_intervals(
            session, intervals, audience=audience, measure_id=measure_id
        )
    release_id = releases.add_release(
        session,
        audience=audience,
        created_at=hub.clock(),
        closed_before=closed_before(hub),
        rules_digest=hub.audiences.digest,
        policy_digest=hub.policy.digest,
        counts=hub.audiences.rules(audience).counts,
        summary=msgspec.to_builtins(summaries(hub, audience, cubes, draft)),
        audit=msgspec.to_builtins(audit),
    )
    for measure_id, cells in draft.cells.items():
        releases.save_cells(session, release_id, measure_id, cells)
    return release_id


def latest(session: ReadSession, audience: Audience) -> ReleaseRow | None:
    """Return an audience's newest release, if there is one."""
    return next(iter(releases.releases(session, audience=audience, limit=1)), None)


def published(session: ReadSession, audience: Audience) -> list[ReleaseRow]:
    """Return an audience's releases, the newest first."""
    return releases.with_restated(
        session, releases.releases(session, audience=audience)
    )


def find_release(
    session: ReadSession, audience: Audience, release_id: int
) -> ReleaseRow:
    """Return one release of an audience, or refuse."""
    for row in published(session, audience):
        if row.id == release_id:
            return row
    msg = "No release of that number"
    raise NotFoundError(msg)
