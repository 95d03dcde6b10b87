"""Who looks at a page: the public, a member by a link, a clinic that signed in."""

from typing import Annotated, Any

import msgspec
from fastapi import Cookie, Depends, Query, Response

from app.domain.clinics import Audience
from app.domain.counts import Interval
from app.domain.errors import ForbiddenError
from app.routers.dependencies import HubDependency, ReadSession
from app.services import invitations, sign_ins
from app.services.dashboards import Panel
from app.services.editions import Edition, required_edition
from app.services.hub import Hub
from app.services.live_series import open_live
from app.services.own_numbers import find_live_panel
from app.services.series import Viewer, Wanted
from app.services.sign_ins import SignedIn

OWN = {"Cache-Control": "private, no-store"}
"""A clinic's own live numbers stay in no cache of a browser that others may use."""
MEMBERS_COOKIE = "catchment_members"
SESSION_COOKIE = "catchment_session"


class PageReader(msgspec.Struct, frozen=True, kw_only=True):
    """Whose release a browser may show; and the clinic whose people it speaks for."""

    audience: Audience
    own: SignedIn | None

    @property
    def viewer(self) -> Viewer:
        """Return the reader as those who may see a clinic's own live numbers."""
        own = None if self.own is None else self.own.clinic.id
        return Viewer(audience=self.audience, clinic_id=own)

    def is_own(self, code: str | None) -> bool:
        """Return whether a clinic is the reader's own."""
        return self.own is not None and self.own.clinic.code == code


def find_reader(
    hub: HubDependency,
    session: ReadSession,
    key: Annotated[str | None, Cookie(alias=MEMBERS_COOKIE)] = None,
    signed: Annotated[str | None, Cookie(alias=SESSION_COOKIE)] = None,
) -> PageReader:
    """Return who looks; a sign-in opens what a members' link does."""
    own = sign_ins.find_signed_in(session, hub, signed)
    audience = Audience.MEMBERS if own else invitations.audience_of(hub, key)
    return PageReader(audience=audience, own=own)


def find_wanted(
    clinic: Annotated[str | None, Query()] = None,
    cohort: Annotated[str | None, Query()] = None,
    stratum: Annotated[str | None, Query()] = None,
    interval: Annotated[Interval | None, Query()] = None,
) -> Wanted:
    """Return the series that the parameters of a page ask for."""
    return Wanted(clinic=clinic, cohort=cohort, stratum=stratum, interval=interval)


Reader = Annotated[PageReader, Depends(find_reader)]
Part = Annotated[Wanted, Depends(find_wanted)]


def open_newest(reader: Reader, hub: HubDependency, session: ReadSession) -> Edition:
    """Return the reader's newest release."""
    return required_edition(session, hub, reader.audience)


def open_at_measure(
    measure_id: str, reader: Reader, hub: HubDependency, session: ReadSession
) -> Edition:
    """Return the reader's newest release, opened at one measure."""
    return required_edition(session, hub, reader.audience, measure_id=measure_id)


def find_own_panel(
    measure_id: str,
    reader: Reader,
    part: Part,
    hub: HubDependency,
    session: ReadSession,
) -> Panel:
    """Return a live panel of the clinic that signed in: of that one and no other."""
    live = open_live(session, hub, required_own(reader).clinic)
    return find_live_panel(session, hub, live, measure_id, part)


def required_own(reader: PageReader, code: str | None = None) -> SignedIn:
    """
    Return who signed in; where a *code* is given, for the clinic of that code.

    Raises:
        ForbiddenError: nobody did.
    """
    if reader.own is None or not (code is None or reader.is_own(code)):
        msg = "A clinic's own numbers are for its own people. Sign in first."
        raise ForbiddenError(msg)
    return reader.own


Newest = Annotated[Edition, Depends(open_newest)]
AtMeasure = Annotated[Edition, Depends(open_at_measure)]
OwnPanel = Annotated[Panel, Depends(find_own_panel)]


def keep(response: Response, hub: Hub, name: str, value: str, *, seconds: int) -> None:
    """Let the browser keep a text that no script can read and no other site send."""
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        httponly=True,
        samesite="lax",
        secure=hub.base_url.startswith("https:"),
    )


def frame(
    hub: Hub, reader: PageReader, edition: Edition | None = None
) -> dict[str, Any]:
    """Return what every page says around its subject."""
    clinics = {} if edition is None else edition.clinics
    return {
        "network": hub.keys.network.replace("-", " ").capitalize(),
        "for_members": reader.audience is Audience.MEMBERS,
        "own": reader.own,
        "can_sign_in": hub.openid is not None,
        "rules": hub.audiences.rules(reader.audience),
        "lock_days": hub.audiences.lock_days,
        "edition": edition,
        "clinics": sorted(clinics.values(), key=lambda clinic: clinic.name),
    }
