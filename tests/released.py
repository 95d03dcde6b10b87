"""Released cells for tests of charts: only what matters is said."""

from collections.abc import Sequence

from msgspec.structs import replace

from app.disclosure.groups import judgement_of
from app.domain.counts import Interval, ReleasedCell, Withheld

OUTCOMES = judgement_of(has_numerator=True, has_exceptions=False, counts_unscored=False)
"""How a proportion of the scored is judged."""

START = 24_264
"""January 2022 as a month number."""


def cell(
    numerator: int | None,
    denominator: int | None,
    *,
    start: int = START,
    clinic_id: int | None = 1,
    withheld: Withheld | None = None,
    provisional: bool = False,
) -> ReleasedCell:
    return ReleasedCell(
        clinic_id=clinic_id,
        interval=Interval.MONTH,
        interval_start=start,
        population=denominator,
        scored=denominator,
        denominator=denominator,
        numerator=numerator,
        withheld=withheld,
        provisional=provisional,
    )


def series(
    counts: Sequence[tuple[int, int] | Withheld], *, provisional: int = 0
) -> list[ReleasedCell]:
    """Return months from START on; the last *provisional* of them are."""
    closed = len(counts) - provisional
    return [
        cell(None, None, start=START + i, withheld=item)
        if isinstance(item, Withheld)
        else cell(*item, start=START + i, provisional=i >= closed)
        for i, item in enumerate(counts)
    ]


def means(*tenths: int, people: int = 40) -> list[ReleasedCell]:
    """Return months from START on of so many people's mean, with a deviation of 2."""
    return [
        replace(
            each,
            numerator=None,
            value_sum=people * 100 * mean,
            value_squares=people * (100 * mean) ** 2 + (people - 1) * 2000**2,
        )
        for each, mean in zip(series([(0, people)] * len(tenths)), tenths, strict=True)
    ]
