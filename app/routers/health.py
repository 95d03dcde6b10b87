"""Whether the hub lives, and whether it can do its work."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from app.routers.dependencies import HubDependency
from app.services import checks

router = APIRouter(prefix="/health", tags=["operation"])


@router.get("/live")
def live() -> dict[str, str]:
    """Answer; the process lives."""
    return {"status": "live"}


@router.get(
    "/ready",
    response_model=dict[str, bool],
    responses={503: {"model": dict[str, bool], "description": "What is not ready"}},
)
def ready(hub: HubDependency) -> Response:
    """Say whether the database answers, has the schema, and is counted in time."""
    findings: dict[str, Any] = checks.readiness(hub)
    return JSONResponse(findings, status_code=200 if findings["ready"] else 503)
