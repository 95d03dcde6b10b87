"""The data-quality report: what a clinic's own data are like, for that clinic alone."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from app.domain.calendar import first_day, month_of_text
from app.domain.quality import Window
from app.fhir.references import hub_id
from app.routers import quality_answers as answers
from app.routers.answers import csv_table, moment
from app.routers.dependencies import BEARER, Caller, HubDependency, ReadSession
from app.routers.descriptions import problem_responses
from app.services import quality
from app.services.authorization import check_scope
from app.services.clinic_findings import MonthReport

router = APIRouter(
    prefix="/v1",
    tags=["quality"],
    dependencies=[Depends(BEARER)],
    responses=problem_responses(401, 403, 429, "default"),
)
MONTH = r"^(19|20)\d\d-(0[1-9]|1[0-2])(-\d\d)?$"


def find_window(
    hub: HubDependency,
    since: Annotated[
        str | None,
        Query(alias="from", pattern=MONTH, description="Its first month: 2026-01."),
    ] = None,
    until: Annotated[
        str | None,
        Query(alias="to", pattern=MONTH, description="Its last month, inclusive."),
    ] = None,
) -> Window:
    """Return the months asked for; the last twelve closed ones where none are."""
    return quality.chosen_window(
        hub,
        since=None if since is None else month_of_text(since),
        until=None if until is None else month_of_text(until) + 1,
    )


@router.get(
    "/quality",
    response_model=answers.QualityAnswer,
    responses=problem_responses(400),
)
def get_quality(
    request: Request,
    caller: Caller,
    window: Annotated[Window, Depends(find_window)],
    hub: HubDependency,
    session: ReadSession,
    clinic: Annotated[
        str | None, Query(description="The caller's own clinic; no other is shown.")
    ] = None,
) -> answers.QualityAnswer | Response:
    """Return what is wrong with the data of the caller's clinic, beside the network."""
    check_scope(caller, "MeasureReport", "r")
    own = quality.own_clinic(session, caller, clinic)
    answer = quality_answer(quality.find_report(session, hub, own, window))
    if "text/csv" in request.headers.get("Accept", ""):
        return quality_csv(answer)
    return answer


def quality_answer(report: quality.QualityReport) -> answers.QualityAnswer:
    """Return a report as an answer."""
    capture, with_value = report.visit_capture, report.visits_with_value
    recorded = capture.recorded or 0
    return answers.QualityAnswer(
        clinic=report.clinic,
        interval_start=first_day(report.window.since),
        interval_end=first_day(report.window.until),
        as_of=moment(report.as_of),
        policy=report.policy_digest,
        observations=report.observations,
        visit_capture=answers.VisitCaptureAnswer(
            recorded=recorded,
            with_value=with_value,
            share=with_value / recorded if recorded else None,
            expected=capture.expected,
            captured=capture.share,
            reason=capture.reason,
        ),
        findings=_findings(report.findings),
        months=_months(report.months),
        sources=[_source(each) for each in report.sources],
    )


def quality_csv(answer: answers.QualityAnswer) -> Response:
    """Return findings as CSV, a line each: of all, of a source, of a code."""
    rows = (line.model_dump(mode="json") for line in _lines(answer))
    return csv_table([*answers.FindingLine.model_fields], rows)


def _lines(answer: answers.QualityAnswer) -> Iterator[answers.FindingLine]:
    capture = answer.visit_capture
    visits = {
        "visits_recorded": capture.recorded,
        "visits_expected": capture.expected,
        "visit_capture": capture.captured,
        "visit_capture_reason": capture.reason,
    }
    yield from _lines_of(answer.findings, **visits)
    for source in answer.sources:
        yield from _lines_of(source.findings, source=source.source, **visits)
        for code in source.codes:
            place = {"source": source.source, "system": code.system, "code": code.code}
            yield from _lines_of(code.findings, **place, **visits)


def _lines_of(
    findings: Iterable[answers.FindingAnswer],
    **place: Any,  # noqa: ANN401  (columns of several types)
) -> Iterator[answers.FindingLine]:
    for each in findings:
        network = {} if each.network is None else each.network.model_dump()
        stated = each.model_dump(exclude={"network", "examples"})
        examples = " ".join(each.examples)
        yield answers.FindingLine(**place, **stated, **network, examples=examples)


def _source(report: quality.SourceReport) -> answers.SourceAnswer:
    received = report.last_received_at
    return answers.SourceAnswer(
        source=report.name,
        observations=report.observations,
        last_received_at=None if received is None else moment(received),
        delay=_delay(report.delays),
        findings=_findings(report.findings),
        months=_months(report.months),
        codes=[_code(each) for each in report.codes],
        untranslated=[
            answers.UntranslatedAnswer(
                element=each.element, code=each.code, records=each.records
            )
            for each in report.untranslated
        ],
        refusals=[
            answers.RefusalAnswer(
                issue_type=each.issue_type, element=each.element, count=each.count
            )
            for each in report.refusals
        ],
    )


def _code(report: quality.CodeReport) -> answers.CodeAnswer:
    units = sorted(report.units.items(), key=lambda unit: (-unit[1], unit[0] or ""))
    return answers.CodeAnswer(
        system=report.coding.system,
        code=report.coding.code,
        label=report.label,
        use=report.use,
        observations=report.observations,
        units=[answers.UnitAnswer(unit=unit, count=count) for unit, count in units],
        delay=_delay(report.delays),
        findings=_findings(report.findings),
    )


def _findings(compared: Iterable[quality.Compared]) -> list[answers.FindingAnswer]:
    return [
        answers.FindingAnswer(
            finding=each.share.finding,
            type=each.share.finding.record_type.fhir_name,
            count=each.share.found,
            of=each.share.looked,
            share=each.share.proportion,
            network=_distribution(each.network),
            reason=each.reason,
            examples=[hub_id(record_id) for record_id in each.share.examples],
        )
        for each in compared
    ]


def _months(reports: Iterable[MonthReport]) -> list[answers.MonthAnswer]:
    return [
        answers.MonthAnswer(
            interval_start=first_day(each.month),
            observations=each.observations,
            unmapped=each.unmapped,
            visits=each.visits,
            reason=each.reason,
        )
        for each in reports
    ]


def _delay(delays: Any) -> answers.DelayAnswer | None:  # noqa: ANN401  (a Struct)
    if delays is None:
        return None
    return answers.DelayAnswer(p50=delays.p50, p90=delays.p90)


def _distribution(found: Any) -> answers.DistributionAnswer | None:  # noqa: ANN401  (a Struct)
    if found is None:
        return None
    names = answers.DistributionAnswer.model_fields
    return answers.DistributionAnswer(**{name: getattr(found, name) for name in names})
