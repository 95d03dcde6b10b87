"""Whether the hub lives, and whether it can do its work."""

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
    response_model=dict[str, bool | str],
    responses={
        503: {"model": dict[str, bool | str], "description": "What is not ready"}
    },
)
def ready(hub: HubDependency) -> Response:
    """
    Say whether the database answers, has the schema, and is counted in time.

    And whether the policy holds: after its last day nothing is stored.
    """
    findings = checks.readiness(hub)
    return JSONResponse(findings, status_code=200 if findings["ready"] else 503)
