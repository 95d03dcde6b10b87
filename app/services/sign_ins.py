"""Signing in: a clinic's people, by the network's OpenID Connect provider."""

import hmac
import secrets
from typing import NamedTuple

import msgspec

from app.deid.pseudonyms import derived_key
from app.domain.clinics import ClinicStatus
from app.domain.errors import ForbiddenError, NotFoundError
from app.services.hub import Hub
from app.smart.openid import Attempt, OpenIdClient, SignInRefusedError
from app.smart.signed_facts import read_facts, sign_facts
from app.store import clinics, tables
from app.store.sessions import ReadSession

ATTEMPT_SECONDS = 600
SESSION_SECONDS = 8 * 3600

_ATTEMPT, _SESSION = "catchment-sign-in+jwt", "catchment-session+jwt"


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """
    The clinic that a browser speaks for; nothing of the person is known.

    ``form_token`` is what a form of this session comes with, and of no other.
    """

    clinic: tables.Clinic
    form_token: str


class Admitted(NamedTuple):
    """The code of the clinic that was signed in for, and what the browser keeps."""

    clinic: str
    kept: str


class Begun(NamedTuple):
    """Where a browser is sent to sign in, and what it keeps until it is back."""

    url: str
    kept: str


def begin(hub: Hub) -> Begun:
    """
    Begin a sign-in.

    Raises:
        NotFoundError: the hub has no provider.
        ProviderUnavailableError: it does not answer.
    """
    client = _required_client(hub)
    attempt = Attempt(
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        code_verifier=secrets.token_urlsafe(48),
    )
    url = client.authorization_url(attempt, now=hub.epoch())
    facts = msgspec.to_builtins(attempt)
    return Begun(url, _signed(hub, facts, _ATTEMPT, seconds=ATTEMPT_SECONDS))


def finish(
    session: ReadSession, hub: Hub, kept: str | None, *, state: str, code: str
) -> Admitted:
    """
    Admit a browser whose sign-in is proven.

    What it keeps from now on says the clinic's code, when it ends, and a random number;
    it is signed, not secret.

    Raises:
        SignInRefusedError: the answer belongs to no sign-in of this browser, or proves
            nothing.
        ForbiddenError: the provider names no clinic that takes part.
        ProviderUnavailableError: the provider does not answer.
    """
    client = _required_client(hub)
    attempt = _attempt(hub, kept)
    if attempt is None or not hmac.compare_digest(
        attempt.state.encode(), state.encode()
    ):
        msg = "This answer belongs to no sign-in of this browser. Sign in again."
        raise SignInRefusedError(msg)
    claimed = client.clinic_claim(code, attempt, now=hub.epoch())
    clinic = _clinic(session, claimed)
    if clinic is None:
        msg = (
            "You are known to the sign-in service, but it names no clinic of this "
            "network for you. Ask the network's coordinator."
        )
        raise ForbiddenError(msg)
    return admitted(hub, clinic)


def admitted(hub: Hub, clinic: tables.Clinic) -> Admitted:
    """Return a session of a clinic's people, from now on."""
    facts = {"clinic": clinic.code, "form": secrets.token_urlsafe(16)}
    kept = _signed(hub, facts, _SESSION, seconds=SESSION_SECONDS)
    return Admitted(clinic.code, kept)


def find_signed_in(session: ReadSession, hub: Hub, kept: str | None) -> SignedIn | None:
    """Return whom a browser speaks for; None: nobody, or no longer."""
    if hub.openid is None or not kept:
        return None
    facts = _read(hub, kept, _SESSION)
    clinic = _clinic(session, facts.get("clinic"))
    if clinic is None:
        return None
    return SignedIn(clinic=clinic, form_token=str(facts["form"]))


def check_form(own: SignedIn, form_token: str) -> None:
    """Refuse a form that no page of this session has shown."""
    if not hmac.compare_digest(own.form_token.encode(), form_token.encode()):
        msg = "This form does not belong to your session. Go back and try again."
        raise ForbiddenError(msg)


def _required_client(hub: Hub) -> OpenIdClient:
    if hub.openid is None:
        msg = "There is no sign-in at this hub"
        raise NotFoundError(msg)
    return hub.openid


def _clinic(session: ReadSession, code: object) -> tables.Clinic | None:
    """Return the clinic of *code* that has not left, if there is one."""
    found = clinics.find_clinic(session, code) if isinstance(code, str) else None
    return None if found is None or found.status == ClinicStatus.LEFT else found


def _attempt(hub: Hub, kept: str | None) -> Attempt | None:
    facts = _read(hub, kept or "", _ATTEMPT)
    return msgspec.convert(facts, Attempt) if facts else None


def _signed(hub: Hub, facts: dict[str, str], purpose: str, *, seconds: int) -> str:
    expires_at = hub.epoch() + seconds
    return sign_facts(facts, key=_key(hub), purpose=purpose, expires_at=expires_at)


def _read(hub: Hub, text: str, purpose: str) -> dict[str, str]:
    return read_facts(text, key=_key(hub), purpose=purpose, now=hub.epoch())


def _key(hub: Hub) -> bytes:
    """Return the key that sessions are signed with; a new master key ends them all."""
    info = f"catchment/{hub.keys.network}/browser-session"
    return derived_key(hub.keys.masters[hub.keys.current], info.encode())
