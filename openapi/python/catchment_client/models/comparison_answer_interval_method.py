from typing import Literal

ComparisonAnswerIntervalMethod = Literal["exact-poisson", "student-t", "wilson"]

COMPARISON_ANSWER_INTERVAL_METHOD_VALUES: set[ComparisonAnswerIntervalMethod] = {
    "exact-poisson",
    "student-t",
    "wilson",
}


def check_comparison_answer_interval_method(
    value: str,
) -> ComparisonAnswerIntervalMethod:
    if value in COMPARISON_ANSWER_INTERVAL_METHOD_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {COMPARISON_ANSWER_INTERVAL_METHOD_VALUES!r}"
    )
