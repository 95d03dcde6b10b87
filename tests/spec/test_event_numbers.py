"""Which of a Subscription's events never came, as far as their numbers tell."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.event_numbers import MOST_GAPS, Numbers, with_events, with_total

NUMBERS = st.lists(st.integers(1, 40), min_size=1)


@given(NUMBERS)
def test_what_is_missed_is_what_lies_between_and_did_not_come(numbers: list[int]):
    """In whatever order they come, and however often: against plain sets."""
    known: Numbers | None = Numbers(0)
    for number in numbers:
        known = with_events(known, [number])

    assert known is not None
    assert known.highest == max(numbers)
    missing = {n for first, last in known.gaps for n in range(first, last + 1)}
    assert missing == set(range(1, max(numbers))) - set(numbers)
    assert known.missed == len(missing)


@given(NUMBERS)
def test_nothing_is_known_of_what_was_before_the_first(numbers: list[int]):
    """A webhook that is opened later has missed nothing."""
    known = with_events(None, numbers)

    assert known is not None
    missing = {n for first, last in known.gaps for n in range(first, last + 1)}
    assert missing == set(range(min(numbers), max(numbers))) - set(numbers)


def test_a_heartbeat_tells_of_events_that_did_not_come():
    """Two were heard of, it says five: three lack, and fewer lack nothing."""
    known = Numbers(2)

    assert with_total(known, 5) == Numbers(5, ((3, 5),))
    assert with_total(known, 2) == known
    assert with_total(known, 1) == known
    assert with_total(None, 7) == Numbers(7)


def test_gaps_are_so_many_at_most():
    """Whoever numbers by twos makes no row that grows without end."""
    known = with_events(Numbers(0), range(2, 10 * MOST_GAPS, 2))

    assert known is not None
    assert len(known.gaps) == MOST_GAPS
    assert known.gaps[0][0] == 1
