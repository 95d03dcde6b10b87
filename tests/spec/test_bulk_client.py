"""The hub as a client of another server: what it sends, follows, waits for, refuses."""

import gzip
import itertools
import json
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.smart.bulk_errors import (
    AccessRefusedError,
    AddressRefusedError,
    BrokenOffError,
    NoLongerThereError,
    ServerRefusedError,
    ServerThrottlesError,
    ServerUnavailableError,
    UnboundedError,
    UnreadableAnswerError,
)
from app.smart.bulk_exports import Level, Order, UnderWay, clear_away, kick_off, poll
from app.smart.bulk_files import Limits, open_file
from app.smart.bulk_manifests import Manifest, parse_manifest
from app.smart.bulk_servers import BulkServer
from app.smart.bulk_tokens import Credentials, Grant, TokenHolder, holder_of
from app.smart.ehr_discovery import discover
from app.smart.errors import TokenRefusedError
from app.smart.outbound import Outbound, Reach, origin_of
from app.smart.retry_after import retry_after_seconds
from tests.fake_ehr import BASE_PATH, FakeEhr, Reply, fhir, outcome, serving
from tests.hubs import PRIVATE, PUBLIC, Clock

CANARY = "zqxcanary"
STATUS = f"{BASE_PATH}/bulk/status/1"


@pytest.fixture
def ehr(clock: Clock) -> Iterator[FakeEhr]:
    with serving(FakeEhr(clock=clock, key_set=PUBLIC)) as fake:
        yield fake


@pytest.fixture
def outbound() -> Iterator[Outbound]:
    opened = Outbound(dev_mode=True)
    yield opened
    opened.close()


def server_of(
    ehr: FakeEhr, outbound: Outbound, clock: Clock, **allowed: tuple[str, ...]
) -> BulkServer:
    """Return the EHR as the hub sees it, with a token where it asks for one."""
    credentials = Credentials(
        token_endpoint=ehr.token_url,
        client_id=ehr.client_id,
        key=PRIVATE,
        scope="system/*.read",
    )

    def epoch() -> int:
        return clock() // 1000

    return BulkServer(
        outbound,
        Reach.around(ehr.fhir_base, **allowed),
        epoch=epoch,
        tokens=holder_of(outbound, credentials, epoch=epoch),
    )


@pytest.fixture
def server(ehr: FakeEhr, outbound: Outbound, clock: Clock) -> BulkServer:
    return server_of(ehr, outbound, clock)


def numbering(clock: Clock, *, seconds: int) -> TokenHolder:
    """Return a holder whose tokens are t0, t1 and so on."""
    numbers = itertools.count()

    def ask() -> Grant:
        return Grant(token=f"t{next(numbers)}", seconds=seconds, scope=None)

    return TokenHolder(ask, clock=lambda: clock() / 1000)


def order(**changes: Any) -> Order:
    stated = {"level": Level.GROUP, "group_id": "everyone", "types": ("Observation",)}
    return Order(**(stated | changes))


def asked(server: BulkServer, ehr: FakeEhr, path: str = "/x") -> None:
    server.ask("GET", ehr.fhir_base + path, headers={}, with_token=True)


# ------------------------------------------------------------------ discovery


@pytest.mark.conforms("P1")
def test_discovery_keeps_the_whole_path_of_the_base(ehr: FakeEhr, server: BulkServer):
    """EHRs of many tenants differ in the path only."""
    found = discover(server, ehr.fhir_base, token_url=None)

    assert found is not None
    assert found.token_endpoint == ehr.token_url
    assert ehr.seen[-1].path == f"{BASE_PATH}/.well-known/smart-configuration"
    assert ehr.seen[-1].token is None


@pytest.mark.conforms("P1")
def test_without_a_configuration_the_configured_url_is_taken(
    ehr: FakeEhr, server: BulkServer
):
    """Older servers publish nothing at all."""
    ehr.has_smart_configuration = ehr.has_oauth_uris = False

    found = discover(server, ehr.fhir_base, token_url="https://login.example/token")

    assert found is not None
    assert found.token_endpoint == "https://login.example/token"
    assert discover(server, ehr.fhir_base, token_url=None) is None


