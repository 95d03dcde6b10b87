"""Bulk submissions: a life cycle, what becomes current when, and what is told."""

import asyncio
import gzip
from collections.abc import Iterator
from typing import Any

import pytest

from app.services.bulk.jobs import forget_old_jobs, retry
from app.services.hub import Hub
from app.services.recounts import refresh
from app.store.jobs import Job, JobState, list_jobs
from app.store.sessions import read_session
from tests import make
from tests.bulk_submitters import (
    PATIENT,
    SUBMITTER,
    call,
    counts,
    lab,
    ndjson,
    outcomes,
    parameters,
    status,
    status_url,
    submit,
    worked,
)
from tests.collecting import collecting_hub
from tests.fake_ehr import FakeEhr, Reply
from tests.file_servers import FileServer, serving_files
from tests.hubs import (
    Caller,
    Clock,
    Network,
    bearer,
    current_of,
    rows_of,
)

pytestmark = pytest.mark.anyio

Json = dict[str, Any]


@pytest.fixture
def dialect() -> str:
    """SQLite, but where a test says that the store matters."""
    return "sqlite"


on_both = pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])


@pytest.fixture
def hub(hub: Hub) -> Iterator[Hub]:
    """A hub that may fetch from this machine."""
    with collecting_hub(hub) as fetching:
        yield fetching


@on_both
async def test_a_submission_becomes_current_when_it_is_completed(
    ehr: Caller, hub: Hub, files: FileServer
):
    """Until then its submitter may still say that it was wrong."""
    patients = files.serve("/p", PATIENT)
    labs = files.serve("/o", lab("o1"), lab("o2"), lab("o3") | {"status": "bogus"})
    url = files.manifest("/m", {"type": "Patient", "url": patients, "count": 1}, labs)

    await submit(ehr, manifestUrl=url)
    worked(hub)
    before = current_of(hub.engine)
    under_way = await ehr.call("GET", await status_url(ehr))
    await submit(ehr, submissionStatus="completed")
    worked(hub)

    assert before == {}
    assert under_way.status_code == 202
    assert under_way.headers["X-Progress"] == "in progress: 2 of 2 files read"
    assert int(under_way.headers["Retry-After"]) > 0
    assert under_way.json()["submissionId"] == "s1"
    assert current_of(hub.engine) == {"Patient": 1, "Observation": 2}
    manifest = await status(ehr)
    assert counts(manifest) == {
        ("Patient", "created"): 1,
        ("Observation", "created"): 2,
        ("Observation", "refused"): 1,
    }
    (outcome,) = manifest["outcome"]
    assert outcome["manifestUrl"] == url
    assert outcome["countSeverity"] == [{"code": "error", "count": 1}]
    (issue,) = await outcomes(ehr)
    assert issue["details"]["text"] == "File 2 of the manifest. Line 3"
    assert manifest["requiresAccessToken"] is True


async def test_one_call_may_say_all(ehr: Caller, hub: Hub, files: FileServer):
    """A manifest and that there will be no other."""
    url = files.manifest("/m", files.serve("/p", PATIENT))

    await submit(ehr, manifestUrl=url, submissionStatus="completed")
    worked(hub)

    assert current_of(hub.engine) == {"Patient": 1}


@on_both
async def test_the_submitter_gets_its_own_data_back_de_identified(
    ehr: Caller, hub: Hub, network: Network, files: FileServer
):
    """The draft names it as processed data: as a read gives it, and to no other."""
    url = files.manifest("/m", files.serve("/a", PATIENT, lab("o1")))
    await submit(ehr, manifestUrl=url, submissionStatus="completed")
    worked(hub)

    manifest = await status(ehr)
    output = {each["type"]: each for each in manifest["output"]}
    (patient,) = await ndjson(ehr, output["Patient"]["url"])
    (observation,) = await ndjson(ehr, output["Observation"]["url"])

    assert output["Observation"]["manifestUrl"] == url
    assert output["Observation"]["count"] == 1
    assert "name" not in patient
    assert observation["subject"]["reference"] == f"Patient/{patient['id']}"
    read = await ehr.read(f"Observation/{observation['id']}")
    assert read.json() == observation
    path = output["Observation"]["url"].partition("/fhir")[2]
    stranger = network.ehr("beta-ehr")
    assert (await stranger.call("GET", path)).status_code == 404
    assert (await ehr.http.get(f"/fhir{path}")).status_code == 401
    narrow = await ehr.fresh_token("system/Observation.rs")
    refused = await ehr.http.get(f"/fhir{path}", headers=bearer(narrow))
    assert refused.status_code == 403


