from typing import Literal

NotEstimated = Literal[
    "mean",
    "not-begun",
    "not-identified",
    "too-few-after",
    "too-few-before",
    "too-few-clinics",
]

NOT_ESTIMATED_VALUES: set[NotEstimated] = {
    "mean",
    "not-begun",
    "not-identified",
    "too-few-after",
    "too-few-before",
    "too-few-clinics",
}


def check_not_estimated(value: str) -> NotEstimated:
    if value in NOT_ESTIMATED_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {NOT_ESTIMATED_VALUES!r}"
    )
