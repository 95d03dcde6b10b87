"""What a reader runs: lines come in, what may be kept of them goes out."""

import pickle
import sys
from functools import lru_cache

import msgspec

from app.crashes import leave_no_core
from app.domain.deliveries import packed
from app.services.readers import receive, send
from app.services.reading import Reading, read_lines
from app.services.reception import make_ready


@lru_cache(maxsize=8)
def reading_of(setup: bytes) -> Reading:
    """Return how lines are read by a setup, whose keys and policy are made once."""
    reading: Reading = pickle.loads(setup).reading(received_at=0)  # noqa: S301
    return reading


def main() -> None:
    """Answer until the other end is gone; an error is told by its type alone."""
    leave_no_core()
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    make_ready()
    while True:
        try:
            setup, received_at, batch = receive(source)
        except EOFError:
            return
        reading = msgspec.structs.replace(reading_of(setup), received_at=received_at)
        try:
            answer: object = packed(read_lines(batch, reading))
        except Exception as error:  # noqa: BLE001  (its message may be PHI)
            answer = type(error).__name__
        send(sink, answer)


if __name__ == "__main__":
    main()
