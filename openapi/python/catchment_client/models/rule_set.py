from typing import Literal

RuleSet = Literal[
    "anhoej",
    "ihi-run",
    "nelson",
    "nhs-mdc",
    "nhs-mdc-6",
    "provost-murray",
    "shewhart",
    "western-electric",
]

RULE_SET_VALUES: set[RuleSet] = {
    "anhoej",
    "ihi-run",
    "nelson",
    "nhs-mdc",
    "nhs-mdc-6",
    "provost-murray",
    "shewhart",
    "western-electric",
}


def check_rule_set(value: str) -> RuleSet:
    if value in RULE_SET_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {RULE_SET_VALUES!r}")
