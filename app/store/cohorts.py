"""Cohorts: named sets of clinics, which never change."""

from collections import defaultdict

import msgspec
from sqlmodel import col, select

from app.domain.annotations import Signature
from app.store import tables
from app.store.annotations import signature_of
from app.store.sessions import ReadSession, WriteSession


class Cohort(msgspec.Struct, frozen=True, kw_only=True):
    """A named set of clinics; ``clinics`` are their ids."""

    id: int = 0
    code: str
    name: str
    clinics: frozenset[int]
    signed: Signature


def add_cohort(session: WriteSession, new: Cohort) -> int:
    """Write a cohort down; return its id."""
    said = msgspec.structs.asdict(new.signed)
    row = tables.Cohort(code=new.code, name=new.name, **said)
    session.add(row)
    session.flush()
    assert row.id is not None
    for clinic_id in sorted(new.clinics):
        session.add(tables.CohortClinic(cohort_id=row.id, clinic_id=clinic_id))
    session.flush()
    return row.id


def all_cohorts(session: ReadSession) -> list[Cohort]:
    """Return every cohort in the order of its code."""
    rows = session.exec(select(tables.Cohort).order_by(col(tables.Cohort.code))).all()
    if not rows:
        return []
    members: dict[int, set[int]] = defaultdict(set)
    for each in session.exec(select(tables.CohortClinic)):
        members[each.cohort_id].add(each.clinic_id)
    return [
        Cohort(
            id=row.id,
            code=row.code,
            name=row.name,
            clinics=frozenset(members[row.id]),
            signed=signature_of(row),
        )
        for row in rows
        if row.id is not None
    ]


def find_cohort(session: ReadSession, code: str) -> Cohort | None:
    """Return the cohort of *code*, if there is one."""
    return next((each for each in all_cohorts(session) if each.code == code), None)
