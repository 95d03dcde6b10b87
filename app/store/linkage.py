"""
Linkage tokens and who is one person: apart from all else that is kept.

Nothing refers to these rows. They are read to be kept up to date and to make a release,
never to answer a call.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from app.domain.linkage import LinkageToken, Person, TokenKind
from app.store import tables
from app.store.bulk import execute_among, fetch_among, insert_rows
from app.store.exchanges import fetch, is_postgresql
from app.store.sessions import ReadSession, WriteSession, connection_of

Tokens = frozenset[LinkageToken]

_LOCK = "SELECT pg_advisory_xact_lock(9, %s)"
_OWN = (
    "SELECT subject_id, kind, key_version, token FROM linkage_token "
    "WHERE subject_id {among}"
)
_HOLDERS = "SELECT DISTINCT subject_id FROM linkage_token WHERE token {among}"
_ROOTS = "SELECT COALESCE(joined_to, id) FROM subject WHERE id {among}"
_OF_PERSON = (
    "SELECT COALESCE(s.joined_to, s.id), s.clinic_id, t.kind, t.key_version, t.token "
    "FROM subject s JOIN linkage_token t ON t.subject_id = s.id "
)
_PEOPLE = (
    f"{_OF_PERSON} WHERE s.joined_to IS NULL AND s.id {{among}} "
    f"UNION ALL {_OF_PERSON} WHERE s.joined_to {{among}}"
)
_CLUSTERS = (
    "SELECT subject_id, cluster_id FROM linkage_cluster WHERE cluster_id IN "
    "(SELECT cluster_id FROM linkage_cluster WHERE subject_id {among})"
)
_FORGET_TOKENS = "DELETE FROM linkage_token WHERE subject_id {among}"
_FORGET_CLUSTERS = "DELETE FROM linkage_cluster WHERE subject_id {among}"
_TOKEN_COLUMNS = ("subject_id", "kind", "key_version", "token")
_CLUSTER_COLUMNS = ("subject_id", "cluster_id")


def lock(session: WriteSession) -> None:
    """
    Let no other transaction link until this one ends.

    Two that each bring one of two clinics' Patients would not see each other's. It is
    the last lock that a transaction takes, so that none waits for another in a ring.
    """
    if is_postgresql(session):
        fetch(session, _LOCK, (0,))


def tokens_of(session: ReadSession, subject_ids: Collection[int]) -> dict[int, Tokens]:
    """Return the tokens of each of *subject_ids* that has any."""
    found: dict[int, set[LinkageToken]] = defaultdict(set)
    for subject_id, kind, version, token in fetch_among(session, _OWN, subject_ids):
        found[subject_id].add(LinkageToken(TokenKind(kind), version, bytes(token)))
    return {subject_id: frozenset(own) for subject_id, own in found.items()}


def replace_tokens(session: WriteSession, said: Mapping[int, Tokens]) -> None:
    """Let *said* be all tokens of its subjects."""
    execute_among(session, _FORGET_TOKENS, said)
    rows = sorted((i, *token) for i, tokens in said.items() for token in tokens)
    table: Any = tables.LinkageToken
    insert_rows(session, table.__table__, _TOKEN_COLUMNS, rows)


def roots_of(session: ReadSession, subject_ids: Collection[int]) -> set[int]:
    """Return the subjects that count for *subject_ids*."""
    return {root for (root,) in fetch_among(session, _ROOTS, subject_ids)}


def holders(session: ReadSession, tokens: Iterable[LinkageToken]) -> dict[int, Person]:
    """
    Return who has any of *tokens*, as ``people`` does.

    How a middle name begins is shared by many, and links nobody.
    """
    keys = {token.token for token in tokens if token.kind is not TokenKind.MIDDLE}
    return people(session, {i for (i,) in fetch_among(session, _HOLDERS, keys)})


def people(session: ReadSession, subject_ids: Collection[int]) -> dict[int, Person]:
    """Return who counts for *subject_ids*, of those who have tokens, by subject."""
    clinics: dict[int, int] = {}
    tokens: dict[int, set[LinkageToken]] = defaultdict(set)
    roots = roots_of(session, subject_ids)
    for root, clinic_id, kind, version, token in fetch_among(session, _PEOPLE, roots):
        clinics[root] = clinic_id
        tokens[root].add(LinkageToken(TokenKind(kind), version, bytes(token)))
    return {root: Person(clinics[root], frozenset(tokens[root])) for root in clinics}


def clusters_of(session: ReadSession, subject_ids: Collection[int]) -> dict[int, int]:
    """Return the cluster of each of *subject_ids*, and of all who are in it."""
    return dict(fetch_among(session, _CLUSTERS, subject_ids))


def replace_clusters(
    session: WriteSession, subject_ids: Collection[int], rows: Iterable[tuple[int, int]]
) -> None:
    """Let *rows*, of subject and cluster, be all that there is of *subject_ids*."""
    execute_among(session, _FORGET_CLUSTERS, subject_ids)
    table: Any = tables.LinkageCluster
    insert_rows(session, table.__table__, _CLUSTER_COLUMNS, sorted(rows))


def forget_all(session: WriteSession) -> int:
    """Drop every token and cluster; return how many rows there were."""
    connection = connection_of(session)
    return sum(
        connection.exec_driver_sql(f"DELETE FROM {table}").rowcount
        for table in ("linkage_token", "linkage_cluster")
    )