async def test_the_submitter_gets_its_own_measures_back(
    ehr: Caller, hub: Hub, files: FileServer
):
    """Its own clinic's live reports, the same that it may search for."""
    body = [make.summary_report(3, 1000, id="r1")]
    url = files.manifest("/m", files.serve("/r", *body))
    await submit(ehr, manifestUrl=url, submissionStatus="completed")
    worked(hub)
    refresh(hub)

    manifest = await status(ehr)
    reports = [
        each
        for each in manifest["output"]
        if each["type"] == "MeasureReport" and "manifestUrl" not in each
    ]
    found = await ndjson(ehr, reports[0]["url"])

    bundle = (await ehr.read("MeasureReport?_count=1000")).json()
    searched = {entry["resource"]["id"] for entry in bundle["entry"]}
    assert searched
    assert {report["id"] for report in found} == searched


async def test_files_are_compressed_for_whom_it_suits(
    ehr: Caller, hub: Hub, files: FileServer
):
    """One stream, the same bytes inside."""
    url = files.manifest("/m", files.serve("/p", PATIENT))
    await submit(ehr, manifestUrl=url, submissionStatus="completed")
    worked(hub)
    path = (await status(ehr))["output"][0]["url"].partition("/fhir")[2]

    plain = await ehr.call("GET", path, Accept_Encoding="identity")
    packed = await ehr.call("GET", path, Accept_Encoding="gzip")

    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.content == plain.content  # httpx unpacks it
    assert gzip.decompress(gzip.compress(plain.content)) == plain.content


@on_both
async def test_what_is_stopped_leaves_nothing(ehr: Caller, hub: Hub, files: FileServer):
    """Nothing staged, nothing current; what was submitted before stays."""
    first = files.manifest("/m1", files.serve("/p", PATIENT))
    await submit(ehr, manifestUrl=first, submissionStatus="completed")
    worked(hub)
    second = files.manifest("/m2", files.serve("/o", lab("o1")))

    await submit(ehr, submission="s2", manifestUrl=second, replacesManifestUrl=first)
    worked(hub)
    staged = len(rows_of(hub.engine)["staged"])
    await submit(ehr, submission="s2", submissionStatus="stopped")
    worked(hub)

    assert staged == 1
    assert rows_of(hub.engine)["staged"] == []
    assert current_of(hub.engine) == {"Patient": 1}
    told = await ehr.call("GET", await status_url(ehr, "s2"))
    assert told.status_code == 404


async def test_what_has_ended_takes_nothing_more_but_the_same_again(
    ehr: Caller, hub: Hub, files: FileServer
):
    """The answer may have been lost on its way; a repetition is answered alike."""
    url = files.manifest("/m", files.serve("/p", PATIENT))
    other = files.manifest("/m2", files.serve("/o", lab("o1")))
    await submit(ehr, manifestUrl=url)

    first = await call(ehr, submissionStatus="completed")
    again = await call(ehr, submissionStatus="completed")
    worked(hub)
    late = await call(ehr, submissionStatus="completed")
    more = await call(ehr, manifestUrl=other)
    stopped = await call(ehr, submissionStatus="stopped")

    assert first.json() == again.json() == late.json()
    assert [first.status_code, again.status_code, late.status_code] == [200] * 3
    assert [more.status_code, stopped.status_code] == [409, 409]
    assert current_of(hub.engine) == {"Patient": 1}


