"""A browser, where the machine has one, and a hub with something on every page."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from app.main import APP
from app.services.hub import Hub, epoch_milliseconds
from app.services.invitations import members_link
from tests.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider
from tests.released_hub import (
    HIDDEN_MEASURE,
    LIVE,
    MEAN_MEASURE,
    MEASURE,
    count_live,
    enrol,
    keep_record,
    release,
    release_means,
    speak,
)
from tests.served import listening, served

NAMES = ("chromium", "chromium-browser", "google-chrome")
READERS = ("public", "member", "own")


# No longer than a module: while Playwright is there its loop runs in this thread, and
# no asynchronous test can start one of its own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's own Chromium; the test skips by name where there is none."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("Chromium is not here")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=program)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub with a release, really served, whose clinics may sign in."""
    folder = tmp_path_factory.mktemp("hub")
    (folder / "secret").write_text(CLIENT_SECRET)
    provider = IdentityProvider(epoch_milliseconds)
    with listening(provider.app()) as provider.issuer:
        settings = {
            "measures_folder": _few_measures(folder),
            "oidc_issuer": provider.issuer,
            "oidc_client_id": CLIENT_ID,
            "oidc_client_secret_file": folder / "secret",
        }
        with served(folder, **settings) as hub:
            enrol(hub)
            release(hub)
            release_means(hub)
            keep_record(hub)
            speak(hub)
            count_live(hub, "alder-creek", LIVE)
            yield hub


def _few_measures(folder: Path) -> Path:
    """Return a library of the measures that the release tells of."""
    library = folder / "measures"
    shutil.copytree(APP / "measures/library/value_sets", library / "value_sets")
    for name in (MEASURE, HIDDEN_MEASURE, MEAN_MEASURE, "ranges"):
        shutil.copy(APP / f"measures/library/{name}.yaml", library)
    return library


@pytest.fixture(scope="module", params=READERS)
def reader(request: pytest.FixtureRequest) -> str:
    """Each kind of who looks."""
    return str(request.param)


def context_of(browser: Browser, hub: Hub, reader: str, **how: Any) -> BrowserContext:
    """Return a browser's context in which *reader* has come in."""
    context = browser.new_context(**how)
    if reader == "member":
        context.request.get(members_link(hub))
    if reader == "own":
        context.request.get(f"{hub.base_url}/sign-in")
    return context
