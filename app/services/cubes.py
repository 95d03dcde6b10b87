"""True cells of what releases tell of, with who takes part in them."""

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from app.disclosure.audiences import PeopleCounted
from app.disclosure.groups import Judgement, judgement_of
from app.disclosure.people import People
from app.disclosure.states import States, states_of
from app.disclosure.terms import ALWAYS, Terms, in_terms
from app.domain.counts import Basis, Cell, Interval
from app.domain.keeping import Keeping
from app.measures.definitions import Measure, Scoring, thousandths
from app.services.counts import true_cells
from app.services.definitions import served_measures
from app.services.hub import Hub
from app.services.network_people import network_people
from app.services.participation import active_clinics, terms_of
from app.store import recounts
from app.store.recounts import MeasureRow
from app.store.sessions import ReadSession


class Cube(msgspec.Struct, frozen=True, kw_only=True):
    """
    A measure's true cells of the clinics that ever took part, and who takes part when.

    ``basis`` is what an interval stands for, under what the policy keeps. ``active``
    are the clinics that new lines are about, and ``people`` those of them, each once,
    where the network's numbers are of these.
    """

    measure: Measure
    basis: Basis
    cells: Sequence[Cell]
    terms: Terms
    active: Collection[int]
    people: People | None = None


Cubes = Mapping[int, Cube]
"""By the measure's number in the store."""


def true_cubes(session: ReadSession, hub: Hub, *, before_month: int) -> Cubes:
    """Return the true cells of each measure to publish, up to *before_month*."""
    rows, clinics = recounts.known_measures(session), terms_of(session)
    return _cubes(
        session,
        hub,
        clinics=clinics.keys(),
        terms=lambda row: Terms(since=_told_by_others(row, rows), clinics=clinics),
        before_month=before_month,
    )


def first_cubes(session: ReadSession, hub: Hub, *, before_month: int) -> Cubes:
    """Return the same as if nothing had been published, and all clinics were new."""
    return _cubes(
        session,
        hub,
        clinics=active_clinics(session),
        terms=lambda _: ALWAYS,
        before_month=before_month,
    )


def _cubes(
    session: ReadSession,
    hub: Hub,
    *,
    clinics: Collection[int],
    terms: Callable[[MeasureRow], Terms],
    before_month: int,
) -> Cubes:
    """Return the true cells of *clinics*, measure by measure, in its *terms*."""
    counted, active = counted_measures(session, hub), active_clinics(session)
    people: Mapping[int, People] = {}
    if hub.audiences.counts is PeopleCounted.DEDUPLICATED:
        people = network_people(
            session, hub, counted, clinics=active, before_month=before_month
        )
    found = {}
    for measure, row in counted:
        basis, own_terms = basis_of(measure, hub.policy.keeping), terms(row)
        cells = true_cells(
            session,
            measure,
            row,
            clinics=clinics,
            before_month=before_month,
            keeping=hub.policy.keeping,
        )
        found[row.id] = Cube(
            measure=measure,
            basis=basis,
            cells=in_terms(cells, own_terms, basis=basis),
            terms=own_terms,
            active=active,
            people=people.get(row.id),
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
    return judgement_of(**_kinds_of_people(measure), least=least_of(measure))


def states_on(measure: Measure) -> States:
    """Return what the people of a measure can be."""
    return states_of(**_kinds_of_people(measure))


def _kinds_of_people(measure: Measure) -> dict[str, bool]:
    """Return what a measure tells apart, as both of these are told."""
    return {
        "has_numerator": has_numerator(measure),
        "has_exceptions": measure.denominator_exception is not None,
        "counts_unscored": measure.denominator == "population",
    }


def least_of(measure: Measure) -> int:
    """Return where the grid of a continuous variable begins, in thousandths."""
    observed = measure.measure_observation
    return 0 if observed is None else thousandths(observed.from_)


def basis_of(measure: Measure, keeping: Keeping) -> Basis:
    """Return what an interval of a measure stands for under what a policy keeps."""
    # Without months no year shows a December's numbers: each width has its own.
    of_years = keeping.finest is Interval.YEAR and measure.summary is None
    return Basis.INDEX_EVENTS if of_years else measure.basis
