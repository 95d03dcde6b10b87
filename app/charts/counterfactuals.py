"""
What a project's clinics would have been like without it: an imputation.

A generalised linear model is fitted where nobody had begun, and asked what was to be
expected where somebody had. This module loads statsmodels, which takes a second: import
it where an estimate is made.
"""

import warnings
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.tools.sm_exceptions import ModelWarning

from app.charts.panels import Panel, PanelRow
from app.domain.calendar import MONTHS_A_YEAR

Array = npt.NDArray[np.float64]
TAIL = 0.975


class Counterfactual(msgspec.Struct, frozen=True, kw_only=True):
    """
    Observed against expected, as events by exposure, where the project had begun.

    ``error`` is the standard error of their difference and ``reach`` how many of them
    its 95 % interval spans either way; ``dispersion`` is the variance between a
    clinic's intervals in multiples of chance. ``by_interval`` has the start of each
    interval, and what was observed and expected in it.
    """

    observed: float
    expected: float
    error: float
    reach: float
    dispersion: float
    by_interval: tuple[tuple[int, float, float], ...]


class Model(NamedTuple):
    """
    The model fitted to ``before``, and its imputation of ``after``.

    Both designs have a line for each row and a column for each effect. Expected events
    and their variances are by chance alone.
    """

    before: Sequence[PanelRow]
    after: Sequence[PanelRow]
    design: Array
    imputing: Array
    coefficients: Array
    is_rate: bool

    def expected(self, design: Array, rows: Sequence[PanelRow], at: Array) -> Array:
        """Return the expected events of *rows*, where the coefficients are *at*."""
        predictor = design @ at
        mean = np.exp(predictor) if self.is_rate else 1 / (1 + np.exp(-predictor))
        return mean * _column(rows, "exposure")

    def variances(self, expected: Array, rows: Sequence[PanelRow]) -> Array:
        """Return the variances of so many *expected* events of *rows*."""
        if self.is_rate:
            return expected
        return expected * (1 - expected / _column(rows, "exposure"))


def counterfactual(panel: Panel, *, is_rate: bool) -> Counterfactual | None:
    """
    Return what was observed and expected; None if the model is not identified.

    The model has an effect of each clinic and, where others are compared, one of each
    interval, else a trend: binomial with the logit, of rates Poisson with the
    logarithm. It is fitted to the rows that have not begun, and imputes those that
    have.

    The error is the larger of two. One is a jackknife that leaves out one clinic after
    the other, those of the project and the others as samples of their own, with Welch
    and Satterthwaite's degrees of freedom. The other is that of the model, with a
    dispersion of at least 1.

    Source: Wooldridge, Econometrics J 2023;26:C31-C66 (imputation with the canonical
    link); Borusyak, Jaravel and Spiess, Rev Econ Stud 2024;91:3253-3285; MacKinnon,
    Nielsen and Webb, J Appl Econometrics 2023;38:671-694 (the jackknife by clusters,
    here of one Newton step each); Bernal, Cummins and Gasparrini, Int J Epidemiol
    2017;46:348-355 (an interrupted series alone).
    """
    model = _fitted(panel, is_rate=is_rate)
    if model is None:
        return None
    after = model.after
    observed, exposure = _column(after, "events"), _column(after, "exposure")
    expected = model.expected(model.imputing, after, model.coefficients)
    total = exposure.sum()
    change = (observed - expected).sum() / total
    moves = {clinic: found - change for clinic, found in _without_each(model).items()}
    spread = [
        _jackknife([moves[clinic] for clinic in group])
        for group in (panel.begun, panel.others)
        if group
    ]
    variance = sum(part for part, _ in spread)
    dispersion = _dispersion(model)
    chance = dispersion * _chance(model, expected) / total**2
    return Counterfactual(
        observed=observed.sum() / total,
        expected=expected.sum() / total,
        error=float(np.sqrt(max(variance, chance))),
        reach=float(stdtrit(_freedom(spread), TAIL)),
        dispersion=dispersion,
        by_interval=tuple(_by_interval(after, expected)),
    )


