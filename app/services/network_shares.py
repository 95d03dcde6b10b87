"""Every clinic's shares, worked out now and then, so that each can see where it is."""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from app.disclosure.distributions import ClinicShare
from app.domain.quality import Finding
from app.domain.terminology import Coding

STALE_MS = 3600 * 1000
WAIT_MS = 500

Shares = Mapping[tuple[Finding, Coding | None], ClinicShare]
"""A clinic's shares: of each code, and (None) of all that it sent."""


class _Known(msgspec.Struct, frozen=True):
    since: int
    worked_out_at: int
    shares: Shares


class NetworkShares:
    """
    The shares of clinics in this process, each remembered for an hour.

    What is older serves on until it has been worked out anew. An answer waits for one
    clinic at least, and begins another until *wait_ms* have passed; so where clinics
    are many and large, the first answers come without the others.
    """

    def __init__(self, *, wait_ms: int = WAIT_MS) -> None:
        self._wait_ms = wait_ms
        self._known: dict[int, _Known] = {}

    def of_clinics(
        self,
        clinic_ids: Iterable[int],
        *,
        since: int,
        clock: Callable[[], int],
        work_out: Callable[[int], Shares],
    ) -> list[Shares] | None:
        """
        Return the shares of clinics from the month *since* on; None: not all are known.

        *work_out* does so for a clinic; *clock* tells epoch milliseconds.
        """
        ids, started = list(clinic_ids), clock()
        ages = {i: self._worked_out_at(i, since) for i in ids}
        old = sorted(i for i in ids if ages[i] <= started - STALE_MS)
        for number, clinic_id in enumerate(sorted(old, key=ages.__getitem__)):
            if number and clock() >= started + self._wait_ms:
                break
            self._known[clinic_id] = _Known(since, started, work_out(clinic_id))
        known = [self._known[i] for i in ids if self._worked_out_at(i, since)]
        return [each.shares for each in known] if len(known) == len(ids) else None

    def _worked_out_at(self, clinic_id: int, since: int) -> int:
        """Return when a clinic's shares were worked out; 0 is never."""
        known = self._known.get(clinic_id)
        return known.worked_out_at if known and known.since == since else 0
