"""The shapes of the answers of the REST interface."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from app.domain.annotations import ChartView
from app.domain.clinics import Audience
from app.domain.counts import Basis, Interval, Withheld
from app.domain.visit_capture import NoCapture
from app.routers.record_answers import AnnotationAnswer
from app.routers.shapes import Answer


class Problem(Answer):
    """An error as RFC 9457 has it; ``element`` is what is at fault, not its value."""

    type: str
    title: str
    status: int
    detail: str
    element: str | None = None


class TokenAnswer(Answer):
    """An access token, and for how many seconds it holds (RFC 6749 section 5.1)."""

    access_token: str
    token_type: Literal["bearer"]
    expires_in: int
    scope: str


class TokenProblem(Answer):
    """A refusal of an OAuth endpoint (RFC 6749 section 5.2)."""

    error: str
    error_description: str


class IntrospectionAnswer(Answer):
    """Whether a token holds; only then the rest is there (RFC 7662 section 2.2)."""

    active: bool
    scope: str | None = None
    client_id: str | None = None
    exp: int | None = None
    iat: int | None = None
    token_type: str | None = None
    iss: str | None = None
    aud: str | None = None
    sub: str | None = None


class RevocationAnswer(Answer):
    """Nothing: that the status is 200 says all (RFC 7009 section 2.2)."""


class RegistrationAnswer(Answer):
    """A client as it was registered (RFC 7591 section 3.2.1)."""

    client_id: str
    client_id_issued_at: int
    client_name: str
    token_endpoint_auth_method: str
    grant_types: list[str]
    scope: str
    contacts: list[str]
    client_secret: str | None = None
    client_secret_expires_at: int | None = None
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None


class MeasureSummary(Answer):
    """One line of the catalogue."""

    id: str
    version: str
    title: str
    basis: Basis
    scoring: Literal["proportion", "continuous-variable", "ratio"]
    unit: str | None = Field(
        default=None, description="UCUM, of a continuous variable; 1 if it has none."
    )
    improvement_notation: Literal["increase", "decrease"]
    per: int | None = Field(
        default=None, description="Of a rate: values are events per so much exposure."
    )
    cut_off_set: str | None = None
    variant_of: str | None = Field(
        default=None,
        description="The measure of which this is another cut-off set: a clinic sees "
        "its own live numbers of it, and nobody anything of others.",
    )
    digest: str = Field(description="SHA-256 of all that its counts depend on.")
    value_sets: dict[str, str] = Field(
        description="The version of each value set that it uses."
    )
    tags: list[str] = Field(default=[])
    not_answered: list[str] = Field(
        default=[],
        description="Why the policy keeps too little for it: it has no numbers here.",
    )


class Target(Answer):
    """A published aim and who published it; no ``proportion`` if values are means."""

    proportion: float | None
    value: float
    citation: str


class MeasureDefinition(MeasureSummary):
    """A definition, in words and as the data it is."""

    description: str
    explanation: str = Field(description="What it counts, in plain sentences.")
    target: Target | None = None
    strata: list[str] = Field(description="Values of the parameter stratum.")
    stratifiers: dict[str, list[str]] = Field(
        description="The strata of each stratifier, which add up to the total."
    )
    lacking: list[str] = Field(description="What people may lack to be scored.")
    subset_of: list[str] = Field(default=[])
    sum_of: list[str] = Field(default=[])
    sources: list[str] = Field(default=[])
    definition: dict[str, Any] = Field(description="The definition itself.")


class Catalogue(Answer):
    """Every measure that is served."""

    measures: list[MeasureSummary]


class Missing(Answer):
    """How many people could not be scored because something was not found."""

    component: str = Field(
        description="An observable; other: all were found, but not together, or what "
        "is missing is no observable."
    )
    people: int


class Point(Answer):
    """
    One interval of a series; proportions in [0, 1], unless the measure says otherwise.

    Values may be means (``measure.unit``) or rates (``measure.per``). Where ``reason``
    is set the counts are null: ``suppressed`` for few people, ``no-data``,
    ``not-published``, or that a clinic which counts itself sent no events or no
    exposure, or an exposure of 0. ``n`` and ``d`` are whole numbers, but to three
    decimals where a clinic reads what it counts itself. ``completeness`` is scored /
    population. A mean comes with its sample standard deviation and percentiles, and has
    no ``n``. The last three counts are for a clinic's own eyes.
    """

    interval_start: date
    interval_end: date = Field(description="The first day after the interval.")
    n: int | float | None
    d: int | float | None
    value: float | None
    sd: float | None = None
    p10: float | None = None
    p25: float | None = None
    median: float | None = None
    p75: float | None = None
    p90: float | None = None
    population: int | None
    scored: int | None
    completeness: float | None
    visits_recorded: int | None = Field(
        default=None,
        description="Qualifying visits of the clinic, one a person and day.",
    )
    visits_expected: int | None = Field(
        default=None, description="How many of them the clinic declares to have had."
    )
    visit_capture: float | None = Field(
        default=None, description="Recorded / expected visits; it may exceed 1."
    )
    visit_capture_reason: NoCapture | None = Field(
        default=None, description="Why there is none, of a measure of people."
    )
    suppressed: bool
    reason: Withheld | None
    provisional: bool
    excluded: int | None = None
    excepted: int | None = None
    missing: list[Missing] | None = None
    restated_in: int | None = Field(
        default=None, description="The release that gave it other numbers than before."
    )
    clinics: int | None = Field(
        default=None, description="Of a cohort: how many clinics the counts are of."
    )


class EventPoint(Answer):
    """
    An event, and what lay between the one before and it, with its lines.

    ``value`` is 0 between two events of one day, and null where ``reason`` says why.
    """

    day: date
    since: date = Field(description="The day of the event before.")
    value: int | None = Field(description="Days, or opportunities, between the two.")
    reason: (
        Literal["event-without-day", "exposure-without-day", "exposure-missing"] | None
    )
    center_line: float | None
    lower_limit: float | None
    upper_limit: float | None
    lower_2_sigma: float | None
    upper_2_sigma: float | None
    signals: list[str]
    phase: int = 1


class EventSignalAnswer(Answer):
    """One finding of a rule, and the points that make it, counted from 0."""

    rule: str
    phase: int
    points: list[int]


class RemarkAnswer(Answer):
    """Why the chart shows less than it might."""

    code: str
    text: str


class EventsAnswer(Answer):
    """
    A clinic's own events, for its own eyes, as a t or g chart.

    Between two events longer is better: a point above its upper limit is good news.
    """

    measure: MeasureSummary
    clinic: str
    between: Literal["days", "opportunities"]
    counted_up_to: datetime
    chart: str
    reason: str = Field(description="Why it is that chart.")
    rule_set: str
    rule_set_version: str
    sigma_method: str
    sigma_method_version: str
    explanation: str = Field(description="Why the limits are where they are.")
    points: list[EventPoint]
    signals: list[EventSignalAnswer]
    remarks: list[RemarkAnswer]


class SeriesHead(Answer):
    """What a series or chart is of, and where its numbers come from."""

    measure: MeasureSummary
    clinic: str | None = Field(
        description="Null for the network as a whole, or a cohort."
    )
    cohort: str | None = Field(default=None, description="A named set of clinics.")
    stratum: str | None
    interval: Interval
    audience: Audience | None = Field(
        description="Null for a clinic's own live numbers."
    )
    release: int | None
    counted_up_to: datetime | None = Field(
        description="Live numbers hold all that came before."
    )
    policy: str = Field(description="SHA-256 of the de-identification policy.")
    pooling: str = Field(
        default="The network's value is that of all its patients or exposure together "
        "(sum of n / sum of d, or sum of values / d), not the mean of its clinics'.",
        description="How clinics are pooled.",
    )


class EarlierVersionAnswer(Answer):
    """What was published of a measure by a definition of before."""

    measure: MeasureSummary
    points: list[Point]


class SeriesAnswer(SeriesHead):
    """A measure, interval by interval; no interval is told by two definitions."""

    points: list[Point]
    earlier_versions: list[EarlierVersionAnswer] = Field(
        default=[], description="What was published before the definition changed."
    )


class ContributionAnswer(Answer):
    """
    One of a clinic's own patients; ``met`` is to be in the numerator.

    ``counted`` is to be in the denominator of a measure that has no numerator.
    ``missing`` names what a score wants and was not found.
    """

    patient: str = Field(description="A reference by the hub's own id.")
    status: Literal["excluded", "excepted", "not-scored", "not-met", "met", "counted"]
    strata: list[str]
    missing: list[str]


class ContributionsAnswer(Answer):
    """A clinic's own patients in a measure at the end of a month, in no order."""

    measure: MeasureSummary
    month: date = Field(description="Its first day.")
    counted_up_to: datetime
    policy: str = Field(description="SHA-256 of the de-identification policy.")
    contributions: list[ContributionAnswer]
    next: int | None = Field(description="The parameter `after` of the next page.")


