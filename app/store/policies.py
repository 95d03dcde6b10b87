"""Policies under which records were stored, by digest."""

import json
from collections.abc import Mapping

import msgspec
from sqlalchemy import text

from app.store.sessions import ReadSession, WriteSession, connection_of

_KNOWN = text("SELECT digest, text, rules, since FROM policy ORDER BY since, digest")
_USED = text(
    "SELECT 1 FROM record WHERE policy_digest = :digest AND content IS NOT NULL LIMIT 1"
)
_ADD = text(
    "INSERT INTO policy (digest, text, rules, since) "
    "VALUES (:digest, :text, :rules, :since) ON CONFLICT (digest) DO UPDATE "
    "SET text = excluded.text, rules = excluded.rules"
)


class StoredPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy as it was first used; ``text`` None: only its digest is known."""

    digest: str
    text: str | None
    rules: Mapping[str, str]
    since: int


def known_policies(session: ReadSession) -> list[StoredPolicy]:
    """Return all policies, in the order of their first use."""
    return [
        StoredPolicy(digest=digest, text=text_, rules=json.loads(rules), since=since)
        for digest, text_, rules, since in connection_of(session).execute(_KNOWN)
    ]


def is_used(session: ReadSession, digest: str) -> bool:
    """Return whether any record was stored under a policy."""
    found = connection_of(session).execute(_USED, {"digest": digest})
    return found.first() is not None


def add_policy(session: WriteSession, policy: StoredPolicy) -> None:
    """Note a policy; one that is known stays since when it was."""
    connection_of(session).execute(
        _ADD,
        {
            "digest": policy.digest,
            "text": policy.text,
            "rules": json.dumps(dict(policy.rules), sort_keys=True),
            "since": policy.since,
        },
    )
