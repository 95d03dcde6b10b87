"""Links that open the members' pages: signed by the hub, for a time."""

from app.deid.pseudonyms import derived_key
from app.domain.clinics import Audience
from app.services.hub import Hub
from app.smart import links

LINK_DAYS = 30
SECONDS_A_DAY = 86_400


def members_link(hub: Hub, *, days: int = LINK_DAYS) -> str:
    """Return a link that opens the members' pages for *days*."""
    expires_at = hub.epoch() + days * SECONDS_A_DAY
    return links.members_link(
        _link_key(hub), base_url=hub.base_url, expires_at=expires_at
    )


def open_link(hub: Hub, text: str) -> int:
    """
    Return for how many seconds the key of a link still opens the members' pages.

    Raises:
        ForbiddenError: it does not; the message says why, in plain words.
    """
    now = hub.epoch()
    return links.read_members_key(text, key=_link_key(hub), now=now) - now


def audience_of(hub: Hub, text: str | None) -> Audience:
    """Return whose release the holder of a link's key, if there is one, may read."""
    now = hub.epoch()
    if text is not None and links.is_members_key(text, key=_link_key(hub), now=now):
        return Audience.MEMBERS
    return Audience.PUBLIC


def _link_key(hub: Hub) -> bytes:
    """Return the key that links are signed with; a new master key ends all of them."""
    info = f"catchment/{hub.keys.network}/members-link"
    return derived_key(hub.keys.masters[hub.keys.current], info.encode())
