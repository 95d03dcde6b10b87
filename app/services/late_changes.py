"""What changed in published intervals: by family of measures, subject and interval."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from app.disclosure.restatements import Delta, block_months, is_change
from app.domain.counts import Interval
from app.domain.keeping import Keeping
from app.measures.definitions import Measure
from app.measures.series import cells as cells_of
from app.services.cubes import basis_of
from app.services.families import Relations, families
from app.store import late_events
from app.store.late_events import LateEvent
from app.store.recounts import MeasureRow
from app.store.sessions import ReadSession

Subject = tuple[int, int]
"""A clinic, and one of its subjects."""
Deltas = Mapping[Subject, Sequence[Delta]]
Late = Mapping[int, Mapping[Subject, Sequence[LateEvent]]]
"""By the measure's row."""


class Family(NamedTuple):
    """
    Measures that say something of one another; restated together or not at all.

    A block of them is so many ``months`` long.
    """

    members: tuple[tuple[Measure, MeasureRow], ...]
    months: int


def families_of(
    published: Sequence[tuple[Measure, MeasureRow]],
    related: Mapping[str, Relations],
    keeping: Keeping,
) -> Iterator[Family]:
    """Yield *published* in families, as they are released together."""
    for names in families(related):
        members = tuple(each for each in published if each[0].id in names)
        if members:
            bases = (basis_of(measure, keeping) for measure, _ in members)
            yield Family(members, months=max(map(block_months, bases)))


def late_by_subject(session: ReadSession, family: Family) -> Late:
    """Return what changed in published intervals, by measure and subject."""

    def subject(event: LateEvent) -> Subject:
        return event.clinic_id, event.subject_id

    return {
        row.id: {
            who: list(events)
            for who, events in groupby(
                late_events.late_events(session, row.id), key=subject
            )
        }
        for _, row in family.members
    }


def changes_of(
    measure: Measure, events: Collection[LateEvent], *, before: int
) -> Iterator[Delta]:
    """
    Yield the changes of one subject, interval by interval, strata of quarters too.

    Args:
        measure: Their definition.
        events: The late events of the subject.
        before: The month before which intervals are published.
    """
    if not events:
        return
    first = min(event.month for event in events)
    for interval in Interval:
        for strata in (False, True):
            if strata and (interval is not Interval.QUARTER or not measure.stratifiers):
                continue
            for cell in cells_of(
                events,
                measure=measure,
                interval=interval,
                first_month=first,
                last_month=before - 1,
                strata=strata,
            ):
                if is_change(cell):
                    yield cell
