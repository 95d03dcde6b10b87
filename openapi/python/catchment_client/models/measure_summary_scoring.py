from typing import Literal

MeasureSummaryScoring = Literal["continuous-variable", "proportion", "ratio"]

MEASURE_SUMMARY_SCORING_VALUES: set[MeasureSummaryScoring] = {
    "continuous-variable",
    "proportion",
    "ratio",
}


def check_measure_summary_scoring(value: str) -> MeasureSummaryScoring:
    if value in MEASURE_SUMMARY_SCORING_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {MEASURE_SUMMARY_SCORING_VALUES!r}"
    )
