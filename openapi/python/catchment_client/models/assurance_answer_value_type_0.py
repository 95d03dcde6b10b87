from typing import Literal

AssuranceAnswerValueType0 = Literal["fail", "hit-and-miss", "pass"]

ASSURANCE_ANSWER_VALUE_TYPE_0_VALUES: set[AssuranceAnswerValueType0] = {
    "fail",
    "hit-and-miss",
    "pass",
}


def check_assurance_answer_value_type_0(value: str) -> AssuranceAnswerValueType0:
    if value in ASSURANCE_ANSWER_VALUE_TYPE_0_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {ASSURANCE_ANSWER_VALUE_TYPE_0_VALUES!r}"
    )
