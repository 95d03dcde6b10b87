"""Bulk submissions of what can't be had, or is not what it says: told, never silent."""

import dataclasses
import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from app.fhir import ndjson as lines_of
from app.services.bulk.jobs import work
from app.services.hub import Hub
from app.services.workers import STEPS
from app.smart.tokens import public_jwks
from tests import make
from tests.bulk_submitters import (
    BASE,
    PATIENT,
    call,
    counts,
    lab,
    outcomes,
    status,
    status_url,
    submit,
    worked,
)
from tests.collecting import collecting_hub
from tests.fake_ehr import FakeEhr, Reply
from tests.file_servers import FileServer, serving_files
from tests.hubs import Caller, Clock, Network, current_of, rows_of

pytestmark = pytest.mark.anyio

Json = dict[str, Any]


@pytest.fixture
def dialect() -> str:
    """What is fetched is the same on both."""
    return "sqlite"


@pytest.fixture
def hub(hub: Hub) -> Iterator[Hub]:
    """A hub that may fetch from this machine."""
    with collecting_hub(hub) as fetching:
        yield fetching


async def told(ehr: Caller, hub: Hub, url: str, **stated: Any) -> list[str]:
    """Submit a manifest and complete it; return what is told in the end."""
    await submit(ehr, manifestUrl=url, submissionStatus="completed", **stated)
    worked(hub)
    return sorted(issue["diagnostics"] for issue in await outcomes(ehr))


@pytest.mark.parametrize("code", [404, 410])
async def test_a_file_that_is_not_there_is_told_of(
    ehr: Caller, hub: Hub, files: FileServer, code: int
):
    """The others of its manifest are stored; the submission does not look whole."""
    files.replies["/gone"] = Reply(status=code)
    url = files.manifest("/m", files.url("/gone"), files.serve("/p", PATIENT))

    found = await told(ehr, hub, url)

    assert found == [f"The file was not loaded: The server answers {code}"]
    assert current_of(hub.engine) == {"Patient": 1}
    (outcome,) = (await status(ehr))["outcome"]
    assert outcome["manifestUrl"] == url
    assert outcome["countSeverity"] == [{"code": "error", "count": 1}]


async def test_a_manifest_that_is_not_there_leaves_the_others_alone(
    ehr: Caller, hub: Hub, files: FileServer
):
    """Each manifest stands for itself."""
    await submit(ehr, manifestUrl=files.url("/none"))

    found = await told(ehr, hub, files.manifest("/m", files.serve("/p", PATIENT)))

    assert found == [
        "The manifest was not loaded: The server answers 404, not-found",
    ]
    assert current_of(hub.engine) == {"Patient": 1}


async def test_a_manifest_that_names_itself_is_refused(
    ehr: Caller, hub: Hub, files: FileServer
):
    """Else it would be read as its own data, or for good."""
    url = files.manifest("/m", files.url("/m"))

    found = await told(ehr, hub, url)

    assert found == [
        "The manifest was not loaded: The manifest names itself as its own part",
    ]


async def test_pages_that_lead_back_are_refused(
    ehr: Caller, hub: Hub, files: FileServer
):
    """A to B to A: each is read once, and it is said that they turn in a circle."""
    first, second = files.url("/m1"), files.url("/m2")
    files.manifest(
        "/m1", files.serve("/p", PATIENT), link=[{"relation": "next", "url": second}]
    )
    files.manifest("/m2", link=[{"relation": "next", "url": first}])

    found = await told(ehr, hub, first)

    assert found == [
        "The manifest was not loaded: The manifest's pages lead back to themselves",
    ]
    assert len(files.asked("/m1")) == len(files.asked("/m2")) == 1


async def test_further_pages_are_read(ehr: Caller, hub: Hub, files: FileServer):
    """The draft: the link SHALL be followed."""
    more = files.manifest("/m2", files.serve("/o", lab("o1")))
    url = files.manifest(
        "/m1", files.serve("/p", PATIENT), link=[{"relation": "next", "url": more}]
    )

    assert await told(ehr, hub, url) == []
    assert current_of(hub.engine) == {"Patient": 1, "Observation": 1}


