"""What a server says is no more, taken out of every count."""

from collections import Counter
from collections.abc import Iterable

from app.deid.pseudonyms import id_aliases
from app.domain.clinics import Source
from app.domain.deliveries import LineOutcome
from app.domain.records import RecordType
from app.services import intake
from app.services.hub import Hub
from app.store.job_outcomes import add_counts
from app.store.records import find_by_alias, find_by_id
from app.store.sessions import WriteSession


def withdraw_named(
    session: WriteSession,
    hub: Hub,
    source: Source,
    named: Iterable[tuple[RecordType, str]],
    *,
    up_to: int,
) -> Counter[RecordType]:
    """
    Take back what a source calls by type and id; return how many of each type counted.

    Not what is newer than *up_to*, by the sender's order (epoch milliseconds).
    """
    keys = {
        alias.key: type_
        for type_, own_id in named
        for alias in id_aliases(type_, own_id, keys=hub.keys, source=source)
    }
    found = find_by_alias(session, keys.keys())
    stored = find_by_id(session, set(found.values()))
    wanted = {
        record_id
        for key, record_id in found.items()
        if stored[record_id].type is keys[key]
    }
    return intake.withdraw_all(session, hub, source, sorted(wanted), up_to=up_to)


def add_withdrawn(
    session: WriteSession, job_id: int, taken: Counter[RecordType], *, part: int
) -> None:
    """Add what was taken back to the counts of a part of a job."""
    outcome = LineOutcome.WITHDRAWN.value
    counts = {(type_.fhir_name, outcome): n for type_, n in taken.items()}
    add_counts(session, job_id, counts, part=part)
