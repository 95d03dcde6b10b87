"""SMART Backend Services: discovery, clients, and their tokens."""

from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from app.routers.bodies import SmallBody
from app.routers.dependencies import HubDependency
from app.routers.descriptions import (
    FORM,
    JSON,
    OAUTH_REFUSALS,
    REGISTRATION_REFUSALS,
    REGISTRATION_REQUEST,
    TOKEN_FORM,
    TOKEN_REQUEST,
)
from app.routers.oauth_answers import (
    IntrospectionAnswer,
    RegistrationAnswer,
    RevocationAnswer,
    TokenAnswer,
)
from app.routers.outcomes import NO_STORE
from app.services import authorization, registrations, token_states
from app.services.bulk.connections import published_keys
from app.smart.discovery import smart_configuration
from app.smart.errors import InvalidRequestError

router = APIRouter(tags=["authorization"])


@router.get("/.well-known/smart-configuration")
@router.get("/fhir/.well-known/smart-configuration", include_in_schema=False)
def discover(hub: HubDependency) -> dict[str, Any]:
    """Say where and how a SMART client gets a token."""
    return smart_configuration(
        token_endpoint=hub.token_endpoint,
        introspection_endpoint=hub.introspection_endpoint,
        revocation_endpoint=hub.revocation_endpoint,
        registration_endpoint=hub.registration_endpoint,
    )


@router.post(
    "/oauth/token",
    response_model=TokenAnswer,
    responses=OAUTH_REFUSALS,
    openapi_extra=TOKEN_REQUEST,
)
def grant_token(request: Request, body: SmallBody, hub: HubDependency) -> Response:
    """Give an access token to a client that proves who it is (client_credentials)."""
    answer = authorization.grant_token(
        hub, _form(request, body), authorization=_authorization(request)
    )
    return JSONResponse(answer, headers=NO_STORE)


@router.post(
    "/oauth/introspect",
    response_model=IntrospectionAnswer,
    responses=OAUTH_REFUSALS,
    openapi_extra=TOKEN_FORM,
)
def introspect_token(request: Request, body: SmallBody, hub: HubDependency) -> Response:
    """Say whether an access token of the calling client holds (RFC 7662)."""
    answer = token_states.introspect(
        hub, _form(request, body), authorization=_authorization(request)
    )
    return JSONResponse(answer, headers=NO_STORE)


@router.post(
    "/oauth/revoke",
    response_model=RevocationAnswer,
    responses=OAUTH_REFUSALS,
    openapi_extra=TOKEN_FORM,
)
def revoke_token(request: Request, body: SmallBody, hub: HubDependency) -> Response:
    """Take back an access token of the calling client (RFC 7009)."""
    token_states.revoke(
        hub, _form(request, body), authorization=_authorization(request)
    )
    return JSONResponse({}, headers=NO_STORE)


@router.post(
    "/oauth/register",
    status_code=201,
    response_model=RegistrationAnswer,
    responses=REGISTRATION_REFUSALS,
    openapi_extra=REGISTRATION_REQUEST,
)
def register_client(request: Request, body: SmallBody, hub: HubDependency) -> Response:
    """Register a client, which an administrator then approves or not (RFC 7591)."""
    _require(request, JSON)
    return JSONResponse(
        registrations.register(hub, body), status_code=201, headers=NO_STORE
    )


@router.get("/oauth/jwks")
def signing_keys(hub: HubDependency) -> dict[str, Any]:
    """Return the keys with which others verify its tokens, and it as their client."""
    return published_keys(hub)


def _authorization(request: Request) -> str | None:
    return request.headers.get("Authorization")


def _form(request: Request, body: bytes) -> list[tuple[str, str]]:
    """Return the parameters of a form body."""
    _require(request, FORM)
    try:
        return parse_qsl(body.decode("ascii"), strict_parsing=True)
    except ValueError:
        msg = "The form could not be read"
        raise InvalidRequestError(msg) from None


def _require(request: Request, media_type: str) -> None:
    """Refuse a body of another media type."""
    stated = request.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if stated != media_type:
        msg = f"This endpoint takes {media_type}"
        raise InvalidRequestError(msg)
