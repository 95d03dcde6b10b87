"""What a submitted manifest says was deleted: withdrawn in its order, and told."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from app.services.hub import Hub
from app.smart.tokens import public_jwks
from tests import make
from tests.api.test_bulk_submit_faults import Ticking, small_batches, some_steps
from tests.bulk_submitters import (
    PATIENT,
    counts,
    lab,
    ndjson,
    outcomes,
    status,
    status_url,
    submit,
    worked,
)
from tests.collecting import collecting_hub
from tests.file_servers import FileServer
from tests.hubs import Caller, Clock, Network, current_of, rows_of

pytestmark = pytest.mark.anyio

Json = dict[str, Any]

NAMED_ELSEWHERE = "https://other.example/fhir/Observation/o1"
__all__ = ["small_batches"]


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


def bundle(*urls: str) -> Json:
    """Return a Bundle of deletions."""
    entries = [{"request": {"method": "DELETE", "url": url}} for url in urls]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def deleting(files: FileServer, path: str, *lines: Json | str) -> list[Json]:
    """Serve a file of deletions; return the ``deleted`` of its manifest."""
    return [{"type": "Bundle", "url": files.serve(path, *lines)}]


async def sent(ehr: Caller, hub: Hub, url: str, submission: str, **stated: Any) -> None:
    """Submit and complete a manifest, and let it be stored."""
    stated |= {"manifestUrl": url, "submissionStatus": "completed"}
    await submit(ehr, submission=submission, **stated)
    worked(hub)


async def held(ehr: Caller, hub: Hub, files: FileServer, *resources: Json) -> str:
    """Have resources be current by a submission; return its manifest's URL."""
    url = files.manifest("/held", files.serve("/held/f", PATIENT, *resources))
    await sent(ehr, hub, url, "held")
    return url


async def told_deleted(ehr: Caller, submission: str) -> list[str]:
    """Return what the status lists as deleted, by the hub's ids."""
    return [
        entry["request"]["url"]
        for each in (await status(ehr, submission))["deleted"]
        for bundle_ in await ndjson(ehr, each["url"])
        for entry in bundle_["entry"]
    ]


@on_both
async def test_what_was_deleted_is_withdrawn_and_told(
    ehr: Caller, hub: Hub, files: FileServer
):
    """Counted by type and listed; what is not here, or of no kept type, is passed."""
    await held(ehr, hub, files, lab("o1"), lab("o2"), lab("o3"))
    one, more = bundle("Observation/o1", "Claim/1"), bundle("Observation/never")
    absolute = bundle("https://ehr.example/fhir/Observation/o2")
    url = files.manifest("/m", deleted=deleting(files, "/d", one, more, absolute))

    await sent(ehr, hub, url, "s1")

    reads = [(await ehr.read(f"Observation/o{n}")).status_code for n in (1, 2, 3)]
    assert reads == [410, 410, 200]
    assert counts(await status(ehr)) == {("Observation", "withdrawn"): 2}
    listed = await told_deleted(ehr, "s1")
    assert [(await ehr.read(each)).status_code for each in listed] == [410, 410]
    assert await outcomes(ehr) == []


@on_both
@pytest.mark.parametrize("page", ["same", "next"])
async def test_what_the_same_manifest_holds_is_there_after(
    ehr: Caller, hub: Hub, files: FileServer, page: str
):
    """Deleted first, as the manifest tells it, whichever of its pages says so."""
    await held(ehr, hub, files, lab("o1"), lab("o2"))
    gone = deleting(files, "/d", bundle("Observation/o1", "Observation/o2"))
    output = files.serve("/o", lab("o1")), files.serve("/o3", lab("o3"))
    if page == "next":
        more = files.manifest("/m2", output[1], deleted=gone)
        link = [{"relation": "next", "url": more}]
        url = files.manifest("/m", output[0], link=link)
    else:
        url = files.manifest("/m", *output, deleted=gone)

    await sent(ehr, hub, url, "s1")

    reads = [(await ehr.read(f"Observation/o{n}")).status_code for n in (1, 2, 3)]
    assert reads == [200, 410, 200]
    assert len(await told_deleted(ehr, "s1")) == 1


async def test_manifests_of_a_submission_take_effect_in_their_order(
    ehr: Caller, hub: Hub, files: FileServer
):
    """The second deletes what the first held; the third has one of both again."""
    await submit(
        ehr, manifestUrl=files.manifest("/m1", files.serve("/a", lab("o1"), lab("o2")))
    )
    gone = deleting(files, "/d", bundle("Observation/o1", "Observation/o2"))
    await submit(ehr, manifestUrl=files.manifest("/m2", deleted=gone))
    last = files.manifest("/m3", files.serve("/c", lab("o2")))

    await sent(ehr, hub, last, "s1")

    reads = [(await ehr.read(f"Observation/o{n}")).status_code for n in (1, 2)]
    assert reads == [410, 200]


