"""
The exact audit of a release: what can anybody work out from all that is published?

For each hidden count the values that are compatible with everything an audience reads,
in this release and before, must include all of 0 to k - 1; to an outsider, and to each
clinic that knows its own true numbers at every width. Larger coalitions are not looked
at. Asked about is every count that is not told and is below k; and, so that no withheld
number is found, every one that is withheld in the release: of k or more it may become
known that it is large, but k values at least must be possible.

The same is asked of what a network's hidden total leaves to each clinic, of strata, and
of the differences between measures of which one contains the other. Measures that are
not declared to contain one another count as independent, and so do measures of what
clinics counted themselves (``summary_rates``): there is nobody behind them.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

import msgspec
import numpy as np

from app.disclosure.blocks import Block, Published, blocks
from app.disclosure.bounds import Key, place_of
from app.disclosure.cubes import Slot
from app.disclosure.exchanges import are_open, are_rests_open
from app.disclosure.lines import TO_HIDE_BEHIND
from app.disclosure.releases import NETWORK
from app.disclosure.searches import Question, is_open, is_rest_open
from app.disclosure.states import States
from app.disclosure.systems import Numbers
from app.disclosure.witnesses import Room, chain_room, dark_room, is_total_open, room
from app.domain.counts import Cell, ReleasedCell

CLINICS = "clinic by interval"
NETWORK_TOTALS = "network by interval"
STRATA = "network by quarter and stratum"
AUDIENCES = "public beside members"
TOLD = ("population", "scored", "denominator", "numerator", "value_sum")
"""What a cell tells of its people; percentiles are held against each other as made."""
NESTED = "difference of nested measures"


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """
    What an audit of one release did.

    Of the ``hidden`` counts that were asked about ``by_witness`` had a witness at hand,
    and ``by_solver`` needed a solver. ``remedied`` places were unsafe at first, and
    more was hidden.
    """

    blocks: int = 0
    hidden: int = 0
    by_witness: int = 0
    by_solver: int = 0
    remedied: int = 0

    def __add__(self, other: "Audit") -> "Audit":
        """Return what both did together."""
        return Audit(
            blocks=self.blocks + other.blocks,
            hidden=self.hidden + other.hidden,
            by_witness=self.by_witness + other.by_witness,
            by_solver=self.by_solver + other.by_solver,
            remedied=self.remedied + other.remedied,
        )


class Failure(NamedTuple):
    """A place in a block where too much can be worked out; never whose, or how much."""

    measure_id: int
    slot: Slot
    shape: str
    complete: bool
    """It is about those who are not in the denominator."""
    family: tuple[int, ...]
    """The measures of the block."""


class Table(NamedTuple):
    """The true strata of a measure's quarter, of one stratifier: by clinic."""

    measure_id: int
    slot: Slot
    states: States
    cells: Mapping[int, Mapping[int, Cell]]


Proven = set[Hashable]
"""What may be anything; it still may where less is told."""


class Findings(NamedTuple):
    """What an audit did, and where it failed."""

    audit: Audit
    failures: tuple[Failure, ...]


def audit_release(
    published: Sequence[Published],
    tables: Sequence[Table],
    *,
    k: int,
    proven: Proven | None = None,
) -> Findings:
    """
    Audit what is fresh in a release, together with all it is tied to.

    Args:
        published: each measure that counts people, with all that its audience reads.
        tables: the strata of its fresh quarters.
        k: the audience's threshold, in people.
        proven: what a solver has proved of the same release when it showed more, and
            so holds now; what it proves now is added.
    """
    seen = {one.measure_id: one.seen for one in published}
    known = set() if proven is None else proven
    found = [audit_block(block, k=k, proven=known) for block in blocks(published)]
    found += [_audit_strata(table, seen[table.measure_id], k=k) for table in tables]
    return Findings(
        sum((each.audit for each in found), Audit()),
        tuple(dict.fromkeys(f for each in found for f in each.failures)),
    )


