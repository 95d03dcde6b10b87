from typing import Literal

PhaseKind = Literal["all", "incubator", "pilot"]

PHASE_KIND_VALUES: set[PhaseKind] = {
    "all",
    "incubator",
    "pilot",
}


def check_phase_kind(value: str) -> PhaseKind:
    if value in PHASE_KIND_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {PHASE_KIND_VALUES!r}"
    )
