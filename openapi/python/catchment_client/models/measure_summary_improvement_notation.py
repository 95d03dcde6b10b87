from typing import Literal

MeasureSummaryImprovementNotation = Literal["decrease", "increase"]

MEASURE_SUMMARY_IMPROVEMENT_NOTATION_VALUES: set[MeasureSummaryImprovementNotation] = {
    "decrease",
    "increase",
}


def check_measure_summary_improvement_notation(
    value: str,
) -> MeasureSummaryImprovementNotation:
    if value in MEASURE_SUMMARY_IMPROVEMENT_NOTATION_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {MEASURE_SUMMARY_IMPROVEMENT_NOTATION_VALUES!r}"
    )
