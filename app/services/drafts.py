"""Releases to be: what each audience would be told, family by family of measures."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import msgspec

from app.disclosure.audiences import AudienceRules
from app.disclosure.families import (
    Family,
    Intervals,
    Member,
    family_intervals,
    release_family,
)
from app.disclosure.summary_rates import (
    Groups,
    groups_of,
    release_summaries,
    summary_intervals,
)
from app.domain.clinics import Audience
from app.domain.counts import ReleasedCell
from app.measures.definitions import Measure, Scoring
from app.services.cubes import Cubes, judgement_on
from app.services.definitions import served_measures
from app.services.families import Relations, families, relations, stratifiers
from app.services.hub import Hub
from app.store.sessions import ReadSession

NARROWEST_FIRST = (Audience.MEMBERS, Audience.PUBLIC)
"""Who reads an earlier audience's release can read a later one's too."""

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


def drafts(
    session: ReadSession,
    hub: Hub,
    cubes: Cubes,
    *,
    past: Mapping[Audience, Past],
    closed_before: int,
) -> dict[Audience, Draft]:
    """Return a release for each audience by the hub's rules; keep nothing."""
    related = related_measures(session, hub, [cube.measure for cube in cubes.values()])
    made: dict[Audience, Draft] = {}
    narrower: Draft | None = None
    for audience in NARROWEST_FIRST:
        narrower = made[audience] = draft_of(
            cubes,
            related,
            past.get(audience, Past()),
            narrower,
            rules=hub.audiences.rules(audience),
            closed_before=closed_before,
        )
    return made


def draft_of(
    cubes: Cubes,
    related: Mapping[str, Relations],
    past: Past,
    narrower: Draft | None,
    *,
    rules: AudienceRules,
    closed_before: int,
) -> Draft:
    """Return the next release for one audience, family by family."""
    members = members_of(cubes, related, past, narrower)
    ids = {cube.measure.id: measure_id for measure_id, cube in cubes.items()}
    intervals: dict[int, Intervals] = {}
    released: dict[int, Sequence[ReleasedCell]] = {}
    for names in families(related):
        chosen, made = _maker(cubes[ids[min(names)]].measure)(
            {name: members[name] for name in names},
            rules=rules,
            closed_before=closed_before,
        )
        intervals |= {ids[name]: each for name, each in chosen.items()}
        released |= {ids[name]: each for name, each in made.items()}
    return Draft(intervals=intervals, cells=released)


def related_measures(
    session: ReadSession, hub: Hub, measures: Iterable[Measure]
) -> Mapping[str, Relations]:
    """Return how *measures* are related, by id."""
    return relations(
        {measure.id: measure for measure in measures},
        {name: each.measure for name, each in served_measures(session, hub).items()},
    )


def members_of(
    cubes: Cubes,
    related: Mapping[str, Relations],
    past: Past,
    narrower: Draft | None,
) -> dict[str, Member]:
    """Return what each measure's release is made from, by its id."""
    return {
        cube.measure.id: Member(
            cells=cube.cells,
            terms=cube.terms,
            active=cube.active,
            basis=cube.basis,
            judgement=judgement_on(cube.measure),
            blocks=stratifiers(cube.measure),
            chosen=past.intervals.get(measure_id, {}),
            earlier=past.cells.get(measure_id, ()),
            narrower=None if narrower is None else narrower.cells[measure_id],
            subset_of=related[cube.measure.id].subset_of,
            parts=related[cube.measure.id].parts,
            people=cube.people,
        )
        for measure_id, cube in cubes.items()
    }


def _maker(measure: Measure) -> Callable[..., Made]:
    """Return what makes the release of a measure's family: by who is behind it."""
    if measure.summary is None:
        return _of_people
    return partial(_of_summaries, groups=summary_groups(measure))


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
        [cell for cell in member.cells if cell.clinic_id in member.active],
        k=rules.k,
        closed_before=closed_before,
        earlier=member.chosen,
    )
    made = release_summaries(
        member.cells,
        rules=rules,
        groups=groups,
        intervals=chosen,
        earlier=member.earlier,
        within=member.narrower,
        closed_before=closed_before,
        terms=member.terms,
    )
    return {name: chosen}, {name: made}


def summary_groups(measure: Measure) -> Groups:
    """Return what a clinic's own counts are judged by."""
    return groups_of(is_proportion=measure.scoring is Scoring.PROPORTION)
