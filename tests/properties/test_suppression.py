"""The fewest people are hidden: against trying every choice there is."""

from collections.abc import Iterator, Mapping
from itertools import chain, combinations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.disclosure.lines import Part, Total, is_hidden_safely, shown_in_line
from app.disclosure.suppression import fewest_to_hide

K = 5
PATIENTLY = settings(deadline=None, max_examples=60)


def choices(parts: set[int]) -> Iterator[set[int]]:
    """Yield every set of *parts*, the empty one first."""
    sizes = range(len(parts) + 1)
    yield from map(
        set, chain.from_iterable(combinations(sorted(parts), n) for n in sizes)
    )


def people(parts: Mapping[int, Part], chosen: set[int]) -> int:
    return sum(sum(map(sum, parts[i].values())) for i in chosen)


counts = st.tuples(st.integers(0, 12), st.integers(0, 12))
parts_of_clinics = st.lists(counts, min_size=1, max_size=8).map(
    lambda found: {clinic: {clinic: own} for clinic, own in enumerate(found)}
)
strata_of_clinics = st.lists(
    st.dictionaries(st.integers(0, 3), counts, max_size=4), min_size=1, max_size=6
).map(lambda found: dict(enumerate(found)))
every_line = st.one_of(parts_of_clinics, strata_of_clinics).flatmap(
    lambda parts: st.tuples(st.just(parts), st.sets(st.sampled_from(sorted(parts))))
)


@PATIENTLY
@given(every_line, st.booleans())
def test_no_choice_hides_fewer_people(line, is_capped):
    """Candidates of any size, even ones that could not be shown by themselves."""
    parts, candidates = line
    forced = parts.keys() - candidates

    shown = shown_in_line(parts, candidates, total=Total.SAFE, k=K, is_capped=is_capped)

    safe = [
        people(parts, chosen)
        for chosen in choices(candidates)
        if not (forced | chosen)
        or is_hidden_safely(
            [parts[i] for i in forced | chosen], k=K, is_capped=is_capped
        )
    ]
    assert shown.total == bool(safe)
    if safe:
        assert people(parts, candidates - shown.parts) == min(safe)


@PATIENTLY
@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=9).map(enumerate).map(dict),
    st.lists(st.lists(st.integers(0, 8), min_size=1), max_size=4),
    st.integers(1, 40),
)
@example({0: 9, 1: 9, 2: 10, 3: 30}, [[0, 3], [1, 3], [2, 3]], 1)
def test_the_solver_is_as_good_as_trying_everything(sizes, demands, least):
    """
    Whatever safe means, as long as hiding more is never less safe.

    Here: one part of every demand is hidden, and so many people. In the example three
    parts of 28 people do what one of 30 does.
    """

    def is_safe(chosen) -> bool:
        return sum(sizes[part] for part in chosen) >= least and all(
            set(demand) & set(chosen) for demand in demands
        )

    best = min(
        (sum(sizes[i] for i in each) for each in choices(set(sizes)) if is_safe(each)),
        default=None,
    )
    found = fewest_to_hide(sizes, is_safe)

    assert (found is None) == (best is None)
    if found is not None:
        assert is_safe(found)
        assert sum(sizes[part] for part in found) == best
        assert found == fewest_to_hide(dict(reversed(sizes.items())), is_safe)
