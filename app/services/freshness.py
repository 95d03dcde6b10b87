"""What answers about an audience's release depend on, so that they can be kept."""

from hashlib import sha256

from app.domain.clinics import Audience
from app.services.hub import Hub
from app.services.pictures import drawing_version
from app.services.releases import latest
from app.store import clinics, states
from app.store.sessions import ReadSession


def state_of(session: ReadSession, hub: Hub, audience: Audience) -> str | None:
    """
    Return a digest of all that answers about an audience's newest release come from.

    That is the release; what people said since; who takes part, and what they are
    called; the audience's rules, the policy and the definitions; and how pictures are
    drawn. None where nothing has been released.
    """
    release = latest(session, audience)
    if release is None:
        return None
    parts = (
        release.id,
        states.words_state(session),
        [(row.id, row.name, row.status) for row in clinics.all_clinics(session)],
        hub.audiences.rules(audience),
        hub.policy.digest,
        [(each.id, each.title, each.digest) for each in hub.measures],
        drawing_version(),
    )
    return sha256(repr(parts).encode()).hexdigest()
