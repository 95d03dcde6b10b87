from typing import Literal

GapLimits = Literal["3-sigma", "exact"]

GAP_LIMITS_VALUES: set[GapLimits] = {
    "3-sigma",
    "exact",
}


def check_gap_limits(value: str) -> GapLimits:
    if value in GAP_LIMITS_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {GAP_LIMITS_VALUES!r}"
    )
