"""The quick answers about a body agree with the slow ones."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import MalformedError
from app.fhir.json_documents import (
    MAX_DEPTH,
    has_duplicate_names,
    has_duplicate_pairs,
    is_too_deep,
    read_json,
)

NAMES = st.sampled_from(["a", "b", "c", '"', 'a"', "\\", "\u00e9", ""])
TEXTS = st.text(alphabet='ab"\\{}[]:,\u00e9\n', max_size=6)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), TEXTS)


class Pairs(tuple):  # noqa: SLOT001  # the marker of an object with repeated names
    """An object as its pairs."""


def objects(values: st.SearchStrategy) -> st.SearchStrategy:
    pairs = st.lists(st.tuples(NAMES, values), max_size=4)
    return pairs.map(Pairs)


DOCUMENTS = objects(
    st.recursive(
        SCALARS, lambda v: st.one_of(objects(v), st.lists(v, max_size=3)), max_leaves=12
    )
)


def written(value: Any, escape: bool) -> str:  # noqa: FBT001  # a test's own writer
    """Write JSON that may name a member twice; quotation marks in either spelling."""
    if isinstance(value, Pairs):
        members = (f"{written(k, escape)}:{written(v, escape)}" for k, v in value)
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(item, escape) for item in value) + "]"
    if isinstance(value, str) and escape:
        spelled = (r"\u0022" if c == '"' else json.dumps(c)[1:-1] for c in value)
        return '"' + "".join(spelled) + '"'
    return json.dumps(value, ensure_ascii=False)


@given(DOCUMENTS, st.booleans())
def test_counting_quotation_marks_finds_exactly_the_duplicates(document: Pairs, escape):
    """Whatever stands in names and texts, and however it is escaped."""
    body = written(document, escape).encode()
    decoded = msgspec.json.decode(body)

    expected = has_duplicate_pairs(body)

    assert has_duplicate_names(body, decoded) == expected
    if expected:
        with pytest.raises(MalformedError):
            read_json(body, max_bytes=len(body))
    else:
        assert read_json(body, max_bytes=len(body)) == json.loads(body)


@given(st.integers(1, 2 * MAX_DEPTH), st.integers(0, 40), st.booleans())
def test_depth_is_that_of_the_deepest_branch(levels: int, beside: int, in_lists):
    """Brackets beside each other, and in texts, do not add up."""
    opening, closing = ("[", "]") if in_lists else ('{"a":', "}")
    deep = opening * (levels - 1) + '"[{"' + closing * (levels - 1)
    body = ('{"b":[' + "{}," * beside + '"]]"],"a":' + deep + "}").encode()

    assert is_too_deep(body, msgspec.json.decode(body)) == (levels > MAX_DEPTH)