@pytest.mark.conforms("P1")
def test_else_the_capability_statement_says_it(ehr: FakeEhr, server: BulkServer):
    """DSTU2-era servers say it in oauth-uris alone."""
    ehr.has_smart_configuration = False

    found = discover(server, ehr.fhir_base, token_url=None)

    assert found is not None
    assert found.token_endpoint == ehr.token_url


@pytest.mark.conforms("P1", mutation="the configuration can't be had for the moment")
def test_a_configuration_that_is_late_is_not_taken_for_none(
    ehr: FakeEhr, server: BulkServer
):
    """Else a fault of a minute would be told as a server without SMART."""
    ehr.says("GET", "smart-configuration", Reply(status=503))

    with pytest.raises(ServerUnavailableError):
        discover(server, ehr.fhir_base, token_url=None)


# --------------------------------------------------------------------- tokens


@pytest.mark.conforms("P2")
def test_each_token_request_has_an_assertion_of_its_own(
    ehr: FakeEhr, server: BulkServer, clock: Clock
):
    """The fake checks kid, typ, iss, sub, aud, exp and that no jti comes twice."""
    for _ in range(3):
        kick_off(server, ehr.fhir_base, order())
        clock.pass_seconds(290)

    assert ehr.refusals == []
    assert len(ehr.jtis) == len(ehr.asked("POST", "/oauth/token")) == 3


@pytest.mark.conforms("P2", mutation="the key is another than the EHR knows")
def test_a_token_that_is_refused_is_told_without_a_word_of_the_ehrs(
    ehr: FakeEhr, server: BulkServer
):
    """An error's description may hold anything."""
    answer = {"error": CANARY, "error_description": CANARY}
    ehr.says("POST", "/oauth/token", fhir(answer, status=400))

    with pytest.raises(TokenRefusedError) as refused:
        asked(server, ehr)

    assert CANARY not in str(refused.value)


def test_a_token_is_renewed_before_it_ends(clock: Clock):
    """A token that ends on the way to the server costs a request."""
    holder = numbering(clock, seconds=300)
    held = [holder.current()]
    for seconds in (269, 1, 0):
        clock.pass_seconds(seconds)
        held.append(holder.current())

    assert held == ["t0", "t0", "t1", "t1"]


def test_a_refused_token_is_replaced_once_for_all_who_held_it(clock: Clock):
    """Eight threads that meet one 401 ask for one token."""
    holder = numbering(clock, seconds=300)
    first = holder.current()

    assert [holder.instead_of(first) for _ in range(8)] == ["t1"] * 8


def test_a_token_of_seconds_is_kept_for_half_of_them(clock: Clock):
    """Renewing 30 seconds early would ask for one at each request."""
    holder = numbering(clock, seconds=20)
    holder.current()
    clock.pass_seconds(9)

    assert holder.current() == "t0"


@pytest.mark.conforms("P5")
def test_a_401_has_the_token_renewed_once(ehr: FakeEhr, server: BulkServer):
    """Tokens end earlier than they say, as after a restart of the EHR."""
    status = kick_off(server, ehr.fhir_base, order())
    ehr.forget_tokens()

    assert isinstance(poll(server, status, now=0), Manifest)
    assert len(ehr.asked("POST", "/oauth/token")) == 2


@pytest.mark.conforms("P5", mutation="the renewed token is refused too")
def test_a_second_401_is_a_refusal(ehr: FakeEhr, server: BulkServer):
    """Else hub and EHR would go on for ever."""
    ehr.says("GET", "/x", *(fhir(outcome("login"), status=401) for _ in range(3)))

    with pytest.raises(AccessRefusedError, match="401, login"):
        asked(server, ehr)

    assert len(ehr.asked("GET", "/x")) == 2


# ------------------------------------------------------------------- kick-off


@pytest.mark.conforms("P3")
def test_a_kick_off_says_what_servers_want_to_hear(ehr: FakeEhr, server: BulkServer):
    """Types in one parameter, filters in one each, their commas encoded."""
    filters = (
        "Observation?code=http://loinc.org|4548-4,http://loinc.org|17856-6",
        "Condition?category=encounter-diagnosis",
    )
    asked_for = order(
        types=("Observation", "Condition"),
        type_filters=filters,
        since="2027-01-01T00:00:00.000+02:00",
    )

    kick_off(server, ehr.fhir_base, asked_for)

    (export,) = ehr.exports.values()
    assert export.query == {
        "_type": ["Observation,Condition"],
        "_since": ["2027-01-01T00:00:00.000+02:00"],
        "_typeFilter": list(filters),
    }
    assert ehr.seen[-1].raw_query.count(",") == 1
    assert ehr.seen[-1].headers["accept"] == "application/fhir+json"
    assert ehr.seen[-1].headers["prefer"] == "respond-async"


