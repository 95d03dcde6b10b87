from typing import Literal

Basis = Literal["index-events", "latest-status", "summaries", "visits"]

BASIS_VALUES: set[Basis] = {
    "index-events",
    "latest-status",
    "summaries",
    "visits",
}


def check_basis(value: str) -> Basis:
    if value in BASIS_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {BASIS_VALUES!r}")
