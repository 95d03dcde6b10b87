"""The dashboard in a real browser: every page, each way that it is read."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urldefrag, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request

from app.services.hub import Hub
from tests.browser.conftest import READERS, context_of
from tests.conftest import ROOT
from tests.released_hub import MEAN_MEASURE, MEASURE, PROJECT, token

AXE = ROOT / "tests/clients/node/node_modules/axe-core/axe.min.js"
LEVELS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
SCREENSHOTS = ROOT / "build" / "screenshots"
PHONE, DESKTOP, WALL = (360, 740), (1280, 800), (2560, 1440)
PAGES = {
    "public": {"overview": "/", "releases": "/releases", "interface": "/docs"},
    "member": {
        "overview": "/",
        "measure": f"/measures/{MEASURE}",
        "means": f"/measures/{MEAN_MEASURE}",
        "clinics": "/clinics",
        "clinic": "/clinics/birch-hill",
        "release": "/releases/1",
        "projects": "/projects",
        "project": f"/projects/{PROJECT}",
        "error": "/measures/none",
    },
    "own": {
        "clinic": "/clinics/alder-creek",
        "measure": f"/measures/{MEASURE}?clinic=alder-creek",
    },
}
NAMED = [(reader, name) for reader, pages in PAGES.items() for name in pages]
ALL_PICTURES = """
    Promise.all([...document.images].map(image => {
        image.loading = "eager";
        return image.decode();
    }))
"""
SIDEWAYS = """
    document.documentElement.scrollWidth - document.documentElement.clientWidth
"""
ADDRESSES = """
    [...document.querySelectorAll("a[href], img[src], source[srcset]")].map(
        each => each.href || each.src || new URL(each.srcset, document.baseURI).href)
"""
VIOLATIONS = """
    async levels => (await axe.run({runOnly: levels, resultTypes: ["violations"]}))
        .violations.map(found => found.id + ": " + found.nodes
            .map(node => node.target.join(" ")).join(", "))
"""


class Watched:
    """What went wrong on a page, and whom it asked."""

    def __init__(self, page: Page) -> None:
        self.faults: list[str] = []
        self.hosts: set[str] = set()
        page.on("console", lambda message: self.faults.append(message.text))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("requestfailed", self._note)
        page.on("request", lambda request: self.hosts.add(request.url.split("/")[2]))

    def _note(self, request: Request) -> None:
        """Note what failed, but for a picture on its way when the page was left."""
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(request.url)


@pytest.fixture(scope="module")
def contexts(browser: Browser, hub: Hub) -> Iterator[dict[str, BrowserContext]]:
    """A context for each who looks; without the page's own policy, for axe-core."""
    opened = {
        reader: context_of(browser, hub, reader, bypass_csp=True) for reader in READERS
    }
    yield opened
    for context in opened.values():
        context.close()


