"""What is asked for and what is answered: formats, addresses, methods, preferences."""

import httpx
import pytest

from app.services.hub import Hub
from tests import make
from tests.hubs import Caller as Ehr
from tests.hubs import Network, count_of

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("dialect", ["sqlite"])]

CANARY = "Zq9canary7x"


@pytest.fixture
async def ehr(network: Network) -> Ehr:
    """A clinic's EHR that has stored an Observation."""
    caller = network.ehr()
    assert (await caller.put(make.lab(7.1, id="o1"))).status_code == 201
    return caller


def refused(response: httpx.Response, status: int, code: str) -> bool:
    """Return whether a response is an OperationOutcome of this status and code."""
    assert response.headers["Content-Type"] == "application/fhir+json"
    issue = response.json()["issue"][0]
    return (response.status_code, issue["code"]) == (status, code)


@pytest.mark.parametrize(
    "accept",
    [
        "application/fhir+json",
        "application/json",
        "text/json",
        "*/*",
        "application/*",
        "application/fhir+json; fhirVersion=4.0",
        "APPLICATION/FHIR+JSON",
        "application/fhir+xml;q=1.0, application/fhir+json;q=0.1",
        "text/html, application/xhtml+xml, */*;q=0.8",
        "application/xml;q=0, */*",
    ],
)
@pytest.mark.conforms("R14")
async def test_json_is_given_to_whom_it_suits(ehr: Ehr, accept: str):
    """Whatever else they would rather have; it is always called FHIR JSON."""
    response = await ehr.read("Observation/o1", Accept=accept)

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/fhir+json"


@pytest.mark.parametrize(
    "accept",
    [
        pytest.param(
            "application/fhir+xml",
            marks=pytest.mark.conforms("R14", mutation="only XML is accepted"),
        ),
        pytest.param(
            "application/fhir+json;q=0",
            marks=pytest.mark.conforms("R14", mutation="JSON is excluded by q=0"),
        ),
        pytest.param(
            "application/fhir+json;q=0, */*",
            marks=pytest.mark.conforms("R14", mutation="anything but JSON is accepted"),
        ),
        pytest.param(
            "application/fhir+json; fhirVersion=5.0",
            marks=pytest.mark.conforms("R14", mutation="FHIR R5 is accepted"),
        ),
    ],
)
async def test_who_does_not_take_fhir_json_is_told_so(ehr: Ehr, accept: str):
    """406, and no body that the caller would misread."""
    assert refused(
        await ehr.read("Observation/o1", Accept=accept), 406, "not-acceptable"
    )


@pytest.mark.parametrize(
    ("wanted", "accept", "status"),
    [
        pytest.param(
            "application/fhir%2Bjson",
            "application/fhir+xml",
            200,
            marks=pytest.mark.conforms("R14"),
        ),
        pytest.param(
            "xml",
            "application/fhir+json",
            406,
            marks=pytest.mark.conforms("R14", mutation="_format=xml beside Accept"),
        ),
    ],
)
async def test_the_url_overrides_the_header(
    ehr: Ehr, wanted: str, accept: str, status: int
):
    """Who cannot set headers says it in the URL; there it counts for more."""
    response = await ehr.read(f"Observation/o1?_format={wanted}", Accept=accept)

    assert response.status_code == status