@pytest.mark.conforms("P3")
@pytest.mark.parametrize(
    ("level", "path"),
    [
        (Level.GROUP, "/Group/everyone/$export"),
        (Level.PATIENT, "/Patient/$export"),
        (Level.SYSTEM, "/$export"),
    ],
)
def test_each_level_has_its_operation(
    ehr: FakeEhr, server: BulkServer, level: Level, path: str
):
    """Epic and Oracle offer the group's alone, others the system's."""
    kick_off(server, ehr.fhir_base, order(level=level))

    assert ehr.seen[-1].path == BASE_PATH + path


@pytest.mark.conforms("P3")
def test_a_server_that_takes_no_get_is_asked_by_post(ehr: FakeEhr, server: BulkServer):
    """The ballot has the kick-off by POST only."""
    ehr.post_only = True

    kick_off(server, ehr.fhir_base, order(since="2027-01-01T00:00:00Z"))

    (export,) = ehr.exports.values()
    assert export.query["_type"] == ["Observation"]
    assert export.query["_since"] == ["2027-01-01T00:00:00Z"]


@pytest.mark.conforms("P4")
@pytest.mark.conforms("P4", mutation="another export runs")
def test_a_server_that_runs_another_export_is_waited_for(
    ehr: FakeEhr, server: BulkServer
):
    """429 with Retry-After; the first is answered 202 with Content-Location."""
    ehr.one_at_a_time = True
    assert kick_off(server, ehr.fhir_base, order()).endswith(STATUS)

    with pytest.raises(ServerThrottlesError) as throttled:
        kick_off(server, ehr.fhir_base, order())

    assert throttled.value.retry_after_seconds == 120


@pytest.mark.conforms("P4", mutation="the server refuses, with words of its own")
def test_a_refusal_is_told_by_its_codes_only(ehr: FakeEhr, server: BulkServer):
    """The words of an OperationOutcome may name a patient."""
    said = outcome("processing", said=CANARY)
    said["issue"].append({"severity": "error", "code": CANARY})
    ehr.says("GET", "export", fhir(said, status=400))

    with pytest.raises(ServerRefusedError) as refused:
        kick_off(server, ehr.fhir_base, order())

    assert refused.value.message == "The server answers 400, processing"


@pytest.mark.conforms("P4", mutation="202 without a Content-Location")
def test_an_acceptance_without_an_address_is_none(ehr: FakeEhr, server: BulkServer):
    """There would be nothing to ask after."""
    ehr.says("GET", "export", Reply(status=202))

    with pytest.raises(UnreadableAnswerError) as refused:
        kick_off(server, ehr.fhir_base, order())

    assert refused.value.expression == "Content-Location"


# -------------------------------------------------------------------- polling


@pytest.mark.conforms("P5")
def test_a_poll_tells_how_far_it_is_and_when_to_come_again(
    ehr: FakeEhr, server: BulkServer
):
    """Of X-Progress only the percentage: the rest is the server's own words."""
    ehr.polls, ehr.retry_after, ehr.progress = 1, "90", f"{CANARY} 62.5% of {CANARY}"
    status = kick_off(server, ehr.fhir_base, order())

    assert poll(server, status, now=0) == UnderWay(percent=62, retry_after_seconds=90)
    assert ehr.seen[-1].headers["accept"] == "application/json"
    assert isinstance(poll(server, status, now=0), Manifest)


