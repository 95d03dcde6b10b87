"""What bulk work answers while it is under way, and how it counts what came of it."""

from collections.abc import Iterable
from typing import Any

from fastapi import Response

from app.store.job_outcomes import CountRow, totals

NDJSON = "application/fhir+ndjson"
ASK_AGAIN_SECONDS = 5


def accepted(status_url: str) -> Response:
    """Return that work has been taken, and where its status is."""
    return Response(status_code=202, headers={"Content-Location": status_url})


def under_way(progress: str, body: bytes = b"") -> Response:
    """Return how far work is, and when to ask again (Bulk Data, "Status Request")."""
    return Response(
        body,
        status_code=202,
        media_type="application/json" if body else None,
        headers={"X-Progress": progress, "Retry-After": str(ASK_AGAIN_SECONDS)},
    )


def counted(rows: Iterable[CountRow]) -> list[dict[str, Any]]:
    """Return what became of all lines; of one that is no resource the type is null."""
    return [
        {"type": type_ or None, "outcome": outcome, "count": count}
        for (type_, outcome), count in totals(rows).items()
    ]
