"""Every measure of one clinic as pages have it: published, and live for itself."""

import msgspec

from app.domain.counts import ReleasedCell
from app.services.dashboards import Panel, drawn_measures, find_panel
from app.services.editions import Edition
from app.services.hub import Hub
from app.services.live_series import open_live
from app.services.own_numbers import find_live_panel
from app.services.scorecards import network_beside
from app.services.series import Wanted
from app.store import tables
from app.store.sessions import ReadSession


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """A clinic on one measure, and the network in the clinic's newest interval."""

    panel: Panel
    network: ReleasedCell | None


class OwnScore(msgspec.Struct, frozen=True, kw_only=True):
    """A clinic's live panel of one measure, and what is published of it, if it is."""

    live: Panel
    released: Score | None

    @property
    def published(self) -> ReleasedCell | None:
        """Return the newest published cell of the clinic."""
        return None if self.released is None else self.released.panel.newest


def find_scores(edition: Edition, code: str) -> list[Score]:
    """Return the measures that the release tells of a clinic, the network beside it."""
    panels = [
        find_panel(edition, measure.id, Wanted(clinic=code))
        for measure in drawn_measures(edition.hub)
    ]
    return [
        Score(panel=panel, network=_network(edition, panel))
        for panel in panels
        if panel.series.cells
    ]


def _network(edition: Edition, panel: Panel) -> ReleasedCell | None:
    """Return the network's published cell of a panel's newest interval, if any."""
    beside = network_beside(edition, panel.series)
    return beside.cell if beside is not None and beside.is_same_interval else None


def find_own_scores(
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
