"""Whether a process that stays as it is will meet its target."""

from enum import StrEnum

import msgspec

from app.charts.lines import ChartKind, Lines
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
    chart: ChartKind,
    newest: Lines | None,
    *,
    target: float | None,
    improvement: str,
    scale: Scale,
) -> Assurance:
    """
    Return whether the process will pass its target, fail it, or hit and miss.

    With the process as it is, points to come lie between the newest limits.

    Args:
        chart: what the points are drawn as.
        newest: the lines of the newest closed point that has limits, if there is one.
        target: in the unit of the values, None where the measure has none.
        improvement: the measure's improvement notation, ``increase`` or ``decrease``.
        scale: what the values are.

    Source: NHS England, Making data count: Strengthening your decisions, 2019.
    """
    if target is None:
        return _none("The measure has no target.", target)
    if chart in OF_OTHER_VALUES:
        why = "The points of this chart are not the values that the target is for."
        return _none(why, target)
    if newest is None:
        return _none("There are no limits to hold the target against.", target)
    found = outlook(newest, target=target, improvement=improvement)
    if found is None:
        return _none("The measure has no direction of improvement.", target)
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


def _none(why: str, target: float | None) -> Assurance:
    return Assurance(outlook=None, target=target, sentence=why)


_SENTENCES = {
    Outlook.PASS: "If nothing changes, the target will be met",
    Outlook.FAIL: "If nothing changes, the target will be missed",
    Outlook.HIT_AND_MISS: "If nothing changes, the target will be met and missed by "
    "chance",
}
