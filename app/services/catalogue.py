"""Measures in words: what is counted, and by which strata."""

from typing import Any

import msgspec

from app.domain.counts import Basis
from app.domain.errors import NotFoundError
from app.measures.definitions import Measure, Scoring
from app.measures.explanations import explain
from app.measures.strata import strata_of
from app.services.definitions import served_measures
from app.services.hub import Hub
from app.store.sessions import ReadSession


class MeasurePage(msgspec.Struct, frozen=True, kw_only=True):
    """
    What there is to know of a measure; ``target`` is a proportion and its citation.

    ``per`` is None unless it is a rate: events per so much exposure.
    ``definition`` is the definition as plain data, ``explanation`` the same in words.
    """

    id: str
    version: str
    title: str
    description: str
    basis: Basis
    improvement_notation: str
    per: int | None
    cut_off_set: str | None
    tags: tuple[str, ...]
    target: tuple[float, str] | None
    strata: tuple[str, ...]
    subset_of: tuple[str, ...]
    sum_of: tuple[str, ...]
    sources: tuple[str, ...]
    explanation: str
    digest: str
    definition: dict[str, Any]


def page_of(measure: Measure) -> MeasurePage:
    """Return a measure's page."""
    target = measure.target
    return MeasurePage(
        id=measure.id,
        version=measure.version,
        title=measure.title,
        description=measure.description,
        basis=measure.basis,
        improvement_notation=measure.improvement_notation.value,
        per=measure.summary.per if is_rate(measure) and measure.summary else None,
        cut_off_set=measure.cut_off_set,
        tags=measure.tags,
        target=None
        if target is None or target.proportion is None
        else (target.proportion, target.citation),
        strata=tuple(stratum_names(measure)),
        subset_of=measure.subset_of,
        sum_of=measure.sum_of,
        sources=measure.sources,
        explanation=explain(measure),
        digest=measure.digest,
        definition=msgspec.to_builtins(measure, str_keys=True),
    )


def is_rate(measure: Measure) -> bool:
    """Return whether values are rates, which may exceed 1."""
    return measure.scoring is Scoring.RATIO


def find_page(session: ReadSession, hub: Hub, measure_id: str) -> MeasurePage:
    """Return the page of a loaded measure as it is served now, or refuse."""
    loaded = find_measure(hub, measure_id)
    served = served_measures(session, hub).get(measure_id)
    return page_of(loaded if served is None else served.measure)


def all_pages(session: ReadSession, hub: Hub) -> list[MeasurePage]:
    """Return the pages of all loaded measures as they are served now."""
    served = served_measures(session, hub)
    return [
        page_of(served[m.id].measure if m.id in served else m) for m in hub.measures
    ]


def find_measure(hub: Hub, measure_id: str) -> Measure:
    """Return a loaded measure, or refuse."""
    for measure in hub.measures:
        if measure.id == measure_id:
            return measure
    msg = "No measure of that id"
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
