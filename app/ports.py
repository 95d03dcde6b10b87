"""Ports of this machine: whether a hub could listen on one, before it begins."""

import socket

from app.main import StartError


def try_port(host: str, port: int) -> int:
    """
    Bind a port and leave it again; return which one it was, for 0 is any.

    Raises:
        StartError: somebody listens there, or it is no address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            msg = f"cannot listen on ({host}, {port}): {reason}"
            raise StartError(msg) from None
        return int(probe.getsockname()[1])
