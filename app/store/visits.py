"""Visits of one clinic, counted by month."""

from collections.abc import Collection

from sqlalchemy import bindparam, text

from app.domain.quality import Window
from app.store.sessions import ReadSession, connection_of

_BY_MONTH = text(
    "SELECT month, COUNT(*) FROM ("
    "SELECT DISTINCT v.subject_id, v.day, v.month "
    "FROM subject s JOIN visit v ON v.subject_id = s.id "
    "WHERE s.clinic_id = :clinic_id AND v.month >= :since AND v.month < :until "
    "AND v.class_concept_id IN :classes) AS seen GROUP BY month"
).bindparams(bindparam("classes", expanding=True))


def visits_by_month(
    session: ReadSession, clinic_id: int, window: Window, *, classes: Collection[int]
) -> dict[int, int]:
    """
    Return how many visits of some classes (concept ids) a clinic recorded, by month.

    Several of one person and day are one. A month without any is left out.
    """
    values = {"clinic_id": clinic_id, "since": window.since, "until": window.until}
    rows = connection_of(session).execute(
        _BY_MONTH, values | {"classes": sorted(classes)}
    )
    return dict(map(tuple, rows))
