"""A release: what each audience may see, frozen, and published once."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

import msgspec

from app.disclosure.groups import Judgement, judgement_of
from app.disclosure.intervals import publishing_intervals
from app.disclosure.releases import release_measure
from app.disclosure.summaries import IsSmall, is_about_few, summarize
from app.disclosure.summary_rates import (
    Groups,
    groups_of,
    is_small_summary,
    release_summaries,
    summary_intervals,
)
from app.disclosure.terms import Terms, in_terms
from app.domain.calendar import day_number
from app.domain.clinics import Audience
from app.domain.counts import Cell, Interval, ReleasedCell
from app.domain.errors import NotFoundError
from app.measures.definitions import Measure, Scoring
from app.measures.strata import blocks
from app.services.counts import true_cells
from app.services.definitions import served_measures
from app.services.hub import Hub
from app.services.participation import active_clinics, settle_terms, terms_of
from app.store import recounts, releases, restatements
from app.store.leases import wait_for_lease
from app.store.recounts import MeasureRow
from app.store.releases import ReleaseRow
from app.store.sessions import ReadSession, WriteSession

log = logging.getLogger(__name__)

NARROWEST_FIRST = (Audience.MEMBERS, Audience.PUBLIC)
"""Who reads an earlier audience's release can read a later one's too."""


class Cube(msgspec.Struct, frozen=True, kw_only=True):
    """
    A measure's true cells of the clinics that ever took part, and who takes part when.

    ``active`` are the clinics that new lines are about.
    """

    measure: Measure
    cells: Sequence[Cell]
    terms: Terms
    active: Collection[int]


Cubes = Mapping[int, Cube]
"""By the measure's number in the store."""


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
    is *restated*; also of definitions that are no longer counted.
    """
    wait_for_lease(session, "recount")
    settle_terms(session, recounts.known_measures(session))
    locked = closed_before(hub)
    cubes = true_cubes(session, hub, before_month=locked)
    narrower: Mapping[int, Sequence[ReleasedCell]] | None = None
    made: dict[Audience, int] = {}
    for audience in NARROWEST_FIRST:
        earlier = {
            **last_cells(session, audience),
            **restated.cells.get(audience, {}),
        }
        released = _release(
            session, hub, audience, cubes, narrower, earlier=earlier, locked=locked
        )
        made[audience] = _save(session, hub, audience, cubes, released, locked=locked)
        for measure_id in sorted(earlier.keys() - released.keys()):
            releases.save_cells(
                session, made[audience], measure_id, earlier[measure_id]
            )
        narrower = released
    restatements.add_restatements(session, made.values(), restated.blocks)
    restatements.note_published(session, cubes.keys(), before=locked)
    log.info("release published", extra={"count": len(made)})
    return made


def last_cells(
    session: ReadSession, audience: Audience
) -> dict[int, list[ReleasedCell]]:
    """Return what an audience's newest release shows, by the measure's row."""
    last = latest(session, audience)
    return {} if last is None else releases.read_cells(session, last.id)


def true_cubes(session: ReadSession, hub: Hub, *, before_month: int) -> dict[int, Cube]:
    """Return the true cells of each measure to publish, up to *before_month*."""
    rows = recounts.known_measures(session)
    clinics, active = terms_of(session), active_clinics(session)
    found = {}
    for measure, row in counted_measures(session, hub):
        terms = Terms(since=_told_by_others(row, rows), clinics=clinics)
        cells = true_cells(
            session, measure, row, clinics=clinics.keys(), before_month=before_month
        )
        found[row.id] = Cube(
            measure=measure,
            cells=in_terms(cells, terms, basis=measure.basis),
            terms=terms,
            active=active,
        )
    return found


def _told_by_others(own: MeasureRow, rows: Sequence[MeasureRow]) -> int:
    """Return the month before which a measure was published by other definitions."""
    return max(
        (r.published_before for r in rows if r.code == own.code and r.id != own.id),
        default=0,
    )


def counted_measures(
    session: ReadSession, hub: Hub
) -> list[tuple[Measure, MeasureRow]]:
    """Return the measures to publish whose cells are complete."""
    return [
        (each.measure, each.row)
        for each in served_measures(session, hub).values()
        if each.row.counted and each.measure.variant_of is None
    ]


def has_numerator(measure: Measure) -> bool:
    """Return False of a continuous variable, whose values are added up."""
    return measure.scoring is not Scoring.CONTINUOUS_VARIABLE


def judgement_on(measure: Measure) -> Judgement:
    """Return which groups of people in a measure's cells must not be small."""
    return judgement_of(
        has_numerator=has_numerator(measure),
        has_exceptions=measure.denominator_exception is not None,
        counts_unscored=measure.denominator == "population",
    )