async def test_a_manifest_sent_twice_is_one(ehr: Caller, hub: Hub, files: FileServer):
    """Each file is fetched once."""
    url = files.manifest("/m", files.serve("/p", PATIENT))

    await submit(ehr, manifestUrl=url)
    await submit(ehr, manifestUrl=url)
    await submit(ehr, manifestUrl=url, submissionStatus="completed")
    worked(hub)

    assert len(files.asked("/p")) == 1
    assert counts(await status(ehr)) == {("Patient", "created"): 1}


@on_both
async def test_two_first_calls_at_once_are_one_submission(
    ehr: Caller, hub: Hub, files: FileServer
):
    """Each brings a manifest of its own; both are in it."""
    urls = [
        files.manifest(f"/m{n}", files.serve(f"/p{n}", make.patient(id=f"p{n}")))
        for n in range(6)
    ]
    await ehr.read("metadata")

    answers = await asyncio.gather(*(call(ehr, manifestUrl=url) for url in urls))
    await submit(ehr, submissionStatus="completed")
    worked(hub)

    assert [answer.status_code for answer in answers] == [200] * 6
    assert len(rows_of(hub.engine)["submission"]) == 1
    assert current_of(hub.engine) == {"Patient": 6}


async def test_what_is_of_another_clinic_is_not_met(
    ehr: Caller, network: Network, files: FileServer
):
    """Its names open nothing, and it can't be completed or stopped by others."""
    other = network.ehr("beta-ehr")
    url = files.manifest("/m", files.serve("/p", PATIENT))
    await submit(ehr, manifestUrl=url)

    taken = await call(other, manifestUrl=url)
    stopped = await call(other, submissionStatus="stopped")
    body = parameters(submitter=SUBMITTER, submissionId="s1")
    asked = await other.call("POST", "/$bulk-submit-status", body)
    read = await other.call("GET", await status_url(ehr))

    assert [taken.status_code, stopped.status_code] == [403, 403]
    assert [asked.status_code, read.status_code] == [404, 404]


async def test_what_never_began_is_not_found(ehr: Caller):
    """A completed nothing would look like success."""
    completed = await call(ehr, submissionStatus="completed")
    body = parameters(submitter=SUBMITTER, submissionId="s1")
    asked = await ehr.call("POST", "/$bulk-submit-status", body)

    assert [completed.status_code, asked.status_code] == [404, 404]


@on_both
async def test_a_replacement_withdraws_just_what_it_lacks(
    ehr: Caller, hub: Hub, files: FileServer
):
    """
    What only the replaced manifest held goes; nothing else does.

    o1 is in the new one as it was, o2 in another version; o3 is in a third manifest
    too; o4 was changed by another door since; o5 was in the replaced one alone.
    """
    labs = [lab(f"o{n}") for n in range(1, 6)]
    old = files.manifest("/m1", files.serve("/a", PATIENT, *labs))
    third = files.manifest("/m2", files.serve("/b", lab("o3")))
    await submit(ehr, manifestUrl=old)
    await submit(ehr, manifestUrl=third, submissionStatus="completed")
    worked(hub)
    await ehr.put(lab("o4", 9.0))
    new = files.manifest("/m3", files.serve("/c", PATIENT, lab("o1"), lab("o2", 8.0)))

    await submit(
        ehr,
        submission="s2",
        manifestUrl=new,
        replacesManifestUrl=old,
        submissionStatus="completed",
    )
    worked(hub)

    reads = [(await ehr.read(f"Observation/o{n}")).status_code for n in range(1, 6)]
    assert reads == [200, 200, 200, 200, 410]
    manifest = await status(ehr, "s2")
    (deleted,) = manifest["deleted"]
    (bundle,) = await ndjson(ehr, deleted["url"])
    (entry,) = bundle["entry"]
    assert bundle["type"] == "transaction"
    assert entry["request"]["method"] == "DELETE"
    assert (await ehr.read(entry["request"]["url"])).status_code == 410


