"""Clinics beside each other and beside the network, as a release has them."""

from collections.abc import Mapping, Sequence

import msgspec

from app.charts.comparison import ClinicPoint
from app.charts.descriptions import comparison_description
from app.domain.counts import ReleasedCell
from app.domain.errors import NotFoundError
from app.services.catalogue import MeasurePage
from app.services.charts import ComparisonOf, compare
from app.services.dashboards import drawn_measures
from app.services.editions import Edition
from app.services.released_series import released_series
from app.services.series import Wanted
from app.store import tables


class ClinicLine(msgspec.Struct, frozen=True, kw_only=True):
    """
    One clinic beside the others: its newest published cell, else its newest.

    ``point`` is its place in the comparison, if it has one.
    """

    clinic: tables.Clinic
    name: str
    cell: ReleasedCell
    point: ClinicPoint | None


class ClinicsBeside(msgspec.Struct, frozen=True, kw_only=True):
    """
    Every clinic on one measure.

    ``comparison`` is None where no interval can be compared, or there is no funnel.
    """

    lines: tuple[ClinicLine, ...]
    comparison: ComparisonOf | None

    @property
    def description(self) -> str:
        """Return what a screen reader says of the funnel plot."""
        assert self.comparison is not None
        title = self.comparison.series.page.title
        return comparison_description(self.comparison.comparison, title=title)


class BoardLine(msgspec.Struct, frozen=True, kw_only=True):
    """A measure across the network: each clinic's newest cell, by its id."""

    page: MeasurePage
    network: ReleasedCell | None
    cells: Mapping[int, ReleasedCell]

    @property
    def is_told(self) -> bool:
        """Return whether any number of the measure is published."""
        of_clinics = (cell.withheld is None for cell in self.cells.values())
        return self.network is not None or any(of_clinics)


def find_board(edition: Edition) -> list[BoardLine]:
    """Return every clinic's newest published cell of every measure."""
    lines = []
    for measure in drawn_measures(edition.hub):
        network = released_series(edition, measure.id, Wanted())
        lines.append(
            BoardLine(
                page=network.page,
                network=network.newest,
                cells=_newest_of_clinics(edition.cells.get(measure.id, ())),
            )
        )
    return [line for line in lines if line.cells]


def find_beside(edition: Edition, measure_id: str) -> ClinicsBeside:
    """Return every clinic on one measure, by name."""
    newest = _newest_of_clinics(edition.cells.get(measure_id, ()))
    found = _comparison(edition, measure_id)
    points = {p.clinic_id: p for p in found.comparison.points} if found else {}
    lines = [
        ClinicLine(
            clinic=edition.clinics[clinic_id],
            name=edition.name_of(clinic_id),
            cell=cell,
            point=points.get(clinic_id),
        )
        for clinic_id, cell in newest.items()
    ]
    return ClinicsBeside(
        lines=tuple(sorted(lines, key=lambda line: line.name)), comparison=found
    )


def _comparison(edition: Edition, measure_id: str) -> ComparisonOf | None:
    """Return the clinics in the funnel of one interval, if there is one."""
    try:
        found = compare(edition, measure_id, Wanted())
    except NotFoundError:
        return None
    comparison = found.comparison
    has_value = any(point.value is not None for point in comparison.points)
    return found if comparison.scale.is_proportion and has_value else None


def _newest_of_clinics(cells: Sequence[ReleasedCell]) -> dict[int, ReleasedCell]:
    """Return each clinic's newest published cell, or its newest where none is."""
    newest: dict[int, ReleasedCell] = {}
    for cell in cells:
        if cell.clinic_id is None:
            continue
        before = newest.get(cell.clinic_id)
        if before is None or cell.withheld is None or before.withheld is not None:
            newest[cell.clinic_id] = cell
    return newest
