"""Bytes from the wire: what is one JSON object, and what is refused without a quote."""

from decimal import Decimal

import pytest

from app.domain.errors import IssueType, MalformedError, TooLargeError
from app.fhir.json_documents import MAX_DEPTH, read_json

LIMIT = 100_000


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


def test_a_number_keeps_the_precision_it_was_written_with():
    """FHIR: 1.10 has another precision than 1.1; doubles cannot tell."""
    document = read_json(b'{"a": 1.10, "b": 7, "c": 1E-22}', max_bytes=LIMIT)

    assert document == {"a": Decimal("1.10"), "b": 7, "c": Decimal("1E-22")}
    assert str(document["a"]) == "1.10"
    assert type(document["b"]) is int


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not valid JSON"),
        (b'{"a": NaN}', "not valid JSON"),
        (b'{"a": -Infinity}', "not valid JSON"),
        (b'{"a": 1,}', "not valid JSON"),
        (b'{"a": [1,]}', "not valid JSON"),
        (b'{"a": 1 /* b */}', "not valid JSON"),
        (b"{'a': 1}", "not valid JSON"),
        (b'{"a": 01}', "not valid JSON"),
        (b'{"a": 1} {}', "not valid JSON"),
        (b'{"a": "\\ud800"}', "not valid JSON"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"\xe9": 1}', "not UTF-8"),
        (b'\xef\xbb\xbf{"a": 1}', "starts with a byte order mark"),
        (b"[]", "one JSON object"),
        (b'"a"', "one JSON object"),
        (b"null", "one JSON object"),
        (b'{"a": 1e309}', "beyond the range of a double"),
        (b'{"a": 1e-400}', "beyond the range of a double"),
        (b'{"a": 1e99999999999999999999}', "beyond the range of a double"),
        (b' {"a": ' + b"9" * 5000 + b"}", "beyond the range of a double"),
        (b'{"a": 1, "a": 1}', "names the same member twice"),
        (b'{"a": [{"b": {"c": 1, "d": 2, "c": 3}}]}', "names the same member twice"),
        (b'{"a": 1, "\\u0061": 2}', "names the same member twice"),
        (b'{"\\u0022": 1, "\\"": 2}', "names the same member twice"),
        (nested(MAX_DEPTH + 1), "deeper than 64 levels"),
        (nested(MAX_DEPTH + 5000), "deeper than 64 levels"),
        (b'{"a":' + b"[" * 64 + b"]" * 64 + b"}", "deeper than 64 levels"),
    ],
)
def test_what_is_not_one_strict_json_object_is_malformed(body: bytes, message: str):
    """Each of these is read silently, and as something else, by some JSON library."""
    with pytest.raises(MalformedError, match=message) as refused:
        read_json(body, max_bytes=LIMIT)

    assert refused.value.issue_type is IssueType.STRUCTURE
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_nesting_as_deep_as_allowed_is_read():
    """64 objects in each other; and any number beside each other."""
    assert read_json(nested(MAX_DEPTH), max_bytes=LIMIT)
    assert read_json(b'{"a": [' + b"[]," * 500 + b"{}]}", max_bytes=LIMIT)


def test_a_body_over_the_limit_is_refused_before_it_is_read():
    """The limit is inclusive; what lies beyond is not looked at."""
    assert read_json(b'{"a":1}', max_bytes=7) == {"a": 1}
    with pytest.raises(TooLargeError):
        read_json(b"not JSON", max_bytes=7)
