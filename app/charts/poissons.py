"""What charts of events need of the Poisson distribution."""

from scipy.special import gammaincinv


def exact_interval(events: float, *, tail: float) -> tuple[float, float]:
    """
    Return an exact interval of the expectation behind so many *events*.

    Around expected events, which need not be whole, its ends serve as control limits,
    as FunnelPlotR has them for standardised ratios.

    Args:
        events: >= 0; of none the lower end is 0.
        tail: what may lie beyond either end, such as 0.025.

    Source: Garwood, Biometrika 1936;28:437-442.
    """
    lower = float(gammaincinv(events, tail)) if events else 0.0
    return lower, float(gammaincinv(events + 1, 1 - tail))
