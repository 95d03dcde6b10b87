"""SMART Backend Services: discovery, and tokens for assertions."""

from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from app.routers import answers
from app.routers.bodies import Body
from app.routers.dependencies import HubDependency
from app.routers.descriptions import TOKEN_REFUSALS, TOKEN_REQUEST
from app.services import authorization
from app.smart.discovery import smart_configuration
from app.smart.errors import InvalidRequestError
from app.smart.tokens import public_jwks

FORM = "application/x-www-form-urlencoded"

router = APIRouter(tags=["authorization"])


@router.get("/.well-known/smart-configuration")
@router.get("/fhir/.well-known/smart-configuration", include_in_schema=False)
def discover(hub: HubDependency) -> dict[str, Any]:
    """Say where and how a SMART client gets a token."""
    return smart_configuration(token_endpoint=hub.token_endpoint)


@router.post(
    "/oauth/token",
    response_model=answers.TokenAnswer,
    responses=TOKEN_REFUSALS,
    openapi_extra=TOKEN_REQUEST,
)
def grant_token(request: Request, body: Body, hub: HubDependency) -> Response:
    """Give an access token for a signed client assertion (client_credentials)."""
    answer = authorization.grant_token(hub, _form(request, body))
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    return JSONResponse(answer, headers=headers)


@router.get("/oauth/jwks")
def signing_keys(hub: HubDependency) -> dict[str, Any]:
    """Return the keys with which others verify this hub's tokens."""
    return public_jwks(hub.signing_key)


def _form(request: Request, body: bytes) -> list[tuple[str, str]]:
    """Return the parameters of a form body."""
    media_type = request.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if media_type != FORM:
        msg = f"The token endpoint takes {FORM}"
        raise InvalidRequestError(msg)
    try:
        return parse_qsl(body.decode("ascii"), strict_parsing=True)
    except ValueError:
        msg = "The form could not be read"
        raise InvalidRequestError(msg) from None
