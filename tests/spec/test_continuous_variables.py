"""Means, deviations and percentiles: worked by hand, shown and withheld."""

from math import sqrt
from typing import Any

import pytest

from app.charts.lines import ChartKind
from app.charts.measure_charts import measure_chart
from app.charts.shifts import suggested_shift
from app.charts.vega import control_chart_spec
from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.disclosure.groups import judgement_of
from app.disclosure.intervals import publishing_intervals
from app.disclosure.own_views import own_cells
from app.disclosure.quantiles import quantile
from app.disclosure.releases import release_measure
from app.domain.counts import Basis, Cell, Interval, ReleasedCell, Withheld
from app.domain.scales import Scale

JANUARY = 12 * 2024
MEMBERS = AudienceRules(k=5, min_clinics=3, clinics=ClinicsShown.NAMED)
MEANS = judgement_of(has_numerator=False, has_exceptions=False, counts_unscored=False)
TWELVE = (0, 0, 1, 2, 2, 3, 4, 5, 5, 6, 8, 9)
"""Twelve people's values: their sum is 45, that of their squares 265."""


def cell(clinic: int, values: tuple[float, ...] = TWELVE, **changed: Any) -> Cell:
    """Return the cell of people of whom ten more have no value."""
    scaled = sorted(round(1000 * value) for value in values)
    arguments: dict[str, Any] = {
        "interval": Interval.MONTH,
        "interval_start": JANUARY,
        "population": len(values) + 10,
        "scored": len(values),
        "denominator": len(values),
        "numerator": 0,
        "value_sum": sum(scaled),
        "value_squares": sum(value * value for value in scaled),
        "histogram": tuple((v, scaled.count(v)) for v in sorted({*scaled})),
    }
    return Cell(clinic_id=clinic, **(arguments | changed))


def release(cells: list[Cell], **changed: Any) -> dict[int | None, ReleasedCell]:
    arguments: dict[str, Any] = {
        "rules": MEMBERS,
        "basis": Basis.VISITS,
        "judgement": MEANS,
        "blocks": [],
        "intervals": dict.fromkeys(range(1, 6), Interval.MONTH),
        "earlier": (),
        "within": (),
        "closed_before": JANUARY + 1,
    }
    shown = release_measure(cells, **(arguments | changed))
    return {each.clinic_id: each for each in shown}


@pytest.mark.parametrize(
    ("counts", "percent", "expected"),
    [
        # One person is every percentile.
        ([(4000, 1)], 10, 4000),
        ([(4000, 1)], 90, 4000),
        # Of four the median is the second, the lower of the middle two.
        ([(0, 1), (500, 1), (1000, 1), (1500, 1)], 50, 500),
        # Of five it is the third.
        ([(0, 2), (500, 1), (1000, 2)], 50, 500),
        # A tenth of eleven is the second person, of ten the first.
        ([(0, 1), (500, 10)], 10, 500),
        ([(0, 1), (500, 9)], 10, 0),
        # Nine tenths of ten is the ninth.
        ([(0, 8), (500, 1), (1000, 1)], 90, 500),
        ([(-500, 1), (0, 1)], 50, -500),
    ],
)
def test_a_percentile_is_where_the_bin_of_its_person_begins(counts, percent, expected):
    """Place n percent / 100, rounded up, in the order of values."""
    assert quantile(counts, percent) == expected


def test_a_clinic_sees_mean_deviation_and_percentiles_of_two_people():
    """2 and 5: the mean is 3.5, the deviation sqrt(2 * 1.5^2), the median 2."""
    (own,) = own_cells(
        [cell(1, (2, 5), excluded=3, excepted=1, missing=((1, 7), (3, 3)))],
        clinic_id=1,
        has_numerator=False,
        closed_before=JANUARY,
    )

    assert own.numerator is None
    assert own.denominator == 2
    assert own.mean == 3.5
    assert own.deviation == pytest.approx(sqrt(4.5))
    assert own.quantile(50) == 2
    assert (own.excluded, own.excepted) == (3, 1)
    assert own.missing == ((1, 7), (3, 3))


def test_one_person_has_a_mean_and_no_deviation():
    """A sample of one says nothing of its spread."""
    (own,) = own_cells(
        [cell(1, (2,))], clinic_id=1, has_numerator=False, closed_before=JANUARY
    )

    assert own.mean == 2
    assert own.deviation is None


def test_who_lacks_what_is_told_where_nobody_has_a_value():
    """An interval without a mean is the one where it matters most."""
    (own,) = own_cells(
        [cell(1, (), missing=((1, 10),))],
        clinic_id=1,
        has_numerator=False,
        closed_before=JANUARY,
    )

    assert own.withheld is Withheld.NO_DATA
    assert own.mean is own.deviation is own.quantile(50) is None
    assert own.missing == ((1, 10),)


