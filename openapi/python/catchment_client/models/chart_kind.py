from typing import Literal

ChartKind = Literal[
    "c",
    "g",
    "mr",
    "p",
    "p-prime",
    "points",
    "run",
    "s",
    "t",
    "u",
    "u-prime",
    "xbar",
    "xmr",
]

CHART_KIND_VALUES: set[ChartKind] = {
    "c",
    "g",
    "mr",
    "p",
    "p-prime",
    "points",
    "run",
    "s",
    "t",
    "u",
    "u-prime",
    "xbar",
    "xmr",
}


def check_chart_kind(value: str) -> ChartKind:
    if value in CHART_KIND_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {CHART_KIND_VALUES!r}"
    )
