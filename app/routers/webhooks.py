"""Where servers notify the hub of what has changed (FHIR Subscriptions, rest-hook)."""

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from app.domain.errors import NotAuthenticatedError
from app.routers.bodies import header_of, read_up_to
from app.routers.dependencies import HubDependency
from app.services.bulk import webhooks

router = APIRouter(prefix="/fhir", tags=["fhir"], include_in_schema=False)


@router.post("/webhooks/{webhook_name}")
async def receive_notification(
    webhook_name: str, request: Request, hub: HubDependency
) -> Response:
    """Take a signed notification; what it names is fetched once this has answered."""
    stated = (
        header_of(request, "X-Hub-Signature"),
        header_of(request, "X-Hub-Signature-256"),
    )
    signatures = [each for line in stated if line for each in line.split(",")]
    if not signatures:
        msg = "A notification is signed (X-Hub-Signature)"
        raise NotAuthenticatedError(msg)
    # The media type is not asked for: it is the bytes that are signed.
    body = await read_up_to(request, webhooks.LARGEST_BYTES)
    await run_in_threadpool(webhooks.receive, hub, webhook_name, body, signatures)
    return Response()
