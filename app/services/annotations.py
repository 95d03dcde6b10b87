"""Annotations: who may say what about charts, who sees it, and what becomes of it."""

from collections.abc import Sequence

import msgspec

from app.charts.shifts import Shift
from app.domain.annotations import AnnotationKind
from app.domain.calendar import month_of_day
from app.domain.clinics import Audience
from app.domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidElementError,
    NotFoundError,
)
from app.services.catalogue import find_measure
from app.services.chart_notes import as_shown, find_seen
from app.services.charts import find_chart
from app.services.free_texts import check_stated, check_texts
from app.services.hub import Hub
from app.services.parties import CONSOLE, Party, signed_by
from app.services.releases import today_number
from app.services.series import Viewer, Wanted
from app.store import annotations, clinics, cohorts
from app.store.annotations import Annotation
from app.store.sessions import ReadSession, WriteSession

EVIDENCE = ("first", "last", "before", "after", "evidence", "dispersion")


class NewAnnotation(msgspec.Struct, frozen=True, kw_only=True):
    """
    What is to be said; clinics and cohorts by their codes, neither: of the network.

    ``month`` is a month number, ``day`` a day number.
    """

    kind: AnnotationKind
    month: int
    author: str
    reason: str
    day: int | None = None
    clinic: str | None = None
    cohort: str | None = None
    measures: tuple[str, ...] = ()
    what: str | None = None
    hypothesis: str | None = None


class AnnotationsWanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which annotations are asked for; None: any."""

    clinic: str | None = None
    cohort: str | None = None
    measure: str | None = None
    kind: AnnotationKind | None = None
    include_withdrawn: bool = False


def annotate(
    session: WriteSession, hub: Hub, party: Party, new: NewAnnotation
) -> Annotation:
    """
    Write down what a clinic says about itself, or what a coordinator says or decides.

    A shift that the members' chart suggests is kept with its evidence.

    Raises:
        ForbiddenError: it is not theirs to say.
        InvalidElementError: a part of it is not fit, or there is no such measure.
        MissingElementError: a part is not there.
        NotFoundError: there is no such clinic or cohort.
        ConflictError: the same decision stands already.
    """
    clinic_id, cohort_id = _subject(session, party, new)
    signed = signed_by(party, hub, author=new.author, reason=new.reason)
    check_texts({"what": new.what, "hypothesis": new.hypothesis})
    check_measures(hub, new.measures)
    if new.kind.is_decision:
        _check_decision(hub, new)
    else:
        check_stated({"what": new.what})
    written = Annotation(
        kind=new.kind,
        clinic_id=clinic_id,
        clinic=new.clinic,
        cohort_id=cohort_id,
        cohort=new.cohort,
        month=new.month,
        day=new.day,
        measures=new.measures,
        what=new.what,
        hypothesis=new.hypothesis,
        evidence=_evidence(session, hub, new),
        is_clinics=party.clinic is not None,
        signed=signed,
    )
    if new.kind.is_decision:
        _refuse_twice(session, written)
    written_id = annotations.add_annotation(session, written)
    return msgspec.structs.replace(written, id=written_id)


def _subject(
    session: WriteSession, party: Party, new: NewAnnotation
) -> tuple[int | None, int | None]:
    """Return the ids of the clinic and the cohort that an annotation is about."""
    if not party.coordinates:
        return _own_clinic(session, party, new), None
    if new.clinic is not None and new.cohort is not None:
        msg = "An annotation is about a clinic or a cohort, not both"
        raise InvalidElementError(msg, expression="cohort")
    clinic_id = cohort_id = None
    if new.clinic is not None:
        clinic_id = clinics.required_clinic(session, new.clinic).id
    if new.cohort is not None:
        cohort = cohorts.find_cohort(session, new.cohort)
        if cohort is None:
            msg = "No cohort of that name"
            raise NotFoundError(msg)
        cohort_id = cohort.id
    return clinic_id, cohort_id


def _own_clinic(session: WriteSession, party: Party, new: NewAnnotation) -> int:
    """Return the id of the clinic that writes about itself."""
    if party.clinic is None:
        msg = "Only a clinic's or a coordinator's client may do this"
        raise ForbiddenError(msg)
    if new.kind.is_decision:
        msg = "Only a coordinator decides about a chart"
        raise ForbiddenError(msg)
    named = None if new.clinic is None else clinics.find_clinic(session, new.clinic)
    if named is None or named.id != party.clinic or new.cohort is not None:
        msg = "A clinic writes about itself: give its own code as the clinic"
        raise ForbiddenError(msg)
    return party.clinic


def check_measures(hub: Hub, measure_ids: Sequence[str]) -> None:
    """Refuse an id that no measure has, or one given twice."""
    if len(set(measure_ids)) < len(measure_ids):
        msg = "A measure is given twice"
        raise InvalidElementError(msg, expression="measures")
    for measure_id in measure_ids:
        try:
            find_measure(hub, measure_id)
        except NotFoundError:
            msg = "There is no measure of that id"
            raise InvalidElementError(msg, expression="measures") from None


def _check_decision(hub: Hub, new: NewAnnotation) -> None:
    """Refuse a decision that no chart could show."""
    if len(new.measures) != 1:
        msg = "A decision is about the chart of one measure"
        raise InvalidElementError(msg, expression="measures")
    if new.month > month_of_day(today_number(hub)):
        msg = "A decision is about a month that has begun"
        raise InvalidElementError(msg, expression="month")
    if new.day is not None:
        msg = "A decision is about a whole month"
        raise InvalidElementError(msg, expression="month")
    for element in ("what", "hypothesis"):
        if getattr(new, element) is not None:
            msg = "This is told of tests of change only"
            raise InvalidElementError(msg, expression=element)


def _refuse_twice(session: ReadSession, new: Annotation) -> None:
    same = ("kind", "clinic_id", "cohort_id", "month", "measures")
    for each in annotations.all_annotations(session):
        if each.stands and all(getattr(each, k) == getattr(new, k) for k in same):
            msg = "The same decision stands already"
            raise ConflictError(msg)


def _evidence(
    session: ReadSession, hub: Hub, new: NewAnnotation
) -> dict[str, float] | None:
    """Return what a shift's suggestion comes with, if this is the one suggested."""
    if new.kind is not AnnotationKind.SHIFT:
        return None
    (measure_id,) = new.measures
    wanted = Wanted(clinic=new.clinic, cohort=new.cohort)
    shift = find_suggestion(session, hub, measure_id, wanted)
    if shift is None or shift.interval_start != new.month:
        return None
    return {name: getattr(shift, name) for name in EVIDENCE}


