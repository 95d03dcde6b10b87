"""A clinic's own true numbers, live, as pages show them to its people and nobody."""

from itertools import dropwhile

import msgspec

from app.services.charts import chart_of
from app.services.dashboards import Panel, check_drawn
from app.services.hub import Hub
from app.services.live_series import Live, live_series
from app.services.series import Wanted
from app.store.sessions import ReadSession


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
