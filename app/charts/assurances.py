"""Whether a process that stays as it is will meet its target."""

from enum import StrEnum

import msgspec

from app.charts.lines import ChartKind, Fit, Lines
from app.domain.scales import Scale

OF_OTHER_VALUES = {ChartKind.MR, ChartKind.S, ChartKind.C}
"""Charts whose points are not the measure's values."""


class Outlook(StrEnum):
    """What limits and target say of the points to come."""

    PASS = "pass"  # noqa: S105  (no password)
    FAIL = "fail"
    HIT_AND_MISS = "hit-and-miss"


class Assurance(msgspec.Struct, frozen=True, kw_only=True):
    """An outlook with its sentence; without one, the sentence says why."""

    outlook: Outlook | None
    target: float | None
    sentence: str


def assurance(
    fit: Fit, *, target: float | None, improvement: str, scale: Scale
) -> Assurance:
    """
    Return whether the process will pass its target, fail it, or hit and miss.

    The limits are those of the newest point that has any: with the process as it is,
    points to come lie between them.

    Args:
        fit: the chart's lines.
        target: in the unit of the values, None where the measure has none.
        improvement: the measure's improvement notation, ``increase`` or ``decrease``.
        scale: what the values are.

    Source: NHS England, Making data count: Strengthening your decisions, 2019.
    """
    limited = [line for line in fit.lines if line and line.upper]
    if why := _why_none(fit, target=target, has_limits=bool(limited)):
        return Assurance(outlook=None, target=target, sentence=why)
    assert target is not None
    newest = limited[-1]
    found = outlook(newest, target=target, improvement=improvement)
    if found is None:
        why = "The measure has no direction of improvement."
        return Assurance(outlook=None, target=target, sentence=why)
    lower, upper = scale.text(newest.lower[2]), scale.text(newest.upper[2])
    return Assurance(
        outlook=found,
        target=target,
        sentence=f"{_SENTENCES[found]}: points between {lower} and {upper} are to be "
        f"expected, and the target is {scale.text(target)}.",
    )


def outlook(line: Lines, *, target: float, improvement: str) -> Outlook | None:
    """Return what the limits of *line* say; None without a direction."""
    if improvement not in {"increase", "decrease"}:
        return None
    if line.lower[2] <= target <= line.upper[2]:
        return Outlook.HIT_AND_MISS
    is_above = line.lower[2] > target
    return Outlook.PASS if is_above == (improvement == "increase") else Outlook.FAIL


def _why_none(fit: Fit, *, target: float | None, has_limits: bool) -> str:
    if target is None:
        return "The measure has no target."
    if fit.chart in OF_OTHER_VALUES:
        return "The points of this chart are not the values that the target is for."
    return "" if has_limits else "There are no limits to hold the target against."


_SENTENCES = {
    Outlook.PASS: "If nothing changes, the target will be met",
    Outlook.FAIL: "If nothing changes, the target will be missed",
    Outlook.HIT_AND_MISS: "If nothing changes, the target will be met and missed by "
    "chance",
}
