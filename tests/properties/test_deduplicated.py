"""
De-duplicated counts: what is true of them, and an attacker who holds the clinics' too.

Who sees single clinics subtracts the network's total from their sum, and has the number
of those who are at several. The attacker shares no code with the house: it knows who is
where, and takes away what a clinic knows.
"""

from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.disclosure.bounds import bound_of
from app.disclosure.people import People
from app.disclosure.releases import release_measure
from app.domain.counts import Basis, Cell, Interval, ReleasedCell, Withheld
from tests.properties.test_disclosure import (
    GROUPS,
    JANUARY,
    MEMBERS,
    PUBLIC,
    TRUTH,
    Groups,
    added,
    cell,
    is_given_away,
    is_somebody,
    reading,
)
from tests.released import OUTCOMES

Place = frozenset[int]
PATIENTLY = settings(deadline=None)
NOBODY: Groups = (0, 0, 0)


class Shared(NamedTuple):
    """People whom clinics share: how each counts them, and how they count once."""

    own: dict[int, Groups]
    once: Groups


class Network(NamedTuple):
    """Who is at one clinic alone, and who is at several."""

    alone: dict[int, Groups]
    shared: dict[Place, Shared]

    def clinic(self, clinic: int) -> Groups:
        """Return what a clinic counts."""
        others = [s.own[clinic] for at, s in self.shared.items() if clinic in at]
        return added([self.alone[clinic], *others])

    def places(self) -> dict[Place, Groups]:
        """Return the people of each place, each once."""
        alone = {frozenset({clinic}): own for clinic, own in self.alone.items()}
        return alone | {at: shared.once for at, shared in self.shared.items()}

    def without(self, onlooker: int | None) -> Groups:
        """Return the people who are not at the onlooker's clinic, each once."""
        return added([p for at, p in self.places().items() if onlooker not in at])

    def overlap(self, onlooker: int | None) -> Groups:
        """Return by how much the others' sum exceeds those people."""
        found = [
            minus(added(list(shared.own.values())), shared.once)
            for at, shared in self.shared.items()
            if onlooker not in at
        ]
        return added(found) if found else NOBODY


def minus(one: Groups, other: Groups) -> Groups:
    met, failed, unscored = (a - b for a, b in zip(one, other, strict=True))
    return met, failed, unscored


people = st.one_of(st.integers(0, 8), st.integers(5, 60), st.integers(5, 60))
groups = st.tuples(people, people, people)


@st.composite
def networks(draw: Any) -> Network:
    """Draw 3 to 5 clinics and who is at two or three of them."""
    clinics = range(draw(st.integers(3, 5)))
    alone = {clinic: draw(groups) for clinic in clinics}
    places = st.frozensets(st.sampled_from(clinics), min_size=2, max_size=3)
    shared = {}
    for at in draw(st.sets(places, max_size=4)):
        once = draw(groups)
        counted_alike = draw(st.booleans())
        own = {i: once if counted_alike else draw(groups) for i in at}
        shared[at] = Shared(own, once)
    return Network(alone, shared)


def month(place: int, counts: Groups) -> Cell:
    return cell(place, counts, Interval.MONTH, JANUARY)


def released(
    network: Network, *, rules: AudienceRules = MEMBERS, **changed: Any
) -> list[ReleasedCell]:
    """Return a month of *network* as an audience sees it."""
    numbers = {at: -n for n, at in enumerate(network.shared, 1)}
    numbers |= {frozenset({clinic}): clinic for clinic in network.alone}
    shared = [(numbers[at], shared) for at, shared in network.shared.items()]
    found = People(
        [month(numbers[at], counts) for at, counts in network.places().items()],
        apart=[month(n, added(list(each.own.values()))) for n, each in shared],
        at={number: at for at, number in numbers.items()},
    )
    arguments: dict[str, Any] = {
        "basis": Basis.VISITS,
        "judgement": OUTCOMES,
        "blocks": [],
        "intervals": dict.fromkeys(network.alone, Interval.MONTH),
        "earlier": (),
        "within": (),
        "closed_before": JANUARY + 1,
        "people": found,
    }
    cells = [month(clinic, network.clinic(clinic)) for clinic in network.alone]
    return release_measure(cells, rules=rules, **(arguments | changed))


def by_clinic(cells: list[ReleasedCell]) -> dict[int | None, ReleasedCell]:
    return {each.clinic_id: each for each in cells if not each.stratum}


