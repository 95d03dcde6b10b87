"""Who is best, and how surely: ranks with their uncertainty, and benchmarks."""

from collections.abc import Mapping, Sequence

LEVEL = 0.95
RANK_METHOD = (
    "joint 95 % region of all ranks (Klein, Wright and Wieczorek 2020), from intervals "
    "adjusted by Sidak"
)
BEST_SHARE = 0.1
"""The share of the denominator that the best clinics together must reach."""


def ranks(values: Mapping[int, float], *, improvement: str) -> dict[int, int]:
    """Return each clinic's rank from 1, the best; the same value shares a rank."""
    better = _upwards(values, improvement)
    return {
        clinic: 1 + sum(other > own for other in better.values())
        for clinic, own in better.items()
    }


def simultaneous_tail(clinics: int) -> float:
    """
    Return what each of so many intervals may leave beyond either end.

    Then all of them together hold their true values with 95 %.

    Source: Sidak, J Am Stat Assoc 1967;62:626-633.
    """
    return float(1 - LEVEL ** (1 / clinics)) / 2


def rank_intervals(
    intervals: Mapping[int, tuple[float, float]], *, improvement: str
) -> dict[int, tuple[int, int]]:
    """
    Return the ranks that each clinic may truly have, jointly with 95 %.

    From 1 + those that are surely better to all but those that are surely worse: surely
    is where two simultaneous intervals do not meet.

    Args:
        intervals: of each clinic, at ``simultaneous_tail``.
        improvement: the measure's improvement notation.

    Source: Klein, Wright and Wieczorek, J R Stat Soc A 2020;183:589-606.
    """
    lows = _upwards({c: ends[0] for c, ends in intervals.items()}, improvement)
    highs = _upwards({c: ends[1] for c, ends in intervals.items()}, improvement)
    if improvement == "decrease":
        lows, highs = highs, lows
    return {
        clinic: (
            1 + sum(low > highs[clinic] for low in lows.values()),
            len(intervals) - sum(high < lows[clinic] for high in highs.values()),
        )
        for clinic in intervals
    }


def best_tenth(
    counts: Sequence[tuple[int, int]], *, improvement: str, is_rate: bool
) -> float | None:
    """
    Return the pooled value of the best clinics with a tenth of the denominator.

    Clinics are ordered by (x + 1) / (n + 2), so that a tiny clinic does not lead by
    luck; by rates, of which the pooled one is u, as if each had seen one event more in
    the 1 / u of exposure that it takes.

    Source: Kiefe and others, Int J Qual Health Care 1998;10:443-447.
    """
    events, exposure = (sum(column) for column in zip(*counts, strict=True))
    if not exposure or (is_rate and not events):
        return None
    more = exposure / events if is_rate else 2

    def order(pair: tuple[int, int]) -> float:
        shrunk = (pair[0] + 1) / (pair[1] + more)
        return shrunk if improvement == "decrease" else -shrunk

    chosen: list[tuple[int, int]] = []
    for pair in sorted(counts, key=order):
        if sum(n for _, n in chosen) >= BEST_SHARE * exposure:
            break
        chosen.append(pair)
    return pooled(chosen)


def pooled(counts: Sequence[tuple[int, int]]) -> float:
    """Return sum x / sum n, which is not the mean of the x / n."""
    return sum(x for x, _ in counts) / sum(n for _, n in counts)


def _upwards(values: Mapping[int, float], improvement: str) -> dict[int, float]:
    """Return values of which a larger one is better."""
    sign = -1 if improvement == "decrease" else 1
    return {clinic: sign * value for clinic, value in values.items()}