@pytest.mark.conforms("P5")
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120),
        ({"Retry-After": " 0 "}, 0),
        # Two hours by the server's own clock, whatever ours says.
        (
            {
                "Retry-After": "Fri, 15 Jan 2027 12:00:00 GMT",
                "Date": "Fri, 15 Jan 2027 10:00:00 GMT",
            },
            7200,
        ),
        # 1_800_000_000 is Fri, 15 Jan 2027 08:00:00 GMT.
        ({"Retry-After": "Fri, 15 Jan 2027 08:00:30 GMT"}, 30),
        ({"Retry-After": "Fri, 15 Jan 2027 07:00:00 GMT"}, 0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_both_forms(headers: dict, seconds: int | None):
    """RFC 9110, 10.2.3."""
    assert retry_after_seconds(headers, now=1_800_000_000) == seconds


@settings(max_examples=40)
@given(st.text(max_size=40), st.text(max_size=40))
def test_no_retry_after_ever_fails_or_goes_back(asked: str, date: str):
    """A header may hold anything."""
    said = retry_after_seconds({"Retry-After": asked, "Date": date}, now=1e9)

    assert said is None or said >= 0


@pytest.mark.conforms("P6")
@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (fhir(outcome("transient"), status=500), ServerUnavailableError),
        (fhir(outcome("transient"), status=503), ServerUnavailableError),
        (Reply(status=502), ServerUnavailableError),
        (Reply(status=503, headers={"Retry-After": "9"}), ServerUnavailableError),
        (fhir(outcome("exception"), status=500), ServerRefusedError),
        (fhir(outcome("exception"), status=503), ServerRefusedError),
        (Reply(status=500), ServerRefusedError),
        (fhir(outcome("transient"), status=400), ServerRefusedError),
        (Reply(status=404), NoLongerThereError),
        (Reply(status=410), NoLongerThereError),
        (Reply(body=b'{"resourceType":"Bundle"}', cut=9), BrokenOffError),
    ],
)
def test_what_passes_is_told_from_what_does_not(
    ehr: FakeEhr, server: BulkServer, reply: Reply, error: type[Exception]
):
    """A 5xx passes where its OperationOutcome says transient, or a gateway spoke."""
    status = kick_off(server, ehr.fhir_base, order())
    ehr.says("GET", "/status/", reply)

    with pytest.raises(error) as raised:
        poll(server, status, now=0)

    assert type(raised.value) is error


@pytest.mark.conforms("P13")
def test_an_export_is_cleared_away_once(ehr: FakeEhr, server: BulkServer):
    """Epic runs one export at a time, so the next would wait for ever."""
    status = kick_off(server, ehr.fhir_base, order())

    clear_away(server, status)
    clear_away(server, status)  # a 404 says that it is done

    assert ehr.exports["1"].deleted


# ------------------------------------------------------------------ manifests


def manifest_of(**changes: Any) -> Manifest:
    said = {
        "transactionTime": "2027-01-15T08:00:00.000Z",
        "request": "https://ehr.example/fhir/$export",
        "requiresAccessToken": True,
        "output": [],
        "error": [],
    }
    body = json.dumps({k: v for k, v in (said | changes).items() if v is not ...})
    return parse_manifest(body.encode(), url="https://ehr.example/fhir/bulk/1")


FILE = {"type": "Observation", "url": "https://ehr.example/f/1", "count": 3}


@pytest.mark.conforms("P7")
def test_a_manifest_of_every_version_is_read():
    """1.0.1 to 4.0.0-ballot: names and forms that came and went."""
    oldest = manifest_of(requiresAccessToken="true", output=[FILE])
    newest = manifest_of(
        request=...,
        error=...,
        requiresAccessToken=False,
        outcome=[FILE | {"type": "OperationOutcome"}],
        deleted=[FILE | {"type": "Bundle"}],
        extension=[{"url": "urn:x"}],
        link=[{"relation": "next", "url": "2"}],
    )

    assert oldest.requires_token
    assert oldest.output[0].count == 3
    assert not newest.requires_token
    assert [file.type for file in newest.errors] == ["OperationOutcome"]
    assert [file.type for file in newest.deleted] == ["Bundle"]
    assert newest.next_url == "https://ehr.example/fhir/bulk/2"
    assert newest.transaction_ms == 1_800_000_000_000


@pytest.mark.parametrize(
    ("changes", "expression"),
    [
        ({"transactionTime": "2027-01-15"}, "transactionTime"),
        ({"transactionTime": "2027-13-15T08:00:00Z"}, "transactionTime"),
        ({"transactionTime": ...}, "transactionTime"),
        ({"requiresAccessToken": 1}, "requiresAccessToken"),
        ({"output": {"a": 1}}, "output"),
        ({"output": ["x"]}, "output[0]"),
        ({"output": [FILE, {"type": "Observation"}]}, "output[1].url"),
        (
            {"output": [FILE | {"url": "https://ehr.example/fhir/bulk/1"}]},
            "output[0].url",
        ),
        ({"error": [FILE | {"url": "#x"}]}, "error[0].url"),
        ({"link": [{"relation": "next", "url": "1"}]}, "link[0].url"),
        ({"output": [FILE | {"url": "https://[x"}]}, "output[0].url"),
    ],
)
@pytest.mark.conforms("P7", mutation="one member is not as it should be")
def test_a_manifest_that_is_none_is_refused_by_its_member(
    changes: dict, expression: str
):
    """One that names itself would be fetched as its own part for ever."""
    with pytest.raises(UnreadableAnswerError) as refused:
        manifest_of(**changes)

    assert refused.value.expression == expression


