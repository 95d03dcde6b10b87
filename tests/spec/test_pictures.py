"""Pictures that stand alone: their font, their words, their shapes, what is on them."""

import re
from base64 import b64decode
from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from app.charts.event_charts import event_chart
from app.charts.lines import ChartKind, Phase
from app.charts.measure_charts import measure_chart
from app.charts.vega import control_chart_spec, spark_line_spec
from app.charts.vega_events import event_chart_spec
from app.charts.vega_funnels import funnel_spec
from app.charts.vega_layers import FONT, LOOKS, WHITE
from app.charts.vega_multiples import Multiples, SmallChart, multiples_spec
from app.charts.vega_notes import MOST_NOTES, Note
from app.domain.counts import Basis, Interval, Withheld
from app.domain.scales import Scale
from app.services.pictures import Picture, drawn
from tests.released import START, series
from tests.spec.test_vega import CHARTS, COUNTS, NAMES, chart_of, comparison_of

SVG = "{http://www.w3.org/2000/svg}"
RATES = Scale(per=1000)
LARGEST_SVG = 60_000
ENOUGH_CONTRAST = 3.0
"""WCAG 2.2, success criterion 1.4.11: graphical objects against what is beside them."""


def svg_of(spec) -> ET.Element:
    picture = drawn(spec, Picture.SVG)
    assert isinstance(picture, str)
    return ET.fromstring(picture)


def texts_of(spec) -> list[str]:
    """Return what is written; of several lines the lines are joined by a space."""
    return [" ".join(each.itertext()) for each in svg_of(spec).iter(f"{SVG}text")]


def rate_chart(counts, **kwargs):
    return measure_chart(
        series(counts),
        basis=Basis.SUMMARIES,
        improvement="decrease",
        scale=RATES,
        **kwargs,
    )


def multiples(*names: str, hidden: str = "") -> Multiples:
    months = series(COUNTS)
    blank = series([Withheld.SUPPRESSED] * len(COUNTS))
    return Multiples(
        panels=tuple(
            SmallChart(name=name, cells=tuple(blank if name == hidden else months))
            for name in names
        ),
        network=tuple(months),
        interval=Interval.MONTH,
        scale=Scale(),
        improvement="increase",
    )


def test_every_kind_of_point_has_a_form_of_its_own():
    """In grey a colour says nothing: shape tells points apart, or being filled."""
    zones = {"within 95 % limits", "beyond 95 % limits", "beyond 99.8 % limits"}
    on_funnels = zones | {"clinic"}
    for together in (set(LOOKS) - on_funnels, zones):
        forms = [(LOOKS[kind][0], LOOKS[kind][2] == WHITE) for kind in together]
        shared = {form for form in forms if forms.count(form) > 1}
        assert shared == {("square", True)} & set(forms)
    # No data is of months and not known of events: they never meet in one picture.
    assert LOOKS["no data"][0] == LOOKS["not known"][0]


def test_every_reason_for_no_value_has_a_mark():
    """A month without a number is never a gap that nobody explains."""
    for reason in Withheld:
        assert reason.replace("-", " ") in LOOKS


@pytest.mark.parametrize("kind", LOOKS)
def test_marks_stand_out_from_white_paper(kind: str):
    """At 3 to 1 a mark is seen on a poor copy, and by most who see poorly."""
    _, stroke, _ = LOOKS[kind]

    assert contrast(stroke) >= ENOUGH_CONTRAST


def contrast(colour: str) -> float:
    """Return the contrast ratio against white (WCAG 2.2, relative luminance)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    ]
    luminance = sum(
        w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True)
    )
    return 1.05 / (luminance + 0.05)


def test_a_picture_brings_its_font_and_names_no_other_without_a_fallback():
    """It looks the same on a phone, in a mail and on paper."""
    spec = control_chart_spec(chart_of(CHARTS["signals"]), title="Remission")
    picture = str(drawn(spec, Picture.SVG))

    embedded = re.search(r"font/woff2;base64,([^)]*)\)", picture)
    families = {
        tuple(name.strip(" '\"") for name in each.split(","))
        for each in re.findall(r'font-family="([^"]*)"', picture)
    }
    assert embedded is not None
    assert b64decode(embedded[1])[:4] == b"wOF2"
    assert families
    for first, *_, last in families:
        assert (first, last) == (FONT, "sans-serif")
    weights = {"400", "normal", *re.findall(r'font-weight="([^"]*)"', picture)}
    assert weights == {"400", "normal"}


def test_a_picture_says_what_it_shows_to_who_cannot_see_it():
    """One image with a name and a description, not a heap of labelled shapes."""
    spec = control_chart_spec(chart_of(CHARTS["signals"]), title="Pain & joints < 10")
    root = svg_of(spec)

    assert root.get("role") == "img"
    assert root[0].tag == f"{SVG}title"
    assert root[0].text == "Pain & joints < 10"
    assert root[1].tag == f"{SVG}desc"
    assert root[1].text == spec["description"]


def test_an_untitled_picture_has_a_name_too():
    """On a page the heading is the page's; a screen reader still asks the image."""
    spec = spark_line_spec(chart_of(CHARTS["signals"]), title="Remission")

    assert svg_of(spec | {"title": None})[0].text == "Remission"


def test_the_largest_picture_of_one_series_stays_small():
    """Five years of months with six notes, under 60 kB: a page may have a dozen."""
    chart = chart_of(series(COUNTS * 3)[:60], phases=[Phase(start=START + 30)])
    notes = [Note(interval_start=START + 5 * i, text="x" * 120) for i in range(6)]

    picture = str(drawn(control_chart_spec(chart, title="A", notes=notes), Picture.SVG))

    assert len(picture) < LARGEST_SVG


