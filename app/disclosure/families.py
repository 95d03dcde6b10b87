"""
Measures that contain one another, released together for an audience.

A measure is shown only where those that it is part of are, and the parts of a sum only
where all of them are: with the sum at hand one hidden part could be subtracted. Who is
counted in a wider measure and not in this one is a group of people like the others
(``app.disclosure.nesting``). All members of a family publish a clinic by one interval,
the coarsest that any of them needs.
"""

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence

import msgspec

from app.disclosure.audiences import AudienceRules
from app.disclosure.bounds import Bound, bound_of
from app.disclosure.groups import Judgement
from app.disclosure.intervals import intervals_within, publishing_intervals
from app.disclosure.nesting import Wider, with_beyond
from app.disclosure.people import People
from app.disclosure.releases import release_measure
from app.disclosure.terms import ALWAYS, Terms
from app.domain.counts import Basis, Cell, Interval, ReleasedCell

Intervals = Mapping[int, Interval | None]


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """
    One measure, and how it is related to others of its family, by their names.

    ``active`` are the clinics that new lines are about. ``blocks`` are the numbers of
    the strata of each stratifier; what keys them is equal where two measures have the
    same one. ``chosen`` are the intervals of earlier releases. ``parts`` are those it
    is the sum of. The rest is as in ``release_measure``; ``narrower`` is the release
    for a narrower audience.
    """

    cells: Sequence[Cell]
    active: Collection[int]
    basis: Basis
    judgement: Judgement
    blocks: Mapping[Hashable, range]
    chosen: Intervals
    earlier: Sequence[ReleasedCell]
    narrower: Sequence[ReleasedCell] | None
    terms: Terms = ALWAYS
    subset_of: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    people: People | None = None


Family = Mapping[str, Member]


def family_intervals(
    family: Family, *, k: int, closed_before: int
) -> dict[str, Intervals]:
    """
    Return the publishing intervals of a family's measures: of each clinic one for all.

    It is the coarsest that any of them needs, of which None is the coarsest. What was
    chosen before stays as it is. Where few people are between a measure and one that
    it is part of, the narrower has none (``intervals_within``).
    """
    needed = {
        name: publishing_intervals(
            _active(member, member.cells),
            k=k,
            has_numerator=member.judgement.has_numerator,
            closed_before=closed_before,
            earlier=member.chosen,
        )
        for name, member in family.items()
    }
    coarsest: dict[int, Interval | None] = {}
    for intervals in needed.values():
        for clinic, interval in intervals.items():
            coarsest[clinic] = _coarser(coarsest.get(clinic, interval), interval)
    found: dict[str, Intervals] = {}
    for name in _widest_first(family):
        member, wider = family[name], _nested_in(name, family)
        shared = {clinic: coarsest[clinic] for clinic in needed[name]}
        if wider:
            around = [found[other] for other in _wider(name, family)]
            shared = intervals_within(
                _active(member, with_beyond(member.cells, wider)),
                k=k,
                closed_before=closed_before,
                shared={
                    clinic: interval
                    if all(each.get(clinic, interval) for each in around)
                    else None
                    for clinic, interval in shared.items()
                },
                earlier=member.chosen,
            )
        found[name] = {
            clinic: member.chosen.get(clinic) or interval
            for clinic, interval in shared.items()
        }
    return found


def _active(member: Member, cells: Iterable[Cell]) -> list[Cell]:
    """Return those of a measure's *cells* that new lines are about."""
    return [cell for cell in cells if cell.clinic_id in member.active]


def _coarser(one: Interval | None, other: Interval | None) -> Interval | None:
    if one is None or other is None:
        return None
    return max(one, other, key=lambda interval: interval.months)


def release_family(
    family: Family,
    *,
    intervals: Mapping[str, Intervals],
    rules: AudienceRules,
    closed_before: int,
) -> dict[str, list[ReleasedCell]]:
    """
    Return the release of each measure of *family* for one audience.

    Wider measures come first. The parts of a sum are released again within what was
    shown of them all, until they agree; less is shown each time, so that it ends.
    """
    released: dict[str, list[ReleasedCell]] = {}
    before = None
    while released != before:
        before = dict(released)
        for name in _widest_first(family):
            member = family[name]
            released[name] = release_measure(
                member.cells,
                rules=rules,
                basis=member.basis,
                judgement=member.judgement,
                blocks=list(member.blocks.values()),
                intervals=intervals[name],
                earlier=member.earlier,
                within=list(_bounds(name, family, released)),
                closed_before=closed_before,
                wider=_nested_in(name, family),
                terms=member.terms,
                people=_people_in(name, family),
            )
        if not any(member.parts for member in family.values()):
            break
    return released


def _bounds(
    name: str, family: Family, released: Mapping[str, Sequence[ReleasedCell]]
) -> Iterator[Bound]:
    """Yield all that is released beside a measure and bounds it."""
    member = family[name]
    if member.narrower is not None:
        yield bound_of(member.narrower)
    if name in released:
        yield bound_of(released[name])
    for other in sorted(family.keys() - {name}):
        strata = _shared_strata(member, family[other])
        if other in _wider(name, family):
            yield bound_of(released[other], strata=strata, wider=True)
        elif other in _siblings(name, family) & released.keys():
            yield bound_of(released[other], strata=strata)
        elif name in _wider(other, family):
            yield bound_of(family[other].earlier, strata=strata, part=True)


def _nested_in(name: str, family: Family) -> list[Wider]:
    """Return the measures that one is part of, with the strata that both have."""
    wider = [family[other] for other in sorted(_wider(name, family))]
    return [Wider(each.cells, _shared_strata(family[name], each)) for each in wider]


def _people_in(name: str, family: Family) -> People | None:
    """Return the network's people beside those of the measures that one is part of."""
    people = family[name].people
    if people is None:
        return None
    wider = [family[other] for other in sorted(_wider(name, family))]
    return people.within(
        (each.people, _shared_strata(family[name], each))
        for each in wider
        if each.people is not None
    )


def _wider(name: str, family: Family) -> set[str]:
    """Return the measures that one is part of, as they say themselves."""
    return set(family[name].subset_of) | {
        other for other, member in family.items() if name in member.parts
    }


def _siblings(name: str, family: Family) -> set[str]:
    """Return the other parts of the sums that a measure is part of."""
    sums = [member.parts for member in family.values() if name in member.parts]
    return set().union(*sums) - {name}


def _widest_first(family: Family) -> list[str]:
    """Return the measures by how many contain them, then by name."""
    return sorted(family, key=lambda name: (len(_containing(name, family)), name))


def _containing(name: str, family: Family) -> set[str]:
    """Return all measures that one is part of, or part of a part of."""
    found: set[str] = set()
    ahead = _wider(name, family)
    while ahead:
        found |= ahead
        ahead = {far for near in ahead for far in _wider(near, family)} - found
    return found


def _shared_strata(member: Member, other: Member) -> dict[int, int]:
    """Return the strata of *other* by those of *member*, where both have them."""
    return {
        here: there
        for stratifier, block in member.blocks.items()
        for here, there in zip(block, other.blocks.get(stratifier, ()), strict=False)
    }