def _release(
    session: WriteSession,
    hub: Hub,
    audience: Audience,
    cubes: Cubes,
    narrower: Mapping[int, Sequence[ReleasedCell]] | None,
    *,
    earlier: Mapping[int, Sequence[ReleasedCell]],
    locked: int,
) -> dict[int, list[ReleasedCell]]:
    """Return the released cells of each measure for one audience."""
    rules = hub.audiences.rules(audience)
    released: dict[int, list[ReleasedCell]] = {}
    for measure_id, cube in cubes.items():
        intervals = intervals_of(cube.measure)(
            [cell for cell in cube.cells if cell.clinic_id in cube.active],
            k=rules.k,
            closed_before=locked,
            earlier=releases.read_intervals(
                session, audience=audience, measure_id=measure_id
            ),
        )
        releases.save_intervals(
            session, intervals, audience=audience, measure_id=measure_id
        )
        released[measure_id] = release_of(cube.measure)(
            cube.cells,
            rules=rules,
            intervals=intervals,
            earlier=earlier.get(measure_id, []),
            within=None if narrower is None else narrower[measure_id],
            closed_before=locked,
            terms=cube.terms,
        )
    return released


def intervals_of(measure: Measure) -> Callable[..., dict[int, Interval | None]]:
    """Return how the publishing intervals of *measure* are chosen."""
    if measure.summary is None:
        return partial(publishing_intervals, has_numerator=has_numerator(measure))
    return summary_intervals


def release_of(measure: Measure) -> Callable[..., list[ReleasedCell]]:
    """Return what makes the release of *measure*: its rule, by who is behind it."""
    if measure.summary is None:
        return partial(
            release_measure,
            basis=measure.basis,
            judgement=judgement_on(measure),
            blocks=blocks(measure),
        )
    return partial(release_summaries, groups=_groups(measure))


def is_small_in(measure: Measure) -> IsSmall:
    """Return what tells whether a cell of *measure* is withheld for its own sake."""
    if measure.summary is None:
        return partial(is_about_few, judgement=judgement_on(measure))
    return partial(is_small_summary, groups=_groups(measure))


def _groups(measure: Measure) -> Groups:
    return groups_of(is_proportion=measure.scoring is Scoring.PROPORTION)


def _save(
    session: WriteSession,
    hub: Hub,
    audience: Audience,
    cubes: Cubes,
    released: Mapping[int, Sequence[ReleasedCell]],
    *,
    locked: int,
) -> int:
    rules = hub.audiences.rules(audience)
    summary = {
        cube.measure.id: msgspec.to_builtins(
            summarize(
                cube.cells,
                released[measure_id],
                rules=rules,
                is_small=is_small_in(cube.measure),
            )
        )
        for measure_id, cube in cubes.items()
    }
    release_id = releases.add_release(
        session,
        audience=audience,
        created_at=hub.clock(),
        closed_before=locked,
        rules_digest=hub.audiences.digest,
        policy_digest=hub.policy.digest,
        summary=summary,
    )
    for measure_id, cells in released.items():
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
