"""Whatever a synthetic visit finds agrees with how the patient fares."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from app.demo.diseases import Disease, Instrument, findings, monthly_course

quantiles = st.floats(min_value=0, max_value=1, exclude_min=True, exclude_max=True)
proportions = st.floats(min_value=0.05, max_value=0.95)


def is_at_target(disease: Disease, found: dict[Instrument, float | str]) -> bool:
    """Judge by the published cut-offs."""
    match disease:
        case Disease.OLIGOARTHRITIS | Disease.POLYARTHRITIS:
            physician = float(found[Instrument.PHYSICIAN_GLOBAL])
            patient = float(found[Instrument.PATIENT_GLOBAL])
            joints = min(float(found[Instrument.ACTIVE_JOINTS]), 10)
            limit = 4 if disease is Disease.OLIGOARTHRITIS else 5
            return physician + patient + joints <= limit
        case Disease.COLITIS:
            return float(found[Instrument.PUCAI]) < 10
        case Disease.CROHN:
            return found[Instrument.IBD_PGA] == "pga-quiescent"
        case Disease.DIABETES:
            return float(found[Instrument.HBA1C]) < 8
        case Disease.HYPERTENSION:
            systolic = float(found[Instrument.SYSTOLIC])
            return systolic < 140 and float(found[Instrument.DIASTOLIC]) < 90


@given(st.sampled_from(Disease), quantiles, proportions, st.integers())
def test_a_visit_is_at_target_exactly_below_the_proportion(
    disease: Disease, quantile: float, proportion: float, seed: int
):
    """Else a clinic's rate would not be the one that was planted."""
    readings = findings(
        disease, quantile, proportion_at_target=proportion, rng=Random(seed)
    )

    found = {reading.instrument: reading.value for reading in readings}
    assert is_at_target(disease, found) == (quantile < proportion)


@given(st.sampled_from(Disease), quantiles, proportions, st.integers())
def test_no_reading_leaves_its_instruments_range(
    disease: Disease, quantile: float, proportion: float, seed: int
):
    """A hub may refuse or flag what cannot be."""
    ranges = {
        Instrument.PHYSICIAN_GLOBAL: (0, 10),
        Instrument.PATIENT_GLOBAL: (0, 10),
        Instrument.ACTIVE_JOINTS: (0, 71),
        Instrument.PUCAI: (0, 85),
        Instrument.HBA1C: (4, 15),
        Instrument.SYSTOLIC: (80, 220),
        Instrument.DIASTOLIC: (50, 120),
    }
    for reading in findings(
        disease, quantile, proportion_at_target=proportion, rng=Random(seed)
    ):
        if reading.instrument is not Instrument.IBD_PGA:
            low, high = ranges[reading.instrument]
            assert low <= float(reading.value) <= high


def test_courses_are_stationary():
    """In each month about half of 4,000 patients fare better than 0.5 (sigma 0.008)."""
    rng = Random(1)
    courses = [monthly_course(rng, months=36) for _ in range(4000)]

    for month in range(36):
        better = sum(course[month] < 0.5 for course in courses)
        assert abs(better / 4000 - 0.5) < 0.04