def untold_to(
    cells: Sequence[ReleasedCell],
    narrower: Sequence[ReleasedCell],
    measure_id: int,
    *,
    round_to: int = 1,
) -> Iterator[Failure]:
    """
    Yield where *cells* tell what the *narrower* audience, who reads them, does not see.

    As there is no such place, the narrower audience's own release is all it knows.
    Multiples of *round_to* tell nothing new beside the number that was rounded.
    """
    told = {place_of(cell): cell for cell in narrower}
    for cell in cells:
        own = told.get(place_of(cell))
        if any(
            number is not None
            and (own is None or _is_news(number, getattr(own, name), round_to))
            for name, number in zip(TOLD, attrgetter(*TOLD)(cell), strict=True)
        ):
            yield Failure(
                measure_id,
                (cell.interval, cell.interval_start),
                AUDIENCES,
                complete=False,
                family=(measure_id,),
            )


def _is_news(number: int, known: int | None, round_to: int) -> bool:
    """Tell whether a *number* is other than what is *known*, rounded."""
    return known is None or 2 * abs(number - known) > round_to - round_to % 2


def audit_block(block: Block, *, k: int, proven: Proven) -> Findings:
    """Audit one block."""
    steps = (_audit_counts, _audit_differences, _audit_totals)
    found = [step(block, k=k, proven=proven) for step in steps]
    return Findings(
        sum((each.audit for each in found), Audit(blocks=1)),
        tuple(failure for each in found for failure in each.failures),
    )


def _audit_counts(block: Block, *, k: int, proven: Proven) -> Findings:
    """Ask about each hidden count of a clinic."""
    asked = block.hidden & ((block.counts < k) | block.marked)
    left = asked & ~room(block, wanted=asked).suffices(block.counts, k=k)
    left &= ~are_open(block, left, k=k)
    questions = [Question(c, {(s, j): 1}) for c, s, j in np.argwhere(left).tolist()]
    asked_of = int(asked.sum())
    return _findings(block, questions, asked_of, CLINICS, k=k, proven=proven)


def _audit_differences(block: Block, *, k: int, proven: Proven) -> Findings:
    """Ask about those who meet a measure, and not the one that it contains."""
    if not block.inside:
        return Findings(Audit(), ())
    chains = chain_room(block, wanted=block.hidden)
    told, questions, asked = [], [], 0
    for own, other in block.inside:
        there = block.shown | block.hidden
        rest = block.counts[:, :, other] - block.counts[:, :, own]
        small = (rest < k) & there[:, :, own] & there[:, :, other]
        read = block.shown[:, :, own] & block.shown[:, :, other]
        told += [(s, own) for s in np.flatnonzero((small & read).any(axis=0)).tolist()]
        told += [(s, own) for s in _small_totals(block, own, other, rest, k=k)]
        mine, whole = (Room(*(way[:, :, c] for way in chains)) for c in (own, other))
        left = small & ~read
        asked += int(left.sum())
        left &= ~Room(mine.down, mine.up).suffices(rest, k=k)
        left &= ~whole.suffices(rest, k=k)
        left &= ~dark_room(block, rest).suffices(rest, k=k)
        questions += [
            Question(c, {(s, other): 1, (s, own): -1})
            for c, s in np.argwhere(left).tolist()
        ]
    found = _findings(block, questions, asked, NESTED, k=k, proven=proven)
    failures = [_failure(block, s, column, NESTED) for s, column in told]
    return Findings(found.audit, (*failures, *found.failures))


def _small_totals(
    block: Block, own: int, other: int, rest: Numbers, *, k: int
) -> Iterator[int]:
    """Yield where two totals that are told differ by few people, to some onlooker."""
    for s in np.flatnonzero(block.told[:, own] & block.told[:, other]).tolist():
        if rest[:, s].sum() - rest[:, s].max(initial=0) < k:
            yield s


