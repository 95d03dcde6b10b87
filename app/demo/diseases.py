"""Diseases of the synthetic network: how patients fare, and what a visit finds."""

from collections.abc import Iterator
from enum import Enum, StrEnum
from math import sqrt
from random import Random
from statistics import NormalDist

import msgspec

from app.domain.terminology import LOINC, NETWORK

OWN_SHARE = 0.4
"""Part of the variance between visits that is the patient's own and never passes."""
MONTHLY_MEMORY = 0.6
"""Correlation of the passing part with itself a month later."""
HIGHEST_HALVES = 44
"""The highest cJADAS10 of the demo, 22, in half points."""
HALVES_A_GLOBAL = 20
COUNTED_JOINTS = 10
DEEPEST = 0.999_999
"""Below 1, so that n steps of a scale are numbered 0 to n - 1."""


class Disease(StrEnum):
    """What a patient is followed for."""

    OLIGOARTHRITIS = "Oligoarticular juvenile idiopathic arthritis"
    POLYARTHRITIS = "Polyarticular juvenile idiopathic arthritis"
    COLITIS = "Ulcerative colitis"
    CROHN = "Crohn disease"
    DIABETES = "Type 2 diabetes mellitus"
    HYPERTENSION = "Essential hypertension"


JIA = frozenset({Disease.OLIGOARTHRITIS, Disease.POLYARTHRITIS})
LOW_ACTIVITY_HALVES = {Disease.OLIGOARTHRITIS: 8, Disease.POLYARTHRITIS: 10}
"""Low disease activity is a cJADAS10 of at most 4 (oligo) or 5 (poly)."""
USUAL_PROPORTION = {
    Disease.OLIGOARTHRITIS: 0.62,
    Disease.POLYARTHRITIS: 0.62,
    Disease.COLITIS: 0.66,
    Disease.CROHN: 0.62,
    Disease.DIABETES: 0.60,
    Disease.HYPERTENSION: 0.64,
}
"""Share of visits that find the patient at target, where a clinic has no habit."""


class Instrument(Enum):
    """What is measured: code system, code, UCUM unit, category of the Observation."""

    PHYSICIAN_GLOBAL = (LOINC, "75846-6", "{score}", "survey")
    PATIENT_GLOBAL = (LOINC, "75894-6", "{score}", "survey")
    ACTIVE_JOINTS = (NETWORK, "active-joint-count", "{count}", "exam")
    PUCAI = (NETWORK, "pucai-total", "{score}", "survey")
    IBD_PGA = (NETWORK, "ibd-pga", "", "survey")
    HBA1C = (LOINC, "4548-4", "%", "laboratory")
    HBA1C_IFCC = (LOINC, "59261-8", "mmol/mol", "laboratory")
    SYSTOLIC = (LOINC, "8480-6", "mm[Hg]", "vital-signs")
    DIASTOLIC = (LOINC, "8462-4", "mm[Hg]", "vital-signs")
    CJADAS10_PANEL = (NETWORK, "cjadas10-panel", "", "survey")
    BLOOD_PRESSURE = (LOINC, "85354-9", "", "vital-signs")

    def __init__(self, system: str, code: str, unit: str, category: str) -> None:
        self.system = system
        self.code = code
        self.unit = unit
        self.category = category


class Reading(msgspec.Struct, frozen=True):
    """One thing measured: a number in the instrument's unit, or a code of its own."""

    instrument: Instrument
    value: float | str


def monthly_course(rng: Random, *, months: int) -> tuple[float, ...]:
    """
    Return how a patient fares month by month: quantiles in (0, 1), 0 the best.

    The course is stationary: in every month the quantile is uniform over patients, so
    a clinic's expected share at target is the same in all of them. It remembers: part
    is the patient's own for good, part fades from month to month.
    """
    return tuple(map(NormalDist().cdf, _scores(rng, months)))


