"""All that is found in what one clinic sent: by code, by source, month by month."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from app.disclosure.distributions import ClinicShare
from app.domain.calendar import month_of_day
from app.domain.quality import CodeUse, Finding, KeptVisit, NoData, Window
from app.domain.records import Condition, RecordType, content_of
from app.domain.terminology import Coding
from app.measures.code_rules import Rules, asked_codings
from app.measures.facts import ends_before_it_begins
from app.measures.quality import Examination, examine
from app.measures.tallies import (
    MOST_EXAMPLES,
    CodeTally,
    Share,
    SourceTally,
    Tally,
    shares_of_code,
    sum_of_shares,
)
from app.services.hub import Hub
from app.services.network_shares import Shares
from app.services.releases import today_number
from app.services.visit_captures import visit_classes
from app.store import quality
from app.store.concepts import all_concepts
from app.store.sessions import ReadSession

_OF_RECORDS = (
    Finding.NOT_COUNTABLE,
    Finding.CONDITION_ENDS_FIRST,
    Finding.CONDITION_BEFORE_BIRTH,
    Finding.VISIT_BEFORE_BIRTH,
)
"""What is looked for in every record of a type, whatever its month."""


class MonthReport(msgspec.Struct, frozen=True, kw_only=True):
    """What there is of a month; None, with a reason, where there is nothing."""

    month: int
    observations: int | None
    unmapped: int | None
    visits: int | None
    reason: NoData | None


class ClinicFindings:
    """All that is found of one clinic in a window."""

    def __init__(
        self, session: ReadSession, hub: Hub, clinic_id: int, window: Window
    ) -> None:
        self._session, self._clinic_id, self._window = session, clinic_id, window
        concepts = all_concepts(session)
        this_month = month_of_day(today_number(hub))
        examination = examine(
            quality.kept_observations(
                session, clinic_id, window, this_month=this_month
            ),
            concepts={number: coding for coding, number in concepts.items()},
            rules=Rules(
                asked=asked_codings(hub.measures),
                units=hub.units,
                ranges=hub.ranges,
                closed_before=hub.audiences.closed_before,
            ),
        )
        self.tallies = examination.sources
        self._valued = examination.valued
        self.visits = quality.kept_visits(
            session, clinic_id, window, classes=visit_classes(hub.measures, concepts)
        )
        self._span = quality.months_with_data(session, clinic_id, this_month=this_month)
        self._of_sources = quality.of_sources(session, clinic_id)
        self._of_records = list(self._record_shares(examination))
        self.births = self._births(examination)

    @property
    def observations(self) -> int:
        """Return how many observations there are."""
        return sum(tally.total.observations for tally in self.tallies.values())

    @property
    def visits_with_value(self) -> int:
        """Return at how many visits a value was taken that a measure asks for."""
        return len({(v.subject_id, v.day) for v in self.visits if self._has_value(v)})

    @property
    def visits_by_month(self) -> Counter[int]:
        """Return how many visits were recorded: several of a person and day are one."""
        seen = {(v.subject_id, v.day): v.month for v in self.visits}
        return Counter(seen.values())

    def _has_value(self, visit: KeptVisit) -> bool:
        """Return whether a value was taken there, or else on its day."""
        return (
            visit.record_id in self._valued.encounters
            or (visit.subject_id, visit.day) in self._valued.days
        )

    @property
    def shares(self) -> list[Share]:
        """Return what is found of all sources together."""
        of_all = [s for tally in self.tallies.values() for s in tally.shares()]
        of_records = [share for _, share in self._of_records]
        return sum_of_shares([*of_all, *of_records, self.births])

    @property
    def keyed(self) -> Shares:
        """Return the clinic's shares, of all and of each code, as others meet them."""
        found = dict(_keyed(self.shares, None, self._people()))
        by_code: dict[Coding, list[CodeTally]] = {}
        for tally in self.tallies.values():
            for code in tally.codes.values():
                if code.rules.use is not CodeUse.UNMAPPED:
                    by_code.setdefault(code.rules.coding, []).append(code)
        for coding, tallies in by_code.items():
            total = _together(tally.total for tally in tallies)
            shares = list(shares_of_code(total, tallies[0].rules))
            people = {share.finding: len(total.people) for share in shares}
            found |= _keyed(shares, coding, people)
        return found

    def _people(self) -> dict[Finding, int]:
        """Return how many people at least each share of all sources is about."""
        total = _together(tally.total for tally in self.tallies.values())
        people = Counter({Finding.UNMAPPED: len(total.people)})
        for tally in self.tallies.values():
            for code in tally.codes.values():
                for share in shares_of_code(code.chosen, code.rules):
                    behind = min(len(code.chosen.people), share.looked)
                    people[share.finding] = max(people[share.finding], behind)
        for finding in _OF_RECORDS:
            of_type = (o for o in self._of_sources if o.type == finding.record_type)
            people[finding] = max((of.people for of in of_type), default=0)
        seen = {visit.subject_id for visit in self.visits}
        people[Finding.VISIT_WITHOUT_VALUE] = len(seen)
        people[Finding.BIRTH_AFTER_EVENT] = self.births.looked
        return people

    def of_source(self, source_id: int) -> list[Share]:
        """Return what is found of one source."""
        tally = self.tallies.get(source_id, SourceTally())
        of_records = [share for at, share in self._of_records if at == source_id]
        return [*tally.shares(), *of_records]

    def last_received_at(self, source_id: int) -> int | None:
        """Return when the last record of a source came that stands."""
        times = (
            r.last_received_at for r in self._of_sources if r.source_id == source_id
        )
        return max(times, default=None)

    def months(
        self, tallies: Iterable[SourceTally], visits: Sequence[KeptVisit]
    ) -> Iterator[MonthReport]:
        """Yield the months of the window, as far as *tallies* and *visits* go."""
        observed, unmapped = Counter[int](), Counter[int]()
        for tally in tallies:
            _add_months(tally.total, observed)
            _add_months(tally.unmapped, unmapped)
        visited = Counter(visit.month for visit in visits)
        for month in range(self._window.since, self._window.until):
            has_data = bool(observed[month] or visited[month])
            yield MonthReport(
                month=month,
                observations=observed[month] if has_data else None,
                unmapped=unmapped[month] if has_data else None,
                visits=visited[month] if has_data else None,
                reason=None if has_data else self._no_data(month),
            )

    def _no_data(self, month: int) -> NoData:
        """Return why there may be nothing of a month."""
        first, last = self._span or (month, month)
        if month < first:
            return NoData.BEFORE_THE_FIRST
        return NoData.AFTER_THE_LAST if month > last else NoData.MISSING

    def _record_shares(self, examination: Examination) -> Iterator[tuple[int, Share]]:
        """Yield what is found of whole records, with the source each share is of."""
        session, clinic_id = self._session, self._clinic_id
        factless = quality.factless(session, clinic_id)
        reversed_ = [row for row in factless if _is_reversed(row)]
        uncounted = [r for r in factless if r.type == RecordType.OBSERVATION]
        early = quality.conditions_before_birth(session, clinic_id)
        visits = quality.visits_before_birth(session, clinic_id)
        examination.born_too_late.update(r.subject_id for r in (*early, *visits))
        without = [visit for visit in self.visits if not self._has_value(visit)]
        found_in: dict[Finding, Sequence[quality.OfARecord]] = {
            Finding.NOT_COUNTABLE: uncounted,
            Finding.CONDITION_ENDS_FIRST: reversed_,
            Finding.CONDITION_BEFORE_BIRTH: early,
            Finding.VISIT_BEFORE_BIRTH: visits,
        }
        for finding, rows in found_in.items():
            for of in self._of_sources:
                if of.type == finding.record_type:
                    yield of.source_id, _share(finding, rows, of.source_id, of.records)
        looked = Counter(visit.source_id for visit in self.visits)
        for source_id, visits_there in sorted(looked.items()):
            finding = Finding.VISIT_WITHOUT_VALUE
            yield source_id, _share(finding, without, source_id, visits_there)

    def _births(self, examination: Examination) -> Share:
        """Return of how many people the birth lies after something that happened."""
        people = sorted(examination.born_too_late)
        return Share(
            finding=Finding.BIRTH_AFTER_EVENT,
            found=len(people),
            looked=quality.known_births(self._session, self._clinic_id),
            examples=tuple(people[:MOST_EXAMPLES]),
        )


