"""What is hidden where an audit fails: the least that helps."""

from collections.abc import Callable, Sequence

import pytest

from app.disclosure.audits import Audit, Failure, Findings
from app.disclosure.bounds import Key, place_of
from app.disclosure.remedies import Remedied, remedied
from app.domain.counts import Basis, Interval, ReleasedCell, Withheld

JANUARY = 12 * 2024
MARCH = (Interval.MONTH, JANUARY + 2)
CLINIC = 7


def cell(
    interval: Interval,
    start: int,
    people: int | None,
    *,
    clinic: int | None = None,
    stratum: int = 0,
) -> ReleasedCell:
    """Return a cell of so many people, of whom half meet the measure; None: hidden."""
    return ReleasedCell(
        clinic_id=clinic,
        interval=interval,
        interval_start=start,
        stratum=stratum,
        population=people and people + 10,
        scored=people,
        denominator=people,
        numerator=people and people // 2,
        withheld=Withheld.SUPPRESSED if people is None else None,
    )


JAN = cell(Interval.MONTH, JANUARY, 50)
FEB = cell(Interval.MONTH, JANUARY + 1, 30)
MAR = cell(*MARCH, None)
CLINIC_MAR = cell(*MARCH, 20, clinic=CLINIC)
CLINIC_JAN = cell(Interval.MONTH, JANUARY, 25, clinic=CLINIC)
Q1 = cell(Interval.QUARTER, JANUARY, 80)
GIRLS = cell(Interval.QUARTER, JANUARY, 40, stratum=1)
YEAR = cell(Interval.YEAR, JANUARY, 200)
NEXT = cell(Interval.MONTH, JANUARY + 12, 15)
QUARTER = [JAN, FEB, MAR, CLINIC_MAR, CLINIC_JAN, Q1, GIRLS, YEAR, NEXT]


def after(
    is_safe: Callable[[set[Key]], bool],
    *,
    complete: bool = False,
    published: Sequence[ReleasedCell] = (),
    basis: Basis = Basis.VISITS,
) -> Remedied:
    """Return what is left where March is found out until it *is safe* to be hidden."""
    failure = Failure(1, MARCH, "network by interval", complete, (1,))

    def audit(cells, failures):
        assert failures in (None, (failure,))
        gone = {place_of(c) for c in cells[1] if c.denominator is None}
        return Findings(Audit(blocks=1), () if is_safe(gone) else (failure,))

    return remedied(
        {1: QUARTER},
        audit=audit,
        bases={1: basis},
        published={1: {place_of(c) for c in published}},
    )


def hidden(left: Remedied) -> list[ReleasedCell]:
    """Return which cells a remedy hid, as they were."""
    now = {place_of(c): c for c in left.cells[1]}
    return [c for c in QUARTER if now[place_of(c)] != c]


def test_one_more_month_is_hidden_the_smallest():
    """The quarter less two months tells of March, less one only of two together."""
    left = after(lambda gone: place_of(FEB) in gone or place_of(Q1) in gone)

    assert hidden(left) == [FEB]
    assert not left.findings.failures
    assert left.findings.audit == Audit(blocks=2, remedied=1)


@pytest.mark.parametrize(
    ("needed", "gone"),
    [
        (JAN, [JAN, FEB]),
        (Q1, [JAN, FEB, Q1, GIRLS]),
        (YEAR, [JAN, FEB, Q1, GIRLS, YEAR]),
        (CLINIC_MAR, [JAN, FEB, CLINIC_MAR, Q1, GIRLS, YEAR]),
        (CLINIC_JAN, [JAN, FEB, CLINIC_MAR, CLINIC_JAN, Q1, GIRLS, YEAR]),
    ],
)
def test_more_is_hidden_only_where_less_did_not_help(needed, gone):
    """Months, their quarter with its strata, totals, the line's clinics, the year."""
    left = after(lambda there: place_of(needed) in there)

    assert hidden(left) == gone
    assert not left.findings.failures


def test_what_is_published_stays_and_the_next_is_tried():
    """February was told before; hiding it would only say that there is something."""
    left = after(lambda gone: place_of(JAN) in gone, published=[FEB])

    assert hidden(left) == [JAN]


def test_what_no_hiding_helps_is_said():
    """All of the year is hidden, and still it fails: nothing may be published."""
    left = after(lambda _: False)

    assert hidden(left) == [c for c in QUARTER if c not in (MAR, NEXT)]
    assert left.findings.failures


def test_who_could_not_be_scored_is_hidden_by_itself():
    """The rates stay."""
    left = after(lambda _: False, complete=True)

    now = {place_of(c): c for c in left.cells[1]}
    assert now[place_of(Q1)].population is None
    assert now[place_of(Q1)].scored is None
    assert now[place_of(Q1)].numerator == Q1.numerator


def test_a_latest_status_stands_for_itself():
    """March and the first quarter are one number; January is another."""
    left = after(lambda _: False, basis=Basis.LATEST_STATUS)

    assert hidden(left) == [CLINIC_MAR, Q1, GIRLS]
