"""Errors on their way out, in the format of the door they leave by."""

import json
import logging
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.domain.errors import (
    InvalidElementError,
    MalformedError,
    NotFoundError,
    NotSupportedError,
    ServiceError,
)
from app.fhir.outcomes import HTTP_STATUS, operation_outcome
from app.log import place_of
from app.routers.templates import page
from app.smart.errors import OAuthError
from app.store.faults import outage

log = logging.getLogger(__name__)

FHIR_JSON = "application/fhir+json"
PROBLEM_JSON = "application/problem+json"
CHALLENGES = {
    HTTPStatus.UNAUTHORIZED: 'Bearer error="invalid_token"',
    HTTPStatus.FORBIDDEN: 'Bearer error="insufficient_scope"',
}
"""What a refused caller is told to do about it (RFC 6750 section 3)."""
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
"""The headers of whatever an OAuth endpoint says (RFC 6749 section 5.1)."""
OAUTH_ERRORS = {
    401: "invalid_token",
    429: "temporarily_unavailable",
    500: "server_error",
    503: "temporarily_unavailable",
}
"""OAuth's words for errors of other rooms; else the request was not right."""
BASIC_CHALLENGE = 'Basic realm="catchment"'
OAUTH_CHALLENGES = {"invalid_token": CHALLENGES[HTTPStatus.UNAUTHORIZED]}
PAGES = ("/measures/", "/clinics", "/releases", "/projects", "/sign-")
HEADINGS = {
    400: "This address is not right",
    403: "This is not open to you",
    404: "There is no such page",
    503: "Not right now",
}
INTERFACES = ("/v1/", "/health/")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
ROUTED_BY = ("type", "path", "root_path", "headers")
"""What of a request decides on its route, beside the method."""


def status_of(error: ServiceError) -> int:
    """Return the HTTP status of an error."""
    return HTTP_STATUS[error.issue_type]


def error_reply(
    request: Request, error: ServiceError, *, status: int | None = None
) -> Response:
    """Return *error* as FHIR, OAuth or problem JSON, or as a page, by the path."""
    answer = _error_reply(request, error, status or status_of(error))
    if error.retry_after_seconds is not None:
        answer.headers["Retry-After"] = str(error.retry_after_seconds)
    return answer


def _error_reply(request: Request, error: ServiceError, code: int) -> Response:
    path = request.url.path
    if isinstance(error, OAuthError) and code != HTTPStatus.UNAUTHORIZED:
        code = HTTPStatus.BAD_REQUEST  # RFC 6749 section 5.2
    if path.startswith("/oauth"):
        return _oauth(error, code)
    headers = _challenge(request, code)
    if path == "/fhir" or path.startswith("/fhir/"):
        return _json(operation_outcome(error), code, FHIR_JSON, headers)
    if _is_for_people(request):
        return _page(error, code)
    return _json(problem(error, code), code, PROBLEM_JSON, headers)


def _is_for_people(request: Request) -> bool:
    """Return whether a page was asked for; a browser's mistaken address counts."""
    path = request.url.path
    if path.startswith(INTERFACES):
        return False
    accepted = request.headers.get("Accept", "")
    return path == "/" or path.startswith(PAGES) or "text/html" in accepted


def _page(error: ServiceError, status: int) -> Response:
    """Return *error* in words for people."""
    return page(
        "error.html",
        status=status,
        code=status,
        heading=HEADINGS.get(status, HTTPStatus(status).phrase),
        message=error.message,
    )


def problem(error: ServiceError, status: int) -> dict[str, Any]:
    """Return *error* as an RFC 9457 problem document."""
    document: dict[str, Any] = {
        "type": f"urn:catchment:problem:{error.issue_type}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": error.message,
    }
    if error.expression is not None:
        document["element"] = error.expression
    return document


def _challenge(request: Request, status: int) -> dict[str, str]:
    """Return what a refused caller is told of how to be let in."""
    challenge = CHALLENGES.get(HTTPStatus(status))
    if challenge is None:
        return {}
    # Without any token there is no error in it to tell of (RFC 6750 section 3.1).
    return {
        "WWW-Authenticate": challenge
        if "Authorization" in request.headers
        else "Bearer"
    }