async def test_what_is_newer_than_the_manifest_stays(
    ehr: Caller, hub: Hub, files: FileServer
):
    """By its ``lastUpdated`` against the manifest's ``transactionTime``, 2026-01-01."""
    times = {"o1": "2025-12-31T23:59:59Z", "o2": "2026-01-01T00:00:01Z"}
    known = [lab(id_) | {"meta": {"lastUpdated": at}} for id_, at in times.items()]
    await held(ehr, hub, files, *known)
    gone = deleting(files, "/d", bundle("Observation/o1", "Observation/o2"))

    await sent(ehr, hub, files.manifest("/m", deleted=gone), "s1")

    reads = [(await ehr.read(f"Observation/{id_}")).status_code for id_ in times]
    assert reads == [410, 200]
    assert len(await told_deleted(ehr, "s1")) == 1


async def test_what_was_sent_while_deletions_waited_stays(
    ehr: Caller, hub: Hub, files: FileServer, clock: Clock
):
    """It is newer than what was staged, as it is for lines that wait."""
    await held(ehr, hub, files, lab("o1"), lab("o2"))
    gone = deleting(files, "/d", bundle("Observation/o1", "Observation/o2"))
    await submit(ehr, manifestUrl=files.manifest("/m", deleted=gone))
    worked(hub)
    clock.pass_seconds(60)
    await ehr.put(lab("o1", 9.0))

    await submit(ehr, submissionStatus="completed")
    worked(hub)

    reads = [(await ehr.read(f"Observation/o{n}")).status_code for n in (1, 2)]
    assert reads == [200, 410]


async def test_an_output_that_waited_with_deletions_is_there_after(
    ehr: Caller, hub: Hub, files: FileServer, clock: Clock
):
    """A withdrawal is as old as its line, not as the moment when it was done."""
    await held(ehr, hub, files, lab("o1"))
    gone = deleting(files, "/d", bundle("Observation/o1"))
    output = files.serve("/o", lab("o1", 8.0))
    await submit(ehr, manifestUrl=files.manifest("/m", output, deleted=gone))
    worked(hub)
    clock.pass_seconds(3600)

    await submit(ehr, submissionStatus="completed")
    worked(hub)

    found = (await ehr.read("Observation/o1")).json()
    assert found["valueQuantity"]["value"] == 8.0


async def test_another_sources_record_of_the_same_id_stays(
    ehr: Caller, hub: Hub, network: Network, files: FileServer
):
    """Of another system of the same clinic, or of another clinic."""
    others = [network.ehr("alpha-lab", source="lab", base_urls=())]
    others.append(network.ehr("beta-ehr"))
    for each in (ehr, *others):
        await each.put(PATIENT)
        await each.put(lab("o1"))
    gone = deleting(files, "/d", bundle("Observation/o1"))

    await sent(ehr, hub, files.manifest("/m", deleted=gone), "s1")

    assert (await ehr.read("Observation/o1")).status_code == 410
    reads = [(await each.read("Observation/o1")).status_code for each in others]
    assert reads == [200, 200]


@pytest.mark.parametrize("end", ["stopped", "replaced"])
async def test_deletions_that_are_stopped_or_replaced_do_nothing(
    ehr: Caller, hub: Hub, files: FileServer, end: str
):
    """Their submitter says that they were wrong before they count."""
    await held(ehr, hub, files, lab("o1"))
    gone = deleting(files, "/d", bundle("Observation/o1"))
    wrong = files.manifest("/m", deleted=gone)
    await submit(ehr, manifestUrl=wrong)
    worked(hub)
    staged = len(rows_of(hub.engine)["staged"])

    if end == "replaced":
        await submit(ehr, replacesManifestUrl=wrong, submissionStatus="completed")
    else:
        await submit(ehr, submissionStatus="stopped")
    left = rows_of(hub.engine)["staged"]
    worked(hub)

    assert (staged, left) == (1, [])
    assert current_of(hub.engine) == {"Patient": 1, "Observation": 1}


async def test_what_a_replaced_manifest_deleted_is_not_brought_back(
    ehr: Caller, hub: Hub, files: FileServer
):
    """What it held goes; that something else was deleted is still so."""
    await held(ehr, hub, files, lab("o1"))
    gone = deleting(files, "/d", bundle("Observation/o1"))
    old = files.manifest("/m1", files.serve("/o", lab("o2")), deleted=gone)
    await sent(ehr, hub, old, "s1")

    await sent(ehr, hub, files.manifest("/m2"), "s2", replacesManifestUrl=old)

    assert current_of(hub.engine) == {"Patient": 1}


