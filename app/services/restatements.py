"""
Restatements: which published blocks changed, and which may be told anew.

Late data and withdrawals reach what is published here alone, whole blocks at a time, by
the rule of ``app.disclosure.restatements``.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

import msgspec

from app.disclosure.restatements import (
    Delta,
    Gross,
    Part,
    Readable,
    block_months,
    block_of,
    differences,
    is_change,
    may_be_restated,
    nested,
    shows_the_same,
)
from app.domain.clinics import Audience
from app.domain.counts import Basis, Interval, ReleasedCell, Withheld
from app.measures.definitions import Measure
from app.measures.series import cells as cells_of
from app.measures.strata import blocks as stratum_blocks
from app.services.hub import Hub
from app.services.releases import (
    NARROWEST_FIRST,
    Cube,
    Restated,
    counted_measures,
    judgement_on,
    last_cells,
    publish,
    release_of,
    true_cubes,
)
from app.store import late_events, releases, restatements
from app.store.late_events import LateEvent
from app.store.leases import wait_for_lease
from app.store.recounts import MeasureRow
from app.store.sessions import ReadSession, WriteSession

log = logging.getLogger(__name__)

Subject = tuple[int, int]
"""A clinic, and one of its subjects."""
Deltas = Mapping[Subject, Sequence[Delta]]
Told = Mapping[Audience, Mapping[int, list[ReleasedCell]]]
"""What is published, by audience and the measure's row."""


class Family(NamedTuple):
    """Measures that say something of one another; restated together or not at all."""

    members: tuple[tuple[Measure, MeasureRow], ...]

    @property
    def months(self) -> int:
        """Return how long a block of it is."""
        return max(block_months(measure.basis) for measure, _ in self.members)


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """A block that may be restated: its measures' ids, and its months, half-open."""

    measures: tuple[str, ...]
    begins: int
    ends: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """
    How many blocks changed, and those of them that may be restated.

    ``restated`` are their new cells, ``made`` the releases that hold them, if any.
    """

    changed: int
    allowed: Sequence[Block]
    restated: Restated
    made: Mapping[Audience, int] = {}


def restate(
    session: WriteSession, hub: Hub, *, measure_id: str | None, dry_run: bool
) -> Outcome:
    """
    Restate what may be restated, with a new release; a dry run only says what may be.

    *measure_id* keeps to one measure and what is restated with it.
    """
    wait_for_lease(session, "recount")
    found = find_restatements(session, hub, measure_id=measure_id)
    if dry_run:
        return found
    made = publish(session, hub, restated=found.restated)
    log.info("blocks restated", extra={"count": len(found.allowed)})
    return msgspec.structs.replace(found, made=made)


def find_restatements(
    session: ReadSession, hub: Hub, *, measure_id: str | None
) -> Outcome:
    """Return which published blocks changed, and the new cells of those that may."""
    told: Told = {each: last_cells(session, each) for each in NARROWEST_FIRST}
    published = [
        (measure, row)
        for measure, row in counted_measures(session, hub)
        if row.published is not None and measure.basis is not Basis.SUMMARIES
    ]
    cubes: dict[int, Cube] = {}
    changed, allowed = 0, []
    cells = {audience: dict(of_all) for audience, of_all in told.items()}
    blocks: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for family in families(published):
        if measure_id not in {None, *(m.id for m, _ in family.members)}:
            continue
        late = _late_events(session, family)
        if not any(late.values()):
            continue
        if not cubes:
            before = max(row.published_before for _, row in published)
            cubes = true_cubes(session, hub, before_month=before)
        finding = _Finding(session, hub, family, late, cubes, told)
        for begins in finding.changed_blocks():
            changed += 1
            new = finding.restated(begins)
            if new is None:
                continue
            allowed.append(finding.block(begins))
            for _, row in family.members:
                blocks[row.id].append((begins, family.months))
                for audience, of_all in new.items():
                    kept = finding.outside(cells[audience].get(row.id, []), begins)
                    cells[audience][row.id] = [*kept, *of_all[row.id]]
    return Outcome(
        changed=changed,
        allowed=allowed,
        restated=Restated(
            cells={
                audience: {row_id: of_all[row_id] for row_id in blocks}
                for audience, of_all in cells.items()
            },
            blocks=blocks,
        ),
    )