def _together(tallies: Iterable[Tally]) -> Tally:
    """Return several tallies as one."""
    total = Tally()
    for tally in tallies:
        total.add(tally)
    return total


def _add_months(tally: Tally, months: Counter[int]) -> None:
    """Count a tally's observations for their months."""
    for kind, number in tally.kinds.items():
        months[kind.month] += number


def _keyed(
    shares: Iterable[Share], coding: Coding | None, people: Mapping[Finding, int]
) -> dict[tuple[Finding, Coding | None], ClinicShare]:
    """Return *shares* by finding and code, those of nothing left out."""
    return {
        (share.finding, coding): ClinicShare(
            proportion=share.proportion,
            people=min(people[share.finding], share.looked),
        )
        for share in shares
        if share.proportion is not None
    }


def _share(
    finding: Finding, rows: Sequence[quality.OfARecord], source_id: int, looked: int
) -> Share:
    """Return how often something was found in the records of a source."""
    found = [row.record_id for row in rows if row.source_id == source_id]
    return Share(
        finding=finding,
        found=len(found),
        looked=looked,
        examples=tuple(found[:MOST_EXAMPLES]),
    )


def _is_reversed(row: quality.Factless) -> bool:
    """Return whether a record is of a condition that ends before it begins."""
    if row.type != RecordType.CONDITION:
        return False
    content = content_of(row.content)
    return isinstance(content, Condition) and ends_before_it_begins(content)
