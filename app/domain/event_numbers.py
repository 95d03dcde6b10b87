"""The numbers of a Subscription's events: which of them never came."""

from collections.abc import Iterable

import msgspec

MOST_GAPS = 100
"""So many gaps are told apart; of more the two oldest are one."""


class Numbers(msgspec.Struct, frozen=True):
    """The highest number that was told, and the gaps below it, first and last."""

    highest: int
    gaps: tuple[tuple[int, int], ...] = ()

    @property
    def missed(self) -> int:
        """Return how many events are known of that did not come."""
        return sum(last - first + 1 for first, last in self.gaps)


def with_events(before: Numbers | None, numbers: Iterable[int]) -> Numbers | None:
    """
    Return what is known after events of these *numbers* came, in any order.

    What came first of all may be anywhere: nothing is known of what was before. Who
    numbers the events of each notification from 1, as athenahealth does, has no gaps.

    Source: Subscriptions R5 Backport 1.1.0, "Errors and recovery".
    """
    after = before
    for number in sorted(set(numbers)):
        if after is None:
            after = Numbers(number)
        elif number > after.highest:
            after = Numbers(number, _with_gap(after, until=number))
        else:
            after = Numbers(after.highest, tuple(_without(after.gaps, number)))
    return after


def with_total(before: Numbers | None, total: int) -> Numbers:
    """Return what is known after it was told that there were so many events."""
    if before is None:
        return Numbers(total)
    if total <= before.highest:
        return before
    return Numbers(total, _with_gap(before, until=total + 1))


def _with_gap(before: Numbers, *, until: int) -> tuple[tuple[int, int], ...]:
    if until == before.highest + 1:
        return before.gaps
    gaps = (*before.gaps, (before.highest + 1, until - 1))
    if len(gaps) <= MOST_GAPS:
        return gaps
    (first, _), (_, last), *others = gaps
    return ((first, last), *others)


def _without(gaps: Iterable[tuple[int, int]], number: int) -> Iterable[tuple[int, int]]:
    """Yield what is left of gaps once a number has come."""
    for first, last in gaps:
        if not first <= number <= last:
            yield first, last
            continue
        if first < number:
            yield first, number - 1
        if number < last:
            yield number + 1, last
