"""
Restatements: which published blocks changed, and which may be told anew.

Late data and withdrawals reach what is published here alone, whole blocks at a time, by
the rule of ``app.disclosure.restatements``.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from app.disclosure.families import Intervals, release_family
from app.disclosure.restatements import (
    Delta,
    Gross,
    Part,
    Readable,
    block_of,
    differences,
    may_be_restated,
    nested,
    shows_the_same,
)
from app.disclosure.terms import in_terms
from app.domain.clinics import Audience
from app.domain.counts import Basis, Interval, ReleasedCell, Withheld
from app.measures.definitions import Measure
from app.measures.strata import blocks as stratum_blocks
from app.services.cubes import (
    Cube,
    Cubes,
    counted_measures,
    judgement_on,
    true_cubes,
)
from app.services.drafts import (
    NARROWEST_FIRST,
    Draft,
    Past,
    members_of,
    related_measures,
)
from app.services.families import Relations
from app.services.hub import Hub
from app.services.late_changes import (
    Deltas,
    Family,
    Late,
    changes_of,
    families_of,
    late_by_subject,
)
from app.services.releases import Restated, last_cells, publish
from app.store import releases, restatements
from app.store.late_events import LateEvent
from app.store.leases import wait_for_lease
from app.store.recounts import MeasureRow
from app.store.sessions import ReadSession, WriteSession

log = logging.getLogger(__name__)

Told = Mapping[Audience, Mapping[int, list[ReleasedCell]]]
"""What is published, by audience and the measure's row."""


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
    changed, anew = 0, []
    for blocks in _changed_families(session, hub, told, measure_id=measure_id):
        for begins in blocks.changed():
            changed += 1
            cells = blocks.made_anew(begins)
            if cells is not None:
                anew.append(_Anew(blocks, begins, cells))
    return Outcome(
        changed=changed,
        allowed=[each.blocks.named(each.begins) for each in anew],
        restated=_restated(told, anew),
    )


def _changed_families(
    session: ReadSession, hub: Hub, told: Told, *, measure_id: str | None
) -> "Iterator[_Blocks]":
    """Yield the families of published measures in which anything changed since."""
    published = [
        (measure, row)
        for measure, row in counted_measures(session, hub)
        if row.published is not None and measure.basis is not Basis.SUMMARIES
    ]
    related = related_measures(session, hub, [measure for measure, _ in published])
    changed = [
        (family, late)
        for family in families_of(published, related, hub.policy.keeping)
        if measure_id in {None, *(measure.id for measure, _ in family.members)}
        and any((late := late_by_subject(session, family)).values())
    ]
    if not changed:
        return
    before = max(row.published_before for _, row in published)
    cubes = true_cubes(session, hub, before_month=before)
    for family, late in changed:
        yield _Blocks(session, hub, family, late, cubes, told, related)


class _Anew(NamedTuple):
    """A block with its new cells, by audience and the measure's row."""

    blocks: "_Blocks"
    begins: int
    cells: Told


def _restated(told: Told, anew: Sequence[_Anew]) -> Restated:
    """Return all that takes the place of what is *told*."""
    cells = {audience: dict(of_all) for audience, of_all in told.items()}
    spans: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for blocks, begins, new in anew:
        for _, row in blocks.family.members:
            spans[row.id].append((begins, blocks.family.months))
            for audience, of_all in cells.items():
                kept = blocks.outside(of_all.get(row.id, ()), begins)
                of_all[row.id] = [*kept, *new[audience][row.id]]
    return Restated(
        cells={
            audience: {row_id: of_all[row_id] for row_id in spans}
            for audience, of_all in cells.items()
        },
        blocks=spans,
    )


