"""
Which parts of a line to hide beside those that must be: those of the fewest people.

The rules are asked, not known here: hiding more is never less safe, so whatever is
still unsafe when hidden asks for one of the parts outside it. These demands are found
one by one, and a mixed-integer program (HiGHS) meets all of them at the least cost.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet

import numpy as np

from app.disclosure.systems import optimum, solver, system

IsSafe = Callable[[AbstractSet[int]], bool]


def fewest_to_hide(
    sizes: Mapping[int, int], is_safe: IsSafe
) -> AbstractSet[int] | None:
    """
    Return the parts of the fewest people whose hiding is safe, or None.

    Of equally many people, the parts are taken that come first by size, then by id.

    Args:
        sizes: people in each part that may be hidden or shown, by id.
        is_safe: tells of a set of parts whether hiding it is enough; where it is, so is
            hiding more.
    """
    order = sorted(sizes, key=lambda part: (sizes[part], part))
    if is_safe(frozenset()):
        return frozenset()
    if not is_safe(frozenset(order)):
        return None
    return _one_or_two(order, sizes, is_safe) or _solved(order, sizes, is_safe)


def _one_or_two(
    order: Sequence[int], sizes: Mapping[int, int], is_safe: IsSafe
) -> AbstractSet[int] | None:
    """
    Return the answer where no solver is needed: the smallest two are enough, or fewer.

    Nothing of two parts or more costs less than they do, so only single ones can.
    """
    two = frozenset(order[:2])
    if not is_safe(two):
        return None
    cost = sum(sizes[part] for part in two)
    cheaper = (part for part in order if sizes[part] <= cost and is_safe({part}))
    single = next(cheaper, None)
    return two if single is None else {single}


def _solved(
    order: Sequence[int], sizes: Mapping[int, int], is_safe: IsSafe
) -> AbstractSet[int]:
    """Return the answer by meeting demand after demand until it is safe."""
    parts = _affordable(order, sizes, is_safe)
    demands: list[AbstractSet[int]] = []
    hidden: AbstractSet[int] = frozenset()
    while not is_safe(hidden):
        demands.append(frozenset(parts) - _largest_unsafe(hidden, parts, is_safe))
        hidden = _cheapest(parts, sizes, demands)
    return hidden


def _affordable(
    order: Sequence[int], sizes: Mapping[int, int], is_safe: IsSafe
) -> list[int]:
    """Return the parts that alone cost no more than hiding the smallest until safe."""
    hidden: set[int] = set()
    for part in order:
        hidden.add(part)
        if is_safe(hidden):
            break
    cost = sum(sizes[part] for part in hidden)
    return [part for part in order if sizes[part] <= cost]


def _largest_unsafe(
    hidden: AbstractSet[int], parts: Sequence[int], is_safe: IsSafe
) -> AbstractSet[int]:
    """Return an unsafe set around *hidden* to which nothing can be added."""
    unsafe = set(hidden)
    for part in reversed(parts):
        if part not in unsafe and not is_safe(unsafe | {part}):
            unsafe.add(part)
    return unsafe


def _cheapest(
    parts: Sequence[int],
    sizes: Mapping[int, int],
    demands: Sequence[AbstractSet[int]],
) -> AbstractSet[int]:
    """Return the parts of the fewest people of which each demand has one."""
    places = np.arange(1, len(parts) + 1)
    people = np.array([sizes[part] for part in parts])
    demanded = system(
        np.array([[part in demand for part in parts] for demand in demands], np.int64),
        least=np.ones(len(demands), np.int64),
    )
    costs = people * (places.sum() + 1) + places
    found = optimum(
        solver(demanded, costs=costs, highest=1, is_whole=True, mip_rel_gap=0.0)
    )
    assert found is not None  # all of them meet every demand
    return {part for part, chosen in zip(parts, found, strict=True) if chosen}
