"""
Webhooks: servers that say what has changed, and by which secret they are known.

A notification is taken when what it names is durable; a job fetches it. As they come
at least once and in any order, what one says is a hint and what the server answers
when it is asked is the truth.
"""

import hashlib
import logging
import secrets
from collections.abc import Collection

import msgspec

from app.domain.calendar import epoch_ms_of, instant_of
from app.domain.clinics import Source
from app.domain.errors import ConflictError, ForbiddenError, NotFoundError
from app.domain.event_numbers import Numbers, with_events, with_total
from app.fhir.json_documents import read_json
from app.fhir.notifications import (
    Named,
    Notification,
    NotificationKind,
    parse_notification,
)
from app.services.bulk import connections
from app.services.hub import Hub
from app.services.sealing import seal, unseal
from app.smart.signed_bodies import is_signed
from app.store import webhooks
from app.store.clinics import has_left, required_source, source_by_id
from app.store.connections import Connection, all_connections, find_connection
from app.store.sessions import OPERATOR, WriteSession, read_session, write_session
from app.store.staging import stage
from app.store.webhooks import Webhook

log = logging.getLogger(__name__)

LARGEST_BYTES = 1024 * 1024
"""How long a notification may be."""
NAME_BYTES = 24
SECRET_BYTES = 32
MOST_SUBSCRIPTIONS = 100
"""Of so many Subscriptions of a source the numbers of events are kept."""
DIGEST_BYTES = 8
PART = 0

_NO_WEBHOOK = "There is no such webhook"
_LEFT = "The clinic has left the network"


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook's URL and its new secret, which is told this once."""

    url: str
    secret: str


