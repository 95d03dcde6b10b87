"""HL7 v2 messages into the store: one transaction each, acknowledged after it."""

import logging
import secrets
from collections.abc import Iterator

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from app.domain.clinics import Source
from app.domain.errors import (
    PASSING,
    NotSupportedError,
    ServiceError,
    TooLargeError,
)
from app.hl7v2.acknowledgements import Acknowledgement, acknowledge
from app.hl7v2.dialects import Dialect
from app.hl7v2.messages import Message, control_id_of, header_of, parse_message
from app.hl7v2.problems import Problem, refused
from app.hl7v2.results import Converted, convert, is_production
from app.services import intake
from app.services.hub import Hub
from app.services.intake import Submission
from app.services.refusals import note_refusal, remember_noted
from app.services.resources import Wish, submission_of
from app.store import clinics
from app.store.faults import outage
from app.store.sessions import (
    ReadSession,
    WriteSession,
    new_write_session,
)

log = logging.getLogger(__name__)

CLIENT = "mllp"
"""For whom the acts of a listener are written down."""


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """Whose messages come in by one listener: a source, and how it writes."""

    clinic: str
    source: str
    dialect: Dialect


def answer(hub: Hub, sender: Sender, body: bytes, *, is_whole: bool = True) -> bytes:
    """
    Store what a message says, and return its acknowledgement.

    AA after the commit, or AE where something of it was refused: what could be taken is
    stored, and the same message again changes nothing. AR where nothing was stored and
    the same message may succeed later.
    """
    try:
        message = parse_message(body if is_whole else header_of(body))
        _check(message, is_whole=is_whole)
        problems = _received(hub, sender, message)
    except ServiceError as error:
        code = _code_of(error)
        problems = (refused(error),)
    except SQLAlchemyError as error:
        told = outage(error)
        if told is None:
            raise
        log.error("store unavailable", extra={"error": told.message})  # noqa: TRY400
        code, problems = Acknowledgement.REJECT, (refused(told),)
    else:
        whole = not any(problem.is_refusal for problem in problems)
        code = Acknowledgement.ACCEPT if whole else Acknowledgement.ERROR
    for problem in problems:
        if problem.is_refusal:
            facts = {"error": problem.issue_type, "expression": problem.place}
            log.info("hl7 refused", extra=facts)
    return acknowledge(
        code,
        control_id=control_id_of(body),
        own_id=secrets.token_hex(10),
        now=hub.clock(),
        problems=problems,
    )


def _code_of(error: ServiceError) -> Acknowledgement:
    passes = error.issue_type in PASSING
    return Acknowledgement.REJECT if passes else Acknowledgement.ERROR


def _check(message: Message, *, is_whole: bool) -> None:
    """Refuse a message that is too long, or none of real results."""
    if not is_whole:
        msg = "The message is larger than the listener takes"
        raise TooLargeError(msg)
    if not is_production(message):
        msg = "A message of training or debugging is not stored"
        raise NotSupportedError(msg, expression="MSH-11")


def _received(hub: Hub, sender: Sender, message: Message) -> tuple[Problem, ...]:
    """Store what a message says in one transaction; return what is wrong with it."""
    with new_write_session(hub.engine, client_id=CLIENT) as session:
        source = _source(session, sender)
        converted = convert(message, dialect=_dialect(sender, source))
        refusals = tuple(_stored(session, hub, source, converted))
        session.commit()
        remember_noted(session, hub.engine)
    log.info("hl7 message", extra={"count": len(converted.statements)})
    return (*converted.problems, *refusals)


def _source(session: ReadSession, sender: Sender) -> Source:
    """Return the source as it is now; a clinic that left is refused."""
    source = clinics.required_source(session, clinic=sender.clinic, name=sender.source)
    clinics.check_takes_part(session, source.clinic_id)
    return source


def check_sender(session: ReadSession, sender: Sender) -> None:
    """Refuse a source that is not there, or whose clinic left."""
    _source(session, sender)


def _dialect(sender: Sender, source: Source) -> Dialect:
    """Return how the source writes, with what the hub knows of it."""
    return msgspec.structs.replace(
        sender.dialect,
        time_zone=source.time_zone,
        unique_systems=source.identifier_systems,
    )


def _stored(
    session: WriteSession, hub: Hub, source: Source, converted: Converted
) -> Iterator[Problem]:
    """Store each statement, and yield why those that are refused are."""
    submissions: list[Submission] = []
    outcomes: dict[int, ServiceError] = {}
    for index, resource in enumerate(converted.resources):
        try:
            submissions.append(
                submission_of(resource, Wish(), hub=hub, source=source, index=index)
            )
        except ServiceError as refusal:
            outcomes[index] = refusal
    stored = intake.store(session, hub, source, submissions, atomic=False)
    outcomes |= {
        i: each for i, each in stored.items() if isinstance(each, ServiceError)
    }
    for index, error in sorted(outcomes.items()):
        statement = converted.statements[index]
        note_refusal(session, hub, source, statement.resource, error)
        yield _told(error, statement.place)


def _told(error: ServiceError, place: str) -> Problem:
    """Return the hub's refusal of a resource at the segment that it was made of."""
    if error.issue_type in PASSING:
        raise error
    problem = refused(error)
    element = f" ({problem.place})" if problem.place else ""
    return msgspec.structs.replace(
        problem, place=place, message=f"{problem.message}{element}"
    )
