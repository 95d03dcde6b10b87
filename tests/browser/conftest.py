"""A browser, where the machine has one."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")


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
