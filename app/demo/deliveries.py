"""Requests that a clinic makes of the hub, ready to be sent."""

from collections.abc import Sequence
from typing import Any

import msgspec

Json = dict[str, Any]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """
    One FHIR request.

    ``path`` is relative to the FHIR base, and empty for a Bundle. ``resource_count``
    counts the resources in ``body``: a Bundle's entries, else 1.
    """

    method: str
    path: str
    body: Json
    resource_count: int


def bundle_delivery(bundle_type: str, entries: Sequence[Json]) -> Delivery:
    """Return the request that sends *entries* as one ``batch`` or ``transaction``."""
    return whole_bundle(
        {"resourceType": "Bundle", "type": bundle_type, "entry": list(entries)}
    )


def whole_bundle(bundle: Json) -> Delivery:
    """Return the request that sends *bundle* as it is."""
    return Delivery(
        method="POST", path="", body=bundle, resource_count=len(bundle["entry"])
    )


def update(resource: Json) -> Delivery:
    """Return the request that puts one resource under its own id."""
    path = f"{resource['resourceType']}/{resource['id']}"
    return Delivery(method="PUT", path=path, body=resource, resource_count=1)
