from typing import Literal

ChartView = Literal["accepted", "original"]

CHART_VIEW_VALUES: set[ChartView] = {
    "accepted",
    "original",
}


def check_chart_view(value: str) -> ChartView:
    if value in CHART_VIEW_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {CHART_VIEW_VALUES!r}"
    )
