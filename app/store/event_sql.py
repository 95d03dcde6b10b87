"""What statements about difference events have in common: their columns."""

from app.domain.counts import COUNTS as COUNT_NAMES
from app.domain.counts import KEY as KEY_NAMES

KEY = ", ".join(KEY_NAMES)
COUNTS = ", ".join(COUNT_NAMES)
SUMS = ", ".join(f"CAST(SUM({name}) AS BIGINT) AS {name}" for name in COUNT_NAMES)
MINUS = ", ".join(f"-{name} AS {name}" for name in COUNT_NAMES)
ANY_LEFT = " OR ".join(f"SUM({name}) <> 0" for name in COUNT_NAMES)
NONE_LEFT = " AND ".join(f"{name} = 0" for name in COUNT_NAMES)


def added_to(table: str) -> str:
    """Return what an upsert sets: the counts of *table* with those that come."""
    return ", ".join(
        f"{name} = {table}.{name} + excluded.{name}" for name in COUNT_NAMES
    )
