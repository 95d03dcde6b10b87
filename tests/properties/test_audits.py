"""
The audit says of a block exactly what an attacker finds who thinks of people.

Cheap witnesses may be silent where a count is safe; they may never speak where it is
not. With the solver after them, nothing is left open.
"""

import numpy as np
from hypothesis import HealthCheck, given, settings

from app.disclosure.audits import audit_block
from app.disclosure.blocks import blocks
from app.disclosure.exchanges import are_open
from app.disclosure.searches import Question, is_open
from app.disclosure.witnesses import is_total_open, room
from tests.reference.attackers import Attacker, Place, attackers
from tests.reference.crowds import crowds, published

K = 3
SLOWLY = settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow]
)


# Each asks some hundred whole programs of the attackers, for all that is not told.
@settings(SLOWLY, max_examples=10)
@given(crowds(most=3, clinics=4))
def test_a_release_passes_if_and_only_if_nobody_recovers_a_small_count(crowd):
    """By anyone: the outsider, and each clinic that takes its own people out."""
    (block,) = blocks([published(crowd)])
    small_only = block._replace(marked=np.zeros_like(block.marked))

    recovered = {
        (place.slot, place.state)
        for attacker in attackers(crowd)
        for place in attacker.places()
        if is_somewhere(attacker, place) and attacker.recovers(place, K)
    }
    failed = {
        (failure.slot, failure.complete)
        for failure in audit_block(small_only, k=K, proven=set()).failures
    }
    assert failed == {(slot, state == 2) for slot, state in recovered}


def is_somewhere(attacker: Attacker, place: Place) -> bool:
    """Tell whether a network's count is hidden at all: its parts may be known."""
    if place.who is not None:
        return True
    told = attacker.crowd.complete if place.state == 2 else attacker.crowd.told
    return any((clinic, place.slot) not in told for clinic in attacker.others)


@SLOWLY
@given(crowds(months=12, most=4, clinics=4))
def test_a_witness_speaks_only_of_what_a_solver_finds_safe(crowd):
    """Over a year of three widths, where there are too many kinds of people to try."""
    (block,) = blocks([published(crowd)])
    asked = block.hidden & (block.counts < K)
    spoken = asked & room(block, wanted=asked).suffices(block.counts, k=K)
    spoken |= are_open(block, asked & ~spoken, k=K)

    some = np.argwhere(spoken)[::7].tolist()

    for clinic, slot, column in some:
        assert is_open(block, Question(clinic, {(slot, column): 1}), k=K)


@SLOWLY
@given(crowds())
def test_a_witness_of_a_total_speaks_only_of_what_nobody_recovers(crowd):
    """To each onlooker another rest is left."""
    (block,) = blocks([published(crowd)])

    for attacker, at in zip(
        attackers(crowd), range(len(block.clinics) + 1), strict=True
    ):
        for slot, column in np.argwhere(~block.told).tolist():
            if is_total_open(block, slot, column, k=K)[at]:
                place = Place(None, block.slots[slot], column)
                assert not is_somewhere(attacker, place) or not attacker.recovers(
                    place, K
                )
