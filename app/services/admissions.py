"""
Whether a policy may go on with what is stored under others.

Records of one database are of one exactness. What is stored was made by the policy of
its day, and is neither cut afterwards nor made finer by itself; so where another policy
kept more, or dates of another exactness, the hub does not start.
"""

from collections.abc import Iterator

from app.deid.comparisons import difference
from app.deid.policies import Policy, PolicyText, parse_policy
from app.domain.errors import ConflictError
from app.domain.records import Precision
from app.services.hub import Hub
from app.store.policies import StoredPolicy, add_policy, is_used, known_policies
from app.store.sessions import ReadSession, read_session, write_session

__all__ = ["Policy", "admit_policy", "check_admitted", "conflicts"]


def admit_policy(hub: Hub) -> None:
    """
    Let the hub go on with its policy, and note that it does.

    Raises:
        ConflictError: records are stored that the policy would not have kept so.
    """
    with read_session(hub.engine) as session:
        for reason in conflicts(session, hub.policy):
            raise ConflictError(reason)
        known = {each.digest: each.text for each in known_policies(session)}
    if known.get(hub.policy.digest) is None:
        stated = hub.policy.stated
        with write_session(hub.engine) as session:
            add_policy(
                session,
                StoredPolicy(
                    digest=hub.policy.digest,
                    text=stated.text,
                    rules=stated.rules,
                    since=hub.clock(),
                ),
            )


def conflicts(session: ReadSession, policy: Policy) -> Iterator[str]:
    """Yield why *policy* can't go on with what is stored, and what is to be done."""
    for stored in known_policies(session):
        if stored.digest == policy.digest:
            continue
        reason = _conflict(stored, policy)
        if reason is not None and is_used(session, stored.digest):
            yield (
                f"Records are stored under {_name_of(stored)}, {reason}: begin with a"
                " new database and let the clinics send again, or keep that policy"
            )


def check_admitted(hub: Hub, digest: str) -> None:
    """
    Refuse what was de-identified under a policy that would not be admitted now.

    Raises:
        ConflictError: it may be more than is kept now; it is to be sent again.
    """
    if digest == hub.policy.digest:
        return
    with read_session(hub.engine) as session:
        known = {each.digest: each for each in known_policies(session)}
    if digest not in known or _conflict(known[digest], hub.policy) is not None:
        msg = "The policy has changed since the lines came; send them again"
        raise ConflictError(msg)


def _conflict(stored: StoredPolicy, policy: Policy) -> str | None:
    """Return why records of another policy can't stay under this one, if so."""
    other = _parsed(stored)
    dates = Precision.DAY if other is None else other.keeping.dates
    if policy.keeping.dates is not dates:
        return f"whose dates are not kept as {policy.keeping.dates}s as here"
    if other is not None and (more := difference(policy, other)):
        return f"which keeps more than this one ({', '.join(more)})"
    if other is None and policy.keeping.taken_away:
        return "which keeps more than this one"
    return None


def _parsed(stored: StoredPolicy) -> Policy | None:
    """
    Return a policy as it was; None where only its digest is known.

    Before policies were noted there was one kind: days, and months of birth.
    """
    if stored.text is None:
        return None
    text = PolicyText(origin=_name_of(stored), text=stored.text, rules=stored.rules)
    return parse_policy(text)


def _name_of(stored: StoredPolicy) -> str:
    return f"the policy {stored.digest[:12]}"