def test_what_is_large_is_released_with_the_percentiles_that_many_lie_beyond():
    """
    12 people of a clinic: five lie beyond the median alone (12 * 0.25 is 3).

    Of the network's 36 a clinic knows 12; of the other 24 six lie beyond a quartile,
    and two beyond a tenth.
    """
    shown = release([cell(1), cell(2), cell(3)])

    assert shown[1].mean == 45 / 12
    assert shown[1].deviation == pytest.approx(sqrt((265 - 45 * 45 / 12) / 11))
    assert shown[1].quantiles == (None, None, 3000, None, None)
    assert shown[None].mean == 135 / 36
    assert shown[None].quantiles == (None, 1000, 3000, 5000, None)
    assert shown[None].population == 66
    for each in shown.values():
        assert each.numerator is None
        assert each.missing is None
        assert each.excluded is each.excepted is None


@pytest.mark.parametrize("small", [(1, 2, 3, 4), (), (0,) * 12, (30,) * 12])
def test_few_values_or_all_alike_hide_the_cell_in_company(small: tuple[float, ...]):
    """A mean of 0 with a deviation of 0 tells the value of each: as 0 of 40 does."""
    cells = [cell(1, small), *(cell(clinic, TWELVE * 2) for clinic in (2, 3, 4, 5))]
    before = cell(1, interval_start=JANUARY - 1)

    shown = release([before, *cells])

    hidden = {clinic for clinic, each in shown.items() if each.withheld}
    assert hidden >= {1, 2, 3}
    assert None not in hidden
    assert shown[1].value_sum is shown[1].value_squares is None
    assert shown[1].quantiles == ()


def test_complete_measurement_costs_the_population_and_not_the_mean():
    """Where all who came have a value, the number that says so is withheld."""
    shown = release([cell(clinic, population=12, scored=12) for clinic in (1, 2, 3)])

    assert shown[None].mean == 135 / 36
    assert shown[None].population is shown[None].scored is None


@pytest.mark.parametrize(("people", "expected"), [(10, "month"), (9, "quarter")])
def test_the_interval_of_a_mean_asks_for_twice_k_people(people: int, expected: str):
    """There is no rarer outcome to expect: k is 5, so ten people a month will do."""
    history = [
        Cell(
            clinic_id=1,
            interval=interval,
            interval_start=start,
            population=size,
            scored=size,
            denominator=size,
            numerator=0,
        )
        for interval, size in ((Interval.MONTH, people), (Interval.QUARTER, 3 * people))
        for start in range(JANUARY - 24, JANUARY, interval.months)
    ]

    chosen = publishing_intervals(
        history, k=5, has_numerator=False, closed_before=JANUARY, earlier={}
    )

    assert chosen == {1: Interval(expected)}


def excepting(clinic: int, *, scored: int, counted: int) -> Cell:
    """Return a cell of a proportion: 80 came; of the scored some are excepted."""
    return cell(
        clinic,
        population=80,
        scored=scored,
        excepted=scored - counted,
        denominator=counted,
        numerator=counted // 2,
    )


@pytest.mark.parametrize(
    ("scored", "counted", "is_complete"), [(60, 50, True), (60, 58, False)]
)
def test_few_who_are_excepted_cannot_be_had_from_the_scored(
    scored: int, counted: int, *, is_complete: bool
):
    """60 scored and 58 in the denominator would tell of two who have an excuse."""
    judgement = judgement_of(
        has_numerator=True, has_exceptions=True, counts_unscored=False
    )
    cells = [excepting(i, scored=scored, counted=counted) for i in (1, 2, 3)]

    shown = release(cells, judgement=judgement)

    assert shown[1].denominator == counted
    assert (shown[1].scored is not None) == is_complete
    assert (shown[1].population is not None) == is_complete


def test_where_everybody_counts_the_scored_are_never_released():
    """Exceptions keep the population apart, but who has no value met the measure."""
    judgement = judgement_of(
        has_numerator=True, has_exceptions=True, counts_unscored=True
    )

    shown = release(
        [excepting(i, scored=60, counted=50) for i in (1, 2, 3)], judgement=judgement
    )

    assert shown[1].population == 80
    assert shown[1].scored is None


