"""
What a caller may see of a measure in one interval -> an R4 summary MeasureReport.

The elements are those of DEQM's summary profile (hl7.org/fhir/uv/deqm). A count that is
withheld keeps its place, with the reason for its absence, and takes the score with it.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from app.domain.calendar import first_day, instant_of
from app.domain.counts import ReleasedCell, Withheld
from app.fhir.measures import (
    GROUP,
    MEASURE_POPULATION,
    DefinedMeasure,
    extension,
    improvement_of,
    measure_url,
    population_code,
    provenance,
    scoring_of,
)
from app.fhir.report_questions import Place

Json = dict[str, Any]

SCORING = "http://hl7.org/fhir/uv/deqm/StructureDefinition/deqm-measureScoring"
LINK_ID = "http://hl7.org/fhir/5.0/StructureDefinition/extension-MeasureReport"
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
MASKED = "masked"
NOT_APPLICABLE = "not-applicable"
REASONS = {
    Withheld.SUPPRESSED: MASKED,
    Withheld.NOT_PUBLISHED: "not-permitted",
    # Whether nobody came or nothing was sent the hub can not tell.
    Withheld.NO_DATA: "unknown",
    Withheld.EVENTS_MISSING: "unknown",
    Withheld.EXPOSURE_MISSING: "unknown",
    Withheld.NO_EXPOSURE: NOT_APPLICABLE,
}
"""Codes of data-absent-reason, by why there is no count."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """
    One measure in one interval of the network or of a clinic.

    ``as_of`` is the moment, epoch milliseconds, up to which the numbers are complete:
    that of the release, or of the clinic's own live count, which has no ``release_id``
    and no ``audience``. ``strata`` are cells by stratifier and stratum.
    """

    id: str
    measure: DefinedMeasure
    place: Place
    place_name: str | None
    cell: ReleasedCell
    strata: Mapping[str, Mapping[str, ReleasedCell]]
    as_of: int
    release_id: int | None
    audience: str | None
    policy_digest: str


def render_report(report: Report, *, base_url: str) -> Json:
    """Return the R4 MeasureReport of *report*."""
    measure, cell = report.measure, report.cell
    start = first_day(cell.interval_start)
    end = first_day(cell.interval_start + cell.interval.months) - timedelta(days=1)
    url = measure_url(measure.id, base_url=base_url)
    reporter = {"reference": report.place.reference, "display": report.place_name}
    return {
        "resourceType": "MeasureReport",
        "id": report.id,
        "extension": [
            {"url": SCORING, "valueCodeableConcept": scoring_of(measure)},
            *provenance(measure),
            *_origin(report),
        ],
        "status": "complete",
        "type": "summary",
        "measure": f"{url}|{measure.version}",
        "date": instant_of(report.as_of),
        "reporter": {name: text for name, text in reporter.items() if text},
        "period": {"start": start.isoformat(), "end": end.isoformat()},
        "improvementNotation": improvement_of(measure),
        "group": [_group(report)],
    }


def _origin(report: Report) -> list[Json]:
    """Return where the numbers come from, and whether they may still change."""
    said = [extension("policy-digest", valueString=report.policy_digest)]
    if report.release_id is not None:
        said.append(extension("release", valueInteger=report.release_id))
    if report.audience is not None:
        said.append(extension("audience", valueCode=report.audience))
    provisional = report.cell.provisional
    return [*said, extension("provisional", valueBoolean=provisional)]


def _group(report: Report) -> Json:
    said = [_link("group", GROUP), *_completeness(report.cell)]
    group = {"id": GROUP, "extension": said, **_counts(report, report.cell, "group")}
    stratifiers = [
        {
            "id": name,
            "extension": [_link("group.stratifier", name)],
            "code": [{"text": name}],
            "stratum": [_stratum(report, *each) for each in strata.items()],
        }
        for name, strata in report.strata.items()
    ]
    return group | ({"stratifier": stratifiers} if stratifiers else {})


def _stratum(report: Report, name: str, cell: ReleasedCell) -> Json:
    stratum: Json = {"value": {"text": name}}
    if said := _completeness(cell):
        stratum["extension"] = said
    return stratum | _counts(report, cell, "group.stratifier.stratum")


def _counts(report: Report, cell: ReleasedCell, at: str) -> Json:
    """
    Return the populations of a cell, and the score where all of it may be seen.

    FHIR's denominator is counted before exclusions and exceptions. Those are told to a
    clinic of its own people only; without them the numbers are those of a cell.
    """
    excluded, excepted = cell.excluded or 0, cell.excepted or 0
    known = {
        "initial-population": _sum(cell.population, excluded),
        "denominator": _sum(cell.denominator, excluded + excepted),
        "denominator-exclusion": cell.excluded,
        "denominator-exception": cell.excepted,
        "numerator": cell.numerator,
        MEASURE_POPULATION: _sum(cell.denominator, excluded),
        "measure-population-exclusion": cell.excluded,
        "measure-observation": cell.denominator,
    }
    stated = [each.code for each in report.measure.populations]
    counts = {code: known[code] for code in stated if code in known}
    told: Json = {
        "population": [
            {
                "extension": [_link(f"{at}.population", code)],
                "code": population_code(code),
                **_count(count, _absent(code, report.measure, cell)),
            }
            for code, count in counts.items()
        ]
    }
    per = report.measure.per
    if cell.mean is not None:
        told["measureScore"] = {"value": cell.mean}
    if cell.proportion is not None and per is not None:
        told["measureScore"] = {"value": cell.proportion * per}
    return told


def _sum(count: int | None, more: int) -> int | None:
    return None if count is None else count + more


def _absent(code: str, measure: DefinedMeasure, cell: ReleasedCell) -> str:
    """Return why a count is absent: clinics count events, not whom they may befall."""
    if code == "initial-population" and not measure.counts_people:
        return NOT_APPLICABLE
    return MASKED if cell.withheld is None else REASONS[cell.withheld]


def _count(count: int | None, reason: str) -> Json:
    if count is not None:
        return {"count": count}
    return {"_count": {"extension": [{"url": ABSENT, "valueCode": reason}]}}


def _completeness(cell: ReleasedCell) -> list[Json]:
    """Return how many could be scored, and their share in [0, 1]."""
    if cell.scored is None or not cell.population:
        return []
    return [
        extension("scored", valueInteger=cell.scored),
        extension("completeness", valueDecimal=cell.scored / cell.population),
    ]


def _link(at: str, name: str) -> Json:
    """Return R5's linkId: which part of the Measure this is about."""
    return {"url": f"{LINK_ID}.{at}.linkId", "valueString": name}