@pytest.mark.parametrize(
    "url",
    [
        "https://10.0.0.7/f.ndjson",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00::1]/f.ndjson",
        "http://files.example/f.ndjson",
        "file:///etc/passwd",
    ],
)
async def test_nothing_is_fetched_from_where_the_hub_does_not_go(
    ehr: Caller, hub: Hub, files: FileServer, url: str
):
    """A manifest can't make the hub look into its own network."""
    manifest = files.manifest("/m", url, files.serve("/p", PATIENT))

    (found,) = await told(ehr, hub, manifest)

    assert found.startswith("The file was not loaded: ")
    assert current_of(hub.engine) == {"Patient": 1}


@pytest.mark.parametrize(
    "url", ["http://files.example/m", "ftp://files.example/m", "https:///m", "nonsense"]
)
async def test_a_url_of_no_use_is_refused_at_once(ehr: Caller, url: str):
    """The call names the parameter, and not what it held."""
    response = await call(ehr, manifestUrl=url)

    assert response.status_code == 422
    (issue,) = response.json()["issue"]
    assert issue["expression"] == ["manifestUrl"]
    assert url not in response.text


async def test_a_base_that_is_not_the_sources_is_refused(ehr: Caller):
    """What is relative to it would be taken for the source's own."""
    response = await call(
        ehr, manifestUrl="https://files.example/m", fhirBaseUrl="https://x.example/r4"
    )

    assert response.status_code == 422


async def test_a_source_without_bases_may_state_any(
    network: Network, hub: Hub, files: FileServer
):
    """An absolute reference under it is to the source's own."""
    ehr, base = network.ehr("beta-ehr", base_urls=()), "https://new.example/r4"
    absolute = make.lab(7, id="o2", subject={"reference": f"{base}/Patient/p1"})
    url = files.manifest("/m", files.serve("/a", PATIENT, absolute))

    assert await told(ehr, hub, url, fhirBaseUrl=base) == []
    assert current_of(hub.engine) == {"Patient": 1, "Observation": 1}


async def test_references_are_relative_to_the_base_that_is_stated(
    ehr: Caller, hub: Hub, files: FileServer
):
    """An absolute one under it is the same patient as the relative one."""
    absolute = make.lab(7, id="o2", subject={"reference": f"{BASE}/Patient/p1"})
    url = files.manifest("/m", files.serve("/a", PATIENT, lab("o1"), absolute))

    assert await told(ehr, hub, url) == []
    about = {
        (await ehr.read(f"Observation/{id_}")).json()["subject"]["reference"]
        for id_ in ("o1", "o2")
    }
    assert len(about) == 1


def later(hub: Hub, clock: Clock) -> None:
    """Let the worker do all there is to do, as often as it asks for time."""
    for _ in range(12):
        worked(hub)
        clock.pass_seconds(1000)


async def test_a_body_that_stops_is_asked_for_again(
    ehr: Caller, hub: Hub, files: FileServer, clock: Clock
):
    """Once is the weather: each line is stored once in the end."""
    files.serve("/o", *(lab(f"o{n}") for n in range(20)))
    whole = files.replies["/o"]
    assert isinstance(whole, Reply)
    files.replies["/o"] = [dataclasses.replace(whole, cut=2000), whole]
    url = files.manifest("/m", files.url("/o"))
    await submit(ehr, manifestUrl=url, submissionStatus="completed")

    later(hub, clock)

    assert current_of(hub.engine) == {"Observation": 20}
    assert counts(await status(ehr)) == {("Observation", "created"): 20}
    assert await outcomes(ehr) == []


@pytest.mark.parametrize("fault", ["cut", "gzip", "busy"])
async def test_what_never_comes_whole_is_given_up_and_told(
    ehr: Caller, hub: Hub, files: FileServer, clock: Clock, fault: str
):
    """After ten tries, with nothing of it stored, and the rest of it done."""
    files.serve("/o", *(lab(f"o{n}") for n in range(20)))
    whole = files.replies["/o"]
    assert isinstance(whole, Reply)
    files.replies["/o"] = {
        "cut": dataclasses.replace(whole, cut=2000),
        "gzip": Reply(body=gzip.compress(whole.body)[:-9]),
        "busy": Reply(status=503, headers={"Retry-After": "5"}),
    }[fault]
    url = files.manifest("/m", files.url("/o"), files.serve("/p", PATIENT))
    await submit(ehr, manifestUrl=url, submissionStatus="completed")

    later(hub, clock)

    assert current_of(hub.engine) == {"Patient": 1}
    (issue,) = await outcomes(ehr)
    assert issue["diagnostics"].startswith("The file was not loaded: ")
    assert issue["details"]["text"] == "File 1 of the manifest. All of it"
    assert rows_of(hub.engine)["staged"] == []
    assert len(files.asked("/o")) == 10


