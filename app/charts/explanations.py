"""Why limits vary from point to point, or do not, in words."""

from collections.abc import Iterator, Sequence

from app.charts.lines import ChartKind, Fit, Values

BY_SIZE = {
    ChartKind.P,
    ChartKind.P_PRIME,
    ChartKind.U,
    ChartKind.U_PRIME,
    ChartKind.XBAR,
    ChartKind.S,
}
"""The charts whose sigma depends on d."""
ENOUGH_EVENTS = 5
"""Fewer expected events make the limits of a rate rough."""


def explanation(fit: Fit, *, sizes: Values, phases: Sequence[int]) -> str:
    """
    Return why the limits of *fit* are where they are.

    Args:
        fit: a chart's lines.
        sizes: the denominator or exposure of each point, in the unit of its lines.
        phases: the phase of each point.
    """
    return " ".join(_sentences(fit, sizes, phases))


def _sentences(fit: Fit, sizes: Values, phases: Sequence[int]) -> Iterator[str]:
    limited = [point for point, line in enumerate(fit.lines) if line and line.upper]
    if fit.chart is ChartKind.RUN:
        yield "A run chart has a median, and no limits."
        return
    if not limited:
        yield "There are no limits: see the remarks."
        return
    yield _by_size(fit, [sizes[point] for point in limited])
    if fit.chart in {ChartKind.P_PRIME, ChartKind.U_PRIME}:
        yield _widened(fit)
    if sparse := [point for point in limited if point in fit.exact]:
        yield _sparse(fit, len(sparse))
    if fit.chart in {ChartKind.U, ChartKind.U_PRIME} and _few_events(
        fit, sizes, limited
    ):
        yield (
            f"Fewer than {ENOUGH_EVENTS} events are expected at some points, where "
            "such limits are rough."
        )
    if len({phases[point] for point in limited}) > 1:
        yield "They step where a phase begins, because each has lines of its own."


def _by_size(fit: Fit, sizes: Sequence[float | None]) -> str:
    if fit.chart not in BY_SIZE:
        return "Limits are level: one sigma holds for every point."
    if len({*sizes}) == 1:
        return "Limits are level, because d is the same at every point."
    return (
        "Limits vary from point to point because d does: the larger d is, the less "
        "chance moves the value, and the narrower they are."
    )


def _widened(fit: Fit) -> str:
    found = 1.0 if fit.sigma_z is None else fit.sigma_z
    if found <= 1:
        return "Points vary no more than chance makes them, so nothing is widened."
    return (
        f"They are {found:.2f} times as wide as chance alone would make them, because "
        "points vary that much more."
    )


def _sparse(fit: Fit, count: int) -> str:
    if fit.chart is ChartKind.G:
        return "They are exact quantiles of the geometric distribution, and whole."
    return (
        f"At {count} of the points fewer than 5 people are expected to meet the "
        "measure, or not to: limits there are exact binomial quantiles, which move in "
        "steps and lie unevenly around the centre line."
    )


def _few_events(fit: Fit, sizes: Values, limited: Sequence[int]) -> bool:
    expected = (
        line.center_line * (sizes[point] or 0.0)
        for point in limited
        if (line := fit.lines[point])
    )
    return any(events < ENOUGH_EVENTS for events in expected)
