"""What a browser makes of the dashboard."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from app.services.hub import Hub
from tests.served import served


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with served(tmp_path_factory.mktemp("hub")) as hub:
        yield hub


def test_the_overview_asks_nothing_of_other_hosts(hub: Hub, browser: Browser):
    """Who reads the dashboard is nobody else's business, and it works offline."""
    asked: list[str] = []
    faults: list[str] = []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: faults.append(message.text))

    response = page.goto(f"{hub.base_url}/", wait_until="networkidle")

    assert response is not None
    assert response.ok
    assert {urlsplit(url).netloc for url in asked} == {urlsplit(hub.base_url).netloc}
    assert faults == []
    page.close()
