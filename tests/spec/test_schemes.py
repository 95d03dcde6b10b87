"""Pictures on a dark screen: every colour has its counterpart, and can be seen."""

import re

import pytest

from app.charts import schemes, vega_layers
from app.charts.schemes import DARK, in_dark

TEXT, SHAPE = 4.5, 3.0
"""The contrast of text and of what carries meaning (WCAG 2.2, 1.4.3 and 1.4.11)."""
GROUND = DARK[vega_layers.WHITE]


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts
    ]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_contrast_is_that_of_the_standard():
    """Black on white is 21 to 1, and #777777 falls just short of 4.5."""
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


def test_every_colour_of_a_picture_has_a_counterpart():
    """A colour that is added to the light ones would vanish on the dark ground."""
    stated = re.findall(r"#[0-9A-F]{6}\b", str(vars(vega_layers)))

    assert set(stated) <= set(DARK)


@pytest.mark.parametrize(
    ("colour", "least"),
    [
        (vega_layers.INK, TEXT),
        (vega_layers.GREY, TEXT),
        (vega_layers.BLUE, SHAPE),
        (vega_layers.VERMILION, SHAPE),
        (vega_layers.AMBER, SHAPE),
    ],
)
def test_what_is_read_and_seen_stands_out(colour, least):
    """By day and by night."""
    assert contrast(colour, vega_layers.WHITE) >= least
    assert contrast(DARK[colour], GROUND) >= least


def test_only_colours_change():
    """What is said, counted and drawn is the same."""
    spec = {"title": "#x", "mark": {"color": vega_layers.INK, "size": 3}, "of": [1.5]}

    assert in_dark(spec) == spec | {
        "mark": {"color": schemes.DARK[vega_layers.INK], "size": 3}
    }