async def test_many_are_withdrawn_over_many_steps(
    ehr: Caller, hub: Hub, files: FileServer
):
    """120 records, 50 in a step: all of them, each once."""
    labs = [lab(f"o{n}", 5 + n / 100) for n in range(120)]
    old = files.manifest("/m1", files.serve("/a", PATIENT, *labs))
    await submit(ehr, manifestUrl=old, submissionStatus="completed")
    worked(hub)
    new = files.manifest("/m2", files.serve("/b", PATIENT))
    await submit(ehr, submission="s2", manifestUrl=new, replacesManifestUrl=old)

    await submit(ehr, submission="s2", submissionStatus="completed")
    worked(hub)

    assert current_of(hub.engine) == {"Patient": 1}
    bundles = await ndjson(ehr, (await status(ehr, "s2"))["deleted"][0]["url"])
    urls = [e["request"]["url"] for bundle in bundles for e in bundle["entry"]]
    assert len(set(urls)) == len(urls) == 120


async def test_a_manifest_of_the_same_submission_is_replaced_before_it_counts(
    ehr: Caller, hub: Hub, files: FileServer
):
    """Its submitter says that it was wrong: nothing of it ever is current."""
    wrong = files.manifest("/m1", files.serve("/a", PATIENT, lab("o1")))
    right = files.manifest("/m2", files.serve("/b", PATIENT, lab("o2")))
    await submit(ehr, manifestUrl=wrong)
    worked(hub)

    await submit(ehr, manifestUrl=right, replacesManifestUrl=wrong)
    worked(hub)
    await submit(ehr, submissionStatus="completed")
    worked(hub)

    assert (await ehr.read("Observation/o1")).status_code == 404
    assert (await ehr.read("Observation/o2")).status_code == 200


async def test_a_manifest_may_be_taken_back_without_another(
    ehr: Caller, hub: Hub, files: FileServer
):
    """The draft: to discard it, and optionally to replace it."""
    old = files.manifest("/m1", files.serve("/a", PATIENT))
    await submit(ehr, manifestUrl=old, submissionStatus="completed")
    worked(hub)

    await submit(
        ehr, submission="s2", replacesManifestUrl=old, submissionStatus="in-progress"
    )
    before = current_of(hub.engine)
    await submit(ehr, submission="s2", submissionStatus="completed")
    worked(hub)

    assert before == {"Patient": 1}
    assert current_of(hub.engine) == {}


async def test_a_replacement_that_was_not_loaded_whole_withdraws_nothing(
    ehr: Caller, hub: Hub, files: FileServer
):
    """What is missing of it may be what it would have held."""
    old = files.manifest("/m1", files.serve("/a", PATIENT, lab("o1")))
    await submit(ehr, manifestUrl=old, submissionStatus="completed")
    worked(hub)
    gone = files.url("/gone")
    new = files.manifest("/m2", files.serve("/b", PATIENT), gone)

    await submit(
        ehr,
        submission="s2",
        manifestUrl=new,
        replacesManifestUrl=old,
        submissionStatus="completed",
    )
    worked(hub)

    assert current_of(hub.engine) == {"Patient": 1, "Observation": 1}
    told = [issue["diagnostics"] for issue in await outcomes(ehr, "s2")]
    assert sorted(told) == [
        "The file was not loaded: The server answers 404, not-found",
        "The manifest was not loaded whole, so what it replaces was left as it is",
    ]


async def test_only_what_is_its_submitters_can_be_replaced(
    ehr: Caller, hub: Hub, network: Network, files: FileServer
):
    """A URL that was never submitted, or by another clinic: refused at once."""
    url = files.manifest("/m", files.serve("/p", PATIENT))
    other = network.ehr("beta-ehr")
    await submit(other, submission="s9", manifestUrl=url, submissionStatus="completed")
    worked(hub)
    new = files.manifest("/m2", files.serve("/o", lab("o1")))

    foreign = await call(ehr, manifestUrl=new, replacesManifestUrl=url)
    unknown = await call(ehr, manifestUrl=new, replacesManifestUrl=files.url("/x"))
    itself = await call(ehr, manifestUrl=new, replacesManifestUrl=new)

    assert [foreign.status_code, unknown.status_code, itself.status_code] == [422] * 3


