"""Every table of a page as CSV: a line for each row, empty where nothing is told."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi import Response

from app.domain.calendar import first_day
from app.domain.counts import ReleasedCell
from app.routers.answers import csv_table, moment
from app.routers.series_answers import cell_fields
from app.routers.templates import PAGE_HEADERS
from app.services.catalogue import MeasurePage
from app.services.dashboards import Panel
from app.services.editions import Edition
from app.services.estimates import EstimateOf
from app.services.findings import verdict
from app.services.page_scorecards import OwnScore, Score
from app.services.projects import ProjectPage
from app.services.release_pages import MeasureLine, ReleasePage
from app.services.standings import BoardLine, ClinicsBeside
from app.store.annotations import Annotation

Row = Mapping[str, Any]
MEASURE = ("measure", "title", "unit")
CELL = (
    *("interval_start", "interval_end", "n", "d", "value"),
    *("population", "scored", "completeness", "reason"),
)
PANEL = (*MEASURE, *CELL, "special_causes")


def _table(names: Sequence[str], rows: Iterable[Row]) -> Response:
    return csv_table(names, rows, headers=PAGE_HEADERS)


def panels_csv(panels: Iterable[Panel]) -> Response:
    """Return the newest published numbers of each measure."""
    return _table(PANEL, map(_panel, panels))


def scorecard_csv(scores: Iterable[Score]) -> Response:
    """Return a clinic's newest published numbers, and the network's beside them."""
    network = ("n", "d", "value")
    names = [*PANEL, *(f"network_{name}" for name in network)]
    rows = []
    for score in scores:
        beside = _cell(score.network, score.panel.page)
        rows.append(
            _panel(score.panel) | {f"network_{name}": beside[name] for name in network}
        )
    return _table(names, rows)


def own_csv(scores: Iterable[OwnScore]) -> Response:
    """Return a clinic's newest live numbers."""
    rows = [
        _panel(score.live) | {"provisional": _provisional(score)} for score in scores
    ]
    return _table([*PANEL, "provisional"], rows)


def clinics_csv(beside: ClinicsBeside, page: MeasurePage) -> Response:
    """Return each clinic's newest published interval of one measure."""
    rows = [
        {
            "clinic": line.clinic.code,
            "name": line.name,
            **_cell(line.cell, page),
            "place": line.point.zone if line.point else None,
        }
        for line in beside.lines
    ]
    return _table(["clinic", "name", *CELL, "place"], rows)


def strata_csv(
    strata: Mapping[str, Mapping[str, ReleasedCell]], page: MeasurePage
) -> Response:
    """Return the strata of the newest quarter that each stratifier has."""
    rows = [
        {"stratifier": stratifier, "stratum": name, **_cell(cell, page)}
        for stratifier, cells in strata.items()
        for name, cell in cells.items()
    ]
    return _table(["stratifier", "stratum", *CELL], rows)


def board_csv(board: Iterable[BoardLine], edition: Edition) -> Response:
    """Return every clinic's newest published numbers of every measure."""
    rows = []
    for line in board:
        head = {"measure": line.page.id, "title": line.page.title}
        whole = {"clinic": None, "name": "Network", **_cell(line.network, line.page)}
        rows.append(head | whole)
        for clinic_id, cell in line.cells.items():
            clinic = {
                "clinic": edition.clinics[clinic_id].code,
                "name": edition.name_of(clinic_id),
            }
            rows.append(head | clinic | _cell(cell, line.page))
    return _table(["measure", "title", "clinic", "name", *CELL], rows)


def restated_csv(page: ReleasePage) -> Response:
    """Return the blocks that a release restates; months are their first days."""
    rows = [
        {
            "measure": block.measure_id,
            "interval_start": first_day(block.begins),
            "interval_end": first_day(block.ends),
        }
        for block in page.row.restated
    ]
    return _table(["measure", "interval_start", "interval_end"], rows)