def _findings(
    block: Block,
    questions: Sequence[Question],
    asked: int,
    shape: str,
    *,
    k: int,
    proven: Proven,
) -> Findings:
    """Put to the solver what no witness answered; one failure of a total is enough."""
    failed: dict[tuple[int, int], None] = {}
    for question in questions:
        place, name = next(iter(question.terms)), _named(block, question)
        if name in proven or place in failed:
            continue
        if is_open(block, question, k=k):
            proven.add(name)
        else:
            failed[place] = None
    audit = Audit(
        hidden=asked, by_witness=asked - len(questions), by_solver=len(questions)
    )
    return Findings(audit, tuple(_failure(block, *place, shape) for place in failed))


def _audit_totals(block: Block, *, k: int, proven: Proven) -> Findings:
    """Ask what a hidden total of the network leaves to each onlooker."""
    failed, audit = [], Audit()
    onlookers = (None, *range(len(block.clinics)))
    for s, column in np.argwhere(~block.told).tolist():
        counts = block.counts[:, s, column]
        small = counts.sum() - np.concatenate([[0], counts]) < k
        if not small.any():
            continue
        doubtful = small & ~is_total_open(block, s, column, k=k)
        if doubtful.any():
            doubtful &= ~are_rests_open(block, s, column, k=k)
        left = np.flatnonzero(doubtful).tolist()
        own = block.columns[column], column, block.slots[s]
        names = {at: (*own, at and block.clinics[at - 1]) for at in left}
        if all(
            name in proven
            or is_rest_open(block, s, column, onlooker=onlookers[at], k=k)
            for at, name in names.items()
        ):
            proven.update(names.values())
        else:
            failed.append(_failure(block, s, column, NETWORK_TOTALS))
        asked, solved = int(small.sum()), len(left)
        audit += Audit(hidden=asked, by_witness=asked - solved, by_solver=solved)
    return Findings(audit, tuple(failed))


def _named(block: Block, question: Question) -> Hashable:
    """Return what a question is about, in whatever block it stands."""
    return block.clinics[question.clinic], tuple(
        (block.slots[s], block.columns[column], column, by)
        for (s, column), by in question.terms.items()
    )


def _failure(block: Block, s: int, column: int, shape: str) -> Failure:
    measures = tuple(dict.fromkeys(each.measure_id for each in block.columns))
    own = block.columns[column]
    return Failure(
        own.measure_id, block.slots[s], shape, complete=own.complete, family=measures
    )


def _audit_strata(
    table: Table, seen: Mapping[Key, ReleasedCell], *, k: int
) -> Findings:
    """
    Audit the strata of one quarter: one line, of which each clinic knows its share.

    A hidden stratum may hold anything up to the sum of all hidden ones, if there are
    two. Several stratifiers say nothing more together: people can be arranged to meet
    any margins with the same sum. Where the total is hidden no stratum is shown.
    """
    clinics = sorted({clinic for own in table.cells.values() for clinic in own})
    nobody = (0,) * table.states.size
    people = np.array(
        [
            [table.states.people(own[c]) if c in own else nobody for c in clinics]
            for own in table.cells.values()
        ],
        np.int64,
    ).reshape(len(table.cells), len(clinics), table.states.size)
    shown = np.array(
        [
            table.states.shown(seen.get((NETWORK, *table.slot, stratum)))
            for stratum in table.cells
        ],
        bool,
    ).reshape(len(table.cells), table.states.size)
    total = np.array(table.states.shown(seen.get((NETWORK, *table.slot, 0))))
    failed, asked = [], 0
    for state in range(table.states.size):
        hidden = people[~shown[:, state], :, state]
        rest = hidden.sum(axis=1)[:, None] - np.insert(hidden, 0, 0, axis=1)
        small = rest < k
        asked += int(small.sum())
        told = bool(total[state])
        is_safe = len(hidden) >= TO_HIDE_BEHIND and (rest.sum(axis=0) >= k - 1).all()
        if (told and small.any() and not is_safe) or (
            not told and shown[:, state].any()
        ):
            failed.append(
                Failure(
                    table.measure_id,
                    table.slot,
                    STRATA,
                    complete=state >= table.states.outcomes,
                    family=(table.measure_id,),
                )
            )
    audit = Audit(blocks=1, hidden=asked, by_witness=asked)
    return Findings(audit, tuple(failed))
