"""A release: what each audience may see, frozen, and published once."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

import msgspec

from app.disclosure.audiences import AudienceRules, PeopleCounted
from app.disclosure.families import (
    Family,
    Intervals,
    Member,
    family_intervals,
    release_family,
)
from app.disclosure.groups import Judgement, judgement_of
from app.disclosure.people import People
from app.disclosure.summaries import IsSmall, Summary, is_about_few, summarize
from app.disclosure.summary_rates import (
    Groups,
    groups_of,
    is_small_summary,
    release_summaries,
    summary_intervals,
)
from app.domain.calendar import day_number
from app.domain.clinics import Audience, ClinicStatus
from app.domain.counts import Basis, Cell, Interval, ReleasedCell
from app.domain.errors import ConflictError, NotFoundError
from app.domain.keeping import Keeping
from app.measures.definitions import Measure, Scoring, thousandths
from app.services.counts import true_cells
from app.services.definitions import served_measures
from app.services.families import Relations, families, relations, stratifiers
from app.services.hub import Hub
from app.services.network_people import network_people
from app.store import clinics, releases
from app.store.recounts import MeasureRow
from app.store.releases import ReleaseRow
from app.store.sessions import ReadSession, WriteSession

log = logging.getLogger(__name__)

NARROWEST_FIRST = (Audience.MEMBERS, Audience.PUBLIC)
"""Who reads an earlier audience's release can read a later one's too."""


class Cube(NamedTuple):
    """A measure's true cells; and the network's people, where each is to count once."""

    measure: Measure
    cells: list[Cell]
    people: People | None


Cubes = Mapping[int, Cube]
"""What is to be published, by the measure's number in the store."""


def today_number(hub: Hub) -> int:
    """Return the day number of today in UTC."""
    return day_number(datetime.fromtimestamp(hub.clock() / 1000, UTC).date())


def closed_before(hub: Hub) -> int:
    """Return the month before which every interval's data lock has passed."""
    return hub.audiences.closed_before(today_number(hub))


Made = tuple[Mapping[str, Intervals], Mapping[str, Sequence[ReleasedCell]]]
"""Publishing intervals and released cells, by the measures' ids."""


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What was chosen and published before, by the measures' numbers in the store."""

    intervals: Mapping[int, Intervals] = {}
    cells: Mapping[int, Sequence[ReleasedCell]] = {}


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A release for one audience to be, by the measures' numbers in the store."""

    intervals: Mapping[int, Intervals]
    cells: Mapping[int, Sequence[ReleasedCell]]


def publish(session: WriteSession, hub: Hub) -> dict[Audience, int]:
    """
    Freeze a release for each audience; return their ids.

    An interval that an earlier release has is taken over as it was published.

    Raises:
        ConflictError: an earlier release counted people in the other way, and readers
            would have both.
    """
    _refuse_both_ways(session, hub)
    cubes = true_cubes(session, hub)
    made: dict[Audience, int] = {}
    for audience, draft in drafts(
        session, hub, cubes, past=published_before(session, cubes)
    ).items():
        made[audience] = _save(session, hub, audience, cubes, draft)
    log.info("release published", extra={"count": len(made)})
    return made


def true_cubes(session: ReadSession, hub: Hub) -> Cubes:
    """Return the true cells of what is to be published, up to the data lock."""
    active = {
        row.id
        for row in clinics.all_clinics(session)
        if row.id is not None and row.status == ClinicStatus.ACTIVE
    }
    locked, counted = closed_before(hub), _counted(session, hub)
    people: Mapping[int, People] = {}
    if hub.audiences.counts is PeopleCounted.DEDUPLICATED:
        people = network_people(
            session, hub, counted, clinics=active, before_month=locked
        )
    return {
        row.id: Cube(
            measure,
            true_cells(
                session,
                measure,
                row,
                clinics=active,
                before_month=locked,
                keeping=hub.policy.keeping,
            ),
            people.get(row.id),
        )
        for measure, row in counted
    }


def _refuse_both_ways(session: ReadSession, hub: Hub) -> None:
    """Refuse to add de-duplicated counts to summed ones, or summed ones to those."""
    for audience in NARROWEST_FIRST:
        last = latest(session, audience)
        if last is not None and last.counts != hub.audiences.counts:
            msg = f"Releases so far have {last.counts} counts; no audience gets both"
            raise ConflictError(msg, expression=f"{audience}.counts")


def drafts(
    session: ReadSession, hub: Hub, cubes: Cubes, *, past: Mapping[Audience, Past]
) -> dict[Audience, Draft]:
    """Return a release for each audience by the hub's rules; keep nothing."""
    made: dict[Audience, Draft] = {}
    narrower: Draft | None = None
    for audience in NARROWEST_FIRST:
        narrower = made[audience] = _draft(
            session, hub, audience, cubes, past.get(audience, Past()), narrower
        )
    return made


