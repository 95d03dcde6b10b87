from typing import Literal

AddPhaseBodyKind = Literal["all", "incubator", "pilot"]

ADD_PHASE_BODY_KIND_VALUES: set[AddPhaseBodyKind] = {
    "all",
    "incubator",
    "pilot",
}


def check_add_phase_body_kind(value: str) -> AddPhaseBodyKind:
    if value in ADD_PHASE_BODY_KIND_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {ADD_PHASE_BODY_KIND_VALUES!r}"
    )
