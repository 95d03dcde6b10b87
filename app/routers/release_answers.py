"""Releases as answers."""

from datetime import date, datetime
from typing import Any

from pydantic import Field

from app.domain.calendar import first_day
from app.domain.clinics import Audience
from app.routers.answers import Answer, moment
from app.store.releases import ReleaseRow


class RestatedBlock(Answer):
    """A span of a measure all of whose published numbers were made anew."""

    measure: str
    interval_start: date
    interval_end: date = Field(description="The first day after it.")


class AuditAnswer(Answer):
    """
    What the audit did before a release was published.

    Of the hidden counts it asked about, so many had a simple proof of being safe and so
    many needed a solver. ``remedied`` places were unsafe as first made; more was hidden
    there, and they were audited again.
    """

    blocks: int
    hidden: int
    by_witness: int
    by_solver: int
    remedied: int


class ReleaseAnswer(Answer):
    """
    What was published when, for whom, under which rules, with what audit.

    `rounded_to`: its new counts are multiples of it; null: they are as they were.
    `counts`: a patient of several clinics counts in the network's numbers once for each
    (`summed`), or once (`deduplicated`).
    """

    id: int
    audience: Audience
    created_at: datetime
    closed_before: date
    rules: str
    policy: str
    rounded_to: int | None
    counts: str
    summary: dict[str, Any]
    restated: list[RestatedBlock] = Field(
        description="What got other numbers than the releases before had."
    )
    audit: AuditAnswer | None = Field(
        description="Null of a release from before there were audits."
    )


class ReleasesAnswer(Answer):
    """An audience's releases, the newest first."""

    releases: list[ReleaseAnswer]


def release_answer(row: ReleaseRow) -> ReleaseAnswer:
    """Return what was published when, under which rules and with what audit."""
    return ReleaseAnswer(
        id=row.id,
        audience=row.audience,
        created_at=moment(row.created_at),
        closed_before=first_day(row.closed_before),
        rules=row.rules_digest,
        policy=row.policy_digest,
        rounded_to=row.rounded_to,
        counts=row.counts,
        summary=dict(row.summary),
        restated=[
            RestatedBlock(
                measure=block.measure_id,
                interval_start=first_day(block.begins),
                interval_end=first_day(block.ends),
            )
            for block in row.restated
        ],
        audit=None if row.audit is None else AuditAnswer(**row.audit),
    )
