from typing import Literal

Finding = Literal[
    "after-death",
    "before-birth",
    "birth-after-an-event",
    "condition-before-birth",
    "condition-ends-before-it-begins",
    "duplicate",
    "impossible-value",
    "improbable-value",
    "in-the-future",
    "late",
    "mixed-units",
    "no-unit",
    "not-countable",
    "unit-not-convertible",
    "unmapped-code",
    "visit-before-birth",
    "visit-without-a-value",
]

FINDING_VALUES: set[Finding] = {
    "after-death",
    "before-birth",
    "birth-after-an-event",
    "condition-before-birth",
    "condition-ends-before-it-begins",
    "duplicate",
    "impossible-value",
    "improbable-value",
    "in-the-future",
    "late",
    "mixed-units",
    "no-unit",
    "not-countable",
    "unit-not-convertible",
    "unmapped-code",
    "visit-before-birth",
    "visit-without-a-value",
}


def check_finding(value: str) -> Finding:
    if value in FINDING_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {FINDING_VALUES!r}")
