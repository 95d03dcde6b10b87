"""Resources built from FHIR's rules are taken; with one thing wrong they are not."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from app.services.hub import Hub
from tests import make
from tests.fuzz.built_resources import BUILT
from tests.fuzz.faults import CANARY, FAULTS, Fault, spoiled
from tests.fuzz.tokens import new_token
from tests.hubs import FHIR_JSON

NUMBERS = itertools.count(1)
"""Makes each resource a new one: what was sent already is answered 200."""

NO_EXPLANATION = [Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink]
BOUNDED = settings(max_examples=40, deadline=None, phases=NO_EXPLANATION)
BRIEF = settings(BOUNDED, max_examples=3)


@pytest.fixture(scope="module")
def sender(served_hub: Hub) -> Iterator[httpx.Client]:
    """A clinic's client with a token, in front of the served hub."""
    headers = {
        "Authorization": f"Bearer {new_token(served_hub, 'built-ehr')}",
        "Content-Type": FHIR_JSON,
    }
    with httpx.Client(base_url=served_hub.fhir_base, headers=headers) as http:
        yield http


def sent(http: httpx.Client, path: str, body: Any) -> httpx.Response:
    return http.post(path, content=json.dumps(body))


@pytest.mark.parametrize("type_name", BUILT)
def test_what_fhir_allows_is_taken(sender: httpx.Client, type_name: str):
    """By its own door, and by the one that shows what would be kept of it."""

    @BOUNDED
    @given(BUILT[type_name])
    def taken(resource: dict[str, Any]) -> None:
        named = resource | {"id": f"built{next(NUMBERS)}"}
        created = sent(sender, type_name, named)
        shown = sent(sender, "$de-identify", named)

        assert created.status_code == 201, created.text
        assert shown.status_code == 200, shown.text
        kept = shown.json()["parameter"][0]["resource"]
        references = {"id", "meta", "subject", "encounter"}  # to what is not there
        assert {k: v for k, v in kept.items() if k not in references} == {
            k: v for k, v in created.json().items() if k not in references
        }

    taken()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_one_fault_is_refused_by_its_place(sender: httpx.Client, fault: Fault):
    """
    One issue with the exact FHIRPath, by every door; no word of the value.

    A sender with a hundred elements looks for the one at fault, and its value may be
    what nobody but the clinic may read.
    """

    @BRIEF
    @given(BUILT[fault.type_name])
    def refused(resource: dict[str, Any]) -> None:
        named = {"id": f"built{next(NUMBERS)}"} | resource
        faulty = spoiled(named, fault.changes)
        alone = sent(sender, fault.type_name, faulty)
        shown = sent(sender, "$de-identify", faulty)
        validated = sent(sender, f"{fault.type_name}/$validate", faulty)
        in_a_bundle = sent(sender, "", make.batch(make.post(faulty)))

        (entry,) = in_a_bundle.json()["entry"]
        within = fault.expression.removeprefix(fault.type_name)
        assert (alone.status_code, expressions(alone.json())) == (
            fault.status_code,
            [fault.expression],
        )
        assert shown.json() == alone.json()
        assert validated.json() == alone.json()
        assert entry["response"]["status"] == str(fault.status_code)
        assert expressions(entry["response"]["outcome"]) == [
            f"Bundle.entry[0].resource{within}"
        ]
        for answer in (alone, shown, validated, in_a_bundle):
            assert CANARY not in answer.text

    refused()


def expressions(outcome: dict[str, Any]) -> list[str]:
    assert outcome["resourceType"] == "OperationOutcome"
    return [place for issue in outcome["issue"] for place in issue["expression"]]


@given(st.sampled_from(sorted(BUILT)), st.data())
@settings(max_examples=20, deadline=None)
def test_a_spoiled_resource_has_what_it_had(type_name: str, data: st.DataObject):
    """A fault changes what it names, and leaves the resource that was given alone."""
    resource = data.draw(BUILT[type_name])
    before = json.dumps(resource)

    changed = spoiled(resource, {"status": "x"})

    assert json.dumps(resource) == before
    assert changed == resource | {"status": "x"}
