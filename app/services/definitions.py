"""Which definitions count, and which one of each measure is served meanwhile."""

from collections.abc import Collection, Iterator
from functools import lru_cache

import msgspec

from app.domain.errors import NotFoundError
from app.measures.definitions import Measure
from app.measures.facts import canonical_units
from app.services.hub import Hub
from app.store import backfills, recounts
from app.store.recounts import MeasureRow
from app.store.sessions import ReadSession


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """A definition, and the store's row of it: its cells are those to be shown."""

    measure: Measure
    row: MeasureRow


def served_measures(session: ReadSession, hub: Hub) -> dict[str, Served]:
    """
    Return what is shown of each loaded measure, by its id, in the library's order.

    The definition of before, until the loaded one is counted for everybody. One that
    is new to the hub is here too, and its row says that it is not counted.
    """
    rows = recounts.known_measures(session)
    own = {(row.code, row.digest): row for row in rows}
    counted = {row.code: row for row in rows if row.counted}
    found: dict[str, Served] = {}
    for measure in hub.measures:
        row = counted.get(measure.id) or own.get((measure.id, measure.digest))
        if row is None:
            continue
        stated = definition_of(session, hub, row)
        if stated is not None:
            found[measure.id] = Served(measure=stated, row=row)
        elif (measure.id, measure.digest) in own:
            row = own[measure.id, measure.digest]
            found[measure.id] = Served(measure=measure, row=row)
    return found


def shown_measures(session: ReadSession, hub: Hub) -> list[Measure]:
    """
    Return the loaded measures, each as it is shown now (`served_measures`).

    Those that the policy keeps too little for come last: they are shown, not counted.
    """
    served = served_measures(session, hub)
    counted = [served[m.id].measure if m.id in served else m for m in hub.measures]
    return [*counted, *(each.measure for each in hub.unanswered.values())]


def required_measure(session: ReadSession, hub: Hub, measure_id: str) -> Served:
    """Return the definition of a measure whose cells are complete, or refuse."""
    served = served_measures(session, hub).get(measure_id)
    if served is None or not served.row.counted:
        msg = "The measure is yet to be counted"
        raise NotFoundError(msg)
    return served


def definition_of(session: ReadSession, hub: Hub, row: MeasureRow) -> Measure | None:
    """Return the definition of a row: loaded, or as it was stored; None: unknown."""
    for measure in hub.measures:
        if (measure.id, measure.digest) == (row.code, row.digest):
            return measure
    stored = backfills.definition_text(session, row.id)
    return None if stored is None else _read(stored)


def counted_now(session: ReadSession, hub: Hub) -> Iterator[Served]:
    """
    Yield the definitions that hold events, of everybody or of some already.

    Not one that compares a value in another unit than the facts have now: what it
    counted stays as it is until its successor is through.
    """
    for row in recounts.known_measures(session):
        if row.counted_through > 0 and (row.counted or row.wanted):
            measure = definition_of(session, hub, row)
            if measure is not None and compares_as_stored(hub, measure):
                yield Served(measure=measure, row=row)


def compares_as_stored(hub: Hub, measure: Measure) -> bool:
    """Return whether *measure* compares values in the units that the facts have."""
    units = canonical_units((measure,))
    return all(hub.units.get(coding) == unit for coding, unit in units.items())


def released_measures(
    session: ReadSession, hub: Hub, told: Collection[int]
) -> dict[str, Served]:
    """
    Return which definition of each loaded measure a release tells of, by its id.

    It may be older than what is served: *told* are the rows that the release has cells
    of. Where it has none of a measure, that is as it is served now; where it has cells
    of several definitions, the one that it was published by last.
    """
    found = served_measures(session, hub)
    for code, rows in told_rows(session, told).items():
        served = found.get(code)
        if served is None or served.row.id in told:
            continue
        measure = definition_of(session, hub, rows[-1])
        if measure is not None:
            found[code] = Served(measure=measure, row=rows[-1])
    return found


def told_rows(
    session: ReadSession, told: Collection[int]
) -> dict[str, list[MeasureRow]]:
    """Return the rows in *told* by measure, in the order that they were published."""
    found: dict[str, list[MeasureRow]] = {}
    for row in sorted(recounts.known_measures(session), key=_publication):
        if row.id in told:
            found.setdefault(row.code, []).append(row)
    return found


def _publication(row: MeasureRow) -> tuple[int, int]:
    return row.published_before, row.id


@lru_cache(maxsize=256)
def _read(stored: str) -> Measure:
    return msgspec.json.decode(stored, type=Measure)
