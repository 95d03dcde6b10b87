"""Whatever bytes come as HL7 v2: they are read or refused, and never said again."""

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.fhir.validation import validate
from app.hl7v2.dialects import Dialect
from app.hl7v2.files import messages_in
from app.hl7v2.messages import control_id_of
from app.hl7v2.results import convert_bytes
from tests.hl7_messages import header, message, obr, obx, pid, segment

DIALECT = Dialect(
    time_zone="Europe/Amsterdam",
    authorities={"": "urn:any"},
    unique_systems=frozenset({"urn:any"}),
)
CANARY = "zqxcan"
ENCODER = msgspec.json.Encoder(decimal_format="number")

texts = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FF) | st.sampled_from("^~\\&|\t"),
    max_size=30,
)
stamps = st.from_regex(r"\A[0-9]{0,14}(\.[0-9]{1,4})?([+-][0-9]{4})?\Z")
values = texts | stamps | st.sampled_from(["7.1", "<^1", "F", "C", "NM", "SN", "CWE"])


def stated(numbers: list[int]) -> st.SearchStrategy[dict[str, str]]:
    fields = {f"f{number}": values for number in numbers}
    return st.fixed_dictionaries({}, optional=fields)


messages = st.builds(
    lambda msh, person, visit, order, results: message(
        header(**msh),
        pid(**person),
        segment("PV1", **({"f2": "O", "f19": "V", "f44": "20240301"} | visit)),
        obr(**order),
        *(obx(**each) for each in results),
    ),
    stated([3, 4, 7, 10, 11, 12]),
    stated([3, 5, 7, 8, 11, 29, 30]),
    stated([2, 19, 44, 45]),
    stated([2, 3, 4, 7, 25]),
    st.lists(stated([2, 3, 4, 5, 6, 11, 14, 21]), max_size=4),
)


@given(st.binary(max_size=400) | st.binary(max_size=300).map(b"MSH|^~\\&|".__add__))
@example(b"MSH|^~\\&|\rMSH")
@example(b"MSH|^~\\&|||||||ORU^R01\rPID\rOBX")
@example(b"MSH|^~\\&|||||||ORU^R01\rPID|||1\rOBX||DT|1||9999123123595999+1400|F")
def test_any_bytes_are_read_or_refused(body: bytes):
    """Of what comes over a wire anything may be; nothing of it ends the listener."""
    converted = convert_bytes(body, dialect=DIALECT)

    control_id_of(body)
    assert converted.resources or converted.problems
    for found in messages_in([body], max_bytes=100):
        assert found


@settings(max_examples=60, deadline=None)
@given(messages)
def test_what_is_made_of_a_message_is_fhir(body: bytes):
    """Or the hub would refuse it for a fault that its sender never made."""
    for resource in convert_bytes(body, dialect=DIALECT).resources:
        assert not validate(msgspec.json.decode(ENCODER.encode(resource)))


@settings(max_examples=60, deadline=None)
@given(messages)
def test_the_same_message_says_the_same(body: bytes):
    """Its ids are of what it says, of nothing that passes."""
    once, again = (convert_bytes(body, dialect=DIALECT) for _ in range(2))

    assert once == again
    ids = [each["id"] for each in once.resources if "id" in each]
    assert len(set(ids)) == len(ids)


def planted(name: str, fields: int, **beside: str) -> st.SearchStrategy[str]:
    """Return a segment with a token in some of its fields."""
    token = st.integers(0, 0xFFFFFF).map(lambda n: f"{CANARY}{n:06x}")
    optional = {f"f{n}": token for n in range(1, fields + 1)}
    return st.fixed_dictionaries({}, optional=optional).map(
        lambda found: segment(name, **(beside | found))
    )


@given(
    planted("PID", 30, f3="M1"),
    planted("PV1", 45),
    planted("OBR", 25),
    st.lists(planted("OBX", 25, f2="NM", f3="1", f5="1", f11="F"), max_size=3),
)
def test_no_refusal_quotes_what_it_refuses(
    person: str, visit: str, order: str, results: list[str]
):
    """What is wrong is told to engines and logs, which are no place for a name."""
    body = message(header(), person, visit, order, *results)

    for problem in convert_bytes(body, dialect=DIALECT).problems:
        assert CANARY not in str(problem).lower()