async def test_a_dismissed_status_is_gone_until_it_is_asked_for(
    ehr: Caller, hub: Hub, files: FileServer
):
    """Bulk data: DELETE says that it was read; the submission itself goes on."""
    url = files.manifest("/m", files.serve("/p", PATIENT))
    await submit(ehr, manifestUrl=url)
    path = await status_url(ehr)

    dismissed = await ehr.call("DELETE", path)
    gone = await ehr.call("GET", path)
    await submit(ehr, submissionStatus="completed")
    worked(hub)

    assert [dismissed.status_code, gone.status_code] == [202, 404]
    assert current_of(hub.engine) == {"Patient": 1}
    assert counts(await status(ehr)) == {("Patient", "created"): 1}


def sealed_of(hub: Hub) -> list[bytes]:
    """Return all that is kept sealed of submissions."""
    rows = rows_of(hub.engine)
    last = (rows["submission_part"], -1), (rows["submission"], -2)
    return [row[at] for listed, at in last for row in listed if row[at] is not None]


async def test_what_is_sealed_goes_in_time(
    ehr: Caller, hub: Hub, files: FileServer, clock: Clock
):
    """Where files are goes with the end, what it was called after 30 days."""
    url = files.manifest("/m", files.serve("/p", PATIENT))
    await submit(ehr, manifestUrl=url)
    worked(hub)
    under_way = len(sealed_of(hub))
    await submit(ehr, submissionStatus="completed")
    worked(hub)
    path = await status_url(ehr)
    at_the_end = len(sealed_of(hub))

    clock.pass_seconds(31 * 24 * 3600)
    forget_old_jobs(hub)

    assert (under_way, at_the_end, sealed_of(hub)) == (2, 2, [])
    assert (await ehr.call("GET", path)).status_code == 404
    assert current_of(hub.engine) == {"Patient": 1}


async def test_of_what_is_stopped_nothing_is_sealed(
    ehr: Caller, hub: Hub, files: FileServer
):
    """Its URLs and headers have no use any more."""
    url = files.manifest("/m", files.serve("/p", PATIENT), files.url("/none"))
    await submit(ehr, manifestUrl=url, fileRequestHeader=("X-Key", "k1"))

    await submit(ehr, submissionStatus="stopped")

    assert sealed_of(hub) == []


async def test_a_retry_does_not_complete_what_its_submitter_did_not(
    ehr: Caller, hub: Hub, files: FileServer, clock: Clock
):
    """The operator goes on with the job; whether it counts the submitter says."""
    url = files.manifest("/m", files.serve("/p", PATIENT))
    await submit(ehr, manifestUrl=url)
    worked(hub)
    clock.pass_seconds(31 * 24 * 3600)
    worked(hub)
    (failed,) = list_of(hub)

    assert retry(hub, failed)
    worked(hub)
    before = current_of(hub.engine)
    await submit(ehr, submissionStatus="completed")
    worked(hub)

    assert failed.state is JobState.FAILED
    assert before == {}
    assert current_of(hub.engine) == {"Patient": 1}


def list_of(hub: Hub) -> list[Job]:
    with read_session(hub.engine) as session:
        return list_jobs(session)


def import_manifest(*urls: str, **stated: Any) -> Json:
    body = parameters(inputFormat="fhir+ndjson", **stated)
    body["parameter"] += [
        {
            "name": "udsData",
            "part": [
                {"name": "type", "valueCode": "Observation"},
                {"name": "url", "valueUrl": url},
                {"name": "expirationTime", "valueDateTime": "2031-01-01T00:00:00Z"},
            ],
        }
        for url in urls
    ]
    information = [{"name": "hcName", "valueString": "A centre"}]
    body["parameter"].append({"name": "hcInformation", "part": information})
    return body


async def imported(ehr: Caller, hub: Hub, body: Json) -> Json:
    """Send an import manifest; return its status once it is done."""
    response = await ehr.call("POST", "/$import", body)
    assert response.status_code == 202, response.text
    worked(hub)
    path = response.headers["Content-Location"].partition("/fhir")[2]
    return (await ehr.call("GET", path)).json()


