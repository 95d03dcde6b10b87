from typing import Literal

ContributionAnswerStatus = Literal[
    "counted", "excepted", "excluded", "met", "not-met", "not-scored"
]

CONTRIBUTION_ANSWER_STATUS_VALUES: set[ContributionAnswerStatus] = {
    "counted",
    "excepted",
    "excluded",
    "met",
    "not-met",
    "not-scored",
}


def check_contribution_answer_status(value: str) -> ContributionAnswerStatus:
    if value in CONTRIBUTION_ANSWER_STATUS_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {CONTRIBUTION_ANSWER_STATUS_VALUES!r}"
    )