@given(st.binary(max_size=200))
def test_no_manifest_ever_fails_untyped(body: bytes):
    """Whatever a server sends, the error is one of ours and quotes nothing."""
    with pytest.raises(UnreadableAnswerError):
        parse_manifest(body, url="https://ehr.example/1")


# ---------------------------------------------------------------------- files


def read(server: BulkServer, url: str, *, with_token: bool = True, **limits: Any):
    opened = open_file(server, url, with_token=with_token, limits=Limits(**limits))
    return b"".join(opened.pieces())


@pytest.mark.conforms("P9")
def test_a_file_comes_as_it_is_zipped_or_not(ehr: FakeEhr, server: BulkServer):
    """By its header, or by how it begins: some servers hand out .gz files as such."""
    lines = b'{"a": 1}\n' * 100_000
    zipped = gzip.compress(lines[:900]) + gzip.compress(lines[900:])
    for reply in (
        Reply(body=lines),
        Reply(body=zipped, headers={"Content-Encoding": "gzip"}),
        Reply(body=zipped),
        Reply(body=b""),
    ):
        ehr.says("GET", "/f", reply)
        whole = read(server, f"{ehr.origin}/f")
        assert whole == (lines if reply.body else b"")
    assert "ndjson" in ehr.seen[-1].headers["accept"]


@pytest.mark.conforms("P9", mutation="the body stops, zipped or not")
def test_a_body_that_stops_is_never_a_shorter_file(ehr: FakeEhr, server: BulkServer):
    """A gzip stream without its end is one too, though its length was kept."""
    zipped = gzip.compress(b'{"a": 1}\n' * 1000)
    for reply in (
        Reply(body=b'{"a": 1}\n' * 9, cut=50),
        Reply(body=zipped, cut=20),
        Reply(body=zipped[:-5]),
        Reply(body=zipped[:30] + b"\0" * 9 + zipped[39:]),
    ):
        ehr.says("GET", "/f", reply)
        with pytest.raises(BrokenOffError):
            read(server, f"{ehr.origin}/f")


@pytest.mark.conforms("P15", mutation="a file has no end, or is a gzip bomb")
def test_a_file_without_end_is_left(ehr: FakeEhr, server: BulkServer):
    """The limit counts what comes out of the compression."""
    bomb = gzip.compress(b"\0" * 3_000_000)
    for reply in (Reply(endless=True), Reply(body=bomb)):
        ehr.says("GET", "/f", reply)
        with pytest.raises(UnboundedError):
            read(server, f"{ehr.origin}/f", max_bytes=1_000_000)


@pytest.mark.conforms("P15", mutation="a file is a gzip bomb within the limit")
def test_what_inflates_beyond_reason_is_left(ehr: FakeEhr, server: BulkServer):
    """Far below the limit of a file, which is for what is truly large."""
    packer, zeros = zlib.compressobj(9, wbits=31), bytes(1_000_000)
    bomb = b"".join([*(packer.compress(zeros) for _ in range(40)), packer.flush()])
    ehr.says("GET", "/f", Reply(body=bomb))

    with pytest.raises(UnboundedError, match="far more"):
        read(server, f"{ehr.origin}/f", max_bytes=1_000_000_000)


@pytest.mark.conforms("P9", mutation="requiresAccessToken is false")
def test_no_token_goes_where_none_is_required(ehr: FakeEhr, server: BulkServer):
    """A signed URL of a storage service must not learn the token."""
    ehr.says("GET", "/f", Reply(), Reply())

    read(server, f"{ehr.origin}/f", with_token=False)
    read(server, f"{ehr.origin}/f", with_token=True)

    assert [s.token is None for s in ehr.asked("GET", "/f")] == [True, False]


