"""Who looks at numbers over REST, and which part of a measure they ask for."""

from datetime import date
from typing import Annotated

from fastapi import Depends, Query

from app.charts.lines import ChartKind
from app.charts.rules import RuleSet
from app.domain.annotations import ChartView
from app.domain.calendar import FOREVER, month_number
from app.domain.counts import Interval
from app.routers.dependencies import Caller
from app.services.authorization import check_scope
from app.services.charts import ChartWanted
from app.services.series import Viewer, Wanted


def find_viewer(caller: Caller) -> Viewer:
    """Return a caller who may see numbers, as the viewer they are."""
    check_scope(caller, "MeasureReport", "r")
    return Viewer.of(caller)


Seer = Annotated[Viewer, Depends(find_viewer)]


def find_wanted(
    clinic: Annotated[str | None, Query(description="A clinic's code.")] = None,
    cohort: Annotated[str | None, Query(description="A named cohort.")] = None,
    stratum: Annotated[str | None, Query(description="Such as age:6-12.")] = None,
    interval: Annotated[Interval | None, Query()] = None,
    since: Annotated[date | None, Query(alias="from")] = None,
    until: Annotated[date | None, Query(alias="to", description="Inclusive.")] = None,
) -> Wanted:
    """Return the part of a measure that the parameters ask for."""
    return Wanted(
        clinic=clinic,
        cohort=cohort,
        stratum=stratum,
        interval=interval,
        since=0 if since is None else month_number(since.year, since.month),
        until=FOREVER if until is None else month_number(until.year, until.month) + 1,
    )


def find_asked(
    rules: Annotated[
        RuleSet, Query(description="The rules to search for signals with.")
    ] = RuleSet.ANHOEJ,
    chart: Annotated[
        ChartKind | None,
        Query(description="A chart that fits the measure; else the hub chooses."),
    ] = None,
    view: Annotated[
        ChartView,
        Query(description="With what was decided about the chart, or without."),
    ] = ChartView.ACCEPTED,
    *,
    screened: Annotated[
        bool, Query(description="Of xmr and mr: leave wild moving ranges out.")
    ] = False,
) -> ChartWanted:
    """Return how the parameters ask for a series to be drawn."""
    return ChartWanted(rule_set=rules, chart=chart, screened=screened, view=view)


Part = Annotated[Wanted, Depends(find_wanted)]
Asked = Annotated[ChartWanted, Depends(find_asked)]
