"""How much each client may ask of this process: a token bucket for each."""

import threading
from math import ceil

import msgspec

from app.domain.errors import ThrottledError


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the resources asked for may be dealt with now, and when the rest."""

    resources: int
    retry_after_seconds: int | None = None

    def refusal(self) -> ThrottledError:
        """Return the error for what is beyond the budget."""
        msg = "The client's budget is spent; send it again later"
        return ThrottledError(msg, retry_after_seconds=self.retry_after_seconds or 1)


class Budgets:
    """
    The budgets of all clients, counted in resources, in the memory of one process.

    A bucket holds ``burst`` resources and fills by ``per_second``; None is no limit. A
    request passes where the bucket holds it all, or is full: what is larger than a
    bucket leaves a debt, and is not refused for ever.
    """

    def __init__(self, *, per_second: float | None = None, burst: int = 1) -> None:
        self.per_second = per_second
        self.burst = burst
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, int]] = {}

    def take(self, client_id: str, wanted: int, *, now: int, whole: bool) -> Grant:
        """
        Take *wanted* resources from a client's bucket at *now* (epoch milliseconds).

        Not *whole*, what is left is granted where it is too little. The time to wait
        is until the same request would pass entirely, rounded up to seconds.
        """
        if self.per_second is None:
            return Grant(resources=wanted)
        needed = min(wanted, self.burst)
        with self._lock:
            held = self._held(client_id, now, per_second=self.per_second)
            granted = wanted if held >= needed else 0 if whole else max(0, int(held))
            self._buckets[client_id] = (held - granted, now)
        if granted == wanted:
            return Grant(resources=granted)
        wait = ceil((needed - (held - granted)) / self.per_second)
        return Grant(resources=granted, retry_after_seconds=max(1, wait))

    def _held(self, client_id: str, now: int, *, per_second: float) -> float:
        """Return what a bucket holds at *now*; a new one is full."""
        held, since = self._buckets.get(client_id, (float(self.burst), now))
        filled = held + per_second * max(0, now - since) / 1000
        return min(float(self.burst), filled)
