"""What a release would show, by one set of rules and another."""

from collections.abc import Mapping
from dataclasses import replace

from app.disclosure.audiences import Audiences, PeopleCounted
from app.disclosure.summaries import Summary
from app.domain.clinics import Audience
from app.services import releases
from app.services.cubes import Cubes, first_cubes
from app.services.drafts import drafts
from app.services.hub import Hub
from app.store.sessions import ReadSession

Shown = dict[str, Summary]
"""What a release shows, by measure."""


def previewed(
    session: ReadSession, hub: Hub, rules: Mapping[str, Audiences]
) -> dict[Audience, dict[str, Shown]]:
    """
    Return what a release would show each audience by each of the *rules*.

    It is made from all that is counted and locked, as if nothing had been published
    before: what was published stays whatever the rules, and would hide how they differ.
    Nothing is kept.
    """
    found: dict[Audience, dict[str, Shown]] = {each: {} for each in Audience}
    counted: dict[tuple[int, PeopleCounted], Cubes] = {}
    for name, audiences in rules.items():
        under = replace(hub, audiences=audiences)
        locked = releases.closed_before(under)
        way = locked, audiences.counts
        if way not in counted:
            counted[way] = first_cubes(session, under, before_month=locked)
        cubes = counted[way]
        made = drafts(session, under, cubes, past={}, closed_before=locked)
        for audience, draft in made.items():
            found[audience][name] = releases.summaries(under, audience, cubes, draft)
    return found
