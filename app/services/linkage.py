"""
One patient at several clinics: kept up to date as Patients come, change and go.

Done within the transaction that changes a Patient, at its end. What it costs follows
the Patient: those who share a token with it, now or before, and whom links connect with
them.
"""

import logging
import secrets
from collections.abc import Collection, Iterable, Mapping

from app.deid.clusters import clusters, link_between
from app.domain.linkage import LinkageToken, Person
from app.domain.records import RecordType
from app.services.hub import Hub
from app.services.placements import Placed
from app.store import linkage
from app.store.records import State, StoredRecord
from app.store.sessions import WriteSession, write_session

log = logging.getLogger(__name__)

CLUSTER_ID_BITS = 62
"""As many as a signed number of the database has, without its sign."""

Tokens = frozenset[LinkageToken]


class Linkage:
    """What the Patients of one transaction have to say of who they are."""

    def __init__(self, session: WriteSession, hub: Hub) -> None:
        self._session = session
        self._is_on = hub.policy.terms.linkage
        self._said: dict[int, Tokens] = {}

    def hear(self, placed: Placed, stored: StoredRecord) -> None:
        """
        Let a Patient's tokens be those of the version that is current now.

        A repetition says them too: it may be the first since linkage was allowed.
        """
        is_this = stored.state is State.CURRENT and stored.digest in placed.digests
        if stored.type is RecordType.PATIENT and is_this:
            self._said[stored.id] = frozenset(placed.record.linkage)

    def forget(self, record_id: int) -> None:
        """Let a Patient that was withdrawn have no tokens."""
        self._said[record_id] = frozenset()

    def write(self, moved: Collection[int]) -> None:
        """Write it; *moved* are subjects that count for others now, or apart again."""
        if self._is_on:
            relink(self._session, self._said, moved=moved)


def relink(
    session: WriteSession, said: Mapping[int, Tokens], *, moved: Collection[int] = ()
) -> None:
    """
    Let *said* be the tokens of its subjects, and let who is one person follow.

    Whoever shares a token with one of them, or did, may be in another cluster now; so
    may all whom links connect with those. Nobody else can.
    """
    if not said and not moved:
        return
    linkage.lock(session)
    before = linkage.tokens_of(session, said)
    news = {i: own for i, own in said.items() if own != before.get(i, frozenset())}
    if not news and not moved:
        return
    linkage.replace_tokens(session, news)
    touched = {*news, *moved}
    people = linkage.people(session, touched)
    own = (*(person.tokens for person in people.values()), *before.values())
    people |= linkage.holders(session, {*_tokens(own)})
    _add_linked(session, people)
    concerned = people.keys() | touched | linkage.roots_of(session, touched)
    _save(session, concerned, clusters(people))


def forget(session: WriteSession, subject_ids: Iterable[int]) -> None:
    """Drop what links erased subjects to anybody."""
    relink(session, dict.fromkeys(subject_ids, frozenset()))


def keep_to_policy(hub: Hub) -> None:
    """Drop all tokens and clusters where the policy no longer lets there be any."""
    if hub.policy.terms.linkage:
        return
    with write_session(hub.engine) as session:
        linkage.lock(session)
        if count := linkage.forget_all(session):
            log.info("linkage dropped", extra={"count": count})


def _tokens(of: Iterable[Tokens]) -> Iterable[LinkageToken]:
    return (token for own in of for token in own)


def _add_linked(session: WriteSession, people: dict[int, Person]) -> None:
    """Add to *people* all whom links connect with them."""
    newest = dict(people)
    while newest:
        tokens = {*_tokens(person.tokens for person in newest.values())}
        found = linkage.holders(session, tokens)
        newest = {
            subject: person
            for subject, person in found.items()
            if subject not in people
            and any(link_between(person, known) for known in newest.values())
        }
        people |= newest


def _save(
    session: WriteSession, subjects: Collection[int], groups: Iterable[frozenset[int]]
) -> None:
    """Write who is one person among *subjects*; a cluster that stays keeps its id."""
    stored = linkage.clusters_of(session, subjects)
    rows = []
    for group in groups:
        ids = {stored.get(subject) for subject in group}
        kept = ids.pop() if len(ids) == 1 else None
        if kept is None or sum(each == kept for each in stored.values()) > len(group):
            kept = secrets.randbits(CLUSTER_ID_BITS)
        rows += [(subject, kept) for subject in sorted(group)]
    linkage.replace_clusters(session, subjects, rows)
