"""What a submission asks of the store before it may be taken."""

from collections.abc import Collection

from app.domain.errors import (
    BusinessRuleError,
    MalformedError,
    PreconditionFailedError,
)
from app.services.identities import Identities
from app.services.submissions import Submission
from app.store.records import State, StoredRecord


def check_identity(submission: Submission) -> None:
    """Refuse what corrects a record and does not say which."""
    is_named = submission.names or submission.hub_record
    if submission.record.needs_identity and not is_named:
        msg = "A correction needs the id or an identifier of what it corrects"
        raise BusinessRuleError(msg, expression=f"{submission.expression}.status")


def check_stored(submission: Submission, stored: StoredRecord | None) -> None:
    """Refuse what may not replace *stored*, the record that it names, if it is here."""
    at = submission.expression
    check_identity(submission)
    here = stored is not None and stored.state is State.CURRENT
    if stored is not None and here and submission.may_replace is not None:
        submission.may_replace(stored)
    if submission.if_none_match and here:
        msg = "If-None-Match: the record is here already"
        raise PreconditionFailedError(msg, expression=at)
    if submission.if_match is not None and (
        stored is None or not here or not submission.if_match.allows(stored.version)
    ):
        msg = "If-Match: the record has another version"
        raise PreconditionFailedError(msg, expression=at)


def check_match(
    submission: Submission, found: Collection[int], identities: Identities
) -> None:
    """Refuse a conditional update that *found* a record of another id than its body."""
    for matched in found:
        if submission.hub_record is not None:
            is_other = submission.hub_record != matched
        else:
            is_other = identities.has_other_id(matched, submission.record.aliases)
        if is_other:
            msg = "The condition names a record of another id"
            raise MalformedError(msg, expression=f"{submission.expression}.id")
