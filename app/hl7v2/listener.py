"""
MLLP: framed messages over TCP, each answered before the next is read.

Source: HL7 Transport Specification: MLLP, release 1. A frame is VT, the message, FS and
CR; the CR is not waited for, as some senders leave it out.
"""

import logging
import socket
import socketserver
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, Protocol

import msgspec
from typing_extensions import override

from app.log import place_of

log = logging.getLogger(__name__)

START, END = b"\x0b", b"\x1c"
PIECE_BYTES = 64 * 1024
POLL_SECONDS = 0.5
"""How soon a connection that waits hears that the listener stops."""


class Answer(Protocol):
    """What is answered to a message, which is whole or only its head."""

    def __call__(self, body: bytes, *, is_whole: bool) -> bytes:
        """Return the acknowledgement."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one sender may take of the listener."""

    message_bytes: int = 16 * 1024 * 1024
    message_seconds: float = 60.0
    idle_seconds: float = 3600.0
    connections: int = 64


class Listener(socketserver.ThreadingTCPServer):
    """Listens on one address; a connection is served by a thread, in its own order."""

    allow_reuse_address = True
    daemon_threads = False

    def __init__(
        self,
        host: str,
        port: int,
        answer: Answer,
        *,
        limits: Limits,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.answer = answer
        self.limits = limits
        self.tls = tls
        self.stopping = threading.Event()
        self._places = threading.BoundedSemaphore(limits.connections)
        super().__init__((host, port), _Connection)

    def stop(self) -> None:
        """Take no more messages; what is being answered is answered to its end."""
        self.stopping.set()
        self.shutdown()

    @override
    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection where there is room for one more."""
        if not self._places.acquire(blocking=False):
            log.warning("mllp connection refused")
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._places.release()
            raise

    @override
    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection, and make room for another when it ends."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log by type and place why a connection failed; its message has no answer."""
        error = sys.exception()
        assert error is not None
        log.error(
            "mllp connection failed",
            extra={"error": type(error).__name__, "place": place_of(error)},
        )


class _Connection(socketserver.BaseRequestHandler):
    """One sender's connection."""

    server: Listener

    @override
    def handle(self) -> None:
        """Answer each message until the sender is done, silent or too slow."""
        try:
            with self._secured() as stream:
                stream.settimeout(POLL_SECONDS)
                for message, is_whole in self._messages(stream):
                    reply = self.server.answer(message, is_whole=is_whole)
                    stream.settimeout(self.server.limits.message_seconds)
                    stream.sendall(START + reply + END + b"\r")
                    stream.settimeout(POLL_SECONDS)
        except OSError as error:  # the network's; what was not answered comes again
            log.info("mllp connection lost", extra={"error": type(error).__name__})

    def _secured(self) -> socket.socket:
        """Return the connection, under TLS where that is asked for."""
        stream: socket.socket = self.request
        if self.server.tls is None:
            return stream
        stream.settimeout(self.server.limits.message_seconds)
        return self.server.tls.wrap_socket(stream, server_side=True)

    def _messages(self, stream: socket.socket) -> Iterator[tuple[bytes, bool]]:
        """Yield each message, and whether it is whole; of one too long its head."""
        limit = self.server.limits.message_bytes
        rest = b""
        while not self.server.stopping.is_set():
            message = bytearray()
            size = 0
            is_within = False
            for piece in self._pieces(stream, rest):
                rest = piece
                if not is_within:
                    _, start, rest = rest.partition(START)
                    is_within = bool(start)
                    if not is_within:
                        continue
                content, end, rest = rest.partition(END)
                size += len(content)
                message += content[: max(0, limit - len(message))]
                if end:
                    break
            else:
                return
            # Who began anew within a frame had left the message before it.
            yield bytes(message).rpartition(START)[2], size <= limit

    def _pieces(self, stream: socket.socket, rest: bytes) -> Iterator[bytes]:
        """Yield what was left over and what comes, until it takes too long."""
        limits = self.server.limits
        began = time.monotonic()
        allowed = limits.idle_seconds
        if rest.strip():
            yield rest
            allowed = limits.message_seconds
        while not self.server.stopping.is_set():
            if time.monotonic() - began > allowed:
                log.warning("mllp connection too slow")
                return
            try:
                piece = stream.recv(PIECE_BYTES)
            except TimeoutError:
                continue
            if not piece:
                return
            if allowed != limits.message_seconds:
                began, allowed = time.monotonic(), limits.message_seconds
            yield piece
