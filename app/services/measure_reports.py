"""
MeasureReports of what a caller may see: asked for, read by id, or searched.

What may be seen is decided in ``series`` alone: each report is one cell of a series,
and is told by the definition that the cell was counted by.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple

from app.domain.calendar import first_day
from app.domain.counts import Interval, ReleasedCell, Withheld
from app.domain.errors import NotFoundError
from app.fhir.measure_reports import Report, render_report
from app.fhir.report_ids import ReportId, interval_name, parse_report_id
from app.fhir.report_questions import (
    NETWORK,
    Days,
    Place,
    ReportPeriodError,
    ReportSearch,
    parse_evaluation,
    parse_search,
)
from app.fhir.searchsets import Pairs, parse_page, searchset
from app.measures.definitions import Measure
from app.measures.strata import strata_of
from app.services.catalogue import find_measure
from app.services.definitions import served_measures
from app.services.editions import Edition, open_edition
from app.services.hub import Hub
from app.services.measure_resources import defined
from app.services.policies import widths
from app.services.released_series import released_series
from app.services.series import Series, Viewer, Wanted
from app.services.summaries import has_series
from app.services.viewed_series import find_series
from app.store import clinics, recounts, tables
from app.store.sessions import ReadSession

Json = dict[str, Any]
NETWORK_NAME = "The network"
STRATIFIED = Interval.QUARTER
"""The width at which there are strata."""


def evaluate(
    session: ReadSession, hub: Hub, viewer: Viewer, measure_id: str, pairs: Pairs
) -> Json:
    """
    Return the report that the parameters of ``$evaluate-measure`` ask for.

    Raises:
        NotFoundError: no such measure or clinic, or nothing was released yet.
        ForbiddenError: the audience does not see clinics.
        NotSupportedError: what is asked for can't be read, or there is nothing of that
            interval; it says of which there is.
    """
    measure = find_measure(hub, measure_id)
    asked = parse_evaluation(pairs, base_url=hub.fhir_base)
    views = _Views(session, hub, viewer)
    series = views.series(measure.id, asked.place, asked.interval)
    for cell in _told(series):
        if cell.interval_start == asked.interval_start:
            counted = views.definitions(asked.place)[measure.id]
            return views.report(counted, asked.place, series, cell)
    found = [views.series(measure.id, asked.place, width) for width in widths(hub)]
    raise ReportPeriodError(_there_is(found), expression="periodStart")


def find_report(session: ReadSession, hub: Hub, viewer: Viewer, report_id: str) -> Json:
    """Return the report of an id, of the newest release or the caller's own clinic."""
    named = parse_report_id(report_id)
    views = _Views(session, hub, viewer)
    for found in () if named is None else views.named(named):
        return views.report(*found)
    msg = "No report of that id: they are those of the newest release"
    raise NotFoundError(msg)


def search_reports(
    session: ReadSession, hub: Hub, viewer: Viewer, pairs: Pairs
) -> Json:
    """Return the reports that a search finds; none where nothing was released yet."""
    search = parse_search(pairs, base_url=hub.fhir_base)
    page = parse_page(pairs)
    views = _Views(session, hub, viewer)
    found = list(views.found(search))
    return searchset(
        [
            views.report(*each)
            for each in islice(found, page.offset, page.offset + page.count)
        ],
        total=len(found),
        page=page,
        url=f"{hub.fhir_base}/MeasureReport",
        pairs=pairs,
    )


def live_reports(session: ReadSession, hub: Hub, viewer: Viewer) -> Iterator[Json]:
    """Yield the reports of the viewer's own clinic, live; none of anybody else's."""
    views = _Views(session, hub, viewer)
    search = ReportSearch(
        base_url=hub.fhir_base,
        ids=(),
        measures=(),
        places=(frozenset(map(Place, views.own)),),
        periods=(),
    )
    for found in views.found(search):
        yield views.report(*found)


class _Found(NamedTuple):
    """A report that a search finds."""

    measure: Measure
    place: Place
    series: Series
    cell: ReleasedCell


