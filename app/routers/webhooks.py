"""Where servers notify the hub of what has changed (FHIR Subscriptions, rest-hook)."""

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from app.domain.errors import NotAuthenticatedError
from app.routers.bodies import read_up_to
from app.routers.dependencies import HubDependency
from app.services import webhooks

router = APIRouter(prefix="/fhir", tags=["fhir"], include_in_schema=False)

SIGNATURES = ("X-Hub-Signature", "X-Hub-Signature-256")


@router.post("/webhooks/{webhook_name}")
async def receive_notification(
    webhook_name: str, request: Request, hub: HubDependency
) -> Response:
    """Take a signed notification; what it names is fetched once this has answered."""
    signatures = [
        each
        for name in SIGNATURES
        for line in request.headers.getlist(name)
        for each in line.split(",")
    ]
    if not signatures:
        msg = "A notification is signed (X-Hub-Signature)"
        raise NotAuthenticatedError(msg)
    # The media type is not asked for: it is the bytes that are signed.
    body = await read_up_to(request, webhooks.LARGEST_BYTES)
    await run_in_threadpool(webhooks.receive, hub, webhook_name, body, signatures)
    return Response()
