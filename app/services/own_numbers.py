"""A clinic's own true numbers, live, as pages show them to its people and nobody."""

from itertools import dropwhile

import msgspec

from app.domain.counts import ReleasedCell
from app.services.charts import chart_of
from app.services.dashboards import Panel, check_drawn, drawn_measures
from app.services.hub import Hub
from app.services.live_series import Live, live_series, open_live
from app.services.series import Wanted
from app.services.standings import Score
from app.store import tables
from app.store.sessions import ReadSession


class OwnScore(msgspec.Struct, frozen=True, kw_only=True):
    """A clinic's live panel of one measure, and what is published of it, if it is."""

    live: Panel
    released: Score | None

    @property
    def published(self) -> ReleasedCell | None:
        """Return the newest published cell of the clinic."""
        return None if self.released is None else self.released.panel.newest


def find_live_panel(
    session: ReadSession,
    hub: Hub,
    live: Live,
    measure_id: str,
    wanted: Wanted,
) -> Panel:
    """
    Return a clinic's own live series with its chart.

    Whoever is shown it must speak for that clinic: the numbers are as they are, of
    however few people. What is of before the first of them is left out.

    Raises:
        NotFoundError: the measure is yet to be counted, or pages show nothing of it.
    """
    check_drawn(hub, measure_id)
    own = msgspec.structs.replace(wanted, clinic=live.clinic.code, cohort=None)
    series = live_series(session, hub, live, measure_id, own)
    told = dropwhile(lambda cell: cell.withheld is not None, series.cells)
    series = msgspec.structs.replace(series, cells=tuple(told))
    return Panel(
        page=series.page,
        wanted=msgspec.structs.replace(own, interval=series.interval),
        name=live.clinic.name,
        series=series,
        found=chart_of(series),
    )


def find_own_scorecard(
    session: ReadSession, hub: Hub, clinic: tables.Clinic, scores: list[Score]
) -> list[OwnScore]:
    """Return the measures that a clinic has anybody in, beside published *scores*."""
    published = {score.panel.page.id: score for score in scores}
    live = open_live(session, hub, clinic)
    panels = (
        find_live_panel(session, hub, live, measure.id, Wanted())
        for measure in drawn_measures(hub)
        if measure.id in live.served
    )
    return [
        OwnScore(live=panel, released=published.get(panel.page.id))
        for panel in panels
        if panel.newest is not None
    ]