@PATIENTLY
@given(networks(), st.sampled_from(GROUPS))
def test_whoever_subtracts_the_total_from_the_clinics_finds_nobody(network, group):
    """Not by the sum, nor after taking out all whom one clinic knows."""
    shown = by_clinic(released(network))

    if reading(shown.get(None), group) is None:
        return
    number = GROUPS.index(group)
    for onlooker in (None, *network.alone):
        assert network.overlap(onlooker)[number] >= MEMBERS.k
        assert network.without(onlooker)[number] >= MEMBERS.k


@PATIENTLY
@given(networks(), st.sampled_from(GROUPS))
def test_a_hidden_clinic_stays_hidden_even_from_who_knows_the_overlap(network, group):
    """It is not published; the attacker has it all the same, from whatever source."""
    shown = by_clinic(released(network))
    total = reading(shown.get(None), group)
    true = {i: month(i, network.clinic(i)) for i in network.alone}
    read = [reading(shown.get(i), group) for i in true]
    known = [number for number in read if number is not None]
    hidden = {
        i: {i: TRUTH[group](each)}
        for (i, each), number in zip(true.items(), read, strict=True)
        if number is None and is_somebody(each, group)
    }
    summed = None
    if total is not None:
        summed = sum(TRUTH[group](each) for each in true.values())

    assert not is_given_away(summed, known, hidden, MEMBERS.k)


@PATIENTLY
@given(networks(), st.sampled_from([MEMBERS, PUBLIC]))
def test_each_person_counts_once_in_the_network_and_at_each_of_their_clinics(
    network, rules
):
    """Numbers are withheld or exact; clinics' numbers stay what they are."""
    for clinic, shown in by_clinic(released(network, rules=rules)).items():
        if shown.withheld is not None:
            continue
        true = network.without(None) if clinic is None else network.clinic(clinic)
        met, failed, unscored = true
        assert (shown.numerator, shown.denominator) == (met, met + failed)
        assert shown.population in (None, met + failed + unscored)


@PATIENTLY
@given(networks())
def test_the_public_sees_no_total_that_members_do_not(network):
    """Members read it too, beside the clinics that they alone see."""
    members = released(network)
    public = by_clinic(released(network, rules=PUBLIC, within=[bound_of(members)]))

    for clinic, shown in public.items():
        assert shown.numerator in (None, by_clinic(members)[clinic].numerator)
        assert shown.population in (None, by_clinic(members)[clinic].population)


LARGE = (60, 40, 20)


def of_pairs(*counts: int) -> Network:
    """Return three large clinics, of which 1 and 2, 2 and 3, 3 and 1 share people."""
    pairs = [frozenset({1, 2}), frozenset({2, 3}), frozenset({3, 1})]
    return Network(
        alone=dict.fromkeys((1, 2, 3), LARGE),
        shared={
            at: Shared(dict.fromkeys(at, (n, n, n)), (n, n, n))
            for at, n in zip(pairs, counts, strict=True)
            if n
        },
    )


@pytest.mark.parametrize(
    ("pairs", "total"),
    [
        ((5, 5, 5), 180 + 15),
        ((0, 0, 0), None),
        ((1, 0, 0), None),
        ((4, 4, 4), None),
        ((50, 0, 0), None),
        ((50, 50, 4), None),
    ],
)
def test_the_overlap_is_a_group_of_people(pairs: tuple[int, ...], total: int | None):
    """
    Five in each pair: the sum exceeds the total by 15, and by 5 without a clinic's.

    With nobody in common it says that nobody is; with 50 of the first pair alone each
    of the two knows that the rest is nobody.
    """
    shown = by_clinic(released(of_pairs(*pairs)))

    assert shown[None].numerator == total
    assert {i: shown[i].numerator for i in (1, 2, 3)} == {
        i: of_pairs(*pairs).clinic(i)[0] for i in (1, 2, 3)
    }


def test_who_sees_no_clinic_has_nothing_to_subtract_from():
    """Then the total needs no overlap of a certain size."""
    rules = AudienceRules(k=5, min_clinics=3, clinics=ClinicsShown.NONE)

    shown = by_clinic(released(of_pairs(1, 0, 0), rules=rules))

    assert shown[None].numerator == 181


def test_a_pool_needs_people_who_are_not_at_the_largest_clinic():
    """All of clinics 2 and 3 are at clinic 1 too: it knows everybody."""
    rules = AudienceRules(k=5, min_clinics=3, clinics=ClinicsShown.NONE)
    network = Network(
        alone={1: LARGE, 2: NOBODY, 3: NOBODY},
        shared={
            frozenset({1, 2, 3}): Shared(dict.fromkeys((1, 2, 3), LARGE), LARGE),
        },
    )

    shown = by_clinic(released(network, rules=rules))

    assert shown[None].withheld is Withheld.SUPPRESSED
