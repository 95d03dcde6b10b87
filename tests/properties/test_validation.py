"""Whatever is done to a valid resource: never laxer than the models, never a quote."""

import copy
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.errors import ServiceError
from app.fhir.internals import is_after
from app.fhir.json_documents import read_json
from app.fhir.outcomes import operation_outcome
from app.fhir.validation import validate
from tests.conftest import shared_folder
from tests.reference.r4b_models import KEPT, models_refuse

TOKEN = "Zyx9MaryQueenOfScots"
Place = tuple[str | int, ...]


def places(node: Any, place: Place = ()) -> Iterator[Place]:
    """Yield the place of everything in a resource but itself and its type."""
    children = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in children:
        if key == "resourceType":
            continue
        yield (*place, key)
        if isinstance(value, (dict, list)):
            yield from places(value, (*place, key))


def at(resource: dict[str, Any], place: Place) -> Any:
    node: Any = resource
    for step in place:
        node = node[step]
    return node


WRONG = st.sampled_from(
    [
        TOKEN,
        "",
        f" {TOKEN} ",
        7,
        -1.5,
        True,
        None,
        [],
        {},
        [TOKEN],
        {TOKEN: TOKEN},
        [None],
    ]
)


@cache
def valid_examples() -> list[dict[str, Any]]:
    """Resources of our types, without contained ones: some are seen in outline only."""
    folder = shared_folder() / "data/hl7_r4_examples"
    paths = [
        *(folder / "r4_4.0.1").glob("*.json"),
        *(folder / "us_core").glob("*.json"),
    ]
    resources = [read_json(p.read_bytes(), max_bytes=10**7) for p in sorted(paths)]
    kept = [r for r in resources if r["resourceType"] in KEPT]
    return [r for r in kept if "contained" not in r and not validate(r)]


@st.composite
def changed_resources(draw: st.DrawFn) -> Any:
    """Draw a valid resource with one thing deleted, replaced, repeated or added."""
    resource = copy.deepcopy(draw(st.sampled_from(valid_examples())))
    place = draw(st.sampled_from(list(places(resource))))
    parent, key = at(resource, place[:-1]), place[-1]
    match draw(st.sampled_from(["delete", "replace", "repeat", "add", "null"])):
        case "delete":
            del parent[key]
        case "replace":
            parent[key] = draw(WRONG)
        case "repeat":
            parent[key] = [parent[key], parent[key]]
        case "add" if isinstance(parent, dict):
            parent[TOKEN] = draw(WRONG)
        case _:
            parent[key] = None
    return resource


@pytest.mark.usefixtures("shared")
@given(changed_resources())
def test_we_are_never_laxer_than_the_models(resource: dict[str, Any]):
    """What fhir.resources refuses after one change, so do we."""
    assume(models_refuse(resource))

    assert validate(resource)


@pytest.mark.usefixtures("shared")
@given(changed_resources())
def test_an_answer_never_has_a_word_of_the_resource(resource: dict[str, Any]):
    """A token as any value, or as the name of any element, is in no part of it."""
    answer = json.dumps(operation_outcome(validate(resource)))

    assert TOKEN not in answer


@given(st.binary(max_size=40), st.integers(0, 200))
def test_a_refused_body_is_never_quoted(noise: bytes, position: int):
    """JSON libraries like to show where they stopped."""
    body = json.dumps({"resourceType": "Patient", "name": [{"text": TOKEN}]}).encode()
    body = body[:position] + noise + body[position:]

    try:
        answer = str(operation_outcome(validate(read_json(body, max_bytes=10**4))))
    except ServiceError as error:
        answer = f"{error} {error.__cause__} {operation_outcome(error)}"

    assert TOKEN not in answer
    assert "QueenOfScots" not in answer


@pytest.mark.usefixtures("shared")
@given(changed_resources())
def test_the_verdict_does_not_depend_on_the_order_of_elements(resource: dict[str, Any]):
    """JSON objects have no order, and the answer is the same set of issues."""
    turned = json.loads(json.dumps(resource, default=float))
    reference = {i.expression for i in validate(turned)}

    reordered = dict(reversed(turned.items()))

    assert {i.expression for i in validate(reordered)} == reference


@given(st.datetimes(), st.datetimes(), st.sampled_from([4, 7, 10]))
def test_a_period_is_reversed_only_as_far_as_both_ends_are_known(first, last, known):
    """A year is not after a day in it, and of two instants the later is after."""
    start, end = (f"{d.isoformat(timespec='seconds')}Z" for d in (first, last))

    assert is_after(start, end) == (start > end)
    assert is_after(start[:known], end) == (start[:known] > end[:known])
    assert not is_after(start, start[:known])
    assert not is_after(start[:known], start)
