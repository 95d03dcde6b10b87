"""What numbers and pictures of a release depend on beside it, as a few numbers."""

from sqlmodel import col, func, select

from app.store import tables
from app.store.sessions import ReadSession


def words_state(session: ReadSession) -> tuple[int, ...]:
    """
    Return what changes with anything people said, decided, took back or named.

    Rows of these tables are only ever added.
    """
    counted = (
        func.count(col(tables.Annotation.id)),
        func.count(col(tables.WithdrawnAnnotation.annotation_id)),
        func.count(col(tables.Cohort.id)),
    )
    return tuple(int(session.exec(select(each)).one()) for each in counted)
