"""The audiences file: who reads releases, and the thresholds that each is held to."""

import hashlib
import tomllib
from enum import StrEnum
from typing import Annotated

import msgspec

from app.domain.calendar import month_of_day
from app.domain.clinics import Audience
from app.domain.errors import InvalidElementError


class ClinicsShown(StrEnum):
    """Whether an audience sees single clinics."""

    NONE = "none"
    NAMED = "named"
    CODED = "coded"


class PeopleCounted(StrEnum):
    """How a patient of several clinics counts in the network's numbers."""

    SUMMED = "summed"
    """Once for each clinic."""
    DEDUPLICATED = "deduplicated"
    """Once, with what all of them know."""


class AudienceRules(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """
    What a cell must satisfy to be shown to one audience.

    ``k`` is the smallest number of people shown; ``min_clinics`` the clinics that must
    stand behind a pooled cell. ``p_percent`` and ``dominance``, per cent, are for sums
    of values: how closely the second largest value must not tell the largest, and how
    much of a sum the two largest may be. ``round_to``: counts are shown to the nearest
    multiple of it; None: as they are. ``counts`` is the same for all who read each
    other's releases.
    """

    k: Annotated[int, msgspec.Meta(ge=2)]
    min_clinics: Annotated[int, msgspec.Meta(ge=3)]
    clinics: ClinicsShown
    p_percent: Annotated[int, msgspec.Meta(ge=1, le=100)] = 10
    dominance: Annotated[int, msgspec.Meta(ge=1, le=99)] = 90
    round_to: Annotated[int, msgspec.Meta(ge=2)] | None = None
    counts: PeopleCounted = PeopleCounted.SUMMED


class NoiseRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ad hoc counts with noise may cost, all of them together."""

    budget_epsilon: Annotated[float, msgspec.Meta(gt=0)]


class Audiences(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    The rules of every audience, and the data lock that all of them share.

    Without ``noise`` there are no ad hoc counts.
    """

    lock_days: Annotated[int, msgspec.Meta(ge=0)]
    public: AudienceRules
    members: AudienceRules
    noise: NoiseRules | None = None

    def rules(self, audience: Audience) -> AudienceRules:
        """Return the rules of one audience."""
        return {Audience.PUBLIC: self.public, Audience.MEMBERS: self.members}[audience]

    def closed_before(self, today: int) -> int:
        """Return the month before which all is locked on day number *today*."""
        return month_of_day(today - self.lock_days)

    @property
    def counts(self) -> PeopleCounted:
        """Return how people are counted for everybody."""
        return self.members.counts

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the rules; comments and order do not change it."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


def parse_audiences(text: str) -> Audiences:
    """
    Return the audiences that a TOML text describes.

    Raises:
        InvalidElementError: it is not TOML, a key is unknown or missing, or a number
            is not what the method needs; or members, who read the public's release too,
            would be given both summed and de-duplicated counts.
    """
    try:
        audiences = msgspec.convert(tomllib.loads(text), Audiences)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise _unusable(str(error)) from error
    for audience in Audience:
        rules = audiences.rules(audience)
        if rules.round_to is not None and rules.round_to > rules.k:
            # The smallest number shown would be told as 0.
            msg = f"`round_to` is above `k` - at `$.{audience}`"
            raise _unusable(msg)
    if audiences.public.counts is not audiences.members.counts:
        msg = (
            "members read the public's release too: `counts` must be the same for both"
        )
        raise _unusable(msg)
    return audiences


def _unusable(why: str) -> InvalidElementError:
    msg = f"The audiences file cannot be used: {why}"
    return InvalidElementError(msg, expression="audiences.toml")
