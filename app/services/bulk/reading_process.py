"""What a reader runs: lines come in, what may be kept of them goes out."""

import gc
import os
import pickle
import signal
import socket
import sys
from functools import lru_cache
from typing import NoReturn

import msgspec

from app.crashes import leave_no_core
from app.domain.deliveries import packed
from app.services.bulk.readers import receive, send
from app.services.bulk.reading import Reading, read_lines
from app.services.reception import make_ready

NICENESS = 5
"""What is read is to be stored, and others wait for answers: both come first."""


def main() -> None:
    """Fork a reader for each socket that comes, until the other end is gone."""
    leave_no_core()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a reader
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asked for us ends us
    os.nice(NICENESS)
    make_ready()
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as control:
        while True:
            came, lines, *_ = socket.recv_fds(control, 1, 1)
            if not came:
                return
            if os.fork() == 0:
                control.close()
                read_until_hung_up(socket.socket(fileno=lines[0]))
            os.close(lines[0])


def read_until_hung_up(line: socket.socket) -> NoReturn:
    """Answer until the other end is gone; an error is told by its type alone."""
    with line, line.makefile("rwb") as stream:
        while True:
            try:
                setup, received_at, batch = receive(stream)
            except (EOFError, OSError):
                os._exit(0)
            reading = msgspec.structs.replace(
                reading_of(setup), received_at=received_at
            )
            try:
                answer: object = packed(read_lines(batch, reading))
            except Exception as error:  # noqa: BLE001  (its message may be PHI)
                answer = type(error).__name__
            try:
                send(stream, answer)
            except OSError:
                os._exit(0)


@lru_cache(maxsize=8)
def reading_of(setup: bytes) -> Reading:
    """Return how lines are read by a setup, whose keys and policy are made once."""
    reading: Reading = pickle.loads(setup).reading(received_at=0)  # noqa: S301
    return reading


if __name__ == "__main__":
    main()
