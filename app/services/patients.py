"""
A Patient on its way in: which record is its own, and to whom it is tied.

An identifier may be of several Patients, and a Patient may be known by several, so each
identifier names a subject of its own, and ties say whose it is. What ties come to is
``groups``' to say.
"""

from collections.abc import Sequence

from app.deid.pseudonyms import names_of
from app.domain.errors import PreconditionFailedError
from app.domain.records import Alias, AliasKind, AliasTarget, RecordType, Target
from app.services.groups import Groups
from app.services.identities import Identities
from app.services.submissions import Submission
from app.store.records import State, StoredRecord
from app.store.ties import Tie, TieKind


def own_patient(
    submission: Submission, *, identities: Identities, groups: Groups
) -> int | None:
    """
    Return the Patient's record: of its condition, its id, or its identifiers.

    Two ids are two records, however they are tied; a Patient that came without an
    id may be given one later.
    """
    if submission.hub_record is not None:
        return submission.hub_record
    if submission.condition and (
        met := holders(submission.condition, identities, groups)
    ):
        return _only_one(met, identities, expression=submission.expression)
    ids = submission.ids
    if by_id := identities.found(ids):
        return min(by_id)
    identifiers = submission.identifiers
    held = holders(identifiers, identities, groups)
    if not ids:
        return min(held or identities.found(identifiers), default=None)
    identities.look_up_kinds(held)
    known = identities.kinds
    return min((i for i in held if (i, AliasKind.ID) not in known), default=None)


def holders(
    identifiers: Sequence[Alias], identities: Identities, groups: Groups
) -> set[int]:
    """Return the Patients that *identifiers* are of."""
    nodes = identities.found(identifiers)
    if not nodes:
        return set()
    known = identities.records
    own = {i for i in nodes if known[i].state is not State.PLACEHOLDER}
    held = groups.holders(nodes)
    identities.add_records(held)
    return own | held


def _only_one(patients: set[int], identities: Identities, *, expression: str) -> int:
    """Return the Patient that a condition means, of the source itself if it can."""
    ours = {i for i in patients if identities.is_ours(i)} or patients
    if len(ours) > 1:
        msg = "The condition names several Patients"
        raise PreconditionFailedError(msg, expression=expression)
    return min(ours)


def own_names(
    submission: Submission, stored: StoredRecord, *, identities: Identities
) -> tuple[Alias, ...]:
    """
    Return what names a Patient's own record: its id, else its first identifier.

    Its other identifiers name subjects of their own, tied to it, so that they can
    come apart again.
    """
    if ids := submission.ids:
        return ids
    names = submission.names
    if stored.id not in identities.created or identities.found(names):
        return ()
    return next(iter(names_of(names)), ())


def hear_identifiers(
    submission: Submission,
    stored: StoredRecord,
    *,
    identities: Identities,
    groups: Groups,
) -> None:
    """Tie a Patient to those who have its identifiers, and to nobody else yet."""
    named = names_of(submission.identifiers)
    targets = [AliasTarget(aliases, RecordType.PATIENT) for aliases in named]
    nodes = [_linked(target, submission, identities) for target in targets]
    ties = [Tie(stored.id, node, TieKind.IDENTIFIER) for node in nodes]
    groups.say(stored.id, ties)


def hear_link(
    link: Target,
    submission: Submission,
    stored: StoredRecord,
    *,
    identities: Identities,
    groups: Groups,
) -> None:
    """Tie a Patient to one that it links to."""
    other = _linked(link, submission, identities)
    groups.add(Tie(stored.id, other, TieKind.LINK))


def _linked(target: Target, submission: Submission, identities: Identities) -> int:
    return identities.patient(target, expression=f"{submission.expression}.link")
