"""
Notifications of a Subscription: which resources a server says have changed.

A Bundle whose first entry says what it is about, in R4B's SubscriptionStatus or in
the Parameters that R4 has in its place.

Source: Subscriptions R5 Backport 1.1.0, "Payload types" and "Notifications".
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import msgspec

from app.domain.errors import BusinessRuleError, InvalidElementError, MalformedError
from app.domain.records import RecordType
from app.fhir.json_documents import objects_in
from app.fhir.references import normal_base, restful_parts

Json = dict[str, Any]

BUNDLE_TYPES = frozenset({"history", "subscription-notification"})
"""As the backport has it, and as R5."""
STATUS = "Bundle.entry[0].resource"
LARGEST_NUMBER = 10**15


class NotificationKind(StrEnum):
    """What a notification is sent for."""

    HANDSHAKE = "handshake"
    HEARTBEAT = "heartbeat"
    EVENTS = "event-notification"
    QUERY_STATUS = "query-status"
    QUERY_EVENT = "query-event"


class Named(msgspec.Struct, frozen=True, order=True):
    """A resource that is named, by the name of its type and the sender's own id."""

    type_name: str
    own_id: str

    @property
    def reference(self) -> str:
        """Return the relative reference to it."""
        return f"{self.type_name}/{self.own_id}"


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a notification says.

    ``total`` is how many events there were since the Subscription began, ``numbers``
    those of the events that it tells of, ``named`` each resource of a kept type once.
    """

    kind: NotificationKind
    subscription: str
    total: int | None
    numbers: tuple[int, ...]
    named: tuple[Named, ...]


class _Event(msgspec.Struct, frozen=True, kw_only=True):
    number: int | None
    focus: object
    contexts: tuple[object, ...]


class _Status(msgspec.Struct, frozen=True, kw_only=True):
    kind: object
    subscription: object
    total: object
    events: tuple[_Event, ...]


def parse_notification(bundle: Json, *, base: str) -> Notification:
    """
    Return what *bundle*, from the server at *base*, says.

    Besides what its events are about, what they say it has to do with is named.

    Raises:
        MalformedError: it is no notification.
        InvalidElementError: it is of a kind that there is not.
        BusinessRuleError: an event is about a resource of another server.
    """
    entries = objects_in(bundle.get("entry"))
    if (
        bundle.get("resourceType") != "Bundle"
        or bundle.get("type") not in BUNDLE_TYPES
        or not entries
    ):
        msg = "A notification is a Bundle of type history, its status first"
        raise MalformedError(msg, expression="Bundle")
    status = _status(entries[0].get("resource"))
    try:
        kind = NotificationKind(str(status.kind))
    except ValueError:
        msg = "There is no such kind of notification"
        raise InvalidElementError(msg, expression=f"{STATUS}.type") from None
    named = [*_of_events(status, base), *_of_entries(entries[1:], base)]
    return Notification(
        kind=kind,
        subscription=status.subscription
        if isinstance(status.subscription, str)
        else "",
        total=_number(status.total),
        numbers=tuple(e.number for e in status.events if e.number is not None),
        named=tuple(dict.fromkeys(named)),
    )


def _status(resource: object) -> _Status:
    """Return the status in either of its forms."""
    if isinstance(resource, dict):
        if resource.get("resourceType") == "SubscriptionStatus":
            return _of_r4b(resource)
        if resource.get("resourceType") == "Parameters":
            return _of_r4(resource)
    msg = "The first entry of a notification is its status"
    raise MalformedError(msg, expression=STATUS)


def _of_r4b(status: Json) -> _Status:
    return _Status(
        kind=status.get("type"),
        subscription=_reference(status.get("subscription")),
        total=status.get("eventsSinceSubscriptionStart"),
        events=tuple(
            _Event(
                number=_number(event.get("eventNumber")),
                focus=_reference(event.get("focus")),
                contexts=tuple(
                    map(_reference, objects_in(event.get("additionalContext")))
                ),
            )
            for event in objects_in(status.get("notificationEvent"))
        ),
    )


def _of_r4(parameters: Json) -> _Status:
    stated = objects_in(parameters.get("parameter"))
    events = (objects_in(p.get("part")) for p in _called(stated, "notification-event"))
    return _Status(
        kind=_value(stated, "type"),
        subscription=_reference(_value(stated, "subscription")),
        total=_value(stated, "events-since-subscription-start"),
        events=tuple(
            _Event(
                number=_number(_value(event, "event-number")),
                focus=_reference(_value(event, "focus")),
                contexts=tuple(
                    _reference(each.get("valueReference"))
                    for each in _called(event, "additional-context")
                ),
            )
            for event in events
        ),
    )


def _of_events(status: _Status, base: str) -> Iterator[Named]:
    for event in status.events:
        focus = _named(event.focus, base)
        if focus is None and _is_elsewhere(event.focus):
            msg = "An event is about a resource of another server than the connection's"
            raise BusinessRuleError(msg, expression=f"{STATUS}.notificationEvent.focus")
        contexts = (_named(each, base) for each in event.contexts)
        yield from (each for each in (focus, *contexts) if each is not None)


def _of_entries(entries: list[Json], base: str) -> Iterator[Named]:
    """Yield what entries are of; one that tells of a deletion may name no focus."""
    for entry in entries:
        request = entry.get("request")
        url = request.get("url") if isinstance(request, dict) else None
        for stated in (entry.get("fullUrl"), url):
            named = _named(stated, base)
            if named is not None:
                yield named


def _named(stated: object, base: str) -> Named | None:
    """Return what a reference names, if it is of a kept type and of the server."""
    parts = restful_parts(stated) if isinstance(stated, str) else None
    if parts is None or RecordType.of(parts[1]) is None:
        return None
    is_there = parts[0] is None or normal_base(parts[0]) == normal_base(base)
    return Named(parts[1], parts[2]) if is_there else None


def _is_elsewhere(stated: object) -> bool:
    """Return whether a reference that named nothing here is of a kept type."""
    parts = restful_parts(stated) if isinstance(stated, str) else None
    return parts is not None and RecordType.of(parts[1]) is not None


def _reference(element: object) -> object:
    return element.get("reference") if isinstance(element, dict) else None


def _number(stated: object) -> int | None:
    """Return a number, which R4B and R4 write as text, where it is one."""
    text = str(stated)
    if not (text.isascii() and text.isdecimal()) or len(text) > len(
        str(LARGEST_NUMBER)
    ):
        return None
    return min(int(text), LARGEST_NUMBER)


def _value(parameters: list[Json], name: str) -> object:
    """Return the value of the first parameter of a name."""
    for parameter in _called(parameters, name):
        return next((v for k, v in parameter.items() if k.startswith("value")), None)
    return None


def _called(parameters: list[Json], name: str) -> Iterator[Json]:
    return (each for each in parameters if each.get("name") == name)
