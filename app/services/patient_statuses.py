"""
Where a clinic's own patients stand in a measure, asked by the clinic alone.

A subject's state in a month is the running sum of the events it gave (those that its
clinic's cell is the sum of), so what is told of all patients adds up to the clinic's
live number. Nothing is counted anew, and nothing is written.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from app.deid.records import target_of
from app.domain.calendar import month_of_day
from app.domain.clinics import Principal, Source
from app.domain.counts import Basis
from app.domain.errors import (
    InvalidElementError,
    NotAnswerableError,
    NotSupportedError,
)
from app.domain.records import AliasTarget, HubTarget, RecordType, Target
from app.fhir.questions import Question
from app.fhir.status_questions import parse_status_question
from app.measures.definitions import Measure, Scoring
from app.measures.shortfalls import first_month
from app.measures.strata import positions
from app.services.authorization import check_scope, required_source
from app.services.catalogue import (
    MeasurePage,
    find_measure,
    lacking_of,
    page_of,
    stratum_names,
)
from app.services.definitions import required_measure
from app.services.hub import Hub
from app.services.policies import whole_unit
from app.services.releases import today_number
from app.store import records, recounts
from app.store.contributions import (
    Contribution,
    contributions_after,
    contributions_of,
)
from app.store.sessions import ReadSession
from app.store.subjects import find_subjects, patient_of


class Status(StrEnum):
    """Where a patient stands in a measure."""

    NOT_FOUND = "not-found"
    NOT_IN_POPULATION = "not-in-population"
    EXCLUDED = "excluded"
    EXCEPTED = "excepted"
    NOT_SCORED = "not-scored"
    NOT_MET = "not-met"
    MET = "met"
    COUNTED = "counted"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """
    One patient; ``met`` is to be in the numerator, which may be the worse side.

    ``counted`` is to be in the denominator of a measure that has no numerator.
    ``missing`` names the observables that a score wants and were not found: the gap to
    close.
    ``patient_id`` is the hub's own, where the patient is told by it.
    """

    status: Status
    strata: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    patient_id: int | None = None


class Standings(msgspec.Struct, frozen=True, kw_only=True):
    """
    Patients of one clinic at a month's end; ``month`` is a month number.

    The states hold all that came before ``counted_up_to``, epoch milliseconds.
    ``after`` is where the next page begins, None on the last.
    """

    page: MeasurePage
    month: int
    counted_up_to: int
    policy_digest: str
    patients: tuple[Standing, ...]
    after: int | None = None


def check_may_ask(principal: Principal) -> Source:
    """Return the source of a clinic's client that may see patients; refuse others."""
    check_scope(principal, "MeasureReport", "r")
    source = required_source(principal)
    check_scope(principal, RecordType.PATIENT.fhir_name, "r")
    return source


def find_statuses(
    session: ReadSession,
    hub: Hub,
    source: Source,
    measure_id: str,
    body: Mapping[str, Any],
) -> Standings:
    """
    Return where each patient that *body* asks about stands, in its order.

    Raises:
        NotFoundError: no such measure, or it is yet to be counted.
        ServiceError: the question can't be read; its place is told.
    """
    counted = _Counted(session, hub, source, measure_id)
    question = parse_status_question(body, source=source)
    month = counted.month(question.month)
    subjects = _subjects(session, hub, source, question.patients)
    found = contributions_of(
        session, set(subjects.values()), measure_id=counted.row.id, month=month
    )
    return counted.standings(
        month,
        [
            _standing(counted.measure, found, subjects.get(index))
            for index, _ in enumerate(question.patients)
        ],
    )


def find_contributions(
    session: ReadSession,
    hub: Hub,
    source: Source,
    measure_id: str,
    *,
    month: int | None,
    after: int,
    limit: int,
) -> Standings:
    """Return the clinic's patients that a measure counts, by the hub's ids of them."""
    counted = _Counted(session, hub, source, measure_id)
    as_of = counted.month(month)
    found = contributions_after(
        session,
        after,
        clinic_id=source.clinic_id,
        measure_id=counted.row.id,
        month=as_of,
        limit=limit + 1,
    )
    told = [
        msgspec.structs.replace(
            _counted_standing(counted.measure, each),
            patient_id=patient_of(session, each.subject_id) or each.subject_id,
        )
        for each in found[:limit]
    ]
    last = found[limit - 1].subject_id if len(found) > limit else None
    return counted.standings(as_of, told, after=last)


