"""
What changes in intervals that are published: each subject's difference since.

The difference is kept as difference events, so a running sum of them tells in which
published intervals a subject is counted now and was not, or was and is not. Where the
published intervals end, each change ends too.
"""

from collections.abc import Collection, Iterator

import msgspec
from sqlalchemy import text

from app.store.bulk import execute_among
from app.store.event_sql import (
    ANY_LEFT,
    COUNTS,
    KEY,
    MINUS,
    NONE_LEFT,
    SUMS,
    added_to,
)
from app.store.sessions import ReadSession, WriteSession, connection_of

ERASED = 0
"""The subject that stands for all of a clinic's who were erased."""


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """What releases hold of a measure: intervals that end before a month."""

    measure_id: int
    published_before: int
    number: int


class LateEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a subject in published intervals, from ``month`` on."""

    clinic_id: int
    subject_id: int
    edition: int
    grain: int
    stratum: int
    bin: int
    month: int
    counts: tuple[int, ...]


_WHOLE_KEY = f"measure_id, clinic_id, subject_id, edition, {KEY}"
_END = "({closed} - {closed} % grain)"
"""Where the published intervals of a grain end."""

_CHANGED = f"""
SELECT subject_id, {KEY}, {SUMS} FROM (
SELECT subject_id, {KEY}, {COUNTS} FROM swept WHERE month < {_END}
UNION ALL
SELECT subject_id, {KEY}, {MINUS} FROM subject_event
WHERE measure_id = :measure_id AND month < {_END} {{among}}
) both_ GROUP BY subject_id, {KEY} HAVING {ANY_LEFT}"""
_NOTE = f"""
INSERT INTO late_event ({_WHOLE_KEY}, {COUNTS})
WITH changed AS ({_CHANGED})
SELECT :measure_id, p.clinic_id, e.subject_id, :edition, {KEY}, {SUMS} FROM (
SELECT subject_id, {KEY}, {COUNTS} FROM changed
UNION ALL
SELECT subject_id, grain, stratum, bin, {_END} AS month, {MINUS} FROM changed
) e JOIN subject p ON p.id = e.subject_id
WHERE true GROUP BY p.clinic_id, e.subject_id, {KEY} HAVING {ANY_LEFT}
ON CONFLICT ({_WHOLE_KEY}) DO UPDATE SET {added_to("late_event")}
"""
_FORGET_UNDONE = f"""
DELETE FROM late_event WHERE measure_id = :measure_id AND edition = :edition
AND {NONE_LEFT} {{among}}
"""
_NAMELESS = f"""
INSERT INTO late_event ({_WHOLE_KEY}, {COUNTS})
SELECT measure_id, clinic_id, {ERASED}, edition, {KEY}, {SUMS} FROM late_event
WHERE subject_id {{among}} GROUP BY measure_id, clinic_id, edition, {KEY}
ON CONFLICT ({_WHOLE_KEY}) DO UPDATE SET {added_to("late_event")}
"""
_FORGET = "DELETE FROM late_event WHERE subject_id {among}"


def note(session: WriteSession, edition: Edition, *, in_scope: str | None) -> None:
    """
    Note what a sweep is about to change in published intervals.

    Args:
        session: Its table ``swept`` holds the new events, ``subject_event`` the old.
        edition: What is published.
        in_scope: The condition on a subject that says whose old events are replaced;
            None: everybody's.
    """
    connection = connection_of(session)
    among = "" if in_scope is None else f"AND subject_id {in_scope}"
    values = {"measure_id": edition.measure_id, "edition": edition.number}
    statement = _NOTE.format(closed=int(edition.published_before), among=among)
    if connection.execute(text(statement), values).rowcount:
        connection.execute(text(_FORGET_UNDONE.format(among=among)), values)


def make_nameless(session: WriteSession, subject_ids: Collection[int]) -> None:
    """
    Add up what erased subjects changed, so that no row is about one of them.

    Nothing is lost for a restatement: none of them is counted now, so in each interval
    all of them were removed, or were never there, and their sum says how many.
    """
    execute_among(session, _NAMELESS, subject_ids)
    execute_among(session, _FORGET, subject_ids)


def late_events(session: ReadSession, measure_id: int) -> Iterator[LateEvent]:
    """Yield what changed in a measure's published intervals, subject by subject."""
    query = text(
        f"SELECT clinic_id, subject_id, edition, {KEY}, {COUNTS} FROM late_event "
        "WHERE measure_id = :id ORDER BY clinic_id, subject_id, edition"
    )
    for row in connection_of(session).execute(query, {"id": measure_id}):
        clinic_id, subject_id, edition, grain, stratum, bin_, month, *counts = row
        yield LateEvent(
            clinic_id=clinic_id,
            subject_id=subject_id,
            edition=edition,
            grain=grain,
            stratum=stratum,
            bin=bin_,
            month=month,
            counts=tuple(counts),
        )


def forget_late_events(session: WriteSession, measure_id: int) -> None:
    """Drop what is noted of a measure whose changes can be followed no more."""
    connection_of(session).execute(
        text("DELETE FROM late_event WHERE measure_id = :id"), {"id": measure_id}
    )
