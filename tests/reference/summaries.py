"""
What clinics count themselves, added up slowly and obviously: the specification.

A history is a list of acts, in the order in which they reach the hub. What holds in the
end is worked out from it without any of the hub's own code.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

Month = tuple[int, int]
"""A year and a month, 1-12."""


@dataclass(frozen=True)
class Sent:
    """
    A number under an id, or of a report the two; ``what`` is events, exposure or both.

    ``numbers`` has one entry, or two of a report: events, then exposure; None is a
    single event, said without a number. ``ward`` None is the whole clinic.
    """

    own_id: str
    clinic: str
    ward: str | None
    month: Month
    what: str
    numbers: tuple[Decimal | None, ...]


@dataclass(frozen=True)
class Withdrawn:
    """An id of a clinic that is taken back."""

    own_id: str
    clinic: str


def standing(history: Sequence[Sent | Withdrawn]) -> list[Sent]:
    """
    Return what holds at the end.

    An id holds what was sent under it last. A report is one by its month and ward too:
    the last one of these replaces the others, and none may take an id that a report of
    another month or ward has.
    """
    found: dict[tuple, Sent | None] = {}
    place_of_id: dict[tuple, tuple] = {}
    for act in history:
        named = (act.clinic, act.own_id)
        if isinstance(act, Withdrawn):
            place = place_of_id.get(named)
            if place is not None:
                found[place] = None
            continue
        place = (act.clinic, act.ward, act.month) if act.what == "both" else named
        if place_of_id.setdefault(named, place) == place:
            found[place] = act
    return [act for act in found.values() if act is not None]


def rates(
    history: Sequence[Sent | Withdrawn], *, no_events_means_zero: bool
) -> dict[tuple[str, Month], tuple[Decimal, Decimal] | str]:
    """Return each clinic's months: events and exposure, or which of them is missing."""
    now = standing(history)
    return {
        (clinic, month): _rate(
            [s for s in now if (s.clinic, s.month) == (clinic, month)],
            no_events_means_zero=no_events_means_zero,
        )
        for clinic, month in {(s.clinic, s.month) for s in now}
    }


def _rate(
    sent: list[Sent], *, no_events_means_zero: bool
) -> tuple[Decimal, Decimal] | str:
    heard = []
    for each in sent:
        reports = [s for s in sent if s.what == "both" and s is not each]
        of_all = any(s.ward is None for s in reports)
        of_ward = any(s.ward == each.ward for s in reports)
        if of_all and each.ward is not None:
            continue
        if (of_all or of_ward) and each.what != "both":
            continue
        heard.append(each)
    events = _added(heard, "events", 0)
    exposure = _added(heard, "exposure", -1)
    if events is None and no_events_means_zero:
        events = Decimal(0)
    if events is None:
        return "events-missing"
    return "exposure-missing" if exposure is None else (events, exposure)


def _added(sent: Iterable[Sent], what: str, position: int) -> Decimal | None:
    numbers = [s.numbers[position] for s in sent if s.what in {what, "both"}]
    if not numbers:
        return None
    return sum((Decimal(1) if n is None else n for n in numbers), Decimal(0))


def of_years(
    found: dict[tuple[str, Month], tuple[Decimal, Decimal] | str],
) -> dict[tuple[str, int], tuple[Decimal, Decimal]]:
    """Return each clinic's years: the months that have both numbers, added up."""
    years: dict[tuple[str, int], list[tuple[Decimal, Decimal]]] = {}
    for (clinic, (year, _)), rate in found.items():
        if not isinstance(rate, str):
            years.setdefault((clinic, year), []).append(rate)
    return {
        key: (
            sum((n for n, _ in parts), Decimal(0)),
            sum((d for _, d in parts), Decimal(0)),
        )
        for key, parts in years.items()
    }