@pytest.mark.parametrize(("reader", "name"), NAMED, ids=map("-".join, NAMED))
def test_everybody_can_read_a_page(contexts, hub: Hub, reader, name):
    """WCAG 2.2 AA by axe-core, by day and by night; from a phone to a wall."""
    if not AXE.is_file():
        pytest.skip("axe-core is not here (make node-clients)")
    page = contexts[reader].new_page()
    page.goto(hub.base_url + PAGES[reader][name])
    page.add_script_tag(path=AXE)

    violations, sideways = {}, {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        violations[scheme] = page.evaluate(VIOLATIONS, LEVELS)
    for width, height in (PHONE, DESKTOP, WALL):
        page.set_viewport_size({"width": width, "height": height})
        sideways[width] = page.evaluate(SIDEWAYS)
    page.close()

    assert violations == {"light": [], "dark": []}
    assert sideways == {360: 0, 1280: 0, 2560: 0}


def test_every_link_leads_somewhere(browser: Browser, hub: Hub, reader: str):
    """
    Chromium opens every page that can be reached, without a fault or a foreign host.

    Of each kind of picture and table that a path has one is fetched. The way to the
    provider leads out of the house, and is not gone.
    """
    context = context_of(browser, hub, reader)
    page = context.new_page()
    watched = Watched(page)
    seen: set[tuple[str, frozenset[str]]] = set()
    ahead, broken = [f"{hub.base_url}/"], []

    while ahead:
        address = urldefrag(ahead.pop()).url
        at = urlsplit(address)
        kind = (at.path, frozenset(parse_qs(at.query)))
        if kind in seen or at.path == "/sign-in":
            continue
        seen.add(kind)
        if re.search(r"\.\w+$|^/fhir/", at.path):
            answer = context.request.get(address)
            broken += [] if answer.ok else [address]
            continue
        opened = page.goto(address)
        broken += [] if opened and opened.ok else [address]
        ahead += page.evaluate(ADDRESSES)
    context.close()

    assert broken == []
    assert watched.faults == []
    assert watched.hosts == {urlsplit(hub.base_url).netloc}
    paths = {path for path, _ in seen}
    assert {"/", f"/measures/{MEASURE}", "/releases", "/docs"} <= paths
    assert ("/clinics" in paths) is (reader != "public")
    for ending in (".csv", ".png", ".svg"):
        assert any(path.endswith(ending) for path in paths)


def test_the_figures_are_those_of_the_interface(contexts, hub: Hub):
    """The overview's newest value and every clinic's, as `/v1` answers them."""
    page = contexts["member"].new_page()
    with httpx.Client(base_url=hub.base_url, headers=token(hub, "app")) as v1:
        series = v1.get(f"/v1/measures/{MEASURE}/series").json()["points"]
        clinics = v1.get(f"/v1/measures/{MEASURE}/clinics").json()["clinics"]

    page.goto(hub.base_url)
    line = page.locator(".board > li", has=page.locator(f'a[href$="{MEASURE}"]'))
    newest = line.locator(".newest").inner_text()
    page.goto(f"{hub.base_url}/measures/{MEASURE}")
    rows = page.locator("table:has(#clinics-table) tbody tr").all_inner_texts()
    page.close()

    last = [point for point in series if point["value"] is not None][-1]
    assert f"{last['value']:.1%}" in newest
    assert f"{last['n']} of {last['d']} patients" in newest
    told = [clinic for clinic in clinics if clinic["value"] is not None]
    assert told
    for clinic in told:
        (row,) = [row for row in rows if row.startswith(clinic["name"])]
        assert f"{clinic['value']:.1%}" in row
        assert f"{clinic['n']} of {clinic['d']}" in row


def test_a_page_is_read_by_keyboard_alone(contexts, hub: Hub):
    """
    The first stop leads past the banner; all that can be clicked is reached in order.

    A table that is wider than a phone scrolls by the arrow keys.
    """
    page = contexts["own"].new_page()
    page.goto(f"{hub.base_url}/measures/{MEASURE}")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    skipped_to = page.evaluate("document.activeElement.id")

    page.goto(f"{hub.base_url}/measures/{MEASURE}")
    wanted = page.evaluate(
        "[...document.querySelectorAll('a[href], button, summary, [tabindex=\"0\"]')]"
        ".filter(each => each.checkVisibility()).length"
    )
    reached = []
    for _ in range(wanted):
        page.keyboard.press("Tab")
        place = "document.activeElement.getBoundingClientRect().y + scrollY"
        reached.append(page.evaluate(place))
    page.set_viewport_size({"width": 360, "height": 740})
    table = page.get_by_role("region", name="by month, the newest first")
    table.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.scrollLeft > 0")
    page.close()

    assert skipped_to == "main"
    assert len(reached) > 20
    below_banner = [y for y in reached if y > 80]
    assert below_banner == sorted(below_banner)


def test_a_page_needs_no_script(browser: Browser, hub: Hub):
    """With JavaScript off, a clinic is found by plain links, and a form signs out."""
    context = context_of(browser, hub, "own", java_script_enabled=False)
    page = context.new_page()
    page.goto(hub.base_url)

    page.get_by_role("link", name="Alder Creek").first.click()
    page.get_by_role("link", name="JIA in low disease activity, by visit").click()
    heading = page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("button", name="Sign out").click()

    assert heading.endswith("Alder Creek")
    assert page.get_by_text("Public release").is_visible()
    context.close()


def test_a_measure_fits_two_sheets_for_the_huddle(contexts, hub: Hub):
    """What is printed is the chart, what it says, the clinics and the newest points."""
    page = contexts["member"].new_page()
    page.goto(f"{hub.base_url}/measures/{MEASURE}?clinic=alder-creek")
    page.evaluate(ALL_PICTURES)

    printed = page.pdf(format="A4", path=SCREENSHOTS / "print-measure.pdf")
    page.close()

    assert len(re.findall(rb"/Type\s*/Page\b", printed)) <= 2


@pytest.mark.parametrize(
    ("reader", "name", "size", "scheme"),
    [
        ("member", "overview", DESKTOP, "light"),
        ("member", "overview", WALL, "dark"),
        ("member", "measure", PHONE, "light"),
        ("own", "measure", DESKTOP, "dark"),
        ("member", "clinics", DESKTOP, "light"),
        ("member", "release", DESKTOP, "light"),
    ],
)
def test_screenshots_are_kept(contexts, hub: Hub, reader, name, size, scheme):
    """For people to look at; here only that every picture has come."""
    page = contexts[reader].new_page()
    page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    page.emulate_media(color_scheme=scheme)
    page.goto(hub.base_url + PAGES[reader][name])
    page.evaluate(ALL_PICTURES)

    shown = f"{reader}-{name}-{size[0]}-{scheme}.png"
    page.screenshot(path=SCREENSHOTS / shown, full_page=True)
    missing = "[...document.images].filter(each => !each.naturalWidth).length"

    assert page.evaluate(missing) == 0
    page.close()
