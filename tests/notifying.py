"""Notifications of a Subscription, as an EHR makes and signs them."""

import hashlib
import hmac
import json
from typing import Any

import httpx

from app.services.bulk import webhooks
from app.services.bulk.webhooks import Opened
from app.services.hub import Hub
from app.store.sessions import write_session
from tests.collecting import CLINIC, SOURCE

Json = dict[str, Any]

EVENTS = "event-notification"


def event(number: int, focus: str, *contexts: str) -> Json:
    """Return an event of R4B's SubscriptionStatus."""
    stated: Json = {"eventNumber": str(number), "focus": {"reference": focus}}
    if contexts:
        stated["additionalContext"] = [{"reference": each} for each in contexts]
    return stated


def bundle_of(status: Json, *entries: Json) -> Json:
    """Return a notification, its status first."""
    return {
        "resourceType": "Bundle",
        "type": "history",
        "entry": [{"resource": status}, *entries],
    }


def status(
    kind: str, *events: Json, total: int = 0, subscription: str = "Subscription/s1"
) -> Json:
    """Return a status as R4B has it."""
    return {
        "resourceType": "SubscriptionStatus",
        "status": "active",
        "type": kind,
        "eventsSinceSubscriptionStart": str(total),
        "subscription": {"reference": subscription},
        "notificationEvent": list(events),
    }


def r4_status(kind: str, *events: Json, total: int = 0) -> Json:
    """Return a status as R4 has it: Parameters."""

    def parts(stated: Json) -> Json:
        contexts = stated.get("additionalContext", [])
        return {
            "name": "notification-event",
            "part": [
                {"name": "event-number", "valueString": stated["eventNumber"]},
                {"name": "focus", "valueReference": stated["focus"]},
                *(
                    {"name": "additional-context", "valueReference": each}
                    for each in contexts
                ),
            ],
        }

    return {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "subscription",
                "valueReference": {"reference": "Subscription/s1"},
            },
            {"name": "type", "valueCode": kind},
            {"name": "events-since-subscription-start", "valueString": str(total)},
            *map(parts, events),
        ],
    }


def naming(*references: str, first: int = 1) -> Json:
    """Return a notification of an event for each reference."""
    events = [event(first + n, each) for n, each in enumerate(references)]
    return bundle_of(status(EVENTS, *events, total=first + len(references) - 1))


def signed(body: bytes, secret: str) -> str:
    """Return a signature as WebSub writes it."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def opened(hub: Hub) -> Opened:
    """Return a webhook for the source that the tests collect."""
    with write_session(hub.engine) as session:
        return webhooks.add(session, hub, clinic=CLINIC, source=SOURCE)


class Notifier:
    """The EHR's side: it signs with the secret that it was told."""

    def __init__(self, http: httpx.AsyncClient, opened: Opened) -> None:
        self.http = http
        self.url = opened.url
        self.secret = opened.secret

    async def post(self, document: Json | bytes, **headers: str) -> httpx.Response:
        """Send a notification, signed as is right unless *headers* say otherwise."""
        body = document
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        usual = {"X-Hub-Signature": signed(body, self.secret)}
        stated = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post(self.url, content=body, headers=usual | stated)
