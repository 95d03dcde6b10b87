"""The ledger of counts with noise: what was asked, what was told, what it cost."""

import msgspec
from sqlalchemy import text

from app.store.sessions import ReadSession, WriteSession, connection_of

_COLUMNS = (
    "question, asked_at, measure_code, interval_months, interval_start, "
    "epsilon_millionths, numerator, others, uncounted"
)


class NoisyCount(msgspec.Struct, frozen=True, kw_only=True):
    """
    An answer, which stands for good.

    ``question`` digests what was asked; times in epoch milliseconds,
    ``interval_start`` a month number. The last three are people with noise, who may
    be fewer than none: in the numerator, in the denominator alone, and in the
    population alone.
    """

    question: str
    asked_at: int
    measure_code: str
    interval_months: int
    interval_start: int
    epsilon_millionths: int
    numerator: int
    others: int
    uncounted: int


def all_counts(session: ReadSession) -> list[NoisyCount]:
    """Return every answer there is, the first one first."""
    query = text(f"SELECT {_COLUMNS} FROM noisy_count ORDER BY asked_at, question")
    rows = connection_of(session).execute(query).mappings()
    return [msgspec.convert(dict(row), NoisyCount) for row in rows]


def add_count(session: WriteSession, count: NoisyCount) -> None:
    """Write an answer down."""
    values = ", ".join(f":{name}" for name in _COLUMNS.split(", "))
    connection_of(session).execute(
        text(f"INSERT INTO noisy_count ({_COLUMNS}) VALUES ({values})"),
        msgspec.structs.asdict(count),
    )
