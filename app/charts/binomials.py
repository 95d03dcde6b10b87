"""What charts of counts need of the binomial distribution."""

from math import log, sqrt

Z_95 = 1.959963984540054
"""The standard normal quantile of 0.975."""


def quantile(tail: float, trials: int, proportion: float) -> int:
    """
    Return the smallest count x with P(X <= x) >= *tail*.

    The sum runs up from 0, or down from *trials* where the proportion is above a half,
    so it is short where counts are sparse, which is where charts need it.

    Args:
        tail: probability, strictly between 0 and 1.
        trials: n >= 0; up to about 1,000 at a proportion of a half.
        proportion: chance of success in one trial, in [0, 1].
    """
    if proportion > 1 - proportion:
        return trials - quantile(1 - tail, trials, 1 - proportion)
    odds = proportion / (1 - proportion)
    total = mass = (1 - proportion) ** trials
    count = 0
    while total < tail and count < trials:
        mass *= odds * (trials - count) / (count + 1)
        total += mass
        count += 1
    return count


def wilson_interval(
    numerator: int, denominator: int, *, z: float = Z_95
) -> tuple[float, float]:
    """
    Return the score interval of a proportion, of 95 % unless *z* is another quantile.

    Source: Wilson, J Am Stat Assoc 1927;22:209-212.
    """
    p, z2 = numerator / denominator, z**2
    center = (numerator + z2 / 2) / (denominator + z2)
    half = z * sqrt(p * (1 - p) * denominator + z2 / 4) / (denominator + z2)
    return max(0.0, min(p, center - half)), min(1.0, max(p, center + half))


def log_likelihood(numerator: int, denominator: int) -> float:
    """Return the binomial log-likelihood at p = x / n, without its constant."""
    parts = (numerator, denominator - numerator)
    return sum(count * log(count / denominator) for count in parts if count)