def _oauth(error: ServiceError, status: int) -> Response:
    """Return *error* in OAuth's own JSON (RFC 6749 section 5.2)."""
    code = (
        error.code
        if isinstance(error, OAuthError)
        else OAUTH_ERRORS.get(status, "invalid_request")
    )
    body = {"error": code, "error_description": error.message}
    headers = dict(NO_STORE)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = OAUTH_CHALLENGES.get(code, BASIC_CHALLENGE)
    return _json(body, status, "application/json", headers)


def _json(
    body: dict[str, Any], status: int, media_type: str, headers: dict[str, str]
) -> Response:
    return Response(
        json.dumps(body), status_code=status, media_type=media_type, headers=headers
    )


def install_error_replies(app: FastAPI) -> None:
    """Answer every deliberate and every framework error in the door's format."""

    @app.exception_handler(ServiceError)
    def deliberate(request: Request, error: ServiceError) -> Response:
        facts = {"error": type(error).__name__, "expression": error.expression}
        log.info("refused", extra=facts)
        return error_reply(request, error)

    @app.exception_handler(SQLAlchemyError)
    def of_the_store(request: Request, error: SQLAlchemyError) -> Response:
        told = outage(error)
        if told is None:
            raise error
        log.error("store unavailable", extra={"error": told.message})
        return error_reply(request, told)

    @app.exception_handler(RequestValidationError)
    def invalid_parameters(request: Request, error: RequestValidationError) -> Response:
        # FastAPI's own reply would quote the input.
        names = sorted({str(e["loc"][-1]) for e in error.errors() if e.get("loc")})
        known = set(_names(getattr(request.scope.get("route"), "dependant", None)))
        named = [name for name in names if name in known]
        listed = ", ".join(named)
        message = f"Invalid or missing: {listed}" if named else "Invalid parameters"
        return error_reply(
            request,
            InvalidElementError(message, expression=named[0] if named else None),
            status=HTTPStatus.BAD_REQUEST,
        )

    @app.exception_handler(HTTPException)
    def of_the_framework(request: Request, error: HTTPException) -> Response:
        if error.status_code == HTTPStatus.NOT_FOUND:
            return error_reply(request, NotFoundError("There is nothing here"))
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            return _wrong_method(request)
        return error_reply(
            request,
            MalformedError("The request could not be read"),
            status=error.status_code,
        )


def _wrong_method(request: Request) -> Response:
    """Answer a method that a path does not take, or OPTIONS, with those it takes."""
    allow = {"Allow": ", ".join([*_methods_of(request), "OPTIONS"])}
    if request.method == "OPTIONS":
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=allow)
    refusal = NotSupportedError("This method is not allowed here")
    answer = error_reply(request, refusal, status=HTTPStatus.METHOD_NOT_ALLOWED)
    answer.headers.update(allow)
    return answer


def _methods_of(request: Request) -> list[str]:
    """Return what a path takes; the framework knows it of the first route only."""
    scope = {name: request.scope[name] for name in ROUTED_BY}
    return [
        method
        for method in METHODS
        if any(
            route.matches(scope | {"method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]


def _names(dependant: Any) -> Iterator[str]:  # noqa: ANN401  (FastAPI's own type)
    """Yield what the parameters of a route and its dependencies are called."""
    if dependant is None:
        return
    for parameters in (
        dependant.query_params,
        dependant.path_params,
        dependant.header_params,
    ):
        yield from (parameter.alias for parameter in parameters)
    for dependency in dependant.dependencies:
        yield from _names(dependency)


class LastDoor:
    """
    What no one expected: logged by type and place, answered without its message.

    A message may quote input, and an ``Exception`` handler of the framework would
    raise again into the server's own log.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; answer 500 where it fails before it answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:  # noqa: BLE001  (the one place for it)
            log.error(  # noqa: TRY400  (the message may be PHI, so no traceback)
                "unexpected error",
                extra={"error": type(error).__name__, "place": place_of(error)},
            )
            if not started:
                failed = ServiceError("The hub failed; nothing was stored")
                await error_reply(Request(scope), failed)(scope, receive, send)
