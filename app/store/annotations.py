"""Annotations: what was said or decided about charts, and what was taken back."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlmodel import col, select

from app.domain.annotations import AnnotationKind, Signature
from app.store import tables
from app.store.sessions import ReadSession, WriteSession


class Annotation(msgspec.Struct, frozen=True, kw_only=True):
    """
    What somebody said or decided about charts.

    It is about a clinic, a cohort (ids, and the codes of URLs), or the network where
    both are None. ``month`` is a month number, ``day`` a day number. No ``measures``:
    it concerns all. ``evidence`` is what a suggested shift came with. ``is_clinics``:
    the clinic wrote it. ``withdrawn``: who took it back.
    """

    id: int = 0
    kind: AnnotationKind
    clinic_id: int | None = None
    clinic: str | None = None
    cohort_id: int | None = None
    cohort: str | None = None
    month: int
    day: int | None = None
    measures: tuple[str, ...] = ()
    what: str | None = None
    hypothesis: str | None = None
    evidence: Mapping[str, float] | None = None
    is_clinics: bool = False
    signed: Signature
    withdrawn: Signature | None = None

    @property
    def stands(self) -> bool:
        """Return whether nobody took it back."""
        return self.withdrawn is None

    def concerns(self, measure_id: str) -> bool:
        """Return whether it is about a measure."""
        return not self.measures or measure_id in self.measures


def add_annotation(session: WriteSession, new: Annotation) -> int:
    """Write an annotation down; return its id."""
    row = tables.Annotation(
        kind=new.kind.value,
        clinic_id=new.clinic_id,
        cohort_id=new.cohort_id,
        month=new.month,
        day=new.day,
        measures=json.dumps(new.measures),
        what=new.what,
        hypothesis=new.hypothesis,
        evidence=None if new.evidence is None else json.dumps(new.evidence),
        is_clinics=new.is_clinics,
        **msgspec.structs.asdict(new.signed),
    )
    session.add(row)
    session.flush()
    assert row.id is not None
    return row.id


def withdraw(session: WriteSession, annotation_id: int, signed: Signature) -> None:
    """Write down who took an annotation back."""
    said = msgspec.structs.asdict(signed)
    session.add(tables.WithdrawnAnnotation(annotation_id=annotation_id, **said))
    session.flush()


def all_annotations(
    session: ReadSession, *, annotation_id: int | None = None
) -> list[Annotation]:
    """Return every annotation in the order they were written, or the one of an id."""
    query = (
        select(
            tables.Annotation,
            tables.WithdrawnAnnotation,
            col(tables.Clinic.code),
            col(tables.Cohort.code),
        )
        .join(tables.WithdrawnAnnotation, isouter=True)
        .join(
            tables.Clinic,
            col(tables.Annotation.clinic_id) == tables.Clinic.id,
            isouter=True,
        )
        .join(
            tables.Cohort,
            col(tables.Annotation.cohort_id) == tables.Cohort.id,
            isouter=True,
        )
        .order_by(col(tables.Annotation.id))
    )
    if annotation_id is not None:
        query = query.where(tables.Annotation.id == annotation_id)
    return [_annotation(*row) for row in session.exec(query)]


def _annotation(
    row: tables.Annotation,
    withdrawn: tables.WithdrawnAnnotation | None,
    clinic: str | None,
    cohort: str | None,
) -> Annotation:
    assert row.id is not None
    return Annotation(
        id=row.id,
        kind=AnnotationKind(row.kind),
        clinic_id=row.clinic_id,
        clinic=clinic,
        cohort_id=row.cohort_id,
        cohort=cohort,
        month=row.month,
        day=row.day,
        measures=tuple(json.loads(row.measures)),
        what=row.what,
        hypothesis=row.hypothesis,
        evidence=None if row.evidence is None else json.loads(row.evidence),
        is_clinics=row.is_clinics,
        signed=signature_of(row),
        withdrawn=None if withdrawn is None else signature_of(withdrawn),
    )


def signature_of(row: Any) -> Signature:  # noqa: ANN401  (a row of any signed table)
    """Return who signed a row."""
    return Signature(
        author=row.author,
        reason=row.reason,
        client_id=row.client_id,
        created_at=row.created_at,
    )
