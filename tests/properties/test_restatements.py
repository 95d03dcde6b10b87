"""
Two editions of one block, and an attacker who holds both of them.

The attacker knows one clinic's people by name. It subtracts, of each edition, any of
the clinics or strata that are shown, and its own people, from any total; what is left
is some people, and between the editions some came to it and some went. It must never be
fewer than the threshold. Who they are is worked out from sets of people, not by the
house's arithmetic.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.disclosure.releases import release_measure
from app.disclosure.restatements import (
    Readable,
    is_change,
    may_be_restated,
    shows_the_same,
)
from app.domain.counts import Basis, Cell, Interval, ReleasedCell
from tests.released import OUTCOMES

JANUARY = 12 * 2024
K = 3
MEMBERS = AudienceRules(k=K, min_clinics=3, clinics=ClinicsShown.NAMED)
PUBLIC = AudienceRules(k=K + 1, min_clinics=3, clinics=ClinicsShown.NONE)
PATIENTLY = settings(deadline=None, max_examples=150)

OUTCOME = {"met": (1, 1), "failed": (1, 0), "unscored": (0, 0)}
"""Of each state, whether one is in the denominator, and in the numerator."""


class Somebody(NamedTuple):
    """A person of a clinic, in a stratum, in a state; all of them are different."""

    number: int
    clinic: int
    stratum: int
    state: str


People = frozenset[Somebody]


@st.composite
def editions(draw: st.DrawFn) -> tuple[People, People]:
    """Return who was counted, and who is: groups of people that changed together."""
    before, after, number = set(), set(), 0
    sizes = st.sampled_from([3, 4, 6, 9])
    few = st.sampled_from([0] * draw(st.sampled_from([2, 150])) + [1, 2, 3, 4, 5, 6])
    fates = st.sampled_from(["gone", "met", "failed", "unscored"])
    for clinic in range(draw(st.integers(3, 5))):
        for stratum in (1, 2):
            for state in OUTCOME:
                fate, changed = draw(fates), draw(few)
                for index in range(draw(sizes)):
                    number += 1
                    who = Somebody(number, clinic, stratum, state)
                    before.add(who)
                    is_changed = index < changed
                    if not is_changed:
                        after.add(who)
                    elif fate != "gone":
                        after.add(who._replace(state=fate))
    for _ in range(draw(few)):
        number += 1
        after.add(
            Somebody(
                number,
                draw(st.integers(0, 2)),
                1,
                draw(st.sampled_from(["met", "failed"])),
            )
        )
    return frozenset(before), frozenset(after)


def cells(people: People) -> list[Cell]:
    """Return the cells of March and of its quarter, of a latest status."""
    found = []
    for clinic in {who.clinic for who in people}:
        for stratum in (0, 1, 2):
            own = [
                w for w in people if w.clinic == clinic and stratum in (0, w.stratum)
            ]
            widths = [(Interval.QUARTER, JANUARY)]
            widths += [] if stratum else [(Interval.MONTH, JANUARY + 2)]
            found += [cell(clinic, own, width, stratum) for width in widths]
    return found


def cell(clinic: int, own: list[Somebody], width: tuple, stratum: int) -> Cell:
    interval, start = width
    scored = sum(OUTCOME[who.state][0] for who in own)
    return Cell(
        clinic_id=clinic,
        interval=interval,
        interval_start=start,
        stratum=stratum,
        population=len(own),
        scored=scored,
        denominator=scored,
        numerator=sum(OUTCOME[who.state][1] for who in own),
    )


def published(people: People, rules: AudienceRules) -> list[ReleasedCell]:
    true = cells(people)
    return release_measure(
        true,
        rules=rules,
        basis=Basis.LATEST_STATUS,
        judgement=OUTCOMES,
        blocks=[range(1, 3)],
        intervals=dict.fromkeys({c.clinic_id for c in true}, Interval.MONTH),
        earlier=[],
        within=[],
        closed_before=JANUARY + 3,
    )


def deltas(before: People, after: People) -> Iterator[tuple[int, list[Cell]]]:
    """Yield each person's clinic, and what they change in each cell."""
    for number in sorted({who.number for who in before | after}):
        old = [who for who in before if who.number == number]
        new = [who for who in after if who.number == number]
        (clinic, *_) = {who.clinic for who in [*old, *new]}
        was = {c.interval: c for c in cells(frozenset(old)) if not c.stratum}
        changes = []
        for stratum in (0, 1, 2):
            for width in ((Interval.MONTH, JANUARY + 2), (Interval.QUARTER, JANUARY)):
                if stratum and width[0] is Interval.MONTH:
                    continue
                then, now = (
                    cell(
                        clinic,
                        [w for w in p if stratum in (0, w.stratum)],
                        width,
                        stratum,
                    )
                    for p in (old, new)
                )
                changes.append(less(now, then))
        assert was or old == []
        yield clinic, [change for change in changes if is_change(change)]


def less(now: Cell, then: Cell) -> Cell:
    return Cell(
        clinic_id=now.clinic_id,
        interval=now.interval,
        interval_start=now.interval_start,
        stratum=now.stratum,
        population=now.population - then.population,
        scored=now.scored - then.scored,
        denominator=now.denominator - then.denominator,
        numerator=now.numerator - then.numerator,
    )