class _Counted:
    """A measure whose counts are complete, as one clinic asks about it."""

    def __init__(
        self, session: ReadSession, hub: Hub, source: Source, measure_id: str
    ) -> None:
        served = required_measure(session, hub, find_measure(hub, measure_id).id)
        self.measure, self.row = served.measure, served.row
        if self.measure.basis is Basis.SUMMARIES:
            msg = "The measure counts no patients"
            raise NotSupportedError(msg)
        self._hub = hub
        since = recounts.waiting_since(session, clinic_id=source.clinic_id)
        self._up_to = since or hub.clock()

    def month(self, asked: int | None) -> int:
        """
        Return the month that is asked about; what is to come nobody knows.

        Nor, where the policy keeps too little of ages, what lies before.
        """
        this_month = month_of_day(today_number(self._hub))
        asked = whole_unit(self._hub, asked, this_month=this_month)
        if asked > this_month:
            msg = "The month has not begun yet"
            raise InvalidElementError(msg, expression="asOf")
        if asked < first_month(self.measure, self._hub.policy.keeping):
            msg = "The policy keeps too little of great ages to tell that month"
            raise NotAnswerableError(msg, expression="asOf")
        return asked

    def standings(
        self, month: int, patients: Iterable[Standing], *, after: int | None = None
    ) -> Standings:
        """Return *patients* with all that an answer says of the measure."""
        return Standings(
            page=page_of(self.measure),
            month=month,
            counted_up_to=self._up_to,
            policy_digest=self._hub.policy.digest,
            patients=tuple(patients),
            after=after,
        )


def _subjects(
    session: ReadSession, hub: Hub, source: Source, patients: Sequence[Question]
) -> dict[int, int]:
    """Return who counts for each patient asked about, by its place; unknown: absent."""
    targets = [_target(question, hub, source) for question in patients]
    keys = {
        alias.key
        for target in targets
        if isinstance(target, AliasTarget)
        for alias in target.aliases
    }
    by_key = records.find_by_alias(session, keys)
    named = {
        index: found
        for index, target in enumerate(targets)
        if (found := _record_of(target, by_key)) is not None
    }
    known = records.find_by_id(session, set(named.values()))
    own = {
        i
        for i, record in known.items()
        if record.clinic_id == source.clinic_id and record.type is RecordType.PATIENT
    }
    subjects = find_subjects(session, own)
    return {
        index: subjects[i].joined_to or i
        for index, i in named.items()
        if i in own and i in subjects
    }


def _target(question: Question, hub: Hub, source: Source) -> Target | None:
    """Return the Patient that is asked about, its name hashed."""
    return target_of(
        question.reference,
        RecordType.PATIENT,
        path=question.path,
        keys=hub.keys,
        source=source,
        entries={},
    )


def _record_of(target: Target | None, by_key: Mapping[bytes, int]) -> int | None:
    if isinstance(target, HubTarget):
        return target.record_id
    if isinstance(target, AliasTarget):
        known = (by_key[alias.key] for alias in target.aliases if alias.key in by_key)
        return next(known, None)
    return None


def _standing(
    measure: Measure, found: Mapping[int, Contribution], subject_id: int | None
) -> Standing:
    if subject_id is None:
        return Standing(status=Status.NOT_FOUND)
    if subject_id not in found:
        return Standing(status=Status.NOT_IN_POPULATION)
    return _counted_standing(measure, found[subject_id])


def _counted_standing(measure: Measure, each: Contribution) -> Standing:
    """Return where someone stands who is counted."""
    names = stratum_names(measure)
    return Standing(
        status=_status(measure, each),
        strata=tuple(names[at - 1] for at in positions(measure, each.stratum)),
        missing=tuple(_missing(measure, -each.bin)) if each.bin < 0 else (),
    )


def _status(measure: Measure, each: Contribution) -> Status:
    """Return the innermost population that someone is in."""
    if each.excluded:
        return Status.EXCLUDED
    if each.excepted:
        return Status.EXCEPTED
    if not each.denominator:
        return Status.NOT_SCORED
    if measure.scoring is Scoring.CONTINUOUS_VARIABLE:
        return Status.COUNTED
    return Status.MET if each.numerator else Status.NOT_MET


def _missing(measure: Measure, bits: int) -> Iterator[str]:
    """Yield the components whose bits are set, and the other thing if its bit is."""
    wanted = enumerate(lacking_of(measure))
    yield from (name for n, name in wanted if bits >> n & 1)