class ChartPointAnswer(Point):
    """
    A point on a control chart, with its lines; ``value`` is what the chart is drawn of.

    That is the measure's value but on MR, S and c charts: there it is the moving range,
    the standard deviation, the number of events.
    """

    center_line: float | None
    lower_limit: float | None
    upper_limit: float | None
    lower_2_sigma: float | None
    upper_2_sigma: float | None
    signals: list[str]
    phase: int
    known_cause: bool = Field(
        default=False, description="Excluded by a decision: in no line and no run."
    )


class ChartSignalAnswer(Answer):
    """One finding of a rule, and the intervals that make it."""

    rule: str
    phase: int
    intervals: list[date]


class BaselineAnswer(Answer):
    """The points that the lines of a phase come from."""

    phase: int
    points: int
    first: date
    last: date
    frozen: bool


class PhaseAnswer(Answer):
    """
    A phase of a chart, and by whose decisions it is what it is.

    A frozen baseline ends before ``baseline_end``.
    """

    phase: int
    interval_start: date
    baseline_end: date | None
    shift: AnnotationAnswer | None = Field(description="Null of the first phase.")
    baseline: AnnotationAnswer | None = Field(
        description="By which its lines are frozen."
    )


class ShiftAnswer(Answer):
    """The most likely month of a change; suggested, never applied."""

    interval_start: date
    first: date = Field(description="With ``last``, where it is with 95 % certainty.")
    last: date
    before: float
    after: float
    evidence: float = Field(
        description="The log-likelihood ratio of a step against none."
    )
    dispersion: float = Field(
        description="The between-point variance that the evidence is divided by."
    )


