"""A clinic's data-quality report: what is wrong with what it sent, and how common."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from app.disclosure.distributions import (
    Distribution,
    distribution,
    distribution_of_code,
)
from app.domain.clinics import Audience, Principal
from app.domain.errors import ForbiddenError, MalformedError
from app.domain.quality import CodeUse, Finding, NoComparison, Window
from app.domain.terminology import LOCAL, Coding
from app.domain.visit_capture import VisitCapture, visit_capture
from app.measures.tallies import (
    CodeTally,
    Delays,
    Share,
    SourceTally,
    shares_of_code,
    units_of,
)
from app.services.authorization import required_source
from app.services.clinic_findings import ClinicFindings, MonthReport
from app.services.hub import Hub
from app.services.labels import label_of
from app.services.network_shares import Shares
from app.services.participation import active_clinics
from app.services.policies import check_days
from app.services.releases import closed_before
from app.services.visit_captures import declared_visits
from app.store import clinics, quality, tables
from app.store.concepts import all_concepts
from app.store.sessions import ReadSession

USUAL_MONTHS = 12
MOST_MONTHS = 60


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A share, and how those of the network's clinics are spread, or why not."""

    share: Share
    network: Distribution | None = None
    reason: NoComparison | None = None


class CodeReport(msgspec.Struct, frozen=True, kw_only=True):
    """One code that a source sends; ``units`` are those of its quantities as sent."""

    coding: Coding
    label: str | None
    use: CodeUse
    observations: int
    units: Mapping[str | None, int]
    delays: Delays | None
    findings: tuple[Compared, ...]


class UntranslatedReport(msgspec.Struct, frozen=True, kw_only=True):
    """A local code without a translation, by its digest, in how many records."""

    element: str
    code: str
    records: int


class RefusalReport(msgspec.Struct, frozen=True, kw_only=True):
    """How often something was refused for one reason at one element."""

    issue_type: str
    element: str | None
    count: int


class SourceReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one source sent; ``last_received_at`` in epoch milliseconds."""

    name: str
    observations: int
    last_received_at: int | None
    delays: Delays | None
    findings: tuple[Compared, ...]
    months: tuple[MonthReport, ...]
    codes: tuple[CodeReport, ...]
    untranslated: tuple[UntranslatedReport, ...]
    refusals: tuple[RefusalReport, ...]


class QualityReport(msgspec.Struct, frozen=True, kw_only=True):
    """
    What is wrong with what a clinic sent, as of now (``as_of``, epoch milliseconds).

    ``visit_capture`` is of the visits that some measure counts; of those that were
    recorded ``visits_with_value`` have at least one value that a measure asks for.
    """

    clinic: str
    window: Window
    as_of: int
    policy_digest: str
    observations: int
    visit_capture: VisitCapture
    visits_with_value: int
    findings: tuple[Compared, ...]
    months: tuple[MonthReport, ...]
    sources: tuple[SourceReport, ...]


def usual_window(hub: Hub) -> Window:
    """Return the last twelve months that are closed."""
    until = closed_before(hub)
    return Window(since=until - USUAL_MONTHS, until=until)


def chosen_window(hub: Hub, *, since: int | None, until: int | None) -> Window:
    """
    Return the window that is asked for, in month numbers, *until* exclusive.

    Without an end it is the usual one's, without a beginning it is twelve months long.

    Raises:
        MalformedError: it is empty, or longer than five years.
    """
    usual = usual_window(hub)
    end = until or max(usual.until, (since or 0) + 1)
    begin = since or end - USUAL_MONTHS
    if not 0 < end - begin <= MOST_MONTHS:
        msg = f"Ask for 1 to {MOST_MONTHS} months, the first of them first"
        raise MalformedError(msg, expression="from")
    return Window(since=begin, until=end)


def own_clinic(
    session: ReadSession, principal: Principal, code: str | None
) -> tables.Clinic:
    """
    Return the clinic that a client belongs to; *code*, if given, must be its own.

    Raises:
        ForbiddenError: the client is a partner's, or of another clinic.
    """
    source = required_source(principal)
    clinic = session.get_one(tables.Clinic, source.clinic_id)
    if code not in {None, clinic.code}:
        msg = "A clinic sees the quality of its own data only"
        raise ForbiddenError(msg)
    return clinic


def find_report(
    session: ReadSession, hub: Hub, clinic: tables.Clinic, window: Window
) -> QualityReport:
    """
    Return a clinic's report of a window.

    Raises:
        NotAnswerableError: the policy keeps no days, which most of it is about.
    """
    check_days(hub, "The report on data quality")
    assert clinic.id is not None
    findings = ClinicFindings(session, hub, clinic.id, window)
    network = _Network(session, hub, clinic, findings, window)
    return QualityReport(
        clinic=clinic.code,
        window=window,
        as_of=hub.clock(),
        policy_digest=hub.policy.digest,
        observations=findings.observations,
        visit_capture=visit_capture(
            range(window.since, window.until),
            recorded=findings.visits_by_month,
            declared=declared_visits(session, clinic.id, all_concepts(session)),
        ),
        visits_with_value=findings.visits_with_value,
        findings=network.compared(findings.shares),
        months=tuple(findings.months(findings.tallies.values(), findings.visits)),
        sources=tuple(_source_reports(session, hub, clinic, findings, network)),
    )


def _source_reports(
    session: ReadSession,
    hub: Hub,
    clinic: tables.Clinic,
    findings: ClinicFindings,
    network: "_Network",
) -> Iterator[SourceReport]:
    """Yield what each source of a clinic sent, by its name."""
    assert clinic.id is not None
    refused = quality.refused(session, clinic.id, now=hub.clock())
    untranslated = quality.untranslated(session, clinic.id)
    for _, name, source in clinics.all_sources(session, clinic=clinic.code):
        source_id = source.source_id
        tally = findings.tallies.get(source_id, SourceTally())
        total = tally.total
        visits = [visit for visit in findings.visits if visit.source_id == source_id]
        yield SourceReport(
            name=name,
            observations=total.observations,
            last_received_at=findings.last_received_at(source_id),
            delays=total.delays,
            findings=network.compared(findings.of_source(source_id)),
            months=tuple(findings.months([tally], visits)),
            codes=tuple(_code_reports(tally, network)),
            untranslated=tuple(
                UntranslatedReport(
                    element=each.element, code=each.code, records=each.records
                )
                for each in untranslated
                if each.source_id == source_id
            ),
            refusals=tuple(
                RefusalReport(
                    issue_type=each.issue_type,
                    element=each.expression,
                    count=each.times,
                )
                for each in refused
                if each.source_id == source_id
            ),
        )


def _code_reports(tally: SourceTally, network: "_Network") -> Iterator[CodeReport]:
    """Yield the codes of a source: those that are used first, the most frequent too."""

    def order(code: CodeTally) -> tuple[int, int, Coding]:
        return code.rules.rank, -code.total.observations, code.rules.coding

    for code in sorted(tally.codes.values(), key=order):
        total, coding = code.total, code.rules.coding
        yield CodeReport(
            coding=coding,
            label=label_of(coding),
            use=code.rules.use,
            observations=total.observations,
            units=units_of(total),
            delays=total.delays,
            findings=network.compared(shares_of_code(total, code.rules), coding),
        )


class _Network:
    """The clinics of the network, whose shares a clinic's own stand against."""

    def __init__(
        self,
        session: ReadSession,
        hub: Hub,
        clinic: tables.Clinic,
        own: ClinicFindings,
        window: Window,
    ) -> None:
        self._rules = hub.audiences.rules(Audience.MEMBERS)
        self._known: list[Shares] = []
        self._reason: NoComparison | None = None
        self._spread: dict[tuple[Finding, Coding | None], Distribution | None] = {}
        if window != usual_window(hub):
            self._reason = NoComparison.OTHER_WINDOW
            return
        active = active_clinics(session)
        others = hub.network_shares.of_clinics(
            sorted(active - {clinic.id}),
            since=window.since,
            clock=hub.clock,
            work_out=lambda i: ClinicFindings(session, hub, i, window).keyed,
        )
        if others is None:
            self._reason = NoComparison.IN_PROGRESS
            return
        self._known = [*others, own.keyed] if clinic.id in active else others

    def compared(
        self, shares: Iterable[Share], coding: Coding | None = None
    ) -> tuple[Compared, ...]:
        """Return *shares*, of a code or of all, beside the network's."""
        return tuple(self._compared(share, coding) for share in shares)

    def _compared(self, share: Share, coding: Coding | None) -> Compared:
        if coding is not None and coding.system == LOCAL:
            return Compared(share=share, reason=NoComparison.OWN_CODE)
        if self._reason is not None:
            return Compared(share=share, reason=self._reason)
        found = self._distribution(share.finding, coding)
        reason = NoComparison.FEW_CLINICS if found is None else None
        return Compared(share=share, network=found, reason=reason)

    def _distribution(
        self, finding: Finding, coding: Coding | None
    ) -> Distribution | None:
        """Return how the clinics' shares are spread, worked out once."""
        key = (finding, coding)
        if key not in self._spread:
            shares = [known[key] for known in self._known if key in known]
            spread = distribution if coding is None else distribution_of_code
            self._spread[key] = spread(shares, rules=self._rules)
        return self._spread[key]
