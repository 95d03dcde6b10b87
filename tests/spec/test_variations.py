"""How much clinics differ, month by month, and when that is not told."""

import pytest

from app.charts.remarks import RemarkCode
from app.charts.variations import variations
from app.domain.counts import Withheld
from app.domain.scales import PROPORTION, Scale
from tests.released import START, cell


def months_of(counts: list[list[tuple[int, int]]], scale: Scale = PROPORTION):
    """Return the variation of months, each from its clinics' counts."""
    return variations(
        [
            (
                cell(
                    sum(x for x, _ in month),
                    sum(n for _, n in month),
                    start=START + at,
                    clinic_id=None,
                ),
                [
                    cell(x, n, start=START + at, clinic_id=clinic)
                    for clinic, (x, n) in enumerate(month)
                ],
            )
            for at, month in enumerate(counts)
        ],
        scale=scale,
    )


WIDE = [(x, 1000) for x in (500, 540, 580, 620, 660, 700)]
NARROW = [(x, 1000) for x in (588, 592, 596, 604, 608, 612)]


def test_narrowing_variation_is_told_as_the_deviation_between_clinics():
    """
    Clinics from 50 to 70 %, then from 58.8 to 61.2 %, which is chance.

    The deviation of the first is 0.0748; winsorising takes some of it.
    """
    before, after = months_of([WIDE, NARROW])

    assert before.between == pytest.approx(0.07, abs=0.01)
    assert before.lower is not None
    assert before.lower > 0.04
    assert before.upper is not None
    assert before.upper < 0.2
    assert (after.between, after.lower, before.clinics) == (0.0, 0.0, 6)
    assert after.interval_start == before.interval_start + 1


def test_variation_of_rates_is_on_their_own_scale():
    """Clinics at 1 to 3 per 1,000: in every multiplier the same share of the rate."""
    rates = [(100 + 40 * i, 100_000) for i in range(6)]
    one, thousand = (months_of([rates], Scale(per=per))[0] for per in (1, 1000))

    assert thousand.network == pytest.approx(2.0)
    assert thousand.between == pytest.approx(1000 * (one.between or 0.0))
    assert thousand.between == pytest.approx(0.75, abs=0.2)


def test_variation_is_withheld_where_a_clinic_is_suppressed_or_few_are_known():
    """Month by month, with the reason; the others stay."""
    hidden = cell(None, None, clinic_id=9, withheld=Withheld.SUPPRESSED)
    shown = [cell(x, n, clinic_id=i) for i, (x, n) in enumerate(WIDE)]
    total = cell(3600, 6000, clinic_id=None)
    blank = cell(None, None, clinic_id=None, withheld=Withheld.SUPPRESSED)
    found = variations(
        [
            (total, [*shown, hidden]),
            (total, shown[:4]),
            (blank, shown),
            (total, shown),
        ],
        scale=PROPORTION,
    )

    codes = [[remark.code for remark in each.remarks] for each in found]
    assert codes == [
        [RemarkCode.SUPPRESSED_CLINIC],
        [RemarkCode.TOO_FEW_CLINICS],
        [RemarkCode.NO_TARGET],
        [],
    ]
    assert [each.between is None for each in found] == [True, True, True, False]
