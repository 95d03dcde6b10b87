"""Sums of values that would tell their largest: p-percent and dominance."""

import json
from pathlib import Path

import msgspec
import pytest

from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.disclosure.concentration import is_spread, is_spread_without_any
from app.disclosure.releases import release_measure
from app.domain.counts import Basis, Cell, Interval
from tests.spec.test_continuous_variables import JANUARY, MEANS, cell, release

MEMBERS = AudienceRules(k=5, min_clinics=3, clinics=ClinicsShown.NAMED)
PUBLIC = AudienceRules(k=5, min_clinics=3, clinics=ClinicsShown.NONE)
LAX = msgspec.structs.replace(MEMBERS, p_percent=9)
HALF = msgspec.structs.replace(MEMBERS, dominance=50)


@pytest.mark.parametrize(
    ("values", "rules", "expected"),
    [
        # 0.9 is less than 10 % of 10: who has 8 knows the 10 to within 0.9.
        ([10, 8, 0.9], MEMBERS, False),
        # Enough for the sum, 2.5 of 10; but the squares tell: 4.25, and 21 are asked.
        ([10, 8, 2, 0.5], MEMBERS, False),
        # 16 + 4 are 20 and 16 + 9 are 25: the 10 is below sqrt(120), or sqrt(125).
        ([10, 8, 4, 2], MEMBERS, False),
        ([10, 8, 4, 3], MEMBERS, True),
        ([10, 8, 4, 2], LAX, True),
        # 12 of 22 are 54.5 %, in the limit of 90 % and not in that of 50 %.
        ([6, 6, 5, 5], MEMBERS, True),
        ([6, 6, 5, 5], HALF, False),
        # Nobody is above the beginning of the grid: no value stands out.
        ([0, 0, 0, 0, 0], MEMBERS, True),
        ([3, 0, 0, 0, 0, 0, 0], MEMBERS, False),
    ],
)
def test_the_second_largest_must_not_tell_the_largest(values, rules, expected):
    """Worked by hand, at p = 10 % and (2, 90 %)."""
    assert is_spread(cell(1, tuple(values)), rules=rules, least=0) is expected


def test_the_defaults_are_those_in_use_elsewhere(shared: Path):
    """ACRO's: p 10 %, n = 2, k = 90 %."""
    theirs = json.loads((shared / "golden/disclosure/acro_defaults.json").read_text())

    assert MEMBERS.p_percent == 100 * theirs["safe_pratio_p"]
    assert MEMBERS.dominance == 100 * theirs["safe_nk_k"]
    assert theirs["safe_nk_n"] == 2


def test_one_value_of_ten_thousand_hides_the_mean_of_sixteen(shared: Path):
    """16 people are many, and their mean is one patient's."""
    path = shared / "golden/disclosure/own_policy_cases.json"
    cases = json.loads(path.read_text())["cases"]
    case = next(each for each in cases if each["name"] == "mean with dominance")

    assert not is_spread(cell(1, tuple(case["values"])), rules=MEMBERS, least=0)


EVEN = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10) * 2
ONE_OF_ALL = (10, *(0,) * 10)


def test_a_clinic_whose_mean_is_one_patients_is_hidden_in_company():
    """Eleven people, one value above 0: sum, squares, percentiles and n all go."""
    cells = [cell(1, ONE_OF_ALL), *(cell(clinic, EVEN) for clinic in (2, 3, 4, 5))]

    shown = release(cells)

    assert shown[1].withheld is not None
    assert shown[1].denominator is shown[1].value_sum is shown[1].value_squares is None
    assert shown[1].quantiles == ()
    assert shown[None].withheld is None
    assert len([each for each in shown.values() if each.withheld]) == 3


