"""Measures in words: what is counted, in which unit, and by which strata."""

from collections.abc import Iterable
from typing import Any

import msgspec

from app.domain.counts import Basis
from app.domain.errors import NotFoundError
from app.domain.scales import DIMENSIONLESS, Scale
from app.measures.definitions import Measure, MeasureObservation, Scoring
from app.measures.explanations import explain
from app.measures.plans import planned
from app.measures.strata import strata_of
from app.services.definitions import shown_measures
from app.services.hub import Hub
from app.store.sessions import ReadSession

OTHER = "other"
"""Missing is what is no observable, or that the observables were found together."""


class MeasurePage(msgspec.Struct, frozen=True, kw_only=True):
    """
    What there is to know of a measure; ``target`` is a value and its citation.

    ``variant_of`` is set where it is another cut-off set of a measure. ``stratifiers``
    are the names of each one's strata; ``not_answered`` is why the policy keeps too
    little for it; ``lacking`` are what people may lack to be
    scored, in the order of the bits of ``Cell.missing``. ``definition`` is the
    definition as plain data, ``explanation`` the same in words.
    """

    id: str
    version: str
    title: str
    description: str
    basis: Basis
    scoring: str
    scale: Scale
    improvement_notation: str
    cut_off_set: str | None
    variant_of: str | None
    value_sets: dict[str, str]
    lacking: tuple[str, ...]
    tags: tuple[str, ...]
    target: tuple[float, str] | None
    stratifiers: dict[str, list[str]]
    strata: tuple[str, ...]
    subset_of: tuple[str, ...]
    sum_of: tuple[str, ...]
    sources: tuple[str, ...]
    explanation: str
    not_answered: tuple[str, ...]
    digest: str
    definition: dict[str, Any]


def page_of(measure: Measure, *, not_answered: tuple[str, ...] = ()) -> MeasurePage:
    """Return a measure's page; *not_answered* is why it is not counted."""
    target = measure.target
    return MeasurePage(
        id=measure.id,
        version=measure.version,
        title=measure.title,
        description=measure.description,
        basis=measure.basis,
        scoring=measure.scoring.value,
        scale=scale_of(measure),
        improvement_notation=measure.improvement_notation.value,
        cut_off_set=measure.cut_off_set,
        variant_of=measure.variant_of,
        value_sets=measure.value_set_versions,
        lacking=lacking_of(measure),
        tags=measure.tags,
        target=None if target is None else (target.aim, target.citation),
        stratifiers=strata_of(measure),
        strata=tuple(stratum_names(measure)),
        subset_of=measure.subset_of,
        sum_of=measure.sum_of,
        sources=measure.sources,
        explanation=explain(measure),
        not_answered=not_answered,
        digest=measure.digest,
        definition=msgspec.to_builtins(measure, str_keys=True),
    )


def scale_of(measure: Measure) -> Scale:
    """Return what the values of a measure are."""
    if measure.measure_observation is not None:
        return Scale(unit=_unit_of(measure, measure.measure_observation))
    is_rate = measure.scoring is Scoring.RATIO
    return Scale(per=measure.summary.per if is_rate and measure.summary else None)


def _unit_of(measure: Measure, observed: MeasureObservation) -> str:
    """
    Return the unit of a continuous variable as a UCUM code.

    A composite has the unit of its components; the unit 1, where they have several.
    """
    name, _, part = observed.of.partition(".")
    composite = None if part else measure.composites.get(name)
    parts = [part or name] if composite is None else [*composite.components]
    units = {measure.observables[each].unit or DIMENSIONLESS for each in parts}
    return units.pop() if len(units) == 1 else DIMENSIONLESS


def lacking_of(measure: Measure) -> tuple[str, ...]:
    """Return what people may lack to be scored: the components, and another thing."""
    if measure.summary is not None:
        return ()
    return (*planned(measure, {}).components, OTHER)


def find_page(session: ReadSession, hub: Hub, measure_id: str) -> MeasurePage:
    """Return the page of a loaded measure as it is served now, or refuse."""
    return _shown_page(find_shown(session, hub, measure_id), hub)


def all_pages(session: ReadSession, hub: Hub) -> list[MeasurePage]:
    """Return the pages of all loaded measures as they are served now."""
    return [_shown_page(measure, hub) for measure in shown_measures(session, hub)]


def _shown_page(measure: Measure, hub: Hub) -> MeasurePage:
    found = hub.unanswered.get(measure.id)
    return page_of(measure, not_answered=() if found is None else found.reasons)


def find_shown(session: ReadSession, hub: Hub, measure_id: str) -> Measure:
    """Return a loaded measure as it is shown now, or refuse."""
    return _named(shown_measures(session, hub), measure_id)


def find_measure(hub: Hub, measure_id: str) -> Measure:
    """
    Return a measure that is counted, or refuse.

    Raises:
        NotFoundError: there is none of that id.
        NotAnswerableError: the policy keeps too little for it; it says why.
    """
    if measure_id in hub.unanswered:
        raise hub.unanswered[measure_id].refusal(hub.policy.terms.id)
    return _named(hub.measures, measure_id)


def _named(measures: Iterable[Measure], measure_id: str) -> Measure:
    for measure in measures:
        if measure.id == measure_id:
            return measure
    msg = "No measure of that id"
    raise NotFoundError(msg)


def published_measures(hub: Hub) -> list[Measure]:
    """Return the measures that are released: one cut-off set of each definition."""
    return [measure for measure in hub.measures if measure.variant_of is None]


def refuse_variant(measure: Measure) -> None:
    """Refuse to tell of another cut-off set than the default to others."""
    if measure.variant_of is not None:
        msg = (
            f"This is another cut-off set of {measure.variant_of}, which a clinic can "
            "see of itself, and nobody of others"
        )
        raise NotFoundError(msg)


def stratum_names(measure: Measure) -> list[str]:
    """Return the names of a measure's strata, in the order of their numbers from 1."""
    return [name for names in strata_of(measure).values() for name in names]


def stratum_number(measure: Measure, name: str | None) -> int:
    """Return the number of the stratum called *name*; 0, the total, for None."""
    if name is None:
        return 0
    names = stratum_names(measure)
    if name not in names:
        msg = "The measure has no such stratum"
        raise NotFoundError(msg)
    return names.index(name) + 1
