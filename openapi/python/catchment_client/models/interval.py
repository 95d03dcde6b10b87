from typing import Literal

Interval = Literal["month", "quarter", "year"]

INTERVAL_VALUES: set[Interval] = {
    "month",
    "quarter",
    "year",
}


def check_interval(value: str) -> Interval:
    if value in INTERVAL_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {INTERVAL_VALUES!r}")
