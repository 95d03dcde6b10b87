"""The uploads that come to this process, piece by piece."""

import asyncio
from collections.abc import AsyncIterator

import anyio
from starlette.requests import ClientDisconnect

from app.domain.errors import BusyError, MalformedError

AT_ONCE = 16
"""Each has a thread and a few batches in memory."""
IDLE_SECONDS = 60.0
"""Who sends nothing for so long has gone."""


class StoppingError(BusyError):
    """The process is about to end; an upload goes on at another, or later."""


class Uploads:
    """How many may come at once, and the end of all of them with the process."""

    def __init__(self) -> None:
        self._limiter: anyio.CapacityLimiter | None = None
        self._patience: set[asyncio.Timeout] = set()
        self._is_over = False

    @property
    def limiter(self) -> anyio.CapacityLimiter:
        """Return what bounds them; it is made where the event loop runs."""
        self._limiter = self._limiter or anyio.CapacityLimiter(AT_ONCE)
        return self._limiter

    async def next_piece(self, stream: AsyncIterator[bytes]) -> bytes | None:
        """
        Return what comes next of a body, None at its end.

        Raises:
            MalformedError: its sender has gone.
            StoppingError: the process is about to end.
        """
        if self._is_over:
            raise _stopping()
        try:
            async with asyncio.timeout(IDLE_SECONDS) as patience:
                self._patience.add(patience)
                try:
                    return await anext(stream, None)
                finally:
                    self._patience.discard(patience)
        except (ClientDisconnect, TimeoutError):
            if self._is_over:
                raise _stopping() from None
            msg = "The body stopped before its end"
            raise MalformedError(msg) from None

    def stop(self) -> None:
        """Wait for no more pieces: who sends them is told to come again."""
        self._is_over = True
        now = asyncio.get_running_loop().time()
        for patience in self._patience:
            patience.reschedule(now)


def _stopping() -> StoppingError:
    return StoppingError("The hub is being stopped; go on with the upload later")
