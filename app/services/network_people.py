"""The network's people, each once: the clinics' counts, with linked people merged."""

from collections.abc import Collection, Sequence
from functools import partial

import msgspec

from app.disclosure.people import People
from app.domain.errors import ConflictError
from app.domain.keeping import Keeping
from app.measures.compilation import compile_measure
from app.measures.definitions import Measure
from app.services.counts import cells_of_events
from app.services.definitions import compares_as_stored
from app.services.hub import Hub
from app.store import recounts
from app.store.concepts import all_concepts
from app.store.linked_people import (
    Places,
    events_apart,
    events_together,
    linked_people,
    merge,
)
from app.store.recounts import EventRow, MeasureRow
from app.store.sessions import ReadSession

Apart = list[tuple[int, EventRow]]
"""What linked people add to the clinics' cells, each with its place."""


def network_people(
    session: ReadSession,
    hub: Hub,
    counted: Sequence[tuple[Measure, MeasureRow]],
    *,
    clinics: Collection[int],
    before_month: int,
) -> dict[int, People]:
    """
    Return the people of *clinics*, each once, of each measure that counts people.

    The result is that of a count in which everybody who is linked were one patient.

    Raises:
        ConflictError: a definition is being replaced by one that reads values in
            another unit: what is stored fits the new one, what is shown the old.
    """
    of_people = [(m, row) for m, row in counted if m.summary is None]
    if not all(compares_as_stored(hub, measure) for measure, _ in of_people):
        msg = "A definition is being counted anew: people are merged once it is served"
        raise ConflictError(msg)
    concepts = all_concepts(session)
    with linked_people(session, clinics) as places:
        apart = {row.id: events_apart(session, row.id) for _, row in of_people}
        merge(session)
        together = {
            row.id: events_together(session, sweep=compile_measure(measure, concepts))
            for measure, row in of_people
        }
    return {
        row.id: _people(
            measure,
            places,
            each=recounts.read_events(session, row.id, clinic_ids=clinics),
            apart=apart[row.id],
            together=together[row.id],
            clinics=clinics,
            before_month=before_month,
            keeping=hub.policy.keeping,
        )
        for measure, row in of_people
    }


def _people(
    measure: Measure,
    places: Places,
    *,
    each: Sequence[EventRow],
    apart: Apart,
    together: Sequence[EventRow],
    clinics: Collection[int],
    before_month: int,
    keeping: Keeping,
) -> People:
    """Return the people of one measure: the unlinked of each clinic, and the merged."""
    alone = [*each, *(_minus(event) for _, event in apart)]
    merged = [_at(_shared(event.clinic_id), event) for event in together]
    summed = [_at(_shared(place), event) for place, event in apart]
    cells = partial(
        cells_of_events, measure=measure, before_month=before_month, keeping=keeping
    )
    at = {clinic: frozenset({clinic}) for clinic in clinics}
    return People(
        cells([*alone, *merged]),
        apart=cells(summed),
        at=at | {_shared(place): clinics for place, clinics in places.items()},
    )


def _shared(place: int) -> int:
    """Return the number of a place of several clinics, which is no clinic's."""
    return -place


def _at(place: int, event: EventRow) -> EventRow:
    return msgspec.structs.replace(event, clinic_id=place)


def _minus(event: EventRow) -> EventRow:
    return msgspec.structs.replace(
        event, counts=tuple(-count for count in event.counts)
    )