def _fitted(panel: Panel, *, is_rate: bool) -> Model | None:
    """Return the model of a panel, unless the rows before say too little."""
    before = [row for row in panel.rows if not row.has_begun]
    after = [row for row in panel.rows if row.has_begun]
    design, imputing = _designs(before, after, is_controlled=panel.is_controlled)
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return None
    events, exposure = _column(before, "events"), _column(before, "exposure")
    glm = (
        GLM(events, design, family=families.Poisson(), offset=np.log(exposure))
        if is_rate
        else GLM(
            events / exposure, design, family=families.Binomial(), var_weights=exposure
        )
    )
    with warnings.catch_warnings():
        # What it warns of is asked for below, or is no fault: a perfect fit.
        warnings.simplefilter("ignore", ModelWarning)
        fitted = glm.fit()
    if not fitted.converged:
        return None
    return Model(before, after, design, imputing, np.asarray(fitted.params), is_rate)


def _designs(
    before: Sequence[PanelRow], after: Sequence[PanelRow], *, is_controlled: bool
) -> tuple[Array, Array]:
    """Return columns for the clinics, and for the intervals but one or the trend."""
    clinics = sorted({row.clinic_id for row in before})
    first, *times = sorted({row.interval_start for row in before})

    def design(rows: Sequence[PanelRow]) -> Array:
        of_clinic, at = _column(rows, "clinic_id"), _column(rows, "interval_start")
        trend = (at - first) / MONTHS_A_YEAR
        later = [at == time for time in times] if is_controlled else [trend]
        columns = [*(of_clinic == clinic for clinic in clinics), *later]
        return np.column_stack(columns).astype(float)

    return design(before), design(after)


def _without_each(model: Model) -> dict[int, float]:
    """
    Return the change as it is with each of the clinics left out.

    One Newton step leads from the estimates to nearly those without a clinic. What it
    alone determined stays where it is, and is of no consequence.
    """
    of_row, of_later = (
        _column(rows, "clinic_id") for rows in (model.before, model.after)
    )
    means = model.expected(model.design, model.before, model.coefficients)
    variances = model.variances(means, model.before)
    residuals = _column(model.before, "events") - means
    observed = _column(model.after, "events")
    exposure = _column(model.after, "exposure")
    found = {}
    for clinic in np.unique(of_row):
        rest, later = of_row != clinic, of_later != clinic
        score = model.design[rest].T @ residuals[rest]
        information = _information(model.design[rest], variances[rest])
        step = np.linalg.pinv(information, hermitian=True) @ score
        expected = model.expected(
            model.imputing, model.after, model.coefficients + step
        )
        left = (observed - expected)[later].sum() / exposure[later].sum()
        found[int(clinic)] = float(left)
    return found


def _jackknife(moves: Sequence[float]) -> tuple[float, int]:
    """Return the variance that *moves* of a sample show, and its degrees of freedom."""
    count = len(moves)
    return (count - 1) / count * sum(move**2 for move in moves), count - 1


def _freedom(spread: Sequence[tuple[float, int]]) -> float:
    """Return the degrees of freedom of a sum of variances, each with its own."""
    total = sum(part for part, _ in spread)
    if total == 0:
        return sum(count for _, count in spread)
    return 1 / sum((part / total) ** 2 / count for part, count in spread)


def _dispersion(model: Model) -> float:
    """Return Pearson's chi-square by its degrees of freedom, at least 1."""
    means = model.expected(model.design, model.before, model.coefficients)
    variances = model.variances(means, model.before)
    squares = (_column(model.before, "events") - means) ** 2 / variances
    freedom = model.design.shape[0] - model.design.shape[1]
    return max(1.0, float(squares.sum() / freedom))


def _chance(model: Model, expected: Array) -> float:
    """Return the variance of observed less expected events, by chance alone."""
    means = model.expected(model.design, model.before, model.coefficients)
    information = _information(model.design, model.variances(means, model.before))
    variances = model.variances(expected, model.after)
    gradient = model.imputing.T @ variances
    of_model = gradient @ np.linalg.solve(information, gradient)
    return float(variances.sum() + of_model)


def _information(design: Array, variances: Array) -> Array:
    return design.T @ (design * variances[:, None])


def _by_interval(
    after: Sequence[PanelRow], expected: Array
) -> Iterator[tuple[int, float, float]]:
    """Yield each interval with what was observed and expected in it, by exposure."""
    starts = _column(after, "interval_start")
    observed, exposure = _column(after, "events"), _column(after, "exposure")
    for start in np.unique(starts):
        at = starts == start
        total = exposure[at].sum()
        yield (
            int(start),
            float(observed[at].sum() / total),
            float(expected[at].sum() / total),
        )


def _column(rows: Sequence[PanelRow], name: str) -> Array:
    return np.array([getattr(row, name) for row in rows], dtype=float)
