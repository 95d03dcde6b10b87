"""
Why a chart shows less than it might, in words.

What cannot be shown is not an error: the answer comes with fewer lines, signals or
ranks, and a remark says which and why.
"""

from enum import StrEnum

import msgspec

MIN_POINTS = 12
"""Fewer closed points give a phase no limits."""
MIN_FROZEN_POINTS = 24
"""Fewer points make no frozen baseline: with 12, Anhoej alarms falsely in 13-28 %."""
MIN_CLINICS = 5
"""Fewer clinics tell too little about the variation between clinics."""


class RemarkCode(StrEnum):
    """What there is to remark on."""

    NO_DATA = "no-data"
    SUPPRESSED_POINT = "suppressed-point"
    LATEST_STATUS = "latest-status"
    TOO_FEW_POINTS = "too-few-points"
    SHORT_BASELINE = "short-baseline"
    PROVISIONAL = "provisional"
    MOVING_RANGES = "moving-ranges"
    NO_EVENTS = "no-events"
    SIGMA_OF_GAPS = "3-sigma-of-gaps"
    SUPPRESSED_CLINIC = "suppressed-clinic"
    TOO_FEW_CLINICS = "too-few-clinics"
    NO_TARGET = "no-target"
    NOTHING_EXPECTED = "nothing-expected"
    MEANS = "means"


class Remark(msgspec.Struct, frozen=True):
    """One reason, as a code and in words."""

    code: RemarkCode
    text: str


def remark_on(code: RemarkCode) -> Remark:
    """Return the remark of a code."""
    return Remark(code, _TEXTS[code])


_TEXTS: dict[RemarkCode, str] = {
    RemarkCode.NO_DATA: "No closed interval of this series has data yet.",
    RemarkCode.SUPPRESSED_POINT: (
        "A point of this series is suppressed. Lines would help to work it out, so the "
        "series has no centre line, no limits and no signals."
    ),
    RemarkCode.LATEST_STATUS: (
        "Neighbouring points describe mostly the same people, and rules made for "
        "independent points would alarm falsely: no signals are flagged."
    ),
    RemarkCode.TOO_FEW_POINTS: (
        f"A phase with fewer than {MIN_POINTS} closed points has a centre line, but no "
        "limits and no signals."
    ),
    RemarkCode.SHORT_BASELINE: (
        f"A frozen baseline needs {MIN_FROZEN_POINTS} closed points. One has fewer, so "
        "its phase's lines come from all closed points of the phase."
    ),
    RemarkCode.PROVISIONAL: (
        "Provisional points may still change: no line is computed from them, and they "
        "are not searched for signals."
    ),
    RemarkCode.MOVING_RANGES: (
        "Neighbouring moving ranges share a value, so runs of them mean nothing: only "
        "their limit is searched for signals."
    ),
    RemarkCode.NO_EVENTS: "What lay between two events is not known of any yet.",
    RemarkCode.SIGMA_OF_GAPS: (
        "Three sigmas are too few for what lies between events: with nothing changed "
        "about 1.8 % of points are beyond them. Exact limits leave 0.14 %."
    ),
    RemarkCode.SUPPRESSED_CLINIC: (
        "A clinic is suppressed: ranks, the median clinic, the best tenth and the "
        "overdispersion are withheld. The limits are those of chance alone, and no "
        "clinic is placed in a zone."
    ),
    RemarkCode.TOO_FEW_CLINICS: (
        f"Fewer than {MIN_CLINICS} clinics have data, too few to estimate the "
        "overdispersion. The limits are those of chance alone, and no clinic is placed "
        "in a zone."
    ),
    RemarkCode.NO_TARGET: (
        "The network's total is not published for this interval: there is no target, "
        "and no funnel around it."
    ),
    RemarkCode.NOTHING_EXPECTED: (
        "The network had no event in this interval: nothing is to be expected of a "
        "clinic, and there is no funnel."
    ),
    RemarkCode.MEANS: (
        "Means stand with their own intervals; there is no funnel of means, and no "
        "clinic is placed in a zone."
    ),
}