async def test_who_waits_for_an_earlier_submission_is_told(
    ehr: Caller, hub: Hub, network: Network, files: FileServer, clock: Clock
):
    """Its server is dead for half an hour; that of another source waits for nobody."""
    files.replies["/o"] = Reply(status=503)
    first = files.manifest("/m1", files.url("/o"))
    await submit(ehr, manifestUrl=first, submissionStatus="completed")
    second = files.manifest("/m2", files.serve("/p", PATIENT))
    await submit(ehr, submission="s2", manifestUrl=second, submissionStatus="completed")
    other = network.ehr("beta-ehr")
    await submit(
        other, submission="s3", manifestUrl=second, submissionStatus="completed"
    )
    said = await progress(ehr, "s2")

    worked(hub)

    waiting = "completed: waiting for an earlier submission of this source"
    assert said == await progress(ehr, "s2") == waiting
    assert await progress(ehr, "s1") == "completed: 0 of 1 files read"
    assert current_of(hub.engine) == {"Patient": 1}  # the other source's
    later(hub, clock)
    assert counts(await status(ehr, "s2")) == {("Patient", "created"): 1}


async def progress(ehr: Caller, submission: str) -> str:
    """Return how far a submission is, in the hub's words."""
    answer = await ehr.call("GET", await status_url(ehr, submission))
    return answer.headers["X-Progress"]


async def test_counts_that_disagree_are_told(ehr: Caller, hub: Hub, files: FileServer):
    """What came is stored; a submitter that said more learns of it."""
    entry = {"type": "Patient", "url": files.serve("/p", PATIENT), "count": 3}

    found = await told(ehr, hub, files.manifest("/m", entry))

    assert found == ["The manifest says 3 resources; 1 came"]
    assert current_of(hub.engine) == {"Patient": 1}


async def test_a_manifest_that_is_none_is_told(
    ehr: Caller, hub: Hub, files: FileServer
):
    """A web page, a list, a manifest without its instant."""
    for path, body in {"/a": b"<html>", "/b": b"[]", "/c": b'{"output": []}'}.items():
        files.replies[path] = Reply(body=body)
        await submit(ehr, manifestUrl=files.url(path))
    await submit(ehr, submissionStatus="completed")
    worked(hub)

    manifest = await status(ehr)

    assert [each["manifestUrl"] for each in manifest["outcome"]] == [
        files.url(path) for path in ("/a", "/b", "/c")
    ]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read some lines at a time, as large ones are."""
    monkeypatch.setattr(lines_of, "BATCH_BYTES", 2_000)


def some_steps(hub: Hub) -> int:
    """Let the worker work until it has staged some of a file; return how many lines."""
    while not (staged := rows_of(hub.engine)["staged"]):
        assert work(hub, STEPS, holder="test")
    return len(staged)


class Ticking:
    """A clock by which each look takes a while, so that each step is a turn."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(self) -> int:
        self._clock.pass_seconds(0.3)
        return self._clock()


@pytest.mark.usefixtures("small_batches")
async def test_a_restart_goes_on_with_the_file_where_it_was(
    ehr: Caller, hub: Hub, files: FileServer, clock: Clock
):
    """The process dies in the middle: no line is lost, none is staged twice."""
    count = 60
    url = files.manifest("/m", files.serve("/o", *(lab(f"o{n}") for n in range(count))))
    await submit(ehr, manifestUrl=url)
    ticking = dataclasses.replace(hub, clock=Ticking(clock))
    some_steps(ticking)
    numbers = [row[2] for row in rows_of(hub.engine)["staged"]]

    hub.servers.close()
    await submit(ehr, submissionStatus="completed")
    worked(hub)

    assert 0 < len(numbers) < count / 10
    assert len(files.asked("/o")) == 2
    assert current_of(hub.engine) == {"Observation": count}
    assert counts(await status(ehr)) == {("Observation", "created"): count}