def test_what_the_hidden_add_up_to_tells_no_value_either():
    """
    The 100 is hidden, and the total less what is shown would still tell it.

    Two clinics of ten are company enough for people: 11 and 6 and 6. Their values add
    up to 9 and 9, which leaves less than 10 % of 100 to anybody who knows one of them;
    so a larger clinic is hidden instead, or more of them.
    """
    small = (1, 2, 1, 2, 1, 2)
    cells = [
        cell(1, (100, *(0,) * 10)),
        cell(2, small),
        cell(3, small),
        cell(4, EVEN),
        cell(5, EVEN),
    ]

    shown = release(cells)

    hidden = [each for each in cells if shown[each.clinic_id].withheld]
    assert shown[None].withheld is not None or is_spread_without_any(
        hidden, rules=MEMBERS, least=0
    )
    assert {each.clinic_id for each in hidden} != {1, 2, 3}


def clinic(number: int, *bins: tuple[int, int]) -> Cell:
    return Cell(
        clinic_id=number,
        interval=Interval.MONTH,
        interval_start=24_000,
        population=0,
        scored=0,
        denominator=0,
        numerator=0,
        histogram=bins,
    )


def test_a_pool_is_spread_without_any_one_clinic():
    """Clinic 1 takes its twenty out, and one patient of 9 stands alone."""
    cells = [clinic(1, (3, 20)), clinic(2, (9, 1), (0, 9)), clinic(3, (0, 9), (1, 1))]

    assert is_spread_without_any(cells[:1] * 2, rules=MEMBERS, least=0)
    assert not is_spread_without_any(cells, rules=MEMBERS, least=0)


def test_values_count_from_the_beginning_of_their_grid():
    """A scale from 100 on: 101 is a contribution of 1, not one of 101."""
    cells = [clinic(n, (100, 9), (101, 1)) for n in (1, 2)]

    assert is_spread_without_any(cells, rules=MEMBERS, least=0)
    assert not is_spread_without_any(cells, rules=MEMBERS, least=100)


def test_where_no_clinic_is_named_none_can_tell_anothers_sum():
    """
    400 people in one clinic, 30 and 10 in two more, all of 1 or 2.

    The second takes its 45 out of the sum; the first's 600 is known to within the
    third's 15. Members see each clinic's sum anyway, or one that hides in company.
    """
    cells = [clinic(n, (1, m), (2, m)) for n, m in ((1, 200), (2, 15), (3, 5))]
    more = [*cells, clinic(4, (1, 30), (2, 30))]

    assert is_spread_without_any(cells, rules=MEMBERS, least=0)
    assert not is_spread_without_any(cells, rules=PUBLIC, least=0)
    assert is_spread_without_any(more, rules=PUBLIC, least=0)


def test_who_is_in_no_stratum_counts_with_their_own_values():
    """
    Of clinic 1 the sex of five is not known, and the 100 is one of them.

    They are never told, and the smaller stratum hides beside them: the total less the
    larger one is the sum of both. In that the 100 stands out, since the squares of the
    others are nothing beside its own; so the larger stratum hides beside them instead.
    """
    quarter = {"interval": Interval.QUARTER, "interval_start": JANUARY}
    few, outlier = (1, 2, 3, 1, 2), (1, 2, 3, 2, 100)

    def strata(number: int, *, unknown: tuple[int, ...]) -> list[Cell]:
        return [
            cell(number, EVEN * 5 + few + unknown, **quarter),
            cell(number, EVEN * 5, **quarter, stratum=1),
            cell(number, few, **quarter, stratum=2),
        ]

    def told(unknown: tuple[int, ...]) -> set[int]:
        cells = [each for n in (2, 3, 4) for each in strata(n, unknown=few)]
        shown = release_measure(
            [*strata(1, unknown=unknown), *cells],
            rules=MEMBERS,
            basis=Basis.VISITS,
            judgement=MEANS,
            blocks=[range(1, 3)],
            intervals={},
            earlier=(),
            within=(),
            closed_before=JANUARY + 3,
        )
        return {c.stratum for c in shown if c.clinic_id is None and not c.withheld}

    assert told(few) == {0, 1}
    assert told(outlier) == {0, 2}
