"""How long a server asks to wait (RFC 9110 10.2.3): seconds, or until a date."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"\d{1,9}", re.ASCII)


def retry_after_seconds(headers: Mapping[str, str], *, now: float) -> int | None:
    """
    Return for how many seconds an answer asks to wait; None where it does not say.

    A date is taken relative to the answer's own Date, so that a server whose clock
    differs is not asked too soon; without one, to *now* (epoch seconds).
    """
    asked = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(asked):
        return int(asked)
    until = _moment(asked)
    if until is None:
        return None
    since = _moment(headers.get("Date", "")) or datetime.fromtimestamp(now, UTC)
    return max(0, round((until - since).total_seconds()))


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
