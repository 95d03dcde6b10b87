"""Who looks at a page: the public, a member by a link, a clinic that signed in."""

from typing import Annotated, Any

import msgspec
from fastapi import Cookie, Depends, Query, Response

from app.domain.clinics import Audience
from app.domain.counts import Interval
from app.routers.dependencies import HubDependency, ReadSession
from app.services import invitations, sign_ins
from app.services.editions import Edition
from app.services.hub import Hub
from app.services.series import Viewer, Wanted
from app.services.sign_ins import SignedIn

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
