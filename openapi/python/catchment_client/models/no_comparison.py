from typing import Literal

NoComparison = Literal["few-clinics", "in-progress", "other-window", "own-code"]

NO_COMPARISON_VALUES: set[NoComparison] = {
    "few-clinics",
    "in-progress",
    "other-window",
    "own-code",
}


def check_no_comparison(value: str) -> NoComparison:
    if value in NO_COMPARISON_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {NO_COMPARISON_VALUES!r}"
    )