@pytest.mark.parametrize(
    ("line", "issue"),
    [
        ("no JSON", "The body is not valid JSON"),
        ('["Bundle"]', "The body must be one JSON object"),
        (lab("o1"), "The line is no Bundle, as those are that say what was deleted"),
        ({"resourceType": "Bundle", "entry": 7}, "The entries of a Bundle are a list"),
        (
            {"resourceType": "Bundle", "entry": [{"resource": lab("o1")}]},
            "Where it says what was deleted, an entry's method is DELETE",
        ),
        (
            bundle(NAMED_ELSEWHERE),
            "The url names no resource of this source's by type and id",
        ),
        (
            bundle("Observation?status=final"),
            "The url names no resource of this source's by type and id",
        ),
    ],
)
async def test_a_line_that_says_nothing_deleted_is_told(
    ehr: Caller, hub: Hub, files: FileServer, line: Json | str, issue: str
):
    """By its number and not what it held; the others are read, blank ones passed."""
    await held(ehr, hub, files, lab("o1"), lab("o2"))
    gone = deleting(files, "/d", "", line, bundle("Observation/o2"))

    await sent(ehr, hub, files.manifest("/m", deleted=gone), "s1")

    (found,) = await outcomes(ehr)
    assert found["diagnostics"] == issue
    assert found["details"]["text"] == "File 1 of the manifest's deleted. Line 2"
    reads = [(await ehr.read(f"Observation/o{n}")).status_code for n in (1, 2)]
    assert reads == [200, 410]


async def test_deletions_that_are_not_to_be_had_leave_what_is_replaced(
    ehr: Caller, hub: Hub, files: FileServer
):
    """The manifest is not whole; what it holds is stored all the same."""
    old = await held(ehr, hub, files, lab("o1"))
    gone = [{"type": "Bundle", "url": files.url("/gone")}]
    new = files.manifest("/m", files.serve("/o", lab("o2")), deleted=gone)

    await sent(ehr, hub, new, "s1", replacesManifestUrl=old)

    assert current_of(hub.engine) == {"Patient": 1, "Observation": 2}
    told = [issue["diagnostics"] for issue in await outcomes(ehr)]
    assert sorted(told) == [
        "The file was not loaded: The server answers 404, not-found",
        "The manifest was not loaded whole, so what it replaces was left as it is",
    ]


async def test_deletions_are_not_fetched_from_where_the_hub_does_not_go(
    ehr: Caller, hub: Hub, files: FileServer
):
    """The address guard is that of any file."""
    gone = [{"type": "Bundle", "url": "https://10.0.0.7/d.ndjson"}]

    await sent(ehr, hub, files.manifest("/m", deleted=gone), "s1")

    (found,) = await outcomes(ehr)
    assert found["diagnostics"].startswith("The file was not loaded: ")


async def test_deletions_are_fetched_with_token_and_headers(
    ehr: Caller, hub: Hub, files: FileServer
):
    """As the call and the manifest say of all its files."""
    files.ehr.key_set = public_jwks(hub.client_key)
    files.ehr.client_id = hub.base_url
    await ehr.put(lab("o1"))
    gone = deleting(files, "/d", bundle("Observation/o1"))
    url = files.manifest("/m", deleted=gone, requiresAccessToken=True)
    where = f"{files.ehr.fhir_base}/.well-known/smart-configuration"
    named = {"oauthMetadataUrl": where, "fileRequestHeader": ("X-Tenant", "alder")}

    await sent(ehr, hub, url, "s1", **named)

    (asked,) = files.asked("/d")
    assert asked.token in files.ehr.issued
    assert asked.headers["x-tenant"] == "alder"
    assert current_of(hub.engine) == {}


async def test_of_deletions_no_count_is_held_against_the_manifest(
    ehr: Caller, hub: Hub, files: FileServer
):
    """It counts Bundles, or entries, and not what was here to withdraw."""
    entry = {"count": 9, **deleting(files, "/d", bundle("Observation/o1"))[0]}

    await sent(ehr, hub, files.manifest("/m", deleted=[entry]), "s1")

    assert await outcomes(ehr) == []


@pytest.mark.usefixtures("small_batches")
async def test_a_restart_goes_on_with_deletions_where_it_was(
    ehr: Caller, hub: Hub, files: FileServer, clock: Clock
):
    """The process dies in the middle: each line is read once, in the end all are."""
    many = range(60)
    await held(ehr, hub, files, *(lab(f"o{n}", 5 + n / 10) for n in many))
    body = [bundle(f"Observation/o{n}") | {"id": "x" * 400} for n in many]
    url = files.manifest("/m", deleted=deleting(files, "/d", *body))
    await submit(ehr, manifestUrl=url)
    some_steps(dataclasses.replace(hub, clock=Ticking(clock)))
    numbers = [row[2] for row in rows_of(hub.engine)["staged"]]

    hub.servers.close()
    await submit(ehr, submissionStatus="completed")
    worked(hub)

    assert 0 < len(numbers) < len(body) / 5
    assert len(files.asked("/d")) == 2
    assert counts(await status(ehr)) == {("Observation", "withdrawn"): len(body)}
    assert len(set(await told_deleted(ehr, "s1"))) == len(body)


async def test_deletions_are_files_in_the_words_of_progress(
    ehr: Caller, hub: Hub, files: FileServer
):
    """They are to be fetched as any other file."""
    gone = deleting(files, "/d", bundle("Observation/o1"))
    url = files.manifest("/m", files.serve("/p", make.patient(id="p1")), deleted=gone)
    await submit(ehr, manifestUrl=url)
    worked(hub)

    answer = await ehr.call("GET", await status_url(ehr))

    assert answer.headers["X-Progress"] == "in progress: 2 of 2 files read"