def projects_csv(pages: Iterable[ProjectPage]) -> Response:
    """Return projects, a line each."""
    rows = [
        {
            "project": page.project.code,
            "name": page.project.name,
            "aim": page.project.aim,
            "status": page.status,
            "measures": "; ".join(page.project.measures),
            "clinics": sum(len(each.clinics) for each in page.project.phases),
        }
        for page in pages
    ]
    return _table(["project", "name", "aim", "status", "measures", "clinics"], rows)


def phases_csv(page: ProjectPage) -> Response:
    """Return the clinics of a project, a line each, with the month they began."""
    rows = [
        {
            "phase": phase.name,
            "kind": phase.kind,
            "month": first_day(phase.month),
            "clinic": clinic,
        }
        for phase in page.project.phases
        for clinic in page.clinics(phase)
    ]
    return _table(["phase", "kind", "month", "clinic"], rows)


def estimate_csv(found: EstimateOf) -> Response:
    """Return what was reached and expected, interval by interval."""
    rows = [
        {
            "interval_start": first_day(each.interval_start),
            "observed": each.observed,
            "expected": each.expected,
        }
        for each in found.estimate.intervals
    ]
    return _table(["interval_start", "observed", "expected"], rows)


def notes_csv(notes: Iterable[Annotation]) -> Response:
    """Return what was tried and decided beside a chart."""
    names = ["kind", "month", "clinic", "cohort", "what", "hypothesis", "author"]
    rows = [
        {
            **{name: getattr(each, name) for name in names[2:-1]},
            "kind": each.kind,
            "month": first_day(each.month),
            "author": each.signed.author,
            "reason": each.signed.reason,
        }
        for each in notes
    ]
    return _table([*names, "reason"], rows)


RELEASE = (
    *("release", "created_at", "closed_before", "rules", "policy"),
    *("cells_shown", "cells", "people_shown", "people"),
)
SHOWN = (
    *("cells_shown", "cells", "clinics_shown", "clinics", "people_shown", "people"),
    *("small", "complementary", "not_published", "without_population"),
)


def releases_csv(pages: Iterable[ReleasePage]) -> Response:
    """Return an audience's releases, a line each."""
    rows = []
    for page in pages:
        row = {
            "release": page.row.id,
            "created_at": moment(page.row.created_at).isoformat(),
            "closed_before": first_day(page.row.closed_before),
            "rules": page.row.rules_digest,
            "policy": page.row.policy_digest,
        }
        if page.whole is not None:
            cells, people = page.whole.cells, page.whole.people
            row |= {"cells_shown": cells.shown, "cells": cells.total}
            row |= {"people_shown": people.shown, "people": people.total}
        rows.append(row)
    return _table(RELEASE, rows)


def release_csv(page: ReleasePage) -> Response:
    """Return what a release shows of each measure, and why not more."""
    return _table(["measure", "title", *SHOWN], map(_line, page.lines))


def _line(line: MeasureLine) -> Row:
    shown = line.shown
    shares = {
        "cells": shown.cells,
        "clinics": shown.clinics,
        "people": shown.people,
    }
    return {
        "measure": line.measure_id,
        "title": line.title,
        **{name: share.total for name, share in shares.items()},
        **{f"{name}_shown": share.shown for name, share in shares.items()},
        **{name: getattr(shown, name) for name in SHOWN[6:]},
    }


def _provisional(score: OwnScore) -> bool | None:
    newest = score.live.newest
    return None if newest is None else newest.provisional


def _panel(panel: Panel) -> dict[str, Any]:
    found = "" if panel.found is None else verdict(panel.found.chart)
    return {
        "measure": panel.page.id,
        "title": panel.page.title,
        "unit": panel.page.scale.unit,
        **_cell(panel.newest or panel.last, panel.page),
        "special_causes": found,
    }


def _cell(cell: ReleasedCell | None, page: MeasurePage) -> dict[str, Any]:
    """Return the columns of a cell; all are empty where there is none."""
    return dict.fromkeys(CELL) if cell is None else cell_fields(cell, page)
