from typing import Literal

NoData = Literal["after-the-last", "before-the-first", "missing"]

NO_DATA_VALUES: set[NoData] = {
    "after-the-last",
    "before-the-first",
    "missing",
}


def check_no_data(value: str) -> NoData:
    if value in NO_DATA_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {NO_DATA_VALUES!r}")
