"""The door for a clinic's people: sign in at the network's provider, sign out here."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Cookie, Form, Query, Response
from fastapi.responses import RedirectResponse

from app.domain.errors import MalformedError
from app.routers.dependencies import HubDependency, ReadSession
from app.routers.readers import SESSION_COOKIE, Reader, keep
from app.routers.templates import PAGE_HEADERS
from app.services import sign_ins
from app.services.openings import RETURN_PATH

ATTEMPT_COOKIE = "catchment_sign_in"

router = APIRouter(include_in_schema=False)


@router.get("/sign-in")
def begin(hub: HubDependency) -> Response:
    """Send the browser to the provider."""
    begun = sign_ins.begin(hub)
    response = _redirect(begun.url)
    keep(response, hub, ATTEMPT_COOKIE, begun.kept, seconds=sign_ins.ATTEMPT_SECONDS)
    return response


@router.get(RETURN_PATH)
def finish(
    hub: HubDependency,
    session: ReadSession,
    state: Annotated[str, Query()] = "",
    code: Annotated[str | None, Query()] = None,
    kept: Annotated[str | None, Cookie(alias=ATTEMPT_COOKIE)] = None,
) -> Response:
    """Let in whom the provider sends back, and lead them to their clinic."""
    if code is None:
        msg = "The sign-in service let nobody in. Sign in again."
        raise MalformedError(msg)
    admitted = sign_ins.finish(session, hub, kept, state=state, code=code)
    response = _redirect(f"/clinics/{admitted.clinic}")
    response.delete_cookie(ATTEMPT_COOKIE)
    keep(response, hub, SESSION_COOKIE, admitted.kept, seconds=sign_ins.SESSION_SECONDS)
    return response


@router.post("/sign-out")
def sign_out(reader: Reader, form_token: Annotated[str, Form()] = "") -> Response:
    """End a session, where a page of its own asks for it."""
    if reader.own is not None:
        sign_ins.check_form(reader.own, form_token)
    response = _redirect("/")
    response.delete_cookie(SESSION_COOKIE)
    return response


def _redirect(address: str) -> Response:
    return RedirectResponse(address, HTTPStatus.SEE_OTHER, headers=PAGE_HEADERS)
