"""The shapes of the data-quality report."""

from datetime import date, datetime

from pydantic import Field

from app.domain.quality import CodeUse, Finding, NoComparison, NoData
from app.domain.visit_capture import NoCapture
from app.routers.answers import Answer


class DistributionAnswer(Answer):
    """How the clinics' shares are spread, 0-1 to the whole per cent; none is named."""

    clinics: int
    lower_quartile: float
    median: float
    upper_quartile: float


class FindingAnswer(Answer):
    """
    One thing that may be wrong: found ``count`` times ``of`` so many looked at.

    Where the share does not stand against the network's, ``reason`` says why.
    """

    finding: Finding
    type: str = Field(description="Of what type the examples are.")
    count: int
    of: int | None
    share: float | None
    network: DistributionAnswer | None
    reason: NoComparison | None
    examples: list[str] = Field(
        description="Ids of the hub for GET /fhir/{type}/{id}, five at most."
    )


class UnitAnswer(Answer):
    """A UCUM code as it was sent, null for none, and how often."""

    unit: str | None
    count: int


class DelayAnswer(Answer):
    """Days from an observation's day to its arrival, of half and nine in ten."""

    p50: int
    p90: int


class MonthAnswer(Answer):
    """One month; null with a reason where nothing came of it."""

    interval_start: date
    observations: int | None
    unmapped: int | None
    visits: int | None
    reason: NoData | None


class CodeAnswer(Answer):
    """One code that a source sends; a local code is shown as its keyed digest."""

    system: str
    code: str
    label: str | None
    use: CodeUse
    observations: int
    units: list[UnitAnswer]
    delay: DelayAnswer | None
    findings: list[FindingAnswer]


class UntranslatedAnswer(Answer):
    """A local code that counts as nothing, by its keyed digest: load a map for it."""

    element: str = Field(description="Where it stands, as Condition.code.")
    code: str
    records: int


class RefusalAnswer(Answer):
    """What was refused in the last 30 days, for what and at which element."""

    issue_type: str
    element: str | None
    count: int


class SourceAnswer(Answer):
    """What one source of the clinic sent."""

    source: str
    observations: int
    last_received_at: datetime | None
    delay: DelayAnswer | None
    findings: list[FindingAnswer]
    months: list[MonthAnswer]
    codes: list[CodeAnswer]
    untranslated: list[UntranslatedAnswer]
    refusals: list[RefusalAnswer]


class VisitCaptureAnswer(Answer):
    """
    Qualifying visits that were recorded, and those with a value a measure asks for.

    A visit is one person on one day. ``captured`` is recorded / expected, and may
    exceed 1; ``reason`` says why there is none.
    """

    recorded: int
    with_value: int
    share: float | None
    expected: int | None = Field(
        description="What the clinic declares; null unless of each month."
    )
    captured: float | None
    reason: NoCapture | None


class QualityAnswer(Answer):
    """What is wrong with what a clinic sent, for that clinic alone."""

    clinic: str
    interval_start: date
    interval_end: date = Field(description="The first day after the interval.")
    as_of: datetime
    policy: str = Field(description="SHA-256 of the de-identification policy.")
    observations: int
    visit_capture: VisitCaptureAnswer
    findings: list[FindingAnswer]
    months: list[MonthAnswer]
    sources: list[SourceAnswer]


class FindingLine(Answer):
    """
    A finding as a line of CSV; without a source of all, without a code of all.

    The last four are of the clinic as a whole, the same on each line.
    """

    source: str | None = None
    system: str | None = None
    code: str | None = None
    finding: Finding
    type: str
    count: int
    of: int | None
    share: float | None
    clinics: int | None = None
    lower_quartile: float | None = None
    median: float | None = None
    upper_quartile: float | None = None
    reason: NoComparison | None
    examples: str
    visits_recorded: int
    visits_expected: int | None
    visit_capture: float | None
    visit_capture_reason: NoCapture | None