@pytest.mark.conforms("R15")
async def test_a_slash_at_the_end_changes_nothing(ehr: Ehr):
    """At the base and at types; never a 307, which clients of POST don't follow."""
    posted = await ehr.call("POST", "/Observation/", make.lab(7.2, id="o2"))
    put = await ehr.call(
        "PUT", f"/Observation/?identifier={make.MRN}|A1", make.lab(7.3)
    )
    bundles = [
        await ehr.call("POST", path, make.batch(make.post(make.lab(7.4))))
        for path in ("", "/")
    ]
    searched = await ehr.read("Observation/")

    assert [posted.status_code, put.status_code] == [201, 201]
    assert [bundle.status_code for bundle in bundles] == [200, 200]
    assert refused(searched, 400, "not-supported")


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("", "POST, OPTIONS"),
        ("/Observation/o1", "GET, HEAD, PUT, DELETE, OPTIONS"),
        ("/Observation", "GET, POST, PUT, DELETE, OPTIONS"),
        ("/Observation/o1/_history/1", "GET, HEAD, OPTIONS"),
    ],
)
async def test_a_method_that_is_not_taken_is_told_which_are(
    ehr: Ehr, path: str, methods: str
):
    """405 with Allow; OPTIONS is answered with the same."""
    wrong = await ehr.call("PATCH", path, make.lab(7.1))
    asked = await ehr.call("OPTIONS", path)

    assert refused(wrong, 405, "not-supported")
    assert asked.status_code == 204
    assert wrong.headers["Allow"] == asked.headers["Allow"] == methods


@pytest.mark.parametrize("path", ["/Observation/o1", "/metadata"])
async def test_head_tells_what_get_would(ehr: Ehr, path: str):
    """For who wants the version and not the record."""
    read = await ehr.call("GET", path)
    looked = await ehr.call("HEAD", path)

    assert looked.status_code == 200
    assert looked.headers["ETag"] == read.headers["ETag"]
    assert looked.headers["Content-Length"] == read.headers["Content-Length"]


async def test_who_has_this_version_is_not_sent_it_again(ehr: Ehr):
    """If-None-Match on a read (conditionalRead: not-match): 304, else the record."""
    same = await ehr.read("Observation/o1", If_None_Match='W/"1"')
    among = await ehr.read("Observation/o1", If_None_Match='W/"9", "1"')
    other = await ehr.read("Observation/o1", If_None_Match='W/"2"')
    garbage = await ehr.read("Observation/o1", If_None_Match="1")

    assert [same.status_code, among.status_code] == [304, 304]
    assert same.content == b""
    assert same.headers["ETag"] == 'W/"1"'
    assert other.json()["id"] == "o1"
    assert refused(garbage, 400, "structure")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/Observation/o1?_summary={CANARY}"),
        ("GET", f"/Observation/o1?_elements={CANARY}"),
        ("GET", f"/Observation/o1?{CANARY}"),
        ("PUT", f"/Observation/o1?_id={CANARY}"),
        ("DELETE", f"/Observation/o1?_cascade={CANARY}"),
        ("POST", f"?_type={CANARY}"),
        ("POST", f"/Observation/$validate?profile={CANARY}"),
        ("POST", f"/$de-identify?x={CANARY}"),
        ("GET", f"/metadata?x={CANARY}"),
    ],
)
async def test_a_parameter_that_is_not_understood_is_refused(
    ehr: Ehr, hub: Hub, method: str, path: str
):
    """An answer to another question than was asked would pass for the right one."""
    before = count_of(hub.engine)
    body = make.lab(9.9, id="o1") if method in {"PUT", "POST"} else None

    response = await ehr.call(method, path, body)

    assert refused(response, 400, "not-supported")
    assert CANARY not in response.text
    assert count_of(hub.engine) == before


@pytest.mark.parametrize("path", ["/Observation/o1", "/metadata?mode=full"])
async def test_how_the_reply_looks_may_be_asked_for(ehr: Ehr, path: str):
    """_pretty is for people; the words are the same."""
    mark = "&" if "?" in path else "?"

    response = await ehr.call("GET", f"{path}{mark}_pretty=true&_format=json")

    assert response.status_code == 200


@pytest.mark.parametrize("version", ["", "/1", f"/{CANARY}"])
async def test_there_is_no_history_and_the_answer_says_so(ehr: Ehr, version: str):
    """Locations have a version, as FHIR demands; the record is read without it."""
    response = await ehr.read(f"Observation/o1/_history{version}")

    assert refused(response, 404, "not-found")
    assert "no history" in response.json()["issue"][0]["diagnostics"]
    assert CANARY not in response.text