@pytest.mark.usefixtures("small_batches")
async def test_a_file_that_was_changed_meanwhile_is_begun_anew(
    ehr: Caller, hub: Hub, files: FileServer, clock: Clock
):
    """Positions in one version are none in another."""
    url = files.manifest("/m", files.serve("/o", *(lab(f"o{n}") for n in range(60))))
    await submit(ehr, manifestUrl=url)
    some_steps(dataclasses.replace(hub, clock=Ticking(clock)))
    files.serve("/o", *(lab(f"new{n}") for n in range(30)))

    hub.servers.close()
    await submit(ehr, submissionStatus="completed")
    worked(hub)

    assert (await ehr.read("Observation/o1")).status_code == 404
    assert current_of(hub.engine) == {"Observation": 30}


@pytest.mark.usefixtures("small_batches")
async def test_what_is_stopped_in_the_middle_of_a_file_leaves_nothing(
    ehr: Caller, hub: Hub, files: FileServer, clock: Clock
):
    """The worker finds out at its next step, and keeps nothing of it."""
    url = files.manifest("/m", files.serve("/o", *(lab(f"o{n}") for n in range(60))))
    await submit(ehr, manifestUrl=url)
    some_steps(dataclasses.replace(hub, clock=Ticking(clock)))

    await submit(ehr, submissionStatus="stopped")
    worked(hub)

    assert rows_of(hub.engine)["staged"] == []
    assert current_of(hub.engine) == {}


async def test_a_submission_that_is_forgotten_ends_by_itself(
    ehr: Caller, hub: Hub, files: FileServer, clock: Clock
):
    """After a month of silence; what it held was never current."""
    url = files.manifest("/m", files.serve("/p", PATIENT))
    await submit(ehr, manifestUrl=url)
    worked(hub)

    clock.pass_seconds(31 * 24 * 3600)
    worked(hub)
    late = await call(ehr, submissionStatus="completed")

    assert late.status_code == 409
    assert current_of(hub.engine) == {}


def guarded(files: FileServer, hub: Hub) -> None:
    """Let the server of files give them to whom it gave a token only."""
    files.ehr.key_set = public_jwks(hub.client_key)
    files.ehr.client_id = hub.base_url


async def test_a_token_is_got_for_files_that_need_one(
    ehr: Caller, hub: Hub, files: FileServer
):
    """By the hub's own key, where the call says; one token does for all files."""
    guarded(files, hub)
    files.ehr.resources = [PATIENT]
    url = files.manifest(
        "/m",
        files.serve("/a", PATIENT),
        files.serve("/b", lab("o1")),
        requiresAccessToken=True,
    )
    where = f"{files.ehr.fhir_base}/.well-known/smart-configuration"

    assert await told(ehr, hub, url, oauthMetadataUrl=where) == []

    assert files.ehr.refusals == []
    tokens = {files.asked(path)[0].token for path in ("/m", "/a", "/b")}
    assert tokens == set(files.ehr.issued)
    assert len(files.ehr.issued) == 1


async def test_a_token_is_found_by_what_protects_the_files(
    ehr: Caller, hub: Hub, files: FileServer
):
    """RFC 9728 names authorization servers, RFC 8414 their token endpoints."""
    guarded(files, hub)
    for path, said in {
        "/.well-known/oauth-protected-resource": {
            "authorization_servers": [f"{files.base}/as"]
        },
        "/.well-known/oauth-authorization-server/as": {
            "token_endpoint": files.ehr.token_url
        },
    }.items():
        files.replies[path] = Reply(body=json.dumps(said).encode())
    url = files.manifest("/m", files.serve("/a", PATIENT), requiresAccessToken=True)
    where = files.url("/.well-known/oauth-protected-resource")

    assert await told(ehr, hub, url, oauthMetadataUrl=where) == []

    assert files.asked("/a")[0].token in files.ehr.issued


async def test_a_token_is_not_shown_where_none_is_required(
    ehr: Caller, hub: Hub, files: FileServer, clock: Clock
):
    """Nor to a server that the call does not name."""
    guarded(files, hub)
    with serving_files(FakeEhr(clock=clock)) as elsewhere:
        there = elsewhere.serve("/c", lab("o2"))
        open_ = files.manifest("/m1", files.serve("/a", PATIENT))
        closed = files.manifest("/m2", there, requiresAccessToken=True)
        where = f"{files.ehr.fhir_base}/.well-known/smart-configuration"
        await submit(ehr, manifestUrl=open_, oauthMetadataUrl=where)

        assert await told(ehr, hub, closed, oauthMetadataUrl=where) == []

        assert elsewhere.asked("/c")[0].token is None
    assert files.asked("/m1")[0].token is not None
    assert files.asked("/a")[0].token is None
