from typing import Literal

Withheld = Literal[
    "events-missing",
    "exposure-missing",
    "no-data",
    "no-exposure",
    "not-published",
    "suppressed",
]

WITHHELD_VALUES: set[Withheld] = {
    "events-missing",
    "exposure-missing",
    "no-data",
    "no-exposure",
    "not-published",
    "suppressed",
}


def check_withheld(value: str) -> Withheld:
    if value in WITHHELD_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {WITHHELD_VALUES!r}")
