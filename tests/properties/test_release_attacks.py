"""
Whoever holds all releases, with or without a clinic's own data, recovers nothing small.

The attacker thinks of people (``tests.reference.attackers``) and reads every width of
every release, of members and of the public. A clinic that plants patients of its own is
one that knows its own people: it takes the planted out as well.
"""

from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.disclosure.audits import audit_release
from app.disclosure.blocks import Published
from app.disclosure.bounds import bound_of, place_of
from app.disclosure.releases import release_measure
from app.disclosure.remedies import remedied
from app.disclosure.truths import fresh_lines, true_lines
from app.domain.counts import Basis, Cell, Interval, ReleasedCell
from tests.reference.attackers import Attacker
from tests.reference.crowds import (
    JANUARY,
    MEETING,
    MONTHS,
    QUARTERS,
    STATES,
    Crowd,
    History,
    counts,
)
from tests.released import OUTCOMES

K = 3
MEMBERS = AudienceRules(k=K, min_clinics=3, clinics=ClinicsShown.NAMED)
PUBLIC = AudienceRules(k=K + 1, min_clinics=3, clinics=ClinicsShown.NONE)
SLOTS = [*MONTHS[:3], QUARTERS[0]]
SLOWLY = settings(
    deadline=None,
    max_examples=4,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@st.composite
def networks(draw) -> dict[int, list[History]]:
    """Return the people of 3 to 5 clinics; each has somebody from January on."""
    history = st.tuples(*[st.integers(0, 3)] * 3)
    some = st.lists(history, min_size=2, max_size=14)
    people = draw(st.lists(some, min_size=3, max_size=5))
    return {clinic: [(MEETING, 0, 0), *own] for clinic, own in enumerate(people)}


def cells_of(people: dict[int, list[History]]) -> list[Cell]:
    found = []
    for clinic, own in people.items():
        for interval, start in SLOTS:
            meeting, failing, unscored = counts(own, (interval, start))
            found.append(
                Cell(
                    clinic_id=clinic,
                    interval=interval,
                    interval_start=start,
                    population=meeting + failing + unscored,
                    scored=meeting + failing,
                    denominator=meeting + failing,
                    numerator=meeting,
                )
            )
    return found


def release(
    cells: list[Cell],
    rules: AudienceRules,
    intervals: dict[int, Interval | None],
    *,
    earlier: Sequence[ReleasedCell] = (),
    within: Sequence[ReleasedCell] | None = None,
    closed_before: int = JANUARY + 3,
) -> list[ReleasedCell]:
    """Return what is published after the audit."""
    first = release_measure(
        cells,
        rules=rules,
        basis=Basis.VISITS,
        judgement=OUTCOMES,
        blocks=[],
        intervals=intervals,
        earlier=earlier,
        within=[] if within is None else [bound_of(within)],
        closed_before=closed_before,
    )
    lines = true_lines(
        cells, basis=Basis.VISITS, states=STATES, closed_before=closed_before
    )
    before = {place_of(cell): cell for cell in earlier}

    def audit(made, _):
        published = Published(
            measure_id=1,
            basis=Basis.VISITS,
            states=STATES,
            seen={place_of(cell): cell for cell in made[1]},
            lines=lines,
            fresh=fresh_lines(lines, before),
        )
        return audit_release([published], [], k=rules.k)

    left = remedied(
        {1: first}, audit=audit, bases={1: Basis.VISITS}, published={1: before.keys()}
    )
    assert not left.findings.failures
    return left.cells[1]


def as_read(people: dict[int, list[History]], *made: Sequence[ReleasedCell]) -> Crowd:
    """Return what whoever holds all of *made* can read."""
    cells = [cell for one in made for cell in one]
    told = {place(c) for c in cells if c.denominator is not None}
    complete = {place(c) for c in cells if c.population is not None}
    return Crowd(people, frozenset(told), frozenset(complete), SLOTS)


def place(cell: ReleasedCell):
    return cell.clinic_id, (cell.interval, cell.interval_start)


def recovered(attacker: Attacker, k: int, part: int) -> list:
    """Return the small counts that are recovered, of every fourth from *part* on."""
    asked = [each for each in attacker.places() if each.who is not None]
    return [each for each in asked[part::4] if attacker.recovers(each, k)]


widths = st.dictionaries(
    st.integers(0, 4), st.sampled_from([None, Interval.MONTH, Interval.QUARTER])
)


@SLOWLY
@given(networks(), widths, st.integers(0, 3))
def test_who_holds_all_releases_recovers_nothing_small(people, intervals, part):
    """Two of members, of February and of March, and the public's beside them."""
    cells = cells_of(people)
    before = release(cells, MEMBERS, intervals, closed_before=JANUARY + 2)
    members = release(cells, MEMBERS, intervals, earlier=before)
    public = release(cells, PUBLIC, {}, within=members)

    attacker = Attacker(as_read(people, before, members, public), None)

    assert recovered(attacker, K, part) == []


@SLOWLY
@given(networks(), widths, st.integers(0, 3))
def test_a_clinic_that_takes_its_own_out_recovers_nothing_small(
    people, intervals, part
):
    """It knows its people at every width; patients it planted are among them."""
    planted = people | {0: [*people[0], *[(MEETING, 0, 0)] * 7]}
    members = release(cells_of(planted), MEMBERS, intervals)

    attacker = Attacker(as_read(planted, members), 0)

    assert recovered(attacker, K, part) == []


@SLOWLY
@given(networks(), st.integers(0, 3))
def test_the_public_recovers_no_clinic_below_its_own_threshold(people, part):
    """Only totals are told, and of every clinic anything may be true."""
    cells = cells_of(people)
    members = release(cells, MEMBERS, dict.fromkeys(people, Interval.MONTH))
    public = release(cells, PUBLIC, {}, within=members)

    attacker = Attacker(as_read(people, public), None)

    assert recovered(attacker, K + 1, part) == []