class _Views:
    """What one viewer may see, each series of it read once."""

    def __init__(self, session: ReadSession, hub: Hub, viewer: Viewer) -> None:
        self._session = session
        self._hub = hub
        self._viewer = viewer
        self._seen: dict[tuple[str, Place, Interval, str | None], Series] = {}

    def series(
        self,
        measure_id: str,
        place: Place,
        interval: Interval,
        stratum: str | None = None,
    ) -> Series:
        """Return a series: live of the viewer's own clinic, else released."""
        key = (measure_id, place, interval, stratum)
        if key not in self._seen:
            wanted = Wanted(clinic=place.clinic, interval=interval, stratum=stratum)
            self._seen[key] = self._read(measure_id, wanted)
        return self._seen[key]

    def _read(self, measure_id: str, wanted: Wanted) -> Series:
        if self._edition is None or wanted.clinic in self.own:
            viewer = self._viewer
            return find_series(self._session, self._hub, viewer, measure_id, wanted)
        return released_series(self._edition, measure_id, wanted)

    def definitions(self, place: Place) -> Mapping[str, Measure]:
        """Return the definitions told of at *place*, live or released, by their ids."""
        if place.clinic in self.own:
            return self._live
        return {} if self._edition is None else self._edition.measures

    def report(
        self, measure: Measure, place: Place, series: Series, cell: ReleasedCell
    ) -> Json:
        """Return the report of one cell of a series, with its strata."""
        live = series.counted_up_to
        report = Report(
            id=self.report_id(measure, series, cell).text,
            measure=defined(measure),
            place=place,
            place_name=series.name if series.clinic else NETWORK_NAME,
            cell=cell,
            strata=self._strata(measure, place, cell),
            as_of=self._released_at if live is None else live,
            release_id=series.release_id,
            audience=series.audience,
            policy_digest=series.policy_digest,
        )
        return render_report(report, base_url=self._hub.fhir_base)

    def report_id(
        self, measure: Measure, series: Series, cell: ReleasedCell
    ) -> ReportId:
        """Return the id of the report of one cell."""
        return ReportId(
            release_id=series.release_id,
            measure_number=self._number(measure),
            clinic_id=cell.clinic_id,
            interval=cell.interval,
            interval_start=cell.interval_start,
        )

    def found(self, search: ReportSearch) -> Iterator[_Found]:
        """Yield what *search* finds: by measure, place, width and time."""
        for loaded in self._hub.measures:
            for place in filter(search.finds_place, self._places):
                measure = self.definitions(place).get(loaded.id)
                if measure is None or not has_series(measure):
                    continue
                if search.finds_measure(measure.id, measure.version):
                    yield from self._found_at(measure, place, search)

    def _found_at(
        self, measure: Measure, place: Place, search: ReportSearch
    ) -> Iterator[_Found]:
        for width in widths(self._hub):
            series = self.series(measure.id, place, width)
            for cell in _told(series):
                end = first_day(cell.interval_start + cell.interval.months)
                days = Days(first_day(cell.interval_start), end)
                report_id = self.report_id(measure, series, cell).text
                if search.finds_period(days) and search.finds_id(report_id):
                    yield _Found(measure, place, series, cell)

    def named(self, report_id: ReportId) -> Iterator[_Found]:
        """Yield the report of an id, if there is one."""
        place = self._place_of(report_id.clinic_id)
        if place is None:
            return
        for measure in self.definitions(place).values():
            if self._number(measure) != report_id.measure_number:
                continue
            series = self.series(measure.id, place, report_id.interval)
            for cell in _told(series):
                if self.report_id(measure, series, cell) == report_id:
                    yield _Found(measure, place, series, cell)

    def _place_of(self, clinic_id: int | None) -> Place | None:
        """Return the place of a clinic's number in the store; None where it is none."""
        if clinic_id is None:
            return NETWORK
        row = self._clinics.get(clinic_id)
        return None if row is None else Place(row.code)

    def _strata(
        self, measure: Measure, place: Place, cell: ReleasedCell
    ) -> dict[str, dict[str, ReleasedCell]]:
        """Return the strata of a quarter by their stratifiers, where they are told."""
        if cell.interval is not STRATIFIED:
            return {}
        by_stratifier = {
            stratifier: {
                name: each
                for name in names
                for each in self.series(measure.id, place, STRATIFIED, name).cells
                if each.interval_start == cell.interval_start
            }
            for stratifier, names in strata_of(measure).items()
        }
        return {
            stratifier: cells
            for stratifier, cells in by_stratifier.items()
            if any(c.withheld is not Withheld.NOT_PUBLISHED for c in cells.values())
        }

    @cached_property
    def _edition(self) -> Edition | None:
        return open_edition(self._session, self._hub, self._viewer.audience)

    @property
    def _released_at(self) -> int:
        assert self._edition is not None
        return self._edition.release.created_at

    @cached_property
    def _live(self) -> Mapping[str, Measure]:
        """Return the definition of each measure that clinics' live numbers are of."""
        served = served_measures(self._session, self._hub)
        return {name: each.measure for name, each in served.items() if each.row.counted}

    def _number(self, measure: Measure) -> int:
        """Return the store's number of a definition; 0 where it is not there yet."""
        return self._numbers.get((measure.id, measure.digest), 0)

    @cached_property
    def _numbers(self) -> Mapping[tuple[str, str], int]:
        """Return the store's number of each definition, by its id and digest."""
        rows = recounts.known_measures(self._session)
        return {(row.code, row.digest): row.id for row in rows}

    @cached_property
    def _clinics(self) -> Mapping[int, tables.Clinic]:
        rows = clinics.all_clinics(self._session)
        return {row.id: row for row in rows if row.id is not None}

    @cached_property
    def own(self) -> frozenset[str]:
        """Return the code of the viewer's own clinic, if there is one."""
        row = self._clinics.get(self._viewer.clinic_id or 0)
        return frozenset() if row is None else frozenset({row.code})

    @cached_property
    def _places(self) -> list[Place]:
        """Return the places that there are reports of, for this viewer."""
        edition, shown = self._edition, set(self.own)
        if edition is not None:
            shown |= {row.code for row in edition.clinics.values()}
        network = [] if edition is None else [NETWORK]
        return [*network, *map(Place, sorted(shown))]


def _told(series: Series) -> tuple[ReleasedCell, ...]:
    """Return the cells that there are reports of: those that are published."""
    return tuple(
        cell for cell in series.cells if cell.withheld is not Withheld.NOT_PUBLISHED
    )


def _there_is(widths: list[Series]) -> str:
    """Return in words of which intervals there are reports."""
    spans = [
        f"{each.interval} {interval_name(each.interval, cells[0].interval_start)}"
        f" to {interval_name(each.interval, cells[-1].interval_start)}"
        for each in widths
        if (cells := _told(each))
    ]
    return f"There is no report of that period; there are: {', '.join(spans) or 'none'}"
