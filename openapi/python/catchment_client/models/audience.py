from typing import Literal

Audience = Literal["members", "public"]

AUDIENCE_VALUES: set[Audience] = {
    "members",
    "public",
}


def check_audience(value: str) -> Audience:
    if value in AUDIENCE_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {AUDIENCE_VALUES!r}")
