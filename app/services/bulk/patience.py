"""A server that can't answer now: asked again, ever less often, and not for good."""

from typing import TypeAlias

import msgspec

from app.services.bulk.jobs import Again
from app.smart.bulk_errors import ServerThrottlesError, ServerUnavailableError
from app.smart.errors import TokenRefusedError

DAY_MS = 24 * 3600 * 1000
PATIENCE_MS = DAY_MS
"""For so long a server that does not answer is asked again."""
LONGEST_PAUSE_SECONDS = 3600

Passing: TypeAlias = ServerThrottlesError | ServerUnavailableError | TokenRefusedError
"""What a server may get over, or its operator mend."""


class Failing(msgspec.Struct, frozen=True, kw_only=True):
    """Since when a server has not answered (epoch milliseconds), and how often."""

    since: int | None = None
    times: int = 0


WELL = Failing()


def sat_out(
    failing: Failing, error: Passing, *, now: int, patience_ms: int = PATIENCE_MS
) -> tuple[Failing, Again]:
    """
    Return what is known after another failure, and when to ask again.

    That is as the server likes, or twice as long each time; an hour at most.

    Raises:
        ServiceError: *error*, where that has gone on for longer than *patience_ms*.
    """
    since = now if failing.since is None else failing.since
    if now - since > patience_ms:
        raise error
    asked = error.retry_after_seconds
    if asked is None:
        asked = 2 << min(failing.times, 20)
    pause = max(1, min(asked, LONGEST_PAUSE_SECONDS))
    return Failing(since=since, times=failing.times + 1), Again(1000 * pause)
