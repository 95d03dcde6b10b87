"""A release: what each audience may see, frozen, and published once."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

import msgspec

from app.disclosure.audiences import PeopleCounted
from app.disclosure.groups import Judgement, judgement_of
from app.disclosure.intervals import publishing_intervals
from app.disclosure.people import People
from app.disclosure.releases import release_measure
from app.disclosure.summaries import IsSmall, is_about_few, summarize
from app.disclosure.summary_rates import (
    Groups,
    groups_of,
    is_small_summary,
    release_summaries,
    summary_intervals,
)
from app.domain.calendar import day_number
from app.domain.clinics import Audience, ClinicStatus
from app.domain.counts import Cell, Interval, ReleasedCell
from app.domain.errors import ConflictError, NotFoundError
from app.measures.definitions import Measure, Scoring
from app.measures.strata import blocks
from app.services.counts import true_cells
from app.services.definitions import served_measures
from app.services.hub import Hub
from app.services.network_people import network_people
from app.store import clinics, releases
from app.store.recounts import MeasureRow
from app.store.releases import ReleaseRow
from app.store.sessions import ReadSession, WriteSession

log = logging.getLogger(__name__)

NARROWEST_FIRST = (Audience.MEMBERS, Audience.PUBLIC)
"""Who reads an earlier audience's release can read a later one's too."""

Cubes = Mapping[int, tuple[Measure, list[Cell]]]
"""The true cells of each measure, by the measure's number in the store."""


def today_number(hub: Hub) -> int:
    """Return the day number of today in UTC."""
    return day_number(datetime.fromtimestamp(hub.clock() / 1000, UTC).date())


def closed_before(hub: Hub) -> int:
    """Return the month before which every interval's data lock has passed."""
    return hub.audiences.closed_before(today_number(hub))


def publish(session: WriteSession, hub: Hub) -> dict[Audience, int]:
    """
    Freeze a release for each audience; return their ids.

    An interval that an earlier release has is taken over as it was published.

    Raises:
        ConflictError: an earlier release counted people in the other way, and readers
            would have both.
    """
    _refuse_both_ways(session, hub)
    active = {
        row.id
        for row in clinics.all_clinics(session)
        if row.id is not None and row.status == ClinicStatus.ACTIVE
    }
    locked = closed_before(hub)
    counted = _counted(session, hub)
    cubes = {
        row.id: (
            measure,
            true_cells(session, measure, row, clinics=active, before_month=locked),
        )
        for measure, row in counted
    }
    people: Mapping[int, People] = {}
    if hub.audiences.counts is PeopleCounted.DEDUPLICATED:
        people = network_people(
            session, hub, counted, clinics=active, before_month=locked
        )
    narrower: Mapping[int, Sequence[ReleasedCell]] | None = None
    made: dict[Audience, int] = {}
    for audience in NARROWEST_FIRST:
        released = _release(
            session, hub, audience, cubes, people, narrower, locked=locked
        )
        made[audience] = _save(
            session, hub, audience, cubes, people, released, locked=locked
        )
        narrower = released
    log.info("release published", extra={"count": len(made)})
    return made


def _refuse_both_ways(session: ReadSession, hub: Hub) -> None:
    """Refuse to add de-duplicated counts to summed ones, or summed ones to those."""
    for audience in NARROWEST_FIRST:
        last = latest(session, audience)
        if last is not None and last.counts != hub.audiences.counts:
            msg = f"Releases so far have {last.counts} counts; no audience gets both"
            raise ConflictError(msg, expression=f"{audience}.counts")


def _counted(session: ReadSession, hub: Hub) -> list[tuple[Measure, MeasureRow]]:
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
    people: Mapping[int, People],
    narrower: Mapping[int, Sequence[ReleasedCell]] | None,
    *,
    locked: int,
) -> dict[int, list[ReleasedCell]]:
    """Return the released cells of each measure for one audience."""
    rules = hub.audiences.rules(audience)
    last = releases.releases(session, audience=audience, limit=1)
    earlier = releases.read_cells(session, last[0].id) if last else {}
    released: dict[int, list[ReleasedCell]] = {}
    for measure_id, (measure, cells) in cubes.items():
        intervals = intervals_of(measure)(
            cells,
            k=rules.k,
            closed_before=locked,
            earlier=releases.read_intervals(
                session, audience=audience, measure_id=measure_id
            ),
        )
        releases.save_intervals(
            session, intervals, audience=audience, measure_id=measure_id
        )
        released[measure_id] = release_of(measure, people.get(measure_id))(
            cells,
            rules=rules,
            intervals=intervals,
            earlier=earlier.get(measure_id, []),
            within=None if narrower is None else narrower[measure_id],
            closed_before=locked,
        )
    return released


def intervals_of(measure: Measure) -> Callable[..., dict[int, Interval | None]]:
    """Return how the publishing intervals of *measure* are chosen."""
    if measure.summary is None:
        return partial(publishing_intervals, has_numerator=has_numerator(measure))
    return summary_intervals


def release_of(
    measure: Measure, people: People | None
) -> Callable[..., list[ReleasedCell]]:
    """Return what makes the release of *measure*: its rule, by who is behind it."""
    if measure.summary is None:
        return partial(
            release_measure,
            basis=measure.basis,
            judgement=judgement_on(measure),
            blocks=blocks(measure),
            people=people,
        )
    return partial(release_summaries, groups=_groups(measure))


def is_small_in(measure: Measure, people: People | None) -> IsSmall:
    """Return what tells whether a cell of *measure* is withheld for its own sake."""
    if measure.summary is None:
        return partial(is_about_few, judgement=judgement_on(measure), people=people)
    return partial(is_small_summary, groups=_groups(measure))


def _groups(measure: Measure) -> Groups:
    return groups_of(is_proportion=measure.scoring is Scoring.PROPORTION)


def _save(
    session: WriteSession,
    hub: Hub,
    audience: Audience,
    cubes: Cubes,
    people: Mapping[int, People],
    released: Mapping[int, Sequence[ReleasedCell]],
    *,
    locked: int,
) -> int:
    rules = hub.audiences.rules(audience)
    summary = {
        measure.id: msgspec.to_builtins(
            summarize(
                cells,
                released[measure_id],
                rules=rules,
                is_small=is_small_in(measure, people.get(measure_id)),
                people=people.get(measure_id),
            )
        )
        for measure_id, (measure, cells) in cubes.items()
    }
    release_id = releases.add_release(
        session,
        audience=audience,
        created_at=hub.clock(),
        closed_before=locked,
        rules_digest=hub.audiences.digest,
        policy_digest=hub.policy.digest,
        counts=hub.audiences.rules(audience).counts,
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
    return releases.releases(session, audience=audience)


def find_release(
    session: ReadSession, audience: Audience, release_id: int
) -> ReleaseRow:
    """Return one release of an audience, or refuse."""
    for row in published(session, audience):
        if row.id == release_id:
            return row
    msg = "No release of that number"
    raise NotFoundError(msg)