def month(start: int, mean: float, *, n: int = 25, deviation: float = 2) -> Any:
    """Return a released month of *n* people with this mean and sample deviation."""
    total = round(1000 * mean) * n
    squares = (n - 1) * round((1000 * deviation) ** 2) + total * total // n
    return ReleasedCell(
        clinic_id=1,
        interval=Interval.MONTH,
        interval_start=start,
        population=n,
        scored=n,
        denominator=n,
        numerator=None,
        value_sum=total,
        value_squares=squares,
    )


STEADY = [month(JANUARY + i, 5 + (-1) ** i * 0.1) for i in range(24)]
SCORES = Scale(unit="{score}")


def chart(cells: list[ReleasedCell], basis: Basis = Basis.VISITS) -> Any:
    return measure_chart(cells, basis=basis, improvement="decrease", scale=SCORES)


def test_means_are_drawn_on_an_x_bar_chart():
    """
    Limits are 5 +- 3 * 2 / (c4 * sqrt(25)), and c4 of 25 is 0.98964.

    Source: Montgomery, Introduction to Statistical Quality Control, 7th ed., app. VI.
    """
    drawn = chart(STEADY)

    assert drawn.chart is ChartKind.XBAR
    assert drawn.points[0].value == 5.1
    assert drawn.points[0].center_line == pytest.approx(5)
    assert drawn.points[0].upper_limit == pytest.approx(5 + 1.2 / 0.98964, abs=1e-5)
    assert drawn.points[0].lower_limit == pytest.approx(5 - 1.2 / 0.98964, abs=1e-5)
    assert drawn.signals == ()


@pytest.mark.parametrize(
    ("basis", "is_told"),
    [
        (Basis.VISITS, True),
        (Basis.INDEX_EVENTS, True),
        (Basis.LATEST_STATUS, False),
    ],
)
def test_a_mean_beyond_its_limits_is_a_signal_where_people_do_not_stay(
    basis: Basis, *, is_told: bool
):
    """Latest status keeps its lines: the same people make its next month."""
    drawn = chart([*STEADY, month(JANUARY + 24, 9)], basis)

    assert bool(drawn.signals) == is_told
    assert drawn.points[-1].upper_limit is not None


def test_a_suppressed_mean_takes_the_lines_of_its_series():
    """A centre line is an equation in what is hidden."""
    drawn = chart([*STEADY, STEADY[0].blank(Withheld.SUPPRESSED)])

    assert drawn.chart is ChartKind.POINTS
    assert [point.center_line for point in drawn.points] == [None] * len(drawn.points)


def test_index_events_are_looked_at_for_a_change_like_visits():
    """From 30 to 45 of 60 after a year: their months share nobody."""
    cells = [
        ReleasedCell(
            clinic_id=1,
            interval=Interval.MONTH,
            interval_start=JANUARY + i,
            population=60,
            scored=60,
            denominator=60,
            numerator=30 if i < 12 else 45,
        )
        for i in range(24)
    ]

    shifts = {basis: suggested_shift(cells, basis=basis) for basis in Basis}

    found = shifts[Basis.INDEX_EVENTS]
    assert found is not None
    assert found == shifts[Basis.VISITS]
    assert found.interval_start == JANUARY + 12
    assert shifts[Basis.LATEST_STATUS] is None


def test_a_quarter_of_index_events_has_numbers_of_its_own():
    """Events of three months, and not those of the last one, as a status would be."""
    cells = [
        cell(clinic, values, interval=interval, interval_start=start)
        for clinic in (1, 2, 3)
        for interval, start, values in (
            (Interval.MONTH, JANUARY, TWELVE),
            (Interval.MONTH, JANUARY + 1, TWELVE),
            (Interval.MONTH, JANUARY + 2, TWELVE),
            (Interval.QUARTER, JANUARY, TWELVE * 3),
        )
    ]

    shown = release_measure(
        cells,
        rules=MEMBERS,
        basis=Basis.INDEX_EVENTS,
        judgement=MEANS,
        blocks=[],
        intervals=dict.fromkeys((1, 2, 3), Interval.MONTH),
        earlier=(),
        within=(),
        closed_before=JANUARY + 3,
    )

    network = {
        (each.interval, each.interval_start): each.denominator
        for each in shown
        if each.clinic_id is None
    }
    assert network[Interval.MONTH, JANUARY + 2] == 36
    assert network[Interval.QUARTER, JANUARY] == 108


def test_the_picture_of_means_is_in_their_unit():
    """No axis of percent, and no value of 510.0 %."""
    spec = control_chart_spec(chart(STEADY), title="Pain")

    axes = {str(layer["encoding"]["y"].get("axis")) for layer in spec["layer"][:3]}
    assert all("Mean (score)" in axis and "%" not in axis for axis in axes)
    assert "Latest value 4.9 score in Dec 2025." in spec["description"]
