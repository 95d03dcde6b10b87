"""The dashboard in a real browser: no errors, no foreign hosts, no sideways scroll."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from app.services.hub import Hub
from app.services.invitations import members_link
from tests.conftest import ROOT
from tests.released_hub import MEAN_MEASURE, MEASURE, enrol, release, release_means
from tests.served import served

SCREENSHOTS = ROOT / "build" / "screenshots"
PHONE, DESKTOP = (360, 740), (1280, 800)
PAGES = {
    "overview": "/",
    "measure": f"/measures/{MEASURE}",
    "clinic-series": f"/measures/{MEASURE}?clinic=birch-hill",
    "clinic": "/clinics/alder-creek",
    "means": f"/measures/{MEAN_MEASURE}",
}
ALL_PICTURES = """
    Promise.all([...document.images].map(image => {
        image.loading = "eager";
        return image.decode();
    }))
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub with a release, really served."""
    with served(tmp_path_factory.mktemp("hub")) as hub:
        enrol(hub)
        release(hub)
        release_means(hub)
        yield hub


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_itself_without_a_fault(
    browser: Browser, hub: Hub, name, size, scheme
):
    """On a phone and a desktop, by day and by night; a screenshot is kept."""
    width, height = size
    faults: list[str] = []
    hosts: set[str] = set()
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme
    )
    context.request.get(members_link(hub))
    page = context.new_page()
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("requestfailed", lambda request: faults.append(request.url))
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))

    page.goto(hub.base_url + PAGES[name], wait_until="load")
    page.evaluate(ALL_PICTURES)
    page.screenshot(path=SCREENSHOTS / f"{name}-{width}-{scheme}.png", full_page=True)

    assert faults == []
    assert hosts == {hub.base_url.removeprefix("http://")}
    root = "document.documentElement"
    assert page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") == 0
    context.close()


def test_a_page_is_read_by_keyboard_alone(browser: Browser, hub: Hub):
    """The first stop of the tab key leads past the banner to the content."""
    page = browser.new_page()
    page.goto(hub.base_url)

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "main"
    page.close()


def test_a_page_needs_no_script(browser: Browser, hub: Hub):
    """With JavaScript off, a clinic is found by plain links."""
    context = browser.new_context(java_script_enabled=False)
    context.request.get(members_link(hub))
    page = context.new_page()
    page.goto(hub.base_url)

    page.get_by_role("link", name="Alder Creek").click()
    page.get_by_role("link", name="JIA in low disease activity, by visit").click()

    assert page.get_by_role("heading", level=1).inner_text().endswith("Alder Creek")
    context.close()
