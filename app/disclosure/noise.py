"""
Counts with noise: no answer depends much on any one patient.

OpenDP's discrete Laplace mechanism, whose sampler is exact (Canonne, Kamath and
Steinke, "The discrete Gaussian for differential privacy", NeurIPS 2020). OpenDP is an
extra, `catchment[noise]`, because few networks want it.
"""

from collections.abc import Sequence

from app.domain.errors import NotSupportedError

CHANGED_BY_ONE = 1
"""By how many people all groups together change as one patient comes or goes."""


def noisy(groups: Sequence[int], *, epsilon: float) -> list[int]:
    """
    Return the people in disjoint *groups*, each with noise of scale 1 / *epsilon*.

    A patient is in one group at most, so all of them together cost *epsilon* once. A
    noisy count may be below zero.

    Raises:
        NotSupportedError: OpenDP is not installed.
    """
    try:
        import opendp.prelude as dp  # noqa: PLC0415  (an extra, and slow to load)
    except ImportError:
        msg = "OpenDP is not installed: pip install 'catchment[noise]'"
        raise NotSupportedError(msg) from None
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T=int)), dp.l1_distance(T=int)
    laplace = dp.m.make_laplace(*space, scale=CHANGED_BY_ONE / epsilon)
    told: list[int] = laplace(list(groups))
    return told
