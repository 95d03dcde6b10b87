"""The report for a meeting: whatever is on it, nothing runs off its two pages."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Page

from app.commands.reports import Paper, rendered
from app.domain.annotations import AnnotationKind, Signature
from app.services import clinic_reports
from app.services.clinic_reports import Change, Report, find_report
from app.services.hub import Hub
from app.store.annotations import Annotation
from app.store.sessions import read_session
from tests.api.test_counting import count
from tests.released_hub import FIRST, release, small_hub

OVERFLOWS = """
() => [...document.querySelectorAll("section.page")].map(
  page => page.scrollHeight - page.clientHeight
)
"""
LONG = "Weekly huddle on all who are not in remission, with a list and a call " * 5


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    made = small_hub(tmp_path_factory.mktemp("report"))
    count(made)
    release(made)
    yield made
    made.engine.dispose()


@pytest.fixture
def printed_page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.emulate_media(media="print")
    yield page
    page.close()


@pytest.mark.parametrize("shape", ["as it is", "crowded"])
def test_nothing_runs_off_a_page(hub: Hub, printed_page: Page, shape: str):
    """What does not fit would be cut off in print, without a word."""
    with read_session(hub.engine) as session:
        found = find_report(
            session, hub, "alder-creek", month=FIRST + 13, released=True
        )
    shown = _crowded(found) if shape == "crowded" else found

    printed_page.set_content(rendered(shown, hub, paper=Paper.LETTER))

    assert printed_page.evaluate(OVERFLOWS) == [0, 0]
    words = printed_page.inner_text("body")
    assert "Counted under policy" in words


def _crowded(found: Report) -> Report:
    """Return a report with as much of everything as there may be."""
    test = Annotation(
        kind=AnnotationKind.TEST_OF_CHANGE,
        month=FIRST,
        what=LONG,
        hypothesis=LONG,
        signed=Signature(author="A", reason="R", client_id="", created_at=1),
    )
    title = "JIA in inactive disease for six months by cJADAS10, latest status"
    change = Change(title=title, sentence=LONG[:150])
    return replace(
        found,
        rows=found.rows * clinic_reports.MOST_ROWS,
        more=(title,) * 20,
        others=(title,) * 20,
        charts=found.charts * clinic_reports.MOST_CHARTS,
        places=found.places * clinic_reports.MOST_PLACES,
        changes=(change,) * clinic_reports.MOST_CHANGES,
        tests=(test,) * clinic_reports.MOST_TESTS,
        questions=(f"{title}; {title}; {title} and 2 more: {LONG[:60]}",)
        * clinic_reports.MOST_QUESTIONS,
    )