def _scores(rng: Random, months: int) -> Iterator[float]:
    own, passing = rng.gauss(0, 1), rng.gauss(0, 1)
    for _ in range(months):
        yield sqrt(OWN_SHARE) * own + sqrt(1 - OWN_SHARE) * passing
        fresh = rng.gauss(0, sqrt(1 - MONTHLY_MEMORY**2))
        passing = MONTHLY_MEMORY * passing + fresh


def findings(
    disease: Disease, quantile: float, *, proportion_at_target: float, rng: Random
) -> tuple[Reading, ...]:
    """
    Return what a visit finds in a patient who fares at *quantile*.

    The patient is at target exactly where quantile < proportion_at_target.
    """
    at_target = quantile < proportion_at_target
    span = proportion_at_target if at_target else 1 - proportion_at_target
    start = 0 if at_target else proportion_at_target
    depth = min((quantile - start) / span, DEEPEST)
    match disease:
        case Disease.OLIGOARTHRITIS | Disease.POLYARTHRITIS:
            limit = LOW_ACTIVITY_HALVES[disease]
            return _cjadas10(_halves(depth, limit=limit, low=at_target), rng)
        case Disease.COLITIS:
            return _colitis(depth, remission=at_target)
        case Disease.CROHN:
            return (_ibd_pga(depth, remission=at_target),)
        case Disease.DIABETES:
            return _hba1c(depth, controlled=at_target)
        case Disease.HYPERTENSION:
            return _blood_pressure(depth, controlled=at_target, rng=rng)


def _halves(depth: float, *, limit: int, low: bool) -> int:
    """Return a cJADAS10 in half points: 0 to *limit* where low, else above it."""
    if low:
        return int(depth**2 * (limit + 1))
    return limit + 1 + int(depth**2 * (HIGHEST_HALVES - limit))


def _cjadas10(halves: int, rng: Random) -> tuple[Reading, ...]:
    """Split a score into its three parts, which add up to it again."""
    joints = int(halves / 2 * rng.uniform(0.15, 0.6))
    rest = halves - 2 * min(joints, COUNTED_JOINTS)
    wanted = int(rest * rng.uniform(0.35, 0.6))
    physician = min(max(wanted, rest - HALVES_A_GLOBAL), HALVES_A_GLOBAL)
    return (
        Reading(Instrument.PHYSICIAN_GLOBAL, physician / 2),
        Reading(Instrument.ACTIVE_JOINTS, joints),
        Reading(Instrument.PATIENT_GLOBAL, (rest - physician) / 2),
    )


def _colitis(depth: float, *, remission: bool) -> tuple[Reading, ...]:
    """PUCAI comes in steps of 5; remission is below 10."""
    score = 5 * int(2 * depth) if remission else 10 + 5 * int(12 * depth**1.5)
    pga = _ibd_pga(depth, remission=remission)
    return (pga, Reading(Instrument.PUCAI, score))


def _ibd_pga(depth: float, *, remission: bool) -> Reading:
    activity = ("mild", "mild", "mild", "moderate", "moderate", "severe")
    grade = "quiescent" if remission else activity[int(6 * depth)]
    return Reading(Instrument.IBD_PGA, f"pga-{grade}")


def _hba1c(depth: float, *, controlled: bool) -> tuple[Reading, ...]:
    """Controlled is below 8 %; three in five of the others are above 9 %."""
    percent = 5.8 + 2.1 * depth if controlled else 8.0 + 4.0 * depth**1.5
    return (Reading(Instrument.HBA1C, round(percent, 1)),)


def _blood_pressure(
    depth: float, *, controlled: bool, rng: Random
) -> tuple[Reading, ...]:
    """Controlled is below 140 systolic and below 90 diastolic."""
    systolic = 112 + int(28 * depth) if controlled else 140 + int(38 * depth**1.5)
    diastolic = rng.randint(64, 88) if controlled else rng.randint(72, 104)
    return (
        Reading(Instrument.SYSTOLIC, systolic),
        Reading(Instrument.DIASTOLIC, diastolic),
    )