def families(published: Sequence[tuple[Measure, MeasureRow]]) -> list[Family]:
    """Return *published* in families: whom ``subset_of`` and ``sum_of`` connect."""
    groups = [{measure.id} for measure, _ in published]
    for measure, _ in published:
        related = {measure.id, *measure.subset_of, *measure.sum_of}
        joined = set().union(*(group for group in groups if group & related))
        groups = [*(group for group in groups if not group & related), joined]
    return [
        Family(tuple(each for each in published if each[0].id in group))
        for group in groups
    ]


def _late_events(
    session: ReadSession, family: Family
) -> dict[int, dict[Subject, list[LateEvent]]]:
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


class _Finding:
    """What changed in the blocks of one family, and what they may become."""

    def __init__(
        self,
        session: ReadSession,
        hub: Hub,
        family: Family,
        late: Mapping[int, Mapping[Subject, Sequence[LateEvent]]],
        cubes: Mapping[int, Cube],
        told: Told,
    ) -> None:
        self._session = session
        self._hub = hub
        self._family = family
        self._late = late
        self._cubes = cubes
        self._told = told
        self._editions = restatements.editions(session)
        self._since: dict[int, dict[int, Deltas]] = {}

    def changed_blocks(self) -> list[int]:
        """Return where the published blocks begin that differ from what is true now."""
        starts = {
            self._block_of(cell.interval, cell.interval_start)
            for _, row in self._family.members
            for cell in self._told[Audience.MEMBERS].get(row.id, ())
        }
        return [start for start in sorted(starts) if self._is_changed(start)]

    def _is_changed(self, begins: int) -> bool:
        newest = max(self._bases(begins))
        return any(
            deltas
            for of_measure in self._deltas(newest).values()
            for deltas in self._inside(of_measure, begins).values()
        )

    def block(self, begins: int) -> Block:
        """Return a block by its name."""
        return Block(
            measures=tuple(measure.id for measure, _ in self._family.members),
            begins=begins,
            ends=begins + self._family.months,
        )

    def restated(
        self, begins: int
    ) -> dict[Audience, dict[int, list[ReleasedCell]]] | None:
        """Return the new cells of a block; None where it must stay as it is."""
        rows = [row for _, row in self._family.members]
        if begins < max(row.tracked_from for row in rows):
            return None
        if not all(
            self._may_change(audience, base, begins)
            for audience in NARROWEST_FIRST
            for base in sorted(self._bases(begins))
        ):
            return None
        new: dict[Audience, dict[int, list[ReleasedCell]]] = {}
        for audience in NARROWEST_FIRST:
            within = new.get(Audience.MEMBERS)
            new[audience] = self._made(audience, begins, within)
            for row in rows:
                old = self._inside_cells(audience, row.id, begins)
                if not shows_the_same(old, new[audience][row.id]):
                    return None
        return new

    def outside(self, cells: Iterable[ReleasedCell], begins: int) -> list[ReleasedCell]:
        """Return those of *cells* that are not in a block."""
        return [
            c for c in cells if not self._is_in(c.interval, c.interval_start, begins)
        ]

    def _bases(self, begins: int) -> set[int]:
        """Return the editions of a block that somebody may hold, the first is 0."""
        return {0}.union(
            *(
                self._editions.get(row.id, {}).get(begins, set())
                for _, row in self._family.members
            )
        )

    def _may_change(self, audience: Audience, base: int, begins: int) -> bool:
        """Tell whether what came and went since an edition gives nobody away."""
        k = self._hub.audiences.rules(audience).k
        return may_be_restated(self._moves(audience, base, begins), k=k)

    def _moves(
        self, audience: Audience, base: int, begins: int
    ) -> Iterator[tuple[int, Part, Gross]]:
        """Yield who came and went in each part that an audience can read."""
        deltas = {
            row_id: self._inside(of_measure, begins)
            for row_id, of_measure in self._deltas(base).items()
        }
        readable = {
            row.id: self._readable(measure, audience, row.id, begins)
            for measure, row in self._family.members
        }
        for number, (row_id, of_measure) in enumerate(deltas.items()):
            for (clinic, _), changes in of_measure.items():
                for (line, what, which), gross in readable[row_id].moves(
                    clinic, changes
                ):
                    yield clinic, (line, f"{what} of {number}", which), gross
        for number, (inner, outer) in enumerate(self._nested()):
            both = nested(readable[inner], readable[outer])
            for who in sorted(deltas[inner].keys() | deltas[outer].keys()):
                changes = differences(
                    deltas[inner].get(who, ()), deltas[outer].get(who, ())
                )
                for (line, what, which), gross in both.moves(who[0], changes):
                    yield who[0], (line, f"{what} between {number}", which), gross

    def _nested(self) -> Iterator[tuple[int, int]]:
        """Yield pairs of measures' rows of which one is part of the other."""
        rows = {measure.id: row.id for measure, row in self._family.members}
        for measure, row in self._family.members:
            for outer in measure.subset_of:
                if outer in rows:
                    yield row.id, rows[outer]
            for inner in measure.sum_of:
                if inner in rows:
                    yield rows[inner], row.id

    def _readable(
        self, measure: Measure, audience: Audience, row_id: int, begins: int
    ) -> Readable:
        return Readable(
            cells=self._inside_cells(audience, row_id, begins),
            basis=measure.basis,
            judgement=judgement_on(measure),
            blocks=stratum_blocks(measure),
        )

    def _made(
        self,
        audience: Audience,
        begins: int,
        within: Mapping[int, Sequence[ReleasedCell]] | None,
    ) -> dict[int, list[ReleasedCell]]:
        """Return a block's cells as they would be published first now."""
        made = {}
        for measure, row in self._family.members:
            cube = self._cubes[row.id]
            old = self._inside_cells(audience, row.id, begins)
            fixed = releases.read_intervals(
                self._session, audience=audience, measure_id=row.id
            )
            made[row.id] = release_of(measure)(
                cube.cells,
                rules=self._hub.audiences.rules(audience),
                intervals=fixed | _intervals_in(old),
                earlier=[],
                within=None if within is None else within[row.id],
                closed_before=min(row.published_before, begins + self._family.months),
                terms=msgspec.structs.replace(
                    cube.terms, since=max(begins, cube.terms.since)
                ),
            )
        return made

    def _deltas(self, base: int) -> Mapping[int, Deltas]:
        """Return what changed since an edition, by the measure's row."""
        if base not in self._since:
            self._since[base] = {
                row.id: {
                    who: deltas
                    for who, events in self._late[row.id].items()
                    if (deltas := self._changes(measure, row, events, base))
                }
                for measure, row in self._family.members
            }
        return self._since[base]

    def _changes(
        self,
        measure: Measure,
        row: MeasureRow,
        events: Sequence[LateEvent],
        base: int,
    ) -> list[Delta]:
        """Return in which published intervals one subject changed since an edition."""
        since = [event for event in events if event.edition >= base]
        terms = self._cubes[row.id].terms
        return [
            delta
            for delta in changes_of(measure, since, before=row.published_before)
            if terms.takes_part(
                delta.clinic_id,
                delta.interval_start + delta.interval.months - 1
                if measure.basis is Basis.LATEST_STATUS
                else delta.interval_start,
                delta.interval_start + delta.interval.months,
            )
        ]

    def _inside(self, deltas: Deltas, begins: int) -> Deltas:
        """Return what of *deltas* is in one block."""
        return {
            who: [
                d for d in of_one if self._is_in(d.interval, d.interval_start, begins)
            ]
            for who, of_one in deltas.items()
        }

    def _inside_cells(
        self, audience: Audience, row_id: int, begins: int
    ) -> list[ReleasedCell]:
        return [
            cell
            for cell in self._told[audience].get(row_id, ())
            if self._is_in(cell.interval, cell.interval_start, begins)
        ]

    def _is_in(self, interval: Interval, start: int, begins: int) -> bool:
        return self._block_of(interval, start) == begins

    def _block_of(self, interval: Interval, start: int) -> int:
        return block_of(interval, start, months=self._family.months)


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


def _intervals_in(cells: Sequence[ReleasedCell]) -> dict[int, Interval | None]:
    """Return by which interval each clinic is published in *cells*."""
    found: dict[int, Interval | None] = {}
    for cell in cells:
        if cell.clinic_id is None:
            continue
        if cell.withheld is Withheld.NOT_PUBLISHED:
            found.setdefault(cell.clinic_id, None)
        else:
            found[cell.clinic_id] = cell.interval
    return found