class WebhookLine(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook in words, as a list shows it; its fields are the list's columns."""

    clinic: str
    source: str
    url: str
    secrets: str
    heard: str
    missed: str


def add(session: WriteSession, hub: Hub, *, clinic: str, source: str) -> Opened:
    """
    Open a webhook for a source that has a connection.

    Raises:
        NotFoundError: there is no such clinic, source or connection.
        ConflictError: the source has a webhook already.
    """
    _, connection = connections.required(session, clinic=clinic, source=source)
    if webhooks.find_webhook(session, connection.source_id) is not None:
        msg = "The source has a webhook: `catchment webhook rotate` gives a new secret"
        raise ConflictError(msg)
    name, secret = secrets.token_urlsafe(NAME_BYTES), _new_secret()
    webhooks.add_webhook(
        session,
        source_id=connection.source_id,
        name=name,
        sealed=_sealed(hub, [secret]),
        now=hub.clock(),
    )
    return Opened(url=url_of(hub, name), secret=secret)


def rotate(session: WriteSession, hub: Hub, *, clinic: str, source: str) -> Opened:
    """
    Give a webhook a new secret; until the next time the last one holds beside it.

    Raises:
        NotFoundError: there is no such clinic, source or webhook.
    """
    webhook = _required(session, clinic=clinic, source=source)
    secret = _new_secret()
    sealed = _sealed(hub, [secret, _secrets(hub, webhook)[0]])
    webhooks.change_secrets(session, webhook.source_id, sealed=sealed)
    return Opened(url=url_of(hub, webhook.name), secret=secret)


def keep_newest(session: WriteSession, hub: Hub, *, clinic: str, source: str) -> None:
    """Let a webhook's newest secret hold alone."""
    webhook = _required(session, clinic=clinic, source=source)
    sealed = _sealed(hub, _secrets(hub, webhook)[:1])
    webhooks.change_secrets(session, webhook.source_id, sealed=sealed)


def remove(session: WriteSession, *, clinic: str, source: str) -> None:
    """Close a webhook; what was named to it is fetched all the same."""
    known = required_source(session, clinic=clinic, name=source)
    if not webhooks.remove_webhook(session, known.source_id):
        raise NotFoundError(_NO_WEBHOOK)


def url_of(hub: Hub, name: str) -> str:
    """Return where notifications are sent."""
    return f"{hub.fhir_base}/webhooks/{name}"


def list_webhooks(hub: Hub) -> list[WebhookLine]:
    """Return every webhook in words, in the order of clinics and sources."""
    with read_session(hub.engine) as session:
        found = {each.source_id: each for each in webhooks.all_webhooks(session)}
        places = all_connections(session)
    return [
        WebhookLine(
            clinic=place.clinic,
            source=place.source,
            url=url_of(hub, webhook.name),
            secrets=str(len(_secrets(hub, webhook))),
            heard="-"
            if webhook.received_at is None
            else instant_of(webhook.received_at),
            missed=str(missed(webhook, place.connection) or "-"),
        )
        for place in places
        if (webhook := found.get(place.connection.source_id)) is not None
    ]


def missed(webhook: Webhook, connection: Connection) -> int:
    """Return how many events never came, but for those that a collection made up."""
    since, at = connection.since, webhook.missed_at
    if at is None or (since is not None and epoch_ms_of(since) > at):
        return 0
    return sum(numbers.missed for numbers in webhook.numbers.values())


def receive(hub: Hub, name: str, body: bytes, signatures: Collection[str]) -> None:
    """
    Take a notification; what it names is durable when this returns.

    Raises:
        NotFoundError: there is no such webhook, or no connection to fetch by.
        ForbiddenError: no signature is by a secret of the webhook's; or the clinic
            has left.
        MalformedError: it is no notification.
        InvalidElementError: it is of a kind that there is not.
        BusinessRuleError: it is about a resource of another server.
    """
    source, connection = _checked(hub, name, body, signatures)
    document = read_json(body, max_bytes=LARGEST_BYTES)
    notification = parse_notification(document, base=connection.fhir_base)
    wanted = [n for n in notification.named if n.type_name in connection.types]
    with write_session(hub.engine) as session:
        webhook = webhooks.lock_webhook(session, name, now=hub.clock())
        if webhook is None:
            raise NotFoundError(_NO_WEBHOOK)
        _note_numbers(session, hub, webhook, notification)
        if wanted:
            _keep(session, hub, source, wanted)


def _checked(
    hub: Hub, name: str, body: bytes, signatures: Collection[str]
) -> tuple[Source, Connection]:
    """Return whose notification it is, once it is known to be theirs."""
    with read_session(hub.engine) as session:
        webhook = webhooks.find_webhook_called(session, name)
        if webhook is None:
            raise NotFoundError(_NO_WEBHOOK)
        if not is_signed(body, signatures, secrets=_secrets(hub, webhook)):
            msg = "The signature is by no secret of this webhook's"
            raise ForbiddenError(msg)
        if has_left(session, webhook.source_id):
            raise ForbiddenError(_LEFT)
        connection = find_connection(session, webhook.source_id)
        source = source_by_id(session, webhook.source_id)
    if connection is None:
        msg = "There is no connection by which to fetch what is named"
        raise NotFoundError(msg)
    return source, connection


def _keep(session: WriteSession, hub: Hub, source: Source, wanted: list[Named]) -> None:
    """Keep what is named for the source's open job, readable under the key alone."""
    now = hub.clock()

    def place() -> webhooks.JobPlace | None:
        return webhooks.join_job(session, source.source_id, count=len(wanted), now=now)

    found = place()
    if found is None:
        webhooks.open_job(
            session,
            source_id=source.source_id,
            clinic_id=source.clinic_id,
            client_id=OPERATOR,
            now=now,
        )
        found = place()
    assert found is not None
    payload = seal(hub.keys, msgspec.json.encode(wanted))
    stage(session, found.job_id, part=PART, number=found.received, payload=payload)


def _note_numbers(
    session: WriteSession, hub: Hub, webhook: Webhook, notification: Notification
) -> None:
    """Note which events came, and whether any did not."""
    known = webhook.numbers
    key = _digest(notification.subscription)
    if key not in known and len(known) >= MOST_SUBSCRIPTIONS:
        known.pop(next(iter(known)))
    before = known.get(key)
    after = _after(before, notification)
    if after is None or after == before:
        return
    known[key] = after
    more = after.missed - (0 if before is None else before.missed)
    missed_at = hub.clock() if more > 0 else webhook.missed_at
    webhooks.note_numbers(session, webhook.name, known, missed_at=missed_at)
    if more > 0:
        log.warning("webhook events missed", extra={"count": more})


def _after(before: Numbers | None, notification: Notification) -> Numbers | None:
    total = notification.total
    match notification.kind:
        case NotificationKind.HANDSHAKE:
            return Numbers(total or 0)
        case NotificationKind.HEARTBEAT | NotificationKind.QUERY_STATUS:
            return before if total is None else with_total(before, total)
        case _:
            return with_events(before, notification.numbers)


def _digest(subscription: str) -> str:
    return hashlib.sha256(subscription.encode()).digest()[:DIGEST_BYTES].hex()


def _required(session: WriteSession, *, clinic: str, source: str) -> Webhook:
    known = required_source(session, clinic=clinic, name=source)
    found = webhooks.find_webhook(session, known.source_id)
    if found is None:
        raise NotFoundError(_NO_WEBHOOK)
    return found


def _new_secret() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


def _sealed(hub: Hub, held: list[str]) -> bytes:
    return seal(hub.keys, msgspec.json.encode(held))


def _secrets(hub: Hub, webhook: Webhook) -> list[str]:
    return msgspec.json.decode(unseal(hub.keys, webhook.sealed), type=list[str])