@on_both
async def test_an_import_manifest_is_a_submission_at_once(
    ehr: Caller, hub: Hub, files: FileServer
):
    """HRSA's UDS+ sends one call with the files; a later one replaces it."""
    first = import_manifest(files.serve("/a", PATIENT, lab("o1")), submissionId="8600a")
    second = import_manifest(
        files.serve("/b", PATIENT, lab("o2")),
        submissionId="8600b",
        replaceSubmissionId="8600a",
    )

    told = await imported(ehr, hub, first)
    again = await imported(ehr, hub, first)
    replaced = await imported(ehr, hub, second)

    assert told["submissionId"] == "8600a"
    assert counts(told) == counts(again)
    assert len(files.asked("/a")) == 1
    assert counts(replaced)["Observation", "created"] == 1
    assert (await ehr.read("Observation/o1")).status_code == 410
    assert (await ehr.read("Observation/o2")).status_code == 200


async def test_a_partial_import_withdraws_nothing(
    ehr: Caller, hub: Hub, files: FileServer
):
    """It says itself that it is not all."""
    first = import_manifest(files.serve("/a", PATIENT, lab("o1")), submissionId="1")
    second = import_manifest(
        files.serve("/b", lab("o2")), submissionId="2", replaceSubmissionId="1"
    )
    second["parameter"].append({"name": "partialSubmission", "valueBoolean": True})

    await imported(ehr, hub, first)
    await imported(ehr, hub, second)

    assert current_of(hub.engine) == {"Patient": 1, "Observation": 2}


async def test_headers_go_where_they_are_meant_and_no_further(
    ehr: Caller, hub: Hub, files: FileServer, clock: Clock
):
    """A file on another server gets the submitter's headers, but no Authorization."""
    with serving_files(FakeEhr(clock=clock)) as elsewhere:
        here, there = files.serve("/a", PATIENT), elsewhere.serve("/b", lab("o1"))
        url = files.manifest("/m", here, there)
        headers = [("Authorization", "Basic c2VjcmV0"), ("X-Key", "k1")]

        await submit(
            ehr,
            manifestUrl=url,
            fileRequestHeader=headers,
            submissionStatus="completed",
        )
        worked(hub)

        (asked,) = elsewhere.asked("/b")
    assert current_of(hub.engine) == {"Patient": 1, "Observation": 1}
    for path in ("/m", "/a"):
        (seen,) = files.asked(path)
        assert seen.headers["authorization"] == "Basic c2VjcmV0"
        assert seen.headers["x-key"] == "k1"
    assert asked.headers["x-key"] == "k1"
    assert "authorization" not in asked.headers


REDIRECT = 307


@pytest.mark.parametrize("headers", [[], [("X-Key", "k1")]])
async def test_headers_are_not_carried_to_where_a_redirect_leads(
    ehr: Caller, hub: Hub, files: FileServer, clock: Clock, headers: list
):
    """Without them a redirect to a server that the call names is followed."""
    with serving_files(FakeEhr(clock=clock)) as elsewhere:
        elsewhere.replies["/a"] = Reply(
            status=REDIRECT, headers={"Location": files.serve("/b", PATIENT)}
        )
        url = files.manifest("/m", elsewhere.url("/a"))

        await submit(
            ehr,
            manifestUrl=url,
            fileRequestHeader=headers,
            submissionStatus="completed",
        )
        worked(hub)

    assert len(files.asked("/b")) == (0 if headers else 1)
    assert len(await outcomes(ehr)) == (1 if headers else 0)


async def test_an_open_submission_keeps_no_other_waiting(
    ehr: Caller, hub: Hub, files: FileServer
):
    """A submitter may be days at one, and complete another meanwhile."""
    await submit(ehr, manifestUrl=files.manifest("/m1", files.serve("/p", PATIENT)))
    worked(hub)
    url = files.manifest("/m2", files.serve("/o", lab("o1")))

    await submit(ehr, submission="s2", manifestUrl=url, submissionStatus="completed")
    worked(hub)

    assert current_of(hub.engine) == {"Observation": 1}
