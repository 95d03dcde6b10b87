"""What stands beside a chart: what was said about it, and what was decided."""

import hashlib
from collections.abc import Collection, Sequence

import msgspec

from app.charts.lines import Phase
from app.disclosure.audiences import AudienceRules, ClinicsShown
from app.domain.annotations import AnnotationKind, ChartView
from app.domain.clinics import ClinicStatus
from app.domain.counts import Interval
from app.store import annotations, clinics, cohorts
from app.store.annotations import Annotation
from app.store.cohorts import Cohort
from app.store.sessions import ReadSession


class Notes(msgspec.Struct, frozen=True, kw_only=True):
    """The annotations that stand and the cohorts, as far as a reader may know them."""

    annotations: Sequence[Annotation] = ()
    cohorts: Sequence[Cohort] = ()

    @property
    def version(self) -> str:
        """Return a mark of what stands, which whoever keeps a drawn chart needs."""
        ids = " ".join(str(each.id) for each in self.annotations)
        return hashlib.sha256(ids.encode()).hexdigest()[:16]

    def beside(
        self, measure_id: str, *, clinic_id: int | None, cohort_id: int | None
    ) -> tuple[Annotation, ...]:
        """
        Return what is beside the chart of a clinic, of a cohort, or of the network.

        Decisions are about that chart alone; what clinics tried is shown of what the
        chart is part of, too: of a clinic's cohorts, and of the network.
        """
        wider = {
            each.id
            for each in self.cohorts
            if clinic_id is not None and clinic_id in each.clinics
        }
        subject = (clinic_id, cohort_id)
        return tuple(
            each
            for each in self.annotations
            if each.concerns(measure_id)
            and (
                (each.clinic_id, each.cohort_id) == subject
                or (not each.kind.is_decision and _is_wider(each, wider))
            )
        )


def _is_wider(annotation: Annotation, cohort_ids: Collection[int]) -> bool:
    """Tell whether an annotation is about the network or one of some cohorts."""
    return annotation.clinic_id is None and (
        annotation.cohort_id is None or annotation.cohort_id in cohort_ids
    )


class PhaseNote(msgspec.Struct, frozen=True, kw_only=True):
    """A phase of a chart: where it begins, and by whose decisions it is what it is."""

    begins: int
    shift: Annotation | None = None
    baseline: Annotation | None = None


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """
    What was decided about a chart, as its intervals have it.

    ``phases`` are all of them, the first one too; ``excluded`` are by interval start.
    """

    view: ChartView
    phases: tuple[PhaseNote, ...]
    excluded: dict[int, Annotation]
    interval: Interval

    @property
    def lines(self) -> list[Phase]:
        """Return the phases as the chart takes them: a baseline ends in whole ones."""
        return [
            Phase(
                start=each.begins,
                baseline_end=None
                if each.baseline is None
                else each.baseline.month + 2 - self.interval.months,
            )
            for each in self.phases
        ]


def find_notes(session: ReadSession, rules: AudienceRules) -> Notes:
    """Return what the readers of an audience's releases may know."""
    kept = [
        as_shown(each, shown=rules.clinics)
        for each in find_seen(session, shown=rules.clinics)
        if each.stands
    ]
    if rules.clinics is ClinicsShown.NONE:
        return Notes(annotations=kept)
    return Notes(annotations=kept, cohorts=cohorts.all_cohorts(session))


def find_own_notes(session: ReadSession, clinic_id: int) -> Notes:
    """Return what a clinic may know beside its own chart."""
    shown = ClinicsShown.NAMED
    kept = [
        as_shown(each, shown=shown, is_own=each.clinic_id == clinic_id)
        for each in find_seen(session, shown=shown, clinic_id=clinic_id)
        if each.stands
    ]
    return Notes(annotations=kept, cohorts=cohorts.all_cohorts(session))


def find_seen(
    session: ReadSession, *, shown: ClinicsShown, clinic_id: int | None = None
) -> list[Annotation]:
    """
    Return every annotation, withdrawn or not, whose subject may be known.

    The network may be; clinics and cohorts where clinics are *shown*, but for those
    that are onboarding; and one's own clinic.
    """
    known = annotations.all_annotations(session)
    if shown is ClinicsShown.NONE:
        return [
            each
            for each in known
            if (each.clinic_id, each.cohort_id) == (None, None)
            or (each.clinic_id is not None and each.clinic_id == clinic_id)
        ]
    hidden = onboarding_clinics(session) - {clinic_id} if known else set()
    return [each for each in known if each.clinic_id not in hidden]


def as_shown(
    annotation: Annotation, *, shown: ClinicsShown, is_own: bool = False
) -> Annotation:
    """
    Return an annotation as others than its own clinic read it.

    Which client wrote it stays in the audit. Where clinics have codes for names, so
    does who wrote for one of them; where none is shown, the evidence, which comes from
    the members' release, is left out.
    """
    if is_own:
        return annotation
    is_nameless = shown is ClinicsShown.CODED and annotation.clinic_id is not None
    changes: dict[str, str] = {"client_id": ""}
    if is_nameless:
        changes["author"] = ""
    withdrawn = annotation.withdrawn
    return msgspec.structs.replace(
        annotation,
        signed=msgspec.structs.replace(annotation.signed, **changes),
        withdrawn=withdrawn and msgspec.structs.replace(withdrawn, **changes),
        evidence=None if shown is ClinicsShown.NONE else annotation.evidence,
    )


def onboarding_clinics(session: ReadSession) -> set[int]:
    """Return the clinics that nobody but themselves sees."""
    return {
        row.id
        for row in clinics.all_clinics(session)
        if row.id is not None and row.status == ClinicStatus.ONBOARDING
    }


def applied(
    notes: Sequence[Annotation],
    starts: Sequence[int],
    *,
    interval: Interval,
    view: ChartView,
) -> Applied:
    """
    Return the phases and exclusions of a chart of intervals that begin at *starts*.

    A phase begins with the first interval that is wholly after the shift; of two
    decisions about one place the later one holds. Decisions outside of the chart's
    time change nothing in it.
    """
    known = notes if view is ChartView.ACCEPTED else ()
    first, last = min(starts), max(starts)
    phases = {first: PhaseNote(begins=first)}
    for each in _of_kind(known, AnnotationKind.SHIFT):
        begins = -(-each.month // interval.months) * interval.months
        if first < begins <= last:
            phases[begins] = PhaseNote(begins=begins, shift=each)
    for each in _of_kind(known, AnnotationKind.BASELINE):
        before = [begins for begins in phases if begins <= each.month]
        if before:
            place = max(before)
            phases[place] = msgspec.structs.replace(phases[place], baseline=each)
    excluded = {
        each.month - each.month % interval.months: each
        for each in _of_kind(known, AnnotationKind.EXCLUSION)
    }
    return Applied(
        view=view,
        phases=tuple(phases[begins] for begins in sorted(phases)),
        excluded={at: each for at, each in excluded.items() if first <= at <= last},
        interval=interval,
    )


def _of_kind(notes: Sequence[Annotation], kind: AnnotationKind) -> list[Annotation]:
    return [each for each in notes if each.kind is kind]
