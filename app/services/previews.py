"""What a definition would have shown, counted over what is stored; nothing is kept."""

from collections.abc import Collection, Mapping

import msgspec

from app.domain.calendar import MONTHS_A_YEAR, month_of_day
from app.domain.counts import Basis, Cell, Interval
from app.domain.errors import BusinessRuleError, NotAnswerableError
from app.domain.records import content_of
from app.domain.terminology import NETWORK, Coding
from app.measures.compilation import compile_measure
from app.measures.definitions import Measure, coding_of
from app.measures.facts import canonical_units
from app.measures.series import cells
from app.measures.shortfalls import first_month
from app.measures.value_sets import listed
from app.services.facts import fact_rows
from app.services.hub import Hub
from app.services.policies import check_width
from app.services.releases import today_number
from app.services.translations import as_counted
from app.services.unanswered import unanswered
from app.store import clinics, previews, recounts, tables
from app.store.concepts import all_concepts
from app.store.sessions import ReadSession, read_session

YEARS = 3
_THOUSANDTHS = 1000


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """
    People of one clinic, or of all, in one interval.

    ``value`` is the proportion, or the mean of a continuous variable; None of nobody.
    """

    interval_start: int
    population: int
    scored: int
    denominator: int
    numerator: int
    value: float | None

    @property
    def completeness(self) -> float | None:
        """Return which share of the population can be scored; None of nobody."""
        return self.scored / self.population if self.population else None


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a measure would have shown.

    ``clinics`` are the sums of the last whole interval by the clinic's code, ``series``
    those of all clinics from the first interval to the last. ``unread`` are codes of
    the network's own that no record has under their name: of a code that no loaded
    measure uses only a keyed hash is stored.
    """

    measure: Measure
    interval: Interval
    clinics: Mapping[str, Sums]
    series: tuple[Sums, ...]
    unread: tuple[str, ...]


def preview(
    hub: Hub, measure: Measure, *, interval: Interval, clinic: str | None = None
) -> Preview:
    """
    Return what *measure* would have shown over the last years, of all or one clinic.

    It need not be loaded. What is counted is exact, and under no disclosure control.

    Raises:
        BusinessRuleError: it counts summaries, of which the hub keeps no patients.
        NotFoundError: there is no such clinic.
        NotAnswerableError: the policy keeps too little for it, or for such intervals.
    """
    if measure.basis is Basis.SUMMARIES:
        msg = "There is nothing to preview: clinics send these counts ready made"
        raise BusinessRuleError(msg)
    with read_session(hub.engine) as session:
        codes = {row.id: row.code for row in clinics.all_clinics(session)}
        if clinic is not None:
            wanted = clinics.required_clinic(session, clinic)
            codes = {wanted.id: wanted.code}
        this_month = month_of_day(today_number(hub))
        found = counted_by(
            session,
            hub,
            measure,
            interval=interval,
            clinic_ids=codes.keys(),
            months=range(
                max(
                    this_month - YEARS * MONTHS_A_YEAR,
                    first_month(measure, hub.policy.keeping),
                ),
                this_month,
            ),
        )
        unread = _unread(measure, all_concepts(session))
    starts = sorted({cell.interval_start for cell in found})
    by_start = {
        start: [cell for cell in found if cell.interval_start == start]
        for start in starts
    }
    return Preview(
        measure=measure,
        interval=interval,
        clinics={
            codes[cell.clinic_id]: _sums(measure, [cell])
            for cell in (by_start[starts[-1]] if starts else ())
        },
        series=tuple(_sums(measure, of_all) for of_all in by_start.values()),
        unread=tuple(sorted(unread)),
    )


def counted_by(
    session: ReadSession,
    hub: Hub,
    measure: Measure,
    *,
    interval: Interval,
    clinic_ids: Collection[int | None],
    months: range,
) -> list[Cell]:
    """
    Return true totals of some clinics by a definition of people, loaded or not.

    Raises:
        NotAnswerableError: the policy keeps too little for it, or for such intervals.
    """
    keeping = hub.policy.keeping
    for each in unanswered([measure], keeping).values():
        raise each.refusal(hub.policy.terms.id)
    check_width(hub, interval)
    if months.start < first_month(measure, keeping):
        msg = "The policy keeps too little of great ages to tell that interval"
        raise NotAnswerableError(msg)
    concepts = all_concepts(session)
    _read_in_own_units(session, hub, measure, concepts)
    sweep = compile_measure(measure, concepts)
    events = recounts.swept_events(session, sweep=sweep)
    return cells(
        [event for event in events if event.clinic_id in clinic_ids],
        measure=measure,
        interval=interval,
        first_month=months.start,
        last_month=months.stop - 1,
        strata=False,
    )


def _sums(measure: Measure, of: list[Cell]) -> Sums:
    """Return the sums of cells of one interval."""
    denominator = sum(cell.denominator for cell in of)
    numerator = sum(cell.numerator for cell in of)
    value = None
    if denominator and measure.measure_observation is not None:
        value = sum(cell.value_sum for cell in of) / denominator / _THOUSANDTHS
    elif denominator:
        value = numerator / denominator
    return Sums(
        interval_start=of[0].interval_start,
        population=sum(cell.population for cell in of),
        scored=sum(cell.scored for cell in of),
        denominator=denominator,
        numerator=numerator,
        value=value,
    )


def _read_in_own_units(
    session: ReadSession, hub: Hub, measure: Measure, concepts: Mapping[Coding, int]
) -> None:
    """Read the values again that the loaded definitions read in another unit."""
    units = canonical_units([measure])
    ids = {concepts[coding]: coding for coding in units if coding in concepts}
    other = {n for n, coding in ids.items() if hub.units.get(coding) != units[coding]}
    if not other:
        return
    rows = []
    for some in previews.observed_records(session, other):
        subjects = {record.subject_id: counted for record, counted in some}
        kept = [(r, content_of(r.content)) for r, _ in some if r.content is not None]
        facts = fact_rows(
            as_counted(session, kept),
            counted=subjects.__getitem__,
            units=units,
            keeping=hub.policy.keeping,
            concept_ids=lambda _: concepts,
        )
        rows += [row for row in facts[tables.Observation] if row[1] in other]
    own = {
        concepts[coding_of(code)]
        for observable in measure.observables.values()
        for code in listed(measure.value_sets[observable.codes])
        if coding_of(code) in concepts
    }
    previews.shadow_observations(session, kept=own - other, rows=rows)


def _unread(measure: Measure, concepts: Mapping[Coding, int]) -> set[str]:
    """Return the codes of the network's own that nothing stored has."""
    codings = {
        coding_of(code)
        for rules in measure.value_sets.values()
        for code in listed(rules)
    }
    return {c.code for c in codings if c.system == NETWORK and c not in concepts}