class _Blocks:
    """The published blocks of one family: what changed, and what they may become."""

    def __init__(
        self,
        session: ReadSession,
        hub: Hub,
        family: Family,
        late: Late,
        cubes: Cubes,
        told: Told,
        related: Mapping[str, Relations],
    ) -> None:
        self._session = session
        self._hub = hub
        self.family = family
        self._late = late
        self._cubes = cubes
        self._told = told
        self._related = related
        self._earlier = restatements.restatements_of(session, Audience.MEMBERS)
        self._since: dict[tuple[int, int], Deltas] = {}

    def changed(self) -> list[int]:
        """Return where the published blocks begin that differ from what is true now."""
        starts = {
            self._block_of(cell.interval, cell.interval_start)
            for _, row in self.family.members
            for cell in self._told[Audience.MEMBERS].get(row.id, ())
        }
        return [start for start in sorted(starts) if self._is_changed(start)]

    def _is_changed(self, begins: int) -> bool:
        newest = max(self._held(begins))
        return any(
            deltas
            for of_measure in self._deltas(newest, begins).values()
            for deltas in of_measure.values()
        )

    def named(self, begins: int) -> Block:
        """Return what a block is called."""
        return Block(
            measures=tuple(measure.id for measure, _ in self.family.members),
            begins=begins,
            ends=begins + self.family.months,
        )

    def made_anew(self, begins: int) -> Told | None:
        """Return the new cells of a block; None where it must stay as it is."""
        rows = [row for _, row in self.family.members]
        if begins < max(row.tracked_from for row in rows):
            return None
        if not all(
            self._may_change(audience, release_id, begins)
            for audience in NARROWEST_FIRST
            for release_id in self._held(begins)
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

    def _held(self, begins: int) -> list[int]:
        """
        Return the editions of a block that somebody may hold.

        Each is named by the members' release that restated it, the first one by 0.
        """
        ends = begins + self.family.months
        rows = {row.id for _, row in self.family.members}
        restated = {
            each.release_id
            for each in self._earlier
            if each.measure_id in rows
            and each.month < ends
            and begins < each.month + each.months
        }
        return sorted({0} | restated)

    def _may_change(self, audience: Audience, release_id: int, begins: int) -> bool:
        """Tell whether what came and went since an edition gives nobody away."""
        k = self._hub.audiences.rules(audience).k
        return may_be_restated(self._moves(audience, release_id, begins), k=k)

    def _moves(
        self, audience: Audience, release_id: int, begins: int
    ) -> Iterator[tuple[int, Part, Gross]]:
        """Yield who came and went in each part that an audience can read."""
        deltas = self._deltas(release_id, begins)
        readable = {
            row.id: self._readable(measure, audience, row.id, begins)
            for measure, row in self.family.members
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
        rows = {measure.id: row.id for measure, row in self.family.members}
        for measure, row in self.family.members:
            for outer in sorted(self._related[measure.id].subset_of):
                yield row.id, rows[outer]
            for inner in sorted(self._related[measure.id].parts):
                yield rows[inner], row.id

    def _readable(
        self, measure: Measure, audience: Audience, row_id: int, begins: int
    ) -> Readable:
        return Readable(
            cells=self._inside_cells(audience, row_id, begins),
            basis=self._cubes[row_id].basis,
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
        cubes = {
            row.id: _beginning(self._cubes[row.id], begins)
            for _, row in self.family.members
        }
        past = Past(
            intervals={
                row_id: self._fixed(audience, row_id, begins) for row_id in cubes
            }
        )
        narrower = None if within is None else Draft(intervals={}, cells=within)
        members = members_of(cubes, self._related, past, narrower)
        made = release_family(
            members,
            intervals={name: member.chosen for name, member in members.items()},
            rules=self._hub.audiences.rules(audience),
            closed_before=min(
                begins + self.family.months,
                *(row.published_before for _, row in self.family.members),
            ),
        )
        return {row.id: made[measure.id] for measure, row in self.family.members}

    def _fixed(self, audience: Audience, row_id: int, begins: int) -> Intervals:
        """Return by which interval each clinic was published in a block."""
        chosen = releases.read_intervals(
            self._session, audience=audience, measure_id=row_id
        )
        told = self._inside_cells(audience, row_id, begins)
        return dict.fromkeys(chosen) | _intervals_in(told)

    def _deltas(self, release_id: int, begins: int) -> dict[int, Deltas]:
        """Return what changed in a block since a release, by the measure's row."""
        found = {}
        for measure, row in self.family.members:
            edition = max(
                (
                    each.edition
                    for each in self._earlier
                    if each.measure_id == row.id and each.release_id <= release_id
                ),
                default=0,
            )
            if (row.id, edition) not in self._since:
                self._since[row.id, edition] = {
                    who: self._changes(measure, row, events, edition)
                    for who, events in self._late[row.id].items()
                }
            found[row.id] = self._inside(self._since[row.id, edition], begins)
        return found

    def _changes(
        self,
        measure: Measure,
        row: MeasureRow,
        events: Sequence[LateEvent],
        edition: int,
    ) -> list[Delta]:
        """Return in which published intervals one subject changed since an edition."""
        since = [event for event in events if event.edition >= edition]
        changes = changes_of(measure, since, before=row.published_before)
        return in_terms(
            changes, self._cubes[row.id].terms, basis=self._cubes[row.id].basis
        )

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
        return block_of(interval, start, months=self.family.months)


def _beginning(cube: Cube, month: int) -> Cube:
    """Return a cube no line of which begins before *month*."""
    since = max(month, cube.terms.since)
    terms = msgspec.structs.replace(cube.terms, since=since)
    return msgspec.structs.replace(cube, terms=terms)


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
