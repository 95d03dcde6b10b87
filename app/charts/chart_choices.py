"""Which chart a series is drawn as: by what its values are, or as a caller chose."""

from collections.abc import Sequence

from app.charts.control_charts import (
    c_chart,
    is_overdispersed,
    p_chart,
    p_prime_chart,
    proportion_chart,
    rate_chart,
    u_chart,
    u_prime_chart,
)
from app.charts.laney import OVERDISPERSED
from app.charts.lines import ChartKind, Fit, Frame
from app.charts.measurement_charts import (
    mr_chart,
    run_chart,
    s_chart,
    xbar_chart,
    xmr_chart,
)
from app.domain.counts import ReleasedCell
from app.domain.errors import MalformedError
from app.domain.scales import Scale

Cells = Sequence[ReleasedCell]

OF_ANY = (ChartKind.RUN, ChartKind.XMR, ChartKind.MR)
OF_PROPORTIONS = (ChartKind.P, ChartKind.P_PRIME)
OF_RATES = (ChartKind.U, ChartKind.U_PRIME, ChartKind.C)
OF_MEANS = (ChartKind.XBAR, ChartKind.S)
SCREENED = (ChartKind.XMR, ChartKind.MR)
"""The charts whose moving ranges may be screened."""
NAMES = {
    ChartKind.RUN: "A run chart",
    ChartKind.P: "A p chart",
    ChartKind.P_PRIME: "A p' chart",
    ChartKind.U: "A u chart",
    ChartKind.U_PRIME: "A u' chart",
    ChartKind.C: "A c chart",
    ChartKind.XMR: "An XmR chart",
    ChartKind.MR: "A moving range chart",
    ChartKind.XBAR: "An X-bar chart",
    ChartKind.S: "An S chart",
    ChartKind.T: "A t chart",
    ChartKind.G: "A g chart",
}


def fitting_charts(scale: Scale) -> tuple[ChartKind, ...]:
    """Return the charts that values of a scale can be drawn as."""
    if scale.is_mean:
        return (*OF_MEANS, *OF_ANY)
    return (*(OF_PROPORTIONS if scale.per is None else OF_RATES), *OF_ANY)


def check_choice(chart: ChartKind | None, *, screened: bool, scale: Scale) -> None:
    """
    Refuse a chart that does not fit the values, and screening where nothing is.

    Raises:
        MalformedError: naming the parameter, ``chart`` or ``screened``.
    """
    fitting = fitting_charts(scale)
    if chart is not None and chart not in fitting:
        names = ", ".join(fitting)
        msg = f"The chart does not fit the measure, of which there are: {names}"
        raise MalformedError(msg, expression="chart")
    if screened and chart not in SCREENED:
        msg = "Only the moving ranges of chart=xmr and chart=mr can be screened"
        raise MalformedError(msg, expression="screened")


def chosen_fit(
    series: Cells,
    *,
    scale: Scale,
    within: Frame,
    chart: ChartKind | None = None,
    screened: bool = False,
) -> Fit:
    """Return the lines of a series, by *chart* or by what its values are."""
    values = [scale.value(cell) for cell in series]
    if chart is ChartKind.XMR:
        return xmr_chart(values, within=within, screened=screened)
    if chart is ChartKind.MR:
        return mr_chart(values, within=within, screened=screened)
    if chart is ChartKind.RUN:
        return run_chart(values, within=within)
    if scale.is_mean:
        return _fit_of_means(series, within, chart)
    if scale.per is None:
        return _fit_of_proportions(series, within, chart)
    return _fit_of_rates(series, within, chart, per=scale.per)


def reason_for(fit: Fit, *, scale: Scale, is_chosen: bool) -> str:
    """Return why a series is drawn as it is, in words."""
    if fit.chart is ChartKind.POINTS:
        return "The points alone: see the remarks."
    if is_chosen:
        return f"{NAMES[fit.chart]}, because the caller chose it{_warning(fit)}."
    if scale.is_mean:
        return "An X-bar chart, because the measure is a mean of people's values."
    kind = "proportion" if scale.is_proportion else "rate of events by exposure"
    return f"{NAMES[fit.chart]}, because the measure is a {kind}{_variation(fit)}."


def _fit_of_means(series: Cells, within: Frame, chart: ChartKind | None) -> Fit:
    deviations = [cell.deviation for cell in series]
    sizes = [cell.denominator or 0 for cell in series]
    if chart is ChartKind.S:
        return s_chart(deviations, sizes, within=within)
    return xbar_chart([cell.mean for cell in series], deviations, sizes, within=within)


def _fit_of_proportions(series: Cells, within: Frame, chart: ChartKind | None) -> Fit:
    numerators = [cell.numerator for cell in series]
    denominators = [cell.denominator for cell in series]
    draw = {ChartKind.P: p_chart, ChartKind.P_PRIME: p_prime_chart}
    made = proportion_chart if chart is None else draw[chart]
    return made(numerators, denominators, within=within)


def _fit_of_rates(
    series: Cells, within: Frame, chart: ChartKind | None, *, per: int
) -> Fit:
    events = [cell.told[0] for cell in series]
    if chart is ChartKind.C:
        return c_chart(events, within=within)
    units = [None if n is None else n / per for _, n in (c.told for c in series)]
    draw = {ChartKind.U: u_chart, ChartKind.U_PRIME: u_prime_chart}
    made = rate_chart if chart is None else draw[chart]
    return made(events, units, within=within)


def _variation(fit: Fit) -> str:
    """Return how far points vary, in multiples of what their counts explain."""
    if fit.sigma_z is None:
        return ""
    found = f"{fit.sigma_z:.2f} times the {_model(fit)}"
    side = "above" if is_overdispersed(fit) else "not above"
    return f" and its between-point variation is {found}, {side} {OVERDISPERSED}"


def _warning(fit: Fit) -> str:
    """Return what speaks against a chosen p or u chart."""
    if fit.chart not in {ChartKind.P, ChartKind.U} or not is_overdispersed(fit):
        return ""
    return (
        f"; between-point variation is {fit.sigma_z:.2f} times the {_model(fit)}, "
        "so its limits are too narrow"
    )


def _model(fit: Fit) -> str:
    is_rate = fit.chart in {ChartKind.U, ChartKind.U_PRIME}
    return "Poisson" if is_rate else "binomial"