def is_allowed(before: People, after: People, rules: AudienceRules) -> bool:
    """Ask the house whether the second edition may take the place of the first."""
    old = published(before, rules)
    told = Readable(
        cells=old, basis=Basis.LATEST_STATUS, judgement=OUTCOMES, blocks=[range(1, 3)]
    )
    moves = (
        (clinic, part, gross)
        for clinic, changes in deltas(before, after)
        for part, gross in told.moves(clinic, changes)
    )
    return may_be_restated(moves, k=rules.k) and shows_the_same(
        old, published(after, rules)
    )


def readable_groups(
    shown: list[ReleasedCell], before: People, after: People
) -> Iterator[tuple[set[int], set[int]]]:
    """Yield who was and who is in each number that the attacker can work out."""
    totals = {c.stratum: c for c in shown if c.clinic_id is None}
    clinics = sorted(
        c.clinic_id
        for c in shown
        if c.clinic_id is not None and c.numerator is not None
    )
    strata = [s for s in (1, 2) if totals[s].numerator is not None]
    known = {who.clinic for who in before | after}
    for state in OUTCOME:
        if state == "unscored" and totals[0].population is None:
            continue
        for insider in (None, *sorted(known)):
            for kept in spans(shown, clinics, strata, state):
                yield tuple(  # type: ignore[misc]
                    {
                        who.number
                        for who in people
                        if who.state == state and who.clinic != insider and kept(who)
                    }
                    for people in (before, after)
                )


def spans(
    shown: list[ReleasedCell], clinics: list[int], strata: list[int], state: str
) -> Iterator[Callable[[Somebody], bool]]:
    """Yield what tells who is in a number that can be read or worked out."""
    known = set(range(5))
    has_total = any(c.clinic_id is None and c.numerator is not None for c in shown)
    if state == "unscored":
        clinics = [
            c.clinic_id
            for c in shown
            if c.clinic_id in clinics and c.population is not None
        ]
        strata = [
            c.stratum for c in shown if c.stratum in strata and c.population is not None
        ]
    for clinic in clinics:
        yield partial(_is, field="clinic", among={clinic})
    for stratum in strata:
        yield partial(_is, field="stratum", among={stratum})
    if not has_total:
        return
    for some in (s for n in range(len(clinics) + 1) for s in combinations(clinics, n)):
        yield partial(_is, field="clinic", among=known - set(some))
    if strata:
        yield partial(_is, field="stratum", among={1, 2} - set(strata))


def _is(who: Somebody, *, field: str, among: set[int]) -> bool:
    return getattr(who, field) in among


@PATIENTLY
@given(editions(), st.sampled_from([MEMBERS, PUBLIC]))
def test_two_editions_never_tell_of_fewer_than_the_threshold(two, rules):
    """Neither of who came nor of who went, to an outsider or to any one clinic."""
    before, after = two
    if not is_allowed(before, after, rules):
        return

    for was, now in readable_groups(published(after, rules), before, after):
        came, went = len(now - was), len(was - now)
        assert came == 0 or came >= rules.k
        assert went == 0 or went >= rules.k


def moved(
    before: People, clinic: int, state: str, to: str | None, count: int
) -> People:
    """Return *before* after a clinic's people of the first stratum changed or went."""
    those = {(clinic, 1, state)}
    some = sorted(w for w in before if (w.clinic, w.stratum, w.state) in those)[:count]
    new = frozenset() if to is None else frozenset(w._replace(state=to) for w in some)
    return (before - frozenset(some)) | new


EVERYBODY: People = frozenset(
    Somebody(1000 * clinic + 10 * n + stratum, clinic, stratum, state)
    for clinic in range(4)
    for stratum in (1, 2)
    for n, state in enumerate([s for s in OUTCOME for _ in range(6)])
)
"""Of each of four clinics and two strata, six people in each state."""


def test_enough_who_go_may_go():
    """Three of one clinic: three to all others, nobody to the clinic itself."""
    gone = moved(EVERYBODY, 0, "met", None, K)

    assert is_allowed(EVERYBODY, gone, MEMBERS)
    assert not is_allowed(EVERYBODY, gone, PUBLIC), "which asks for one more"


def test_who_comes_does_not_make_up_for_who_goes():
    """Three more fail and one less: the difference is two, the rule sees one."""
    changed = moved(EVERYBODY, 0, "met", "failed", K)

    assert is_allowed(EVERYBODY, changed, MEMBERS)
    assert not is_allowed(EVERYBODY, moved(changed, 0, "unscored", None, 1), MEMBERS)


def test_nobody_is_given_away_to_the_clinic_that_knows_the_others():
    """Of a total of four who went, three are of one clinic, which so knows of one."""
    three = moved(EVERYBODY, 0, "met", None, K)

    assert not is_allowed(EVERYBODY, moved(three, 1, "met", None, 1), PUBLIC)
    assert is_allowed(
        EVERYBODY, moved(moved(EVERYBODY, 0, "met", None, 4), 1, "met", None, 4), PUBLIC
    )


def test_somebody_who_changes_stratum_is_not_passed_over():
    """No total changes, and both strata do."""
    (one, *_) = sorted(EVERYBODY)
    changed = (EVERYBODY - {one}) | {one._replace(stratum=3 - one.stratum)}

    assert not is_allowed(EVERYBODY, changed, MEMBERS)