def test_tests_of_change_are_flags_at_their_months_and_words_under_the_title():
    """Which month did it change, and what did they do: both on one picture."""
    notes = [
        Note(interval_start=START + 9, text="Weekly huddle"),
        Note(interval_start=START + 2, text="A nurse counts joints"),
    ]
    spec = control_chart_spec(
        chart_of(CHARTS["signals"]), title="Remission", notes=notes
    )
    words = " ".join(texts_of(spec))

    assert {"A", "B"} <= set(texts_of(spec))
    assert "A  Mar 2022: A nurse counts joints" in words
    assert "B  Oct 2022: Weekly huddle" in words
    assert "Oct 2022: Weekly huddle" in spec["description"]


def test_more_notes_than_fit_are_counted():
    """The points come first."""
    notes = [Note(interval_start=START + i, text="Huddle") for i in range(9)]
    spec = control_chart_spec(
        chart_of(CHARTS["signals"]), title="Remission", notes=notes
    )

    assert f"and {9 - MOST_NOTES} more" in " ".join(texts_of(spec))


def test_an_accepted_phase_is_marked_where_it_begins():
    """A step in the lines is somebody's decision, and looks like one."""
    chart = chart_of(CHARTS["signals"], phases=[Phase(start=START + 12)])
    spec = control_chart_spec(chart, title="Remission")

    assert texts_of(spec).count("new level") == 1
    assert "Lines begin anew in Jan 2023" in spec["description"]


def test_a_chart_without_decisions_has_no_such_mark():
    """No line is drawn that nobody decided on."""
    spec = control_chart_spec(chart_of(CHARTS["signals"]), title="Remission")

    assert "new level" not in texts_of(spec)


def test_rates_are_drawn_per_exposure_and_from_zero():
    """2 in 1,000 line days is 2 per 1,000, and no axis goes below none at all."""
    chart = rate_chart([(2, 1000), (1, 1000), (3, 1000), (2, 1000)] * 4)
    spec = control_chart_spec(chart, title="CLABSI")
    y = spec["layer"][0]["encoding"]["y"]

    assert chart.chart is ChartKind.U
    assert "Events per 1,000" in texts_of(spec)
    assert y["scale"]["domain"][0] == 0
    assert "Centre line 2.00 per 1,000" in spec["description"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [(ChartKind.RUN, "median 50%"), (ChartKind.MR, "Moving range")],
)
def test_chosen_charts_say_what_they_are_drawn_of(kind: ChartKind, words: str):
    """A moving range on an axis called share of patients would be a lie."""
    chart = chart_of(series([(30, 60), (33, 60), (27, 60)] * 6), chart=kind)

    found = " ".join(texts_of(control_chart_spec(chart, title="Remission")))

    assert words in found


def test_single_events_are_drawn_at_their_days():
    """Every event is a point; what is not known stands on the axis."""
    values = [30, 12, None, *[25, 31] * 7]
    days = [date(2024, 1, 1) + timedelta(days=30 * i) for i in range(len(values))]
    chart = event_chart(values, are_days=True)
    spec = event_chart_spec(chart, days, title="CLABSI", unit="days")

    words = " ".join(texts_of(spec))
    assert chart.chart is ChartKind.T
    assert "Days between events" in words
    assert "not known" in words
    assert "Latest: 31 days between two events" in spec["description"]


def test_a_funnel_of_rates_is_on_the_scale_of_rates():
    """Per 1,000 of exposure, not patients."""
    comparison = replace(
        comparison_of([(2, 900), (3, 800), (1, 700), (4, 950), (2, 400)]), scale=RATES
    )
    spec = funnel_spec(comparison, title="CLABSI", names=NAMES)

    words = texts_of(spec)
    assert "Events per 1,000" in words
    assert "Exposure (denominator)" in words


def test_every_clinic_has_a_panel_on_one_scale_in_the_order_given():
    """Eight small charts are compared at a glance only if a height means the same."""
    spec = multiples_spec(multiples("Alder", "Birch", "Cedar"), title="Remission")

    assert spec["facet"]["sort"] == ["Alder", "Birch", "Cedar"]
    assert {"Alder", "Birch", "Cedar"} <= set(texts_of(spec))
    assert "resolve" not in spec


def test_a_long_name_leaves_the_panels_where_they_are():
    """A hospital with a long name is no reason to shrink everybody's chart."""
    short, long = "Alder", "Alder Creek Hospital for Children and Adolescents"
    widths = [
        float(
            svg_of(multiples_spec(multiples(name, "Birch"), title="R")).attrib["width"]
        )
        for name in (short, long)
    ]

    assert widths[1] - widths[0] <= 20


def test_a_withheld_clinic_has_its_panel_and_a_word():
    """Who is not shown is not forgotten."""
    spec = multiples_spec(multiples("Alder", "Birch", hidden="Birch"), title="R")

    assert "suppressed" in texts_of(spec)
    assert "Birch: suppressed." in spec["description"]
    assert "Alder: 50.0% in Dec 2023." in spec["description"]


@given(names=st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=3))
def test_no_name_breaks_a_description_or_a_panel(names: list[str]):
    """A clinic may be called anything; its name is never read as a formula."""
    found = multiples(*dict.fromkeys(names))
    spec = multiples_spec(found, title="Remission")

    shown = {row["name"] for row in spec["data"]["values"]}
    assert shown == set(names)
