"""Pictures: every specification renders, and says in words what it shows."""

import pytest
import vl_convert
from msgspec.structs import replace

from app.charts.comparison import Comparison, compare_clinics
from app.charts.lines import Phase
from app.charts.measure_charts import ControlChart, measure_chart
from app.charts.vega import control_chart_spec, spark_line_spec
from app.charts.vega_funnels import funnel_spec
from app.domain.counts import Basis, Interval, Withheld
from tests.released import START, cell, series

COUNTS = [(30, 60), (33, 60), (27, 60), (31, 60), (29, 60), (30, 60)] * 4
NAMES = {i: f"Clinic {i}" for i in range(1, 9)}
CHARTS = {
    "signals": series([*COUNTS, (58, 60)]),
    "gaps": series([*COUNTS, Withheld.NO_DATA, Withheld.NOT_PUBLISHED, (30, 60)]),
    "suppressed": series([*COUNTS[:3], Withheld.SUPPRESSED]),
    "provisional": series([*COUNTS, (40, 60)], provisional=1),
    "one point": series([(3, 9)]),
    "no point": series([Withheld.NO_DATA]),
    "all alike": series([(60, 60)] * 20),
}


def chart_of(cells, **kwargs) -> ControlChart:
    return measure_chart(cells, basis=Basis.VISITS, improvement="increase", **kwargs)


def comparison_of(counts, *, hidden: bool = False) -> Comparison:
    cells = [cell(x, n, clinic_id=i) for i, (x, n) in enumerate(counts, start=1)]
    if hidden:
        cells[1] = cell(None, None, clinic_id=2, withheld=Withheld.SUPPRESSED)
    x, n = sum(x for x, _ in counts), sum(n for _, n in counts)
    network = cell(x, n, clinic_id=None)
    return compare_clinics(cells, network=network, improvement="increase")


def svg(spec) -> str:
    return vl_convert.vegalite_to_svg(spec)


@pytest.mark.parametrize("name", CHARTS)
def test_control_charts_and_spark_lines_render(name: str):
    """Also the ones with nothing to draw."""
    chart = chart_of(CHARTS[name], phases=[Phase(start=START + 14)])

    assert "Remission" in svg(control_chart_spec(chart, title="Remission"))
    assert svg(spark_line_spec(chart, title="Remission")).startswith("<svg")


@pytest.mark.parametrize("interval", Interval)
def test_every_interval_has_an_axis_of_its_own(interval: Interval):
    """Months, quarters and years are written as people write them."""
    cells = [
        replace(item, interval=interval, interval_start=START + i * interval.months)
        for i, item in enumerate(CHARTS["signals"])
    ]
    picture = svg(control_chart_spec(chart_of(cells), title="Remission"))

    expected = {"month": "Jan 2022", "quarter": "Q1 2022", "year": "2022"}[interval]
    assert f">{expected}<" in picture


@pytest.mark.parametrize("hidden", [False, True])
def test_funnels_render_and_name_the_clinic_that_looks(hidden):
    """A suppressed clinic is listed, since it can't be placed."""
    counts = [(70, 100), (72, 100), (0, 40), (141, 200), (34, 50), (10, 100)]
    comparison = comparison_of(counts, hidden=hidden)
    spec = funnel_spec(comparison, title="Remission", names=NAMES, own=4)

    picture = svg(spec)

    assert "Clinic 4" in picture
    assert ("Suppressed: Clinic 2" in picture) is hidden
    assert "Funnel plot of 6 clinics" in spec["description"]


def test_a_funnel_without_any_clinic_renders():
    """A release in which nobody may be shown."""
    assert "Remission" in svg(
        funnel_spec(comparison_of([]), title="Remission", names=NAMES)
    )


def test_months_without_a_value_are_marks_in_the_picture():
    """Suppressed and missing months stay visible, each in its own way."""
    chart = chart_of(series([*COUNTS, Withheld.SUPPRESSED, Withheld.NO_DATA, (3, 6)]))

    spec = control_chart_spec(chart, title="Remission")
    on_axis = [layer for layer in spec["layer"] if "value" in layer["encoding"]["y"]]

    kinds = [row["kind"] for layer in on_axis for row in layer["data"]["values"]]
    assert kinds == ["suppressed", "no data"]


def test_special_cause_differs_in_shape_as_well_as_colour():
    """One man in twelve can't rely on the colour."""
    spec = control_chart_spec(chart_of(CHARTS["signals"]), title="Remission")
    marks = next(layer for layer in spec["layer"] if "shape" in layer["encoding"])

    looks = {}
    for channel in ("shape", "fill"):
        scale = marks["encoding"][channel]["scale"]
        looks[channel] = dict(zip(scale["domain"], scale["range"], strict=True))
    for look in looks.values():
        assert look["special cause"] != look["as expected"]


def test_a_screen_reader_hears_the_numbers_and_the_signals():
    """The description stands for the picture."""
    text = control_chart_spec(chart_of(CHARTS["signals"]), title="Remission")[
        "description"
    ]

    assert "Jan 2022 to Jan 2024" in text
    assert "Latest value 96.7% in Jan 2024" in text
    assert "beyond 3 sigma" in text


def test_the_picture_says_which_way_is_better():
    """A rising line is good news for one measure and bad for another."""
    worse = replace(chart_of(CHARTS["signals"]), improvement="decrease")

    assert "Lower is better" in svg(control_chart_spec(worse, title="HbA1c"))