class AssuranceAnswer(Answer):
    """Whether a process that stays as it is meets the target; null: see the text."""

    value: Literal["pass", "fail", "hit-and-miss"] | None
    target: float | None
    text: str


class ChartAnswer(SeriesHead):
    """A control chart as numbers, with all that it was made by."""

    chart: str
    reason: str = Field(description="Why it is that chart.")
    rule_set: str
    rule_set_version: str = Field(
        description="Another version may find other signals in the same points."
    )
    sigma_method: str
    sigma_method_version: str
    sigma_z: float | None
    explanation: str = Field(description="Why the limits vary, or do not.")
    assurance: AssuranceAnswer
    view: ChartView = Field(
        description="With what a coordinator decided about it, or as first drawn."
    )
    phases: list[PhaseAnswer]
    exclusions: list[AnnotationAnswer] = Field(
        description="Decisions by which points are in no line and no run."
    )
    annotations: list[AnnotationAnswer] = Field(
        description="Tests of change in the time of the chart."
    )
    baselines: list[BaselineAnswer]
    points: list[ChartPointAnswer]
    signals: list[ChartSignalAnswer]
    suggested_shift: ShiftAnswer | None
    remarks: list[RemarkAnswer]


class FunnelLimitsAnswer(Answer):
    """Limits at one denominator."""

    denominator: float
    lower_95: float
    upper_95: float
    lower_998: float
    upper_998: float


