"""Measures and MeasureReports: what is counted, and what the caller may see of it."""

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Request, Response

from app.domain.calendar import first_day
from app.domain.records import RecordType
from app.fhir.report_ids import is_report_id
from app.fhir.report_questions import stated_in
from app.routers.answers import moment
from app.routers.bodies import (
    FhirBody,
    document_reply,
    fhir_reply,
    refuse_parameters,
    require_fhir_reply,
    stated_parameters,
)
from app.routers.dependencies import Caller, HubDependency, ReadSession
from app.routers.fhir import READ, read
from app.services import measure_reports, measure_resources, patient_statuses
from app.services.authorization import check_scope
from app.services.patient_statuses import Standing, Standings, check_may_ask
from app.services.series import Viewer

router = APIRouter(prefix="/fhir", tags=["fhir"], include_in_schema=False)

MEASURE, REPORT = "Measure", "MeasureReport"


@router.api_route("/Measure/", methods=READ)
@router.api_route("/Measure", methods=READ)
def search_measures(
    request: Request, caller: Caller, hub: HubDependency, session: ReadSession
) -> Response:
    """Return the measures that are served, or those that a search finds."""
    require_fhir_reply(request)
    check_scope(caller, MEASURE, "s")
    pairs = stated_parameters(request)
    found = measure_resources.search_measures(session, hub, pairs)
    return document_reply(request, found)


@router.api_route("/Measure/{measure_id}", methods=READ)
def read_measure(
    measure_id: str,
    request: Request,
    caller: Caller,
    hub: HubDependency,
    session: ReadSession,
) -> Response:
    """Return a measure's definition."""
    require_fhir_reply(request)
    refuse_parameters(request)
    check_scope(caller, MEASURE, "r")
    found = measure_resources.find_measure_resource(session, hub, measure_id)
    return document_reply(request, found)


@router.get("/Measure/{measure_id}/$evaluate-measure")
def evaluate_measure(
    measure_id: str,
    request: Request,
    caller: Caller,
    hub: HubDependency,
    session: ReadSession,
) -> Response:
    """Return the summary report of a month, quarter or year."""
    require_fhir_reply(request)
    check_scope(caller, REPORT, "r")
    viewer, pairs = Viewer.of(caller), stated_parameters(request)
    report = measure_reports.evaluate(session, hub, viewer, measure_id, pairs)
    return document_reply(request, report)


@router.post("/Measure/{measure_id}/$evaluate-measure")
def evaluate_stated_measure(
    measure_id: str,
    request: Request,
    caller: Caller,
    body: FhirBody,
    hub: HubDependency,
    session: ReadSession,
) -> Response:
    """Return the summary report that a Parameters resource asks for."""
    refuse_parameters(request)
    check_scope(caller, REPORT, "r")
    viewer, pairs = Viewer.of(caller), stated_in(body)
    report = measure_reports.evaluate(session, hub, viewer, measure_id, pairs)
    return fhir_reply(report)


@router.post("/Measure/{measure_id}/$patient-status")
def tell_patient_status(
    measure_id: str,
    request: Request,
    caller: Caller,
    body: FhirBody,
    hub: HubDependency,
    session: ReadSession,
) -> Response:
    """Say where each of the caller's own patients stands; nothing is kept of it."""
    refuse_parameters(request)
    source = check_may_ask(caller)
    found = patient_statuses.find_statuses(session, hub, source, measure_id, body)
    parameters = list(_statuses(found, base_url=hub.fhir_base))
    return fhir_reply({"resourceType": "Parameters", "parameter": parameters})


@router.api_route("/MeasureReport/", methods=READ)
@router.api_route("/MeasureReport", methods=READ)
def search_reports(
    request: Request, caller: Caller, hub: HubDependency, session: ReadSession
) -> Response:
    """Return the reports of the newest release, or those that a search finds."""
    require_fhir_reply(request)
    check_scope(caller, REPORT, "s")
    pairs = stated_parameters(request)
    viewer = Viewer.of(caller)
    found = measure_reports.search_reports(session, hub, viewer, pairs)
    return document_reply(request, found)


@router.api_route("/MeasureReport/{report_id}", methods=READ)
def read_report(
    report_id: str,
    request: Request,
    caller: Caller,
    hub: HubDependency,
    session: ReadSession,
) -> Response:
    """Return one report of the newest release, or of the caller's own clinic."""
    require_fhir_reply(request)
    refuse_parameters(request)
    check_scope(caller, REPORT, "r")
    kept = RecordType.of(REPORT)
    # What a clinic sent is under its own id, or the hub's.
    is_own = caller.source is not None and not is_report_id(report_id)
    if kept is not None and is_own:
        return read(kept, report_id, request, caller, hub, session)
    viewer = Viewer.of(caller)
    found = measure_reports.find_report(session, hub, viewer, report_id)
    return document_reply(request, found)


def _statuses(found: Standings, *, base_url: str) -> Iterator[dict[str, Any]]:
    """Yield what the answer is about, then each patient by place alone."""
    measure = found.page
    canonical = f"{base_url}/{MEASURE}/{measure.id}|{measure.version}"
    yield {"name": "measure", "valueCanonical": canonical}
    if measure.cut_off_set is not None:
        yield {"name": "cutOffSet", "valueString": measure.cut_off_set}
    yield {"name": "asOf", "valueDate": f"{first_day(found.month):%Y-%m}"}
    counted = moment(found.counted_up_to).isoformat(timespec="milliseconds")
    yield {"name": "countedUpTo", "valueInstant": counted}
    yield {"name": "policyDigest", "valueString": found.policy_digest}
    for index, each in enumerate(found.patients):
        yield {"name": "patient", "part": list(_parts(index, each))}


def _parts(index: int, each: Standing) -> Iterator[dict[str, Any]]:
    yield {"name": "index", "valueInteger": index}
    yield {"name": "status", "valueCode": each.status.value}
    for name in each.strata:
        yield {"name": "stratum", "valueString": name}
    for name in each.missing:
        yield {"name": "missing", "valueString": name}
