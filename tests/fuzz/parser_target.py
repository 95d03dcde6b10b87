"""
A program of its own: atheris feeds bytes to everything between the wire and the store.

Called with libFuzzer's arguments, the folder of a corpus last. Anything but a typed
refusal ends it, and so does what hangs or swells (``-timeout``, ``-rss_limit_mb``).
"""

import json
import random
import sys
from collections.abc import Iterator
from typing import Any

import atheris

with atheris.instrument_imports(include=["app"]):
    from app.domain.errors import ServiceError
    from app.fhir.json_documents import read_json
    from app.fhir.outcomes import operation_outcome
    from app.fhir.schemas import schemas
    from app.fhir.validation import InvalidResourceError, validate
    from tests.deidentification import deidentified

MAX_BYTES = 1 << 16
NAMES = sorted(schemas().names)
HUGE = "a number that json.dumps does not write"
STRANGE: list[Any] = [
    HUGE,
    *(None, True, 0, -1, 1.5, 1e300, 10**18, 10**400, "", " ", "\x00", "é", "9" * 40),
    *("2024", "2024-02-30", "0001-01-01", "9999-12-31T23:59:60-14:00", "#", "#x"),
    *(
        "urn:uuid:x",
        "Patient/hub-9",
        "Patient?identifier=%00|%ff",
        "https://[",
        "hub-1",
    ),
    *([], {}, [None], [[[]]], {"": ""}, {"extension": [{"url": "x"}]}),
]


def take(body: bytes) -> None:
    """Read, validate, parse and de-identify *body*, or refuse it."""
    try:
        resource = read_json(body, max_bytes=MAX_BYTES)
        if issues := validate(resource):
            raise InvalidResourceError(issues)
        deidentified(resource)
    except ServiceError as error:
        operation_outcome(error)


def changed(body: bytes, max_bytes: int, seed: int) -> bytes:
    """Return *body* with one element of its JSON changed, or now and then one byte."""
    chance = random.Random(seed)
    document = _document(body)
    spots = list(_spots(document))
    if not spots or chance.random() < 0.1:
        return bytes(atheris.Mutate(body, max_bytes))
    node, key = chance.choice(spots)
    other, its_key = chance.choice(spots)
    match chance.randrange(5):
        case 0:
            node[key] = chance.choice(STRANGE)
        case 1 if isinstance(node, dict):
            node[chance.choice(NAMES)] = json.loads(json.dumps(other[its_key]))
        case 2:
            node[key] = json.loads(json.dumps(other[its_key]))
        case 3:
            del node[key]
        case _:
            node[key] = [node[key]]
    text = json.dumps(document).replace(f'"{HUGE}"', "1e999").encode()
    return text if len(text) <= max_bytes else body


def _document(body: bytes) -> Any:
    """Return what *body* says in JSON, or nothing to change an element of."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict | list) else {}


def _spots(node: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place in a document: what holds it, and its name or number there."""
    members = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in list(members):
        yield node, key
        if isinstance(value, dict | list):
            yield from _spots(value)


if __name__ == "__main__":
    atheris.Setup(sys.argv, take, custom_mutator=changed)
    atheris.Fuzz()