@pytest.mark.conforms("P14")
@pytest.mark.conforms("P14", mutation="a file is on another host, or redirected there")
def test_a_token_never_crosses_to_another_origin(
    ehr: FakeEhr, outbound: Outbound, clock: Clock
):
    """Not by a URL in the manifest, nor by a redirect; the file itself is had."""
    other = f"http://localhost:{ehr.port}"
    server = server_of(ehr, outbound, clock, hosts=(other,))
    moved = Reply(status=307, headers={"Location": f"{other}/g"})
    ehr.says("GET", "/f", moved)
    ehr.says("GET", "/g", Reply(body=b"x"), Reply(body=b"x"))

    assert read(server, f"{ehr.origin}/f") == b"x"
    assert read(server, f"{other}/g") == b"x"

    assert [s.token is None for s in ehr.asked("GET", "/[fg]$")] == [False, True, True]


def test_a_host_that_may_see_the_token_is_named_as_such(
    ehr: FakeEhr, outbound: Outbound, clock: Clock
):
    """Some EHRs serve their files from a host of their own, and want the token."""
    other = f"http://localhost:{ehr.port}"
    server = server_of(ehr, outbound, clock, token_hosts=(other,))
    ehr.says("GET", "/f", Reply())

    read(server, f"{other}/f")

    assert ehr.asked("GET", "/f")[0].token is not None


@pytest.mark.conforms("P15")
@pytest.mark.conforms("P15", mutation="a host that is not on the list")
def test_a_host_that_is_not_listed_is_not_asked(ehr: FakeEhr, server: BulkServer):
    """Neither straight nor by a redirect."""
    other = f"http://localhost:{ehr.port}"
    ehr.says("GET", "/f", Reply(status=302, headers={"Location": f"{other}/g"}))

    for url in (f"{other}/g", f"{ehr.origin}/f"):
        with pytest.raises(AddressRefusedError):
            read(server, url)

    assert ehr.asked("GET", "/g") == []


@pytest.mark.conforms("P15", mutation="a listed name has a private address")
@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "fd00::1"]
)
def test_a_listed_name_with_a_private_address_is_not_asked(address: str, clock: Clock):
    """The list is of names; who owns a name may point it anywhere."""
    outbound = Outbound(dev_mode=False, resolve=lambda _host, _port: [address])
    reach = Reach.around("https://ehr.example/fhir")
    server = BulkServer(outbound, reach, epoch=lambda: clock() // 1000)

    with pytest.raises(AddressRefusedError, match="not public"):
        read(server, "https://ehr.example/fhir/f")

    outbound.close()


@pytest.mark.conforms("P15", mutation="plain http, or a URL that is none")
@pytest.mark.parametrize(
    "url", ["http://ehr.example/f", "ftp://ehr.example/f", "https://", "https://[x"]
)
def test_only_https_is_asked(url: str, clock: Clock):
    """Plain http is for this machine, and only in its trials."""
    outbound = Outbound(dev_mode=False, resolve=lambda _host, _port: ["93.184.216.34"])
    reach = Reach.around("https://ehr.example", hosts=("http://ehr.example",))
    server = BulkServer(outbound, reach, epoch=lambda: clock() // 1000)

    with pytest.raises(AddressRefusedError):
        read(server, url)

    outbound.close()


def test_a_redirect_without_end_is_left(ehr: FakeEhr, server: BulkServer):
    """A server that sends one in a circle is not followed for ever."""
    there = Reply(status=302, headers={"Location": "/f"})
    ehr.says("GET", "/f", *([there] * 9))

    with pytest.raises(UnboundedError):
        read(server, f"{ehr.origin}/f")


def test_equal_origins_have_one_form():
    """RFC 6454: the usual port, and the case of the host, make no difference."""
    assert origin_of("https://EHR.example/a?b") == "https://ehr.example:443"
    assert origin_of("https://ehr.example:443") == origin_of("https://ehr.example/")
    assert origin_of("https://ehr.example:8443") != origin_of("https://ehr.example")


def test_a_server_that_is_gone_is_unavailable(outbound: Outbound, clock: Clock):
    """Nothing listens there; it may later."""
    reach = Reach.around("http://127.0.0.1:9")
    server = BulkServer(outbound, reach, epoch=lambda: clock() // 1000)

    with pytest.raises(ServerUnavailableError):
        read(server, "http://127.0.0.1:9/f", with_token=False)
