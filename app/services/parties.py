"""Who reads and writes what people say about charts, and how they sign it."""

import msgspec

from app.domain.annotations import Signature
from app.domain.clinics import Audience, Principal
from app.domain.errors import ForbiddenError
from app.services.authorization import is_coordinator
from app.services.free_texts import check_stated
from app.services.hub import Hub
from app.store.sessions import OPERATOR


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """
    Who reads or writes about charts: a clinic, a coordinator, or somebody else.

    ``clinic`` is the id of the clinic that a client speaks for.
    """

    client_id: str
    audience: Audience
    clinic: int | None = None
    coordinates: bool = False

    @classmethod
    def of(cls, principal: Principal) -> "Party":
        """Return the party that an access token speaks for."""
        source = principal.source
        return cls(
            client_id=principal.client_id,
            audience=principal.audience,
            clinic=None if source is None else source.clinic_id,
            coordinates=is_coordinator(principal),
        )


CONSOLE = Party(client_id=OPERATOR, audience=Audience.MEMBERS, coordinates=True)
"""Who sits at the operator's console decides as a coordinator does."""


def signed_by(party: Party, hub: Hub, *, author: str, reason: str) -> Signature:
    """Return a signature of now, whose texts were looked through."""
    check_stated({"author": author, "reason": reason})
    return Signature(
        author=author,
        reason=reason,
        client_id=party.client_id,
        created_at=hub.clock(),
    )


def as_read_by(party: Party, signed: Signature) -> Signature:
    """Return a signature without the client that wrote it, which is the audit's."""
    if party.coordinates:
        return signed
    return msgspec.structs.replace(signed, client_id="")


def require_coordinator(party: Party) -> None:
    """Refuse who does not decide for the network."""
    if not party.coordinates:
        msg = "Only a coordinator's client may do this"
        raise ForbiddenError(msg)