def find_suggestion(
    session: ReadSession, hub: Hub, measure_id: str, wanted: Wanted
) -> Shift | None:
    """Return the shift that the members' chart suggests now, if it suggests one."""
    try:
        viewer = Viewer(audience=Audience.MEMBERS)
        found = find_chart(session, hub, viewer, measure_id, wanted)
    except (ForbiddenError, NotFoundError):  # nothing of it is published
        return None
    return found.shift


def blank(
    session: WriteSession, hub: Hub, annotation_id: int, *, author: str, reason: str
) -> None:
    """
    Overwrite a text that should never have been written, and withdraw it.

    For the console alone. Kind, month, client and time stay in the audit, and who did
    this and why; the words are gone.

    Raises:
        NotFoundError: there is no such annotation.
    """
    known = {each.id: each for each in annotations.all_annotations(session)}
    if annotation_id not in known or known[annotation_id].stands:
        withdraw(session, hub, CONSOLE, annotation_id, author=author, reason=reason)
    annotations.blank_texts(session, annotation_id)


def find_annotations(
    session: ReadSession, hub: Hub, party: Party, wanted: AnnotationsWanted
) -> list[Annotation]:
    """Return what a party may see of what was asked for, in the order written."""
    return [
        each
        for each in _visible(session, hub, party)
        if (wanted.include_withdrawn or each.stands)
        and wanted.clinic in {None, each.clinic}
        and wanted.cohort in {None, each.cohort}
        and wanted.kind in {None, each.kind}
        and (wanted.measure is None or each.concerns(wanted.measure))
    ]


def _visible(session: ReadSession, hub: Hub, party: Party) -> list[Annotation]:
    """Return all that a party may see; an author only where clinics have names."""
    if party.coordinates:
        return annotations.all_annotations(session)
    shown = hub.audiences.rules(party.audience).clinics
    return [
        as_shown(each, shown=shown, is_own=_is_about(each, party.clinic))
        for each in find_seen(session, shown=shown, clinic_id=party.clinic)
    ]


def _is_about(annotation: Annotation, clinic_id: int | None) -> bool:
    return clinic_id is not None and annotation.clinic_id == clinic_id


def withdraw(
    session: WriteSession,
    hub: Hub,
    party: Party,
    annotation_id: int,
    *,
    author: str,
    reason: str,
) -> Annotation:
    """
    Take back an annotation, which stays in the audit.

    Raises:
        NotFoundError: there is none that the party may see.
        ForbiddenError: a clinic takes back what it wrote itself, and nothing else.
        ConflictError: it was taken back already.
    """
    seen = {each.id: each for each in _visible(session, hub, party)}
    found = seen.get(annotation_id)
    if found is None:
        msg = "No annotation of that id"
        raise NotFoundError(msg)
    is_theirs = found.is_clinics and _is_about(found, party.clinic)
    if not party.coordinates and not is_theirs:
        msg = "A clinic takes back what it wrote itself; a coordinator anything"
        raise ForbiddenError(msg)
    if not found.stands:
        msg = "The annotation was withdrawn already"
        raise ConflictError(msg)
    signed = signed_by(party, hub, author=author, reason=reason)
    annotations.withdraw(session, annotation_id, signed)
    return msgspec.structs.replace(found, withdrawn=signed)