@pytest.mark.parametrize(
    ("wanted", "type_"),
    [
        ("return=minimal", None),
        ("return=minimal; handling=strict", None),
        ("handling=lenient, return=minimal", None),
        ("respond-async, return=minimal", None),
        ('return="minimal"', None),
        ("return = minimal", None),
        ("return=representation", "Observation"),
        ("return=OperationOutcome", "OperationOutcome"),
        ("return=everything", "Observation"),
        ("respond-async", "Observation"),
    ],
)
@pytest.mark.conforms("R9")
async def test_a_preference_is_heard_beside_others(
    ehr: Ehr, wanted: str, type_: str | None
):
    """RFC 7240: in any order, quoted or not; what is not understood is passed over."""
    response = await ehr.put(make.lab(7.9, id="o1"), Prefer=wanted)

    assert response.status_code == 200
    assert response.headers["ETag"] == 'W/"2"'
    found = response.json()["resourceType"] if response.content else None
    assert found == type_


async def test_preferences_on_two_lines_are_one_list(ehr: Ehr):
    """HTTP lets a sender split any list header."""
    headers = httpx.Headers(
        [
            ("Authorization", f"Bearer {ehr.token}"),
            ("Content-Type", "application/fhir+json"),
            ("Prefer", "handling=strict"),
            ("Prefer", "return=minimal"),
        ]
    )

    response = await ehr.http.put(
        "/fhir/Observation/o1", json=make.lab(8.1, id="o1"), headers=headers
    )

    assert response.content == b""


@pytest.mark.conforms("R9", mutation="the write is refused")
async def test_a_refusal_is_told_whatever_was_preferred(ehr: Ehr):
    """Who wants nothing back of a success still hears why it was none."""
    response = await ehr.put(
        make.lab(7.9, id="o1", status="unheard-of"), Prefer="return=minimal"
    )

    assert refused(response, 400, "code-invalid")


@pytest.mark.parametrize(
    ("wanted", "has"),
    [
        ("return=representation", {"resource"}),
        ("return=OperationOutcome", set()),
        ("return=minimal", set()),
    ],
)
@pytest.mark.conforms("R9")
async def test_a_bundles_entries_come_back_as_preferred(
    ehr: Ehr, wanted: str, has: set
):
    """Minimal without a word; a resource or an outcome in each entry if asked for."""
    response = await ehr.call(
        "POST", "", make.batch(make.put(make.lab(7.7, id="o1"))), Prefer=wanted
    )

    (entry,) = response.json()["entry"]
    assert entry.keys() == {"response"} | has
    assert ("outcome" in entry["response"]) == wanted.endswith("Outcome")
    if has:
        assert entry["resource"]["valueQuantity"]["value"] == 7.7
        assert entry["resource"]["id"] == "o1"


@pytest.mark.parametrize(
    "content_type",
    [
        pytest.param(
            "application/fhir+xml", marks=pytest.mark.conforms("R14", mutation="XML")
        ),
        pytest.param(
            "application/x-www-form-urlencoded",
            marks=pytest.mark.conforms("R14", mutation="a form"),
        ),
        pytest.param("", marks=pytest.mark.conforms("R14", mutation="no media type")),
        pytest.param(
            "application/fhir+json; charset=utf-16",
            marks=pytest.mark.conforms("R14", mutation="another charset"),
        ),
        pytest.param(
            "application/fhir+json; fhirVersion=1.0",
            marks=pytest.mark.conforms("R14", mutation="FHIR DSTU2"),
        ),
    ],
)
@pytest.mark.parametrize("path", ["/Observation", ""])
async def test_a_body_of_another_kind_is_not_guessed_at(
    ehr: Ehr, hub: Hub, path: str, content_type: str
):
    """415, whatever the bytes look like."""
    before = count_of(hub.engine)

    response = await ehr.call("POST", path, make.lab(7.2), Content_Type=content_type)

    assert refused(response, 415, "unsupported-media")
    assert count_of(hub.engine) == before
