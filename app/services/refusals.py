"""
What was refused, remembered for those who ask what became of it.

Noted while a request is refused, and written in a transaction of its own after the
request's has ended; a delivery that goes through writes nothing here.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from app.domain.clinics import Source
from app.domain.errors import PASSING, IssueType, ServiceError
from app.fhir.validation import InvalidResourceError
from app.services.blocks import ErasedError
from app.services.hub import Hub
from app.services.sent_names import own_names
from app.store.refusals import StoredRefusal, add_refusals, forget_old_refusals
from app.store.sessions import WriteSession, write_session

log = logging.getLogger(__name__)

MOST_OF_A_REQUEST = 1_000
LONGEST_EXPRESSION = 200

_NOTED = "refusals"
_ENTRY = re.compile(r"Bundle\.entry\[(\d+)\](?:\.resource)?")


def note_refusal(
    session: WriteSession, hub: Hub, source: Source, resource: object, error: Exception
) -> None:
    """Note that *resource* was refused; see ``refusals_of``."""
    noted = session.info.setdefault(_NOTED, [])
    if len(noted) < MOST_OF_A_REQUEST:
        noted += refusals_of(hub, source, resource, error)


def note_refused_entry(
    session: WriteSession,
    hub: Hub,
    source: Source,
    bundle: Mapping[str, Any],
    error: ServiceError,
) -> None:
    """Note the entry of a Bundle that *error* is about, if it is about one."""
    match = _ENTRY.match(error.expression or "")
    if match is not None:
        resource = _resource_of(bundle["entry"][int(match[1])])
        note_refusal(session, hub, source, resource, error)


def refusals_of(
    hub: Hub, source: Source, resource: object, error: Exception
) -> list[StoredRefusal]:
    """
    Return that *resource* was refused, under each name that it bears.

    Not told: that the hub was busy or the budget spent, and what is about an erased
    person, whose names are to be nowhere.
    """
    if not isinstance(error, ServiceError) or not isinstance(resource, Mapping):
        return []
    if isinstance(error, ErasedError) or error.issue_type in PASSING:
        return []
    issue_type, expression = _first_issue(error)
    # Of an entry the place in its Bundle is gone by the time that somebody asks.
    alone = _ENTRY.sub(str(resource.get("resourceType")), expression or "")
    return [
        StoredRefusal(
            alias.key,
            source.source_id,
            issue_type.value,
            alone[:LONGEST_EXPRESSION] or None,
            hub.clock(),
        )
        for alias in own_names(resource, hub.keys, source)
    ]


def remember_noted(session: WriteSession, engine: Engine) -> None:
    """Write what was noted in *session*, whose transaction has ended."""
    remember(session.info.pop(_NOTED, []), engine)


def remember(refusals: Sequence[StoredRefusal], engine: Engine) -> None:
    """Write *refusals* in a transaction of their own."""
    if not refusals:
        return
    try:
        with write_session(engine) as own:
            add_refusals(own, refusals)
    except DBAPIError as error:  # the refusal itself has been told
        log.warning("refusal not remembered", extra={"error": type(error).__name__})


def forget_old(hub: Hub) -> None:
    """Forget what was refused a month ago."""
    with write_session(hub.engine) as session:
        forget_old_refusals(session, now=hub.clock())


def _first_issue(error: ServiceError) -> tuple[IssueType, str | None]:
    if isinstance(error, InvalidResourceError):
        issue = error.issues[0]
        return issue.issue_type, issue.expression
    return error.issue_type, error.expression


def _resource_of(entry: object) -> object:
    return entry.get("resource") if isinstance(entry, dict) else None
