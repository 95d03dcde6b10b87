"""Serving the application until a signal: what is under way is ended in good order."""

import socket
import sys

import uvicorn
from fastapi import FastAPI
from typing_extensions import override

from app.routers.uploads import Uploads
from app.settings import Settings

GRACE_SECONDS = 20
"""So long requests under way are waited for once the process is to end."""
NOT_STARTED = 3


class _Server(uvicorn.Server):
    """Tells uploads, which may last for hours, that the process is about to end."""

    def __init__(self, config: uvicorn.Config, uploads: Uploads) -> None:
        super().__init__(config)
        self._uploads = uploads

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._uploads.stop()
        await super().shutdown(sockets)


def serve_until_signalled(app: FastAPI, settings: Settings) -> None:
    """Serve *app* where *settings* say; exit with 3 if that can't be."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        access_log=False,  # a clinic's id may stand in a path
        log_config=None,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _Server(config, app.state.uploads)
    try:
        server.run()
    except KeyboardInterrupt:
        return
    if not server.started:
        sys.exit(NOT_STARTED)
