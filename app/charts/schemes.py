"""The same pictures for a dark screen."""

from typing import Any

from app.charts.vega_layers import AMBER, BLUE, GREY, INK, PALE, VERMILION, WHITE

DARK = {
    WHITE: "#162124",
    INK: "#E4ECEE",
    GREY: "#A9B9BE",
    PALE: "#566A71",
    "#EEEEEE": "#263539",
    BLUE: "#6CBEF0",
    VERMILION: "#FF9A62",
    AMBER: "#F2BF4B",
}
"""What takes the place of each colour; contrast on the ground is 4.5 to 1 or more."""


def in_dark(spec: Any) -> Any:  # noqa: ANN401  (JSON)
    """Return a specification with the colours of a dark screen."""
    if isinstance(spec, dict):
        return {name: in_dark(value) for name, value in spec.items()}
    if isinstance(spec, list | tuple):
        return [in_dark(value) for value in spec]
    return DARK.get(spec, spec) if isinstance(spec, str) else spec
