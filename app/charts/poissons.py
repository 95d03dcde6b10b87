"""What charts of events need of the Poisson distribution."""

from scipy.special import gammaincinv


def exact_interval(events: int, *, tail: float) -> tuple[float, float]:
    """
    Return an exact interval of the expectation behind so many *events*.

    Args:
        events: >= 0; of none the lower end is 0.
        tail: what may lie beyond either end, such as 0.025.

    Source: Garwood, Biometrika 1936;28:437-442.
    """
    lower = float(gammaincinv(events, tail)) if events else 0.0
    return lower, float(gammaincinv(events + 1, 1 - tail))


def control_limits(expected: float, *, tail: float) -> tuple[float, float]:
    """
    Return control limits around *expected* events, > 0: an exact interval of them.

    Source: as FunnelPlotR has them for standardised ratios, Garwood's interval at an
    expectation that need not be whole.
    """
    return float(gammaincinv(expected, tail)), float(
        gammaincinv(expected + 1, 1 - tail)
    )
