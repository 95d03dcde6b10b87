"""Every measure of one clinic at once: as its release has it, or as its own eyes do."""

from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec

from app.domain.calendar import FOREVER
from app.domain.clinics import Audience
from app.domain.counts import Interval, ReleasedCell, Withheld
from app.domain.errors import NotFoundError
from app.measures.definitions import Measure
from app.services.catalogue import MeasurePage, published_measures
from app.services.charts import ChartOf, chart_of
from app.services.editions import Edition, find_clinic, open_edition, required_edition
from app.services.findings import Verdict, verdict
from app.services.hub import Hub
from app.services.live_series import live_series, open_live
from app.services.released_series import released_series
from app.services.series import Series, Viewer, Wanted
from app.services.summaries import has_series
from app.services.viewed_series import own_clinic
from app.store import tables
from app.store.sessions import ReadSession


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """
    The network's published cell beside a clinic's newest.

    Where none is published of the same interval, it is the newest of that width.
    """

    cell: ReleasedCell
    is_same_interval: bool


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """
    A clinic on one measure.

    ``found`` is its chart, None where no interval has a value; ``network`` is None
    where nothing of that width is published.
    """

    series: Series
    found: ChartOf | None
    network: Beside | None

    @property
    def page(self) -> MeasurePage:
        """Return what is measured."""
        return self.series.page

    @property
    def newest(self) -> ReleasedCell | None:
        """Return the newest cell that has a value."""
        return self.series.newest

    @property
    def last_reason(self) -> Withheld | None:
        """Return why the last interval has no value, where it has none."""
        cells = self.series.cells
        return cells[-1].withheld if cells else Withheld.NO_DATA

    @property
    def withheld(self) -> Mapping[Withheld, int]:
        """Return how many intervals have no value, by reason."""
        return Counter(cell.withheld for cell in self.series.cells if cell.withheld)

    @property
    def verdict(self) -> Verdict:
        """Return what the search for signals came to."""
        found = self.found
        return Verdict.NOT_SEARCHED if found is None else verdict(found.chart)


class Scorecard(msgspec.Struct, frozen=True, kw_only=True):
    """
    Every measure of one clinic, in the order of the catalogue, that has been counted.

    ``edition`` is the release that the network's numbers come from, and the clinic's
    own unless the scorecard is live; None where nothing has been released yet. A live
    one is complete up to ``counted_up_to``, epoch milliseconds.
    """

    clinic: tables.Clinic
    name: str
    lines: tuple[Line, ...]
    edition: Edition | None
    counted_up_to: int | None
    policy_digest: str

    @property
    def is_live(self) -> bool:
        """Return whether the numbers are the clinic's own true ones."""
        return self.counted_up_to is not None


def find_scorecard(
    session: ReadSession, hub: Hub, viewer: Viewer, code: str
) -> Scorecard:
    """
    Return the scorecard of the clinic of *code*, as far as *viewer* may see it.

    Raises:
        ForbiddenError: the viewer's audience does not see clinics.
        NotFoundError: nothing has been released, or nothing of such a clinic.
    """
    own = own_clinic(session, viewer, code)
    if own is not None:
        return live_scorecard(session, hub, own, audience=viewer.audience)
    return released_scorecard(required_edition(session, hub, viewer.audience), code)


def live_scorecard(
    session: ReadSession,
    hub: Hub,
    clinic: tables.Clinic,
    *,
    audience: Audience,
    until: int = FOREVER,
) -> Scorecard:
    """
    Return a clinic's own true numbers, for its own eyes; whoever asks must be those.

    Args:
        session: to read with.
        hub: whose measures are shown.
        clinic: whose numbers they are.
        audience: whose release the network's numbers beside them come from.
        until: the month number before which the intervals end.
    """
    wanted = Wanted(clinic=clinic.code, until=until)
    edition = open_edition(session, hub, audience)
    live = open_live(session, hub, clinic)
    found = [
        live_series(session, hub, live, measure.id, wanted)
        for measure in _scored(hub)
        if measure.id in live.served
    ]
    return Scorecard(
        clinic=clinic,
        name=clinic.name,
        lines=tuple(_line(series, edition, until) for series in found),
        edition=edition,
        counted_up_to=live.counted_up_to,
        policy_digest=hub.policy.digest,
    )


def released_scorecard(
    edition: Edition, code: str, *, until: int = FOREVER
) -> Scorecard:
    """Return what a release tells of the clinic of *code*, before month *until*."""
    clinic = find_clinic(edition, code)
    wanted = Wanted(clinic=code, until=until)
    found = (
        released_series(edition, measure.id, wanted) for measure in _scored(edition.hub)
    )
    return Scorecard(
        clinic=clinic,
        name=edition.name_of(clinic.id or 0),
        lines=tuple(_line(series, edition, until) for series in found),
        edition=edition,
        counted_up_to=None,
        policy_digest=edition.release.policy_digest,
    )


def _scored(hub: Hub) -> Iterator[Measure]:
    """Yield the measures that have a series which others may see, too."""
    return filter(has_series, published_measures(hub))


def _line(series: Series, edition: Edition | None, until: int) -> Line:
    return Line(
        series=series,
        found=chart_of(series),
        network=None
        if edition is None
        else network_beside(edition, series, until=until),
    )


def network_beside(
    edition: Edition, series: Series, *, until: int = FOREVER
) -> Beside | None:
    """Return the network's cell beside the newest of a clinic's series."""
    newest = series.newest
    width = series.interval if newest is None else newest.interval
    known = _network(edition, series.page.id, width, until)
    if newest is not None and newest.interval_start in known:
        return Beside(cell=known[newest.interval_start], is_same_interval=True)
    if not known:
        return None
    return Beside(cell=known[max(known)], is_same_interval=False)


def _network(
    edition: Edition, measure_id: str, width: Interval, until: int
) -> dict[int, ReleasedCell]:
    """Return what is published of the network, by interval start."""
    wanted = Wanted(interval=width, until=until)
    try:
        cells = released_series(edition, measure_id, wanted).cells
    except NotFoundError:
        return {}
    return {cell.interval_start: cell for cell in cells if cell.withheld is None}
