from typing import Literal

MeasureDefinitionImprovementNotation = Literal["decrease", "increase"]

MEASURE_DEFINITION_IMPROVEMENT_NOTATION_VALUES: set[
    MeasureDefinitionImprovementNotation
] = {
    "decrease",
    "increase",
}


def check_measure_definition_improvement_notation(
    value: str,
) -> MeasureDefinitionImprovementNotation:
    if value in MEASURE_DEFINITION_IMPROVEMENT_NOTATION_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {MEASURE_DEFINITION_IMPROVEMENT_NOTATION_VALUES!r}"
    )
