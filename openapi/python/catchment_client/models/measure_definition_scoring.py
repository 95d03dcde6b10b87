from typing import Literal

MeasureDefinitionScoring = Literal["continuous-variable", "proportion", "ratio"]

MEASURE_DEFINITION_SCORING_VALUES: set[MeasureDefinitionScoring] = {
    "continuous-variable",
    "proportion",
    "ratio",
}


def check_measure_definition_scoring(value: str) -> MeasureDefinitionScoring:
    if value in MEASURE_DEFINITION_SCORING_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {MEASURE_DEFINITION_SCORING_VALUES!r}"
    )