def published_before(session: ReadSession, cubes: Cubes) -> dict[Audience, Past]:
    """Return what stays of earlier releases."""
    return {
        audience: Past(
            intervals={
                measure_id: releases.read_intervals(
                    session, audience=audience, measure_id=measure_id
                )
                for measure_id in cubes
            },
            cells=releases.read_cells(session, last.id)
            if (last := latest(session, audience))
            else {},
        )
        for audience in NARROWEST_FIRST
    }


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
        least=least_of(measure),
    )


def least_of(measure: Measure) -> int:
    """Return where the grid of a continuous variable begins, in thousandths."""
    observed = measure.measure_observation
    return 0 if observed is None else thousandths(observed.from_)


def _draft(
    session: ReadSession,
    hub: Hub,
    audience: Audience,
    cubes: Cubes,
    past: Past,
    narrower: Draft | None,
) -> Draft:
    """Return the next release for one audience, family by family."""
    rules, locked = hub.audiences.rules(audience), closed_before(hub)
    related = relations(
        {cube.measure.id: cube.measure for cube in cubes.values()},
        {name: each.measure for name, each in served_measures(session, hub).items()},
    )
    members = _members(cubes, related, past, narrower, keeping=hub.policy.keeping)
    ids = {cube.measure.id: measure_id for measure_id, cube in cubes.items()}
    intervals: dict[int, Intervals] = {}
    released: dict[int, Sequence[ReleasedCell]] = {}
    for names in families(related):
        measure = cubes[ids[min(names)]].measure
        chosen, made = _maker(measure)(
            {name: members[name] for name in names}, rules=rules, closed_before=locked
        )
        intervals |= {ids[name]: each for name, each in chosen.items()}
        released |= {ids[name]: each for name, each in made.items()}
    return Draft(intervals=intervals, cells=released)


def _members(
    cubes: Cubes,
    related: Mapping[str, Relations],
    past: Past,
    narrower: Draft | None,
    *,
    keeping: Keeping,
) -> dict[str, Member]:
    """Return what each measure's release is made from, by its id."""
    return {
        measure.id: Member(
            cells=cells,
            basis=_basis_of(measure, keeping),
            judgement=judgement_on(measure),
            blocks=stratifiers(measure),
            chosen=past.intervals.get(measure_id, {}),
            earlier=past.cells.get(measure_id, ()),
            narrower=None if narrower is None else narrower.cells[measure_id],
            subset_of=related[measure.id].subset_of,
            parts=related[measure.id].parts,
            people=people,
        )
        for measure_id, (measure, cells, people) in cubes.items()
    }


def _basis_of(measure: Measure, keeping: Keeping) -> Basis:
    """Return what an interval of a measure stands for under what a policy keeps."""
    # Without months no year shows a December's numbers: each width has its own.
    of_years = keeping.finest is Interval.YEAR and measure.summary is None
    return Basis.INDEX_EVENTS if of_years else measure.basis


def _maker(measure: Measure) -> Callable[..., Made]:
    """Return what makes the release of a measure's family: by who is behind it."""
    if measure.summary is None:
        return _of_people
    return partial(_of_summaries, groups=_groups(measure))


def _of_people(family: Family, *, rules: AudienceRules, closed_before: int) -> Made:
    """Return the publishing intervals and the release of related measures."""
    chosen = family_intervals(family, k=rules.k, closed_before=closed_before)
    return chosen, release_family(
        family, intervals=chosen, rules=rules, closed_before=closed_before
    )


def _of_summaries(
    family: Family, *, groups: Groups, rules: AudienceRules, closed_before: int
) -> Made:
    """Return the same of one measure that clinics count themselves."""
    ((name, member),) = family.items()
    chosen = summary_intervals(
        member.cells, k=rules.k, closed_before=closed_before, earlier=member.chosen
    )
    made = release_summaries(
        member.cells,
        rules=rules,
        groups=groups,
        intervals=chosen,
        earlier=member.earlier,
        within=member.narrower,
        closed_before=closed_before,
    )
    return {name: chosen}, {name: made}


def is_small_in(measure: Measure, people: People | None = None) -> IsSmall:
    """Return what tells whether a cell of *measure* is withheld for its own sake."""
    if measure.summary is None:
        return partial(is_about_few, judgement=judgement_on(measure), people=people)
    return partial(is_small_summary, groups=_groups(measure))


def _groups(measure: Measure) -> Groups:
    return groups_of(is_proportion=measure.scoring is Scoring.PROPORTION)


def summaries(
    hub: Hub, audience: Audience, cubes: Cubes, draft: Draft
) -> dict[str, Summary]:
    """Return what a release shows of each measure, by its id."""
    return {
        measure.id: summarize(
            cells,
            draft.cells[measure_id],
            rules=hub.audiences.rules(audience),
            is_small=is_small_in(measure, people),
            people=people,
        )
        for measure_id, (measure, cells, people) in cubes.items()
    }


def _save(
    session: WriteSession, hub: Hub, audience: Audience, cubes: Cubes, draft: Draft
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
    )
    for measure_id, cells in draft.cells.items():
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
