"""
Before and after a test of change: how much better a project's clinics became.

From released counts only, so an estimate says nothing of anybody that they do not.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from app.charts.panels import (
    MIN_AFTER,
    MIN_ALONE,
    MIN_BEFORE,
    MIN_CLINICS,
    Panel,
    ProjectPoint,
    panel_of,
)
from app.domain.counts import Interval
from app.domain.scales import PROPORTION, Scale

CONTROLLED = (
    "controlled interrupted time series: generalised linear model with clinic and "
    "interval effects, fitted where the project had not begun, jackknife over clinics"
)
ALONE = (
    "interrupted time series: generalised linear model with clinic effects and a "
    "linear trend, fitted before the project began, jackknife over clinics"
)


class NotEstimated(StrEnum):
    """Why there is no estimate."""

    MEAN = "mean"
    NOT_BEGUN = "not-begun"
    TOO_FEW_BEFORE = "too-few-before"
    TOO_FEW_AFTER = "too-few-after"
    TOO_FEW_CLINICS = "too-few-clinics"
    NOT_IDENTIFIED = "not-identified"


class ExpectedInterval(msgspec.Struct, frozen=True):
    """The project's clinics in one interval after it began, on the measure's scale."""

    interval_start: int
    observed: float
    expected: float


class ChangeEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """
    How much a measure changed in a project's clinics once they had begun.

    ``observed`` is their pooled value (sum of events by sum of exposure) over all
    intervals since each began, ``expected`` what it would have been without the
    project, ``change`` the difference with its 95 % interval ``lower`` to ``upper``.
    All are on the measure's scale: proportions in [0, 1] or events per so much
    exposure; None where ``not_estimated`` says why. ``words`` says it in a sentence or
    two, percentage points for proportions.

    ``clinics`` are of the project, ``compared_with`` others; where that is 0 the
    estimate is uncontrolled. ``left_out`` clinics had too few intervals, ``withheld``
    intervals of clinics no numbers: both are not in the estimate.
    """

    method: str
    change: float | None = None
    lower: float | None = None
    upper: float | None = None
    observed: float | None = None
    expected: float | None = None
    dispersion: float | None = None
    clinics: int
    compared_with: int
    withheld: int
    left_out: int
    intervals: tuple[ExpectedInterval, ...] = ()
    not_estimated: NotEstimated | None = None
    words: str


def estimated_change(
    points: Iterable[ProjectPoint],
    *,
    interval: Interval,
    project: str,
    measure: str,
    scale: Scale = PROPORTION,
) -> ChangeEstimate:
    """
    Return the change that came with a project, by an interrupted time series.

    Clinics that do not take part, or have not begun, say what would have happened
    anyway: what all clinics share cancels. With fewer than 3 of them the project's own
    trend is extrapolated, and the words say that nothing was compared. It never raises
    for want of numbers: ``not_estimated`` says why there is no estimate.

    Args:
        points: released cells of the clinics that take part and of those that do not,
            all of one width and of total stratum. A suppressed cell is a point without
            numbers; one that was never published may be left away.
        interval: the width of all points. Where a clinic starts within an interval,
            that interval is neither before nor after.
        project: what people call the project, for the words.
        measure: the measure's title, for the words.
        scale: proportions, or rates with their multiplier; of means there is none.

    Source: see ``app.charts.counterfactuals``, and ``docs/charts.md``.
    """
    panel = panel_of(points, interval=interval, has_complement=scale.per is None)
    if reason := _reason(panel, scale):
        return _refused(panel, reason)
    # Here, because loading statsmodels takes a second that a start has no use for.
    from app.charts.counterfactuals import counterfactual  # noqa: PLC0415

    found = counterfactual(panel, is_rate=scale.per is not None)
    if found is None:
        return _refused(panel, NotEstimated.NOT_IDENTIFIED)
    per = scale.per or 1
    change = per * (found.observed - found.expected)
    span = per * found.reach * found.error
    estimate = ChangeEstimate(
        method=_method(panel),
        change=change,
        lower=change - span,
        upper=change + span,
        observed=per * found.observed,
        expected=per * found.expected,
        dispersion=found.dispersion,
        clinics=len(panel.begun),
        compared_with=len(panel.others),
        withheld=panel.withheld,
        left_out=panel.left_out,
        intervals=tuple(
            ExpectedInterval(start, per * observed, per * expected)
            for start, observed, expected in found.by_interval
        ),
        words="",
    )
    words = _words(estimate, scale, project=project, measure=measure)
    return msgspec.structs.replace(estimate, words=words)


def _method(panel: Panel) -> str:
    return CONTROLLED if panel.is_controlled else ALONE


def _reason(panel: Panel, scale: Scale) -> NotEstimated | None:
    """Return what keeps a change from being estimated."""
    if scale.is_mean:
        return NotEstimated.MEAN
    if not panel.has_begun:
        return NotEstimated.NOT_BEGUN
    if len(panel.begun) >= MIN_CLINICS:
        return None
    if panel.with_before < MIN_CLINICS <= panel.with_after:
        return NotEstimated.TOO_FEW_BEFORE
    if panel.with_after < MIN_CLINICS <= panel.with_before:
        return NotEstimated.TOO_FEW_AFTER
    return NotEstimated.TOO_FEW_CLINICS


def _refused(panel: Panel, reason: NotEstimated) -> ChangeEstimate:
    return ChangeEstimate(
        method=_method(panel),
        clinics=len(panel.begun),
        compared_with=len(panel.others),
        withheld=panel.withheld,
        left_out=panel.left_out,
        not_estimated=reason,
        words=f"No estimate. {_REASONS[reason]}",
    )


_WANTED = (
    f"It takes {MIN_CLINICS} clinics of the project, each with {MIN_BEFORE} published "
    f"intervals before and {MIN_AFTER} after, or {MIN_ALONE} and {MIN_ALONE} where "
    f"fewer than {MIN_CLINICS} other clinics can be compared"
)

_REASONS = {
    NotEstimated.MEAN: (
        "Changes are estimated of proportions and rates; this measure is a mean."
    ),
    NotEstimated.NOT_BEGUN: (
        "Nothing is published of the project's clinics from after they began."
    ),
    NotEstimated.TOO_FEW_BEFORE: f"{_WANTED}: there is too little from before.",
    NotEstimated.TOO_FEW_AFTER: f"{_WANTED}: there is too little from after.",
    NotEstimated.TOO_FEW_CLINICS: (
        f"{_WANTED}, and with events before; fewer have that. A clinic's own control "
        "chart may show a change."
    ),
    NotEstimated.NOT_IDENTIFIED: (
        "The published intervals do not tell the clinics' levels from the time's."
    ),
}


def _words(
    estimate: ChangeEstimate, scale: Scale, *, project: str, measure: str
) -> str:
    """Return what a clinician reads."""
    found = (estimate.change, estimate.lower, estimate.upper, estimate.expected)
    change, lower, upper, expected = (each or 0.0 for each in found)
    others = estimate.compared_with
    basis = f"their own past and {others} other clinics" if others else "their own past"
    main = (
        f"{measure}: in the {estimate.clinics} clinics of {project} it was "
        f"{_size(change, scale)} (95 % interval {_signed(lower, scale)} to "
        f"{_signed(upper, scale)}) than it would have been without; "
        f"{scale.text(expected)} was to be expected from {basis}."
    )
    sentences = [main]
    if lower <= 0 <= upper:
        sentences.append("A difference like this may be chance.")
    if not others:
        sentences.append(
            "No other clinics were compared: whatever else changed at that time is "
            "part of the difference."
        )
    if estimate.withheld:
        sentences.append(
            f"Not in it: {estimate.withheld} clinic intervals that are withheld."
        )
    if estimate.left_out:
        sentences.append(
            f"Not in it: {estimate.left_out} clinics with too few intervals."
        )
    return " ".join(sentences)


def _size(change: float, scale: Scale) -> str:
    """Return a change as ``6.2 percentage points higher``."""
    unit = "percentage points" if scale.per is None else f"per {scale.per:,}"
    size = _number(abs(change), scale)
    return f"{size} {unit} {'lower' if change < 0 else 'higher'}"


def _signed(value: float, scale: Scale) -> str:
    return f"{'−' if value < 0 else ''}{_number(abs(value), scale)}"  # noqa: RUF001


def _number(size: float, scale: Scale) -> str:
    return f"{100 * size:.1f}" if scale.per is None else scale.number(size)
