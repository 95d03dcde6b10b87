"""Releases for people: what was published when, how much of it is shown, and why."""

from collections.abc import Iterable, Mapping
from operator import attrgetter

import msgspec

from app.disclosure.summaries import Share, Summary
from app.domain.clinics import Audience
from app.services.dashboards import drawn_measures
from app.services.hub import Hub
from app.services.releases import find_release, published
from app.store.releases import ReleaseRow
from app.store.sessions import ReadSession

SUMS = ("small", "complementary", "not_published", "without_population")


class MeasureLine(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a release shows of one measure.

    ``title`` is its id where it is gone; ``is_drawn`` is whether it has a page.
    """

    measure_id: str
    is_drawn: bool
    title: str
    shown: Summary


class ReleasePage(msgspec.Struct, frozen=True, kw_only=True):
    """
    A release, measure by measure.

    ``whole`` is None of a release that keeps no record of what it shows. People are
    counted once in each cell, and clinics once in each measure, so only cells add up.
    """

    row: ReleaseRow
    lines: tuple[MeasureLine, ...]
    whole: Summary | None


def find_page(
    session: ReadSession, hub: Hub, audience: Audience, release_id: int
) -> ReleasePage:
    """Return one release of an audience, or refuse."""
    return page_of(hub, find_release(session, audience, release_id))


def find_pages(session: ReadSession, hub: Hub, audience: Audience) -> list[ReleasePage]:
    """Return an audience's releases, the newest first."""
    return [page_of(hub, row) for row in published(session, audience)]


def page_of(hub: Hub, row: ReleaseRow) -> ReleasePage:
    """Return a release as people read it, its measures by title."""
    titles = {measure.id: measure.title for measure in hub.measures}
    drawn = {measure.id for measure in drawn_measures(hub)}
    lines = [
        MeasureLine(
            measure_id=measure_id,
            is_drawn=measure_id in drawn,
            title=titles.get(measure_id, measure_id),
            shown=msgspec.convert(record, Summary),
        )
        for measure_id, record in row.summary.items()
        if isinstance(record, Mapping)
    ]
    return ReleasePage(
        row=row,
        lines=tuple(sorted(lines, key=attrgetter("title"))),
        whole=_whole(line.shown for line in lines),
    )


def _whole(records: Iterable[Summary]) -> Summary | None:
    """Return the cells of all measures; the clinics of the measure that shows most."""
    found = list(records)
    if not found:
        return None
    return Summary(
        cells=_sum(each.cells for each in found),
        clinics=max((each.clinics for each in found), key=attrgetter("shown", "total")),
        people=_sum(each.people for each in found),
        **{name: sum(getattr(each, name) for each in found) for name in SUMS},
    )


def _sum(shares: Iterable[Share]) -> Share:
    found = list(shares)
    return Share(
        shown=sum(each.shown for each in found), total=sum(each.total for each in found)
    )