class ClinicAnswer(Answer):
    """
    One clinic on one measure; ``lower`` and ``upper`` are its 95 % interval.

    Its true rank is one of ``rank_first`` to ``rank_last``: that holds of all clinics
    at once, with 95 %.
    """

    clinic: str
    name: str
    n: int | None
    d: int | None
    value: float | None
    lower: float | None
    upper: float | None
    limits: FunnelLimitsAnswer | None
    zone: str | None
    rank: int | None
    rank_first: int | None
    rank_last: int | None
    suppressed: bool
    reason: Withheld | None


class BenchmarksAnswer(Answer):
    """What a clinic may measure itself by; null: withheld, or there is none."""

    network: float | None = Field(description="The pooled value.")
    median_clinic: float | None
    best_tenth: float | None = Field(
        description="Of the best clinics that together have a tenth of all d (Kiefe)."
    )
    target: Target | None = Field(description="The published aim.")


class ComparisonAnswer(SeriesHead):
    """
    Every clinic on one measure in one interval.

    ``target`` is what the funnel is around: the released network value. Rates and means
    are on the measure's own scale; means have no funnel.
    """

    interval_start: date
    interval_end: date
    interval_method: Literal["wilson", "exact-poisson", "student-t"]
    rank_method: str
    target: float | None
    phi: float | None
    tau2: float | None
    benchmarks: BenchmarksAnswer
    clinics: list[ClinicAnswer]
    remarks: list[RemarkAnswer]


class VariationPoint(Answer):
    """
    How much clinics differ in one interval.

    ``between`` is the standard deviation between clinics beyond chance, on the scale of
    the values, with its 95 % interval; null where the remarks say why.
    """

    interval_start: date
    interval_end: date = Field(description="The first day after the interval.")
    clinics: int = Field(description="How many have a value.")
    network: float | None
    between: float | None
    lower: float | None
    upper: float | None
    phi: float | None
    tau2: float | None
    remarks: list[RemarkAnswer]


class VariationAnswer(SeriesHead):
    """How much clinics differ, interval by interval."""

    points: list[VariationPoint]


class RestatedBlock(Answer):
    """A span of a measure all of whose published numbers were made anew."""

    measure: str
    interval_start: date
    interval_end: date = Field(description="The first day after it.")


class AuditAnswer(Answer):
    """
    What the audit did before a release was published.

    Of the hidden counts it asked about, so many had a simple proof of being safe and so
    many needed a solver. ``remedied`` places were unsafe as first made; more was hidden
    there, and they were audited again.
    """

    blocks: int
    hidden: int
    by_witness: int
    by_solver: int
    remedied: int


class ReleaseAnswer(Answer):
    """
    What was published when, for whom, under which rules, with what audit.

    `rounded_to`: its new counts are multiples of it; null: they are as they were.
    `counts`: a patient of several clinics counts in the network's numbers once for each
    (`summed`), or once (`deduplicated`).
    """

    id: int
    audience: Audience
    created_at: datetime
    closed_before: date
    rules: str
    policy: str
    rounded_to: int | None
    counts: str
    summary: dict[str, Any]
    restated: list[RestatedBlock] = Field(
        description="What got other numbers than the releases before had."
    )
    audit: AuditAnswer | None = Field(
        description="Null of a release from before there were audits."
    )


class ReleasesAnswer(Answer):
    """An audience's releases, the newest first."""

    releases: list[ReleaseAnswer]
