"""Nothing identifying is kept of what a bulk submission names, or of its files."""

from collections.abc import Iterator

import pytest

from app.services.hub import Hub
from tests.bulk_submitters import call, ndjson, status, worked
from tests.collecting import collecting_hub
from tests.file_servers import FileServer
from tests.hubs import Caller, current_of
from tests.leaks.mints import Mint
from tests.leaks.plants import Planter
from tests.leaks.searches import Search
from tests.leaks.traces import Logs, Replies, database_bytes, everything_logged

pytestmark = pytest.mark.anyio


@pytest.fixture
def dialect() -> str:
    """What is written is the same on both."""
    return "sqlite"


@pytest.fixture
def hub(hub: Hub) -> Iterator[Hub]:
    """A hub that may fetch from this machine."""
    with collecting_hub(hub) as fetching:
        yield fetching


@pytest.fixture
def logs() -> Iterator[Logs]:
    """Everything is logged, from before the database is opened."""
    with everything_logged() as kept:
        yield kept


def deletion(url: str) -> dict:
    """Return a Bundle of one deletion."""
    entry = {"request": {"method": "DELETE", "url": url}}
    return {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}


async def test_nothing_stays_of_a_submission_but_what_is_sealed(
    logs: Logs, ehr: Caller, hub: Hub, files: FileServer
):
    """Staged and stored, in answers and in logs: of its files no name, no number."""
    mint, heard = Mint(), Replies()
    planted = [Planter(mint, turn=0).resource(t) for t in ("Patient", "Observation")]
    refused = Planter(mint, turn=1).resource("Observation") | {"status": "bogus"}
    name = mint.text("a file's name")
    gone = files.serve(
        f"/{name}/d",
        *(deletion(f"{each['resourceType']}/{each['id']}") for each in planted),
        deletion(f"Patient/{mint.text('an id that is not here')}"),
        deletion(f"https://{mint.text('a host')}.example/Patient/1"),
    )
    url = files.manifest(
        f"/{name}",
        files.serve(f"/{name}/f", *planted, refused),
        deleted=[{"type": "Bundle", "url": gone}],
    )

    heard.add(await call(ehr, submission=name, manifestUrl=url))
    worked(hub)
    staged = database_bytes(hub.engine)
    heard.add(await call(ehr, submission=name, submissionStatus="completed"))
    worked(hub)

    manifest = await status(ehr, name)  # which tells its submitter its own names
    for each in (*manifest["output"], *manifest["outcome"]):
        heard.add(await ehr.call("GET", each["url"].partition("/fhir")[2]))
    assert await ndjson(ehr, manifest["outcome"][0]["url"])
    assert current_of(hub.engine).keys() >= {"Patient", "Observation"}
    search = Search(mint.planted)
    left = {
        "staged": staged,
        "stored": database_bytes(hub.engine),
        "logs": logs.everything(),
        "answers": heard.everything(),
    }
    assert {where: search.found_in(each) for where, each in left.items()} == {
        where: set() for where in left
    }
