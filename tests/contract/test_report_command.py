"""`catchment report`: two pages that a clinic takes to its meeting, and nobody else."""

import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import printing
from app.commands.reports import Paper, report
from app.domain.annotations import AnnotationKind, Signature
from app.domain.clinics import Audience
from app.domain.errors import InvalidElementError, NotFoundError
from app.printing import BROWSERS, NoBrowserError, printed
from app.services.clinic_reports import find_report
from app.services.hub import Hub
from app.store import annotations, clinics
from app.store.annotations import Annotation
from app.store.sessions import read_session, write_session
from tests.api.test_counting import count
from tests.released_hub import FIRST, MEASURE, release, small_hub

LAST = "2025-02"
NOT_FOR_PASSING_ON = "True numbers of this clinic, not for passing on"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub with a release and a test of change."""
    made = small_hub(tmp_path_factory.mktemp("hub"))
    count(made)
    release(made)
    with write_session(made.engine) as session:
        clinic = clinics.required_clinic(session, "alder-creek")
        annotations.add_annotation(
            session,
            Annotation(
                kind=AnnotationKind.TEST_OF_CHANGE,
                clinic_id=clinic.id,
                month=FIRST + 4,
                what="A nurse counts <joints> before the visit",
                signed=Signature(
                    author="Ada", reason="Agreed", client_id="", created_at=1
                ),
            ),
        )
    yield made
    made.engine.dispose()


@pytest.fixture
def settings(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of that hub, as an operator gives them."""
    database = hub.engine.url.render_as_string(hide_password=False)
    key = Path(hub.engine.url.database or "").parent / "master.key"
    monkeypatch.setenv("CATCHMENT_DATABASE_URL", database)
    monkeypatch.setenv("CATCHMENT_MASTER_KEY_FILE", str(key))


@pytest.fixture
def chromium() -> str:
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("Chromium is not here")
    return program


@pytest.fixture
def short_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary files go; a browser's sockets have no room in pytest's."""
    with tempfile.TemporaryDirectory() as name:
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield Path(name)


def released_page(folder: Path, **options) -> str:
    file = folder / "report.html"
    asked: dict[str, Any] = {"clinic": "alder-creek", "month": LAST, "released": True}
    report(html=file, **asked | options)
    return file.read_text()


def pages_of(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


@pytest.mark.usefixtures("settings")
def test_a_released_report_tells_what_members_are_told(tmp_path: Path):
    """53 of 77 at Alder Creek and 73 of 100 in the network, of one month."""
    page = released_page(tmp_path)

    assert "68.8% <small>53 / 77</small>" in page
    assert "73.0%" in page
    assert "Numbers released to the members" in page
    assert NOT_FOR_PASSING_ON not in page


@pytest.mark.usefixtures("settings")
def test_the_report_of_a_month_knows_nothing_of_later_ones(tmp_path: Path):
    """June 2024 is 45 of 77: what came after is not in its report."""
    page = released_page(tmp_path, month="2024-06")

    assert "45 / 77" in page
    assert "53 / 77" not in page
    assert "Jun 2024" in page
    assert "Feb 2025" not in page


@pytest.mark.usefixtures("settings")
def test_true_numbers_say_that_they_are_not_for_passing_on(tmp_path: Path):
    """Without --released it is the clinic's own report, and says so on it."""
    page = released_page(tmp_path, released=False)

    assert NOT_FOR_PASSING_ON in page
    assert "53 / 77" not in page


@pytest.mark.usefixtures("settings")
def test_the_page_needs_no_other_file_and_escapes_what_people_wrote(tmp_path: Path):
    """It is mailed and printed; a note is text, never markup."""
    page = released_page(tmp_path)

    assert "A nurse counts &lt;joints&gt; before the visit" in page
    assert "<joints>" not in page
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert sources
    assert all(each.startswith("data:") for each in sources)
    assert "http" not in re.sub(r"data:[^\"')]*", "", page)
    assert "<script" not in page


@pytest.mark.usefixtures("settings")
def test_every_picture_of_it_is_told_in_words(tmp_path: Path):
    """Somebody at the meeting listens to it."""
    page = released_page(tmp_path)

    words = re.findall(r'<img[^>]* alt="([^"]*)"', page)
    assert len(words) == page.count("<img")
    assert all(words)


@pytest.mark.usefixtures("settings")
def test_only_its_owner_can_read_the_file(tmp_path: Path):
    """A report of true numbers lies in no folder for all to read."""
    file = tmp_path / "report.html"
    file.write_text("older")
    file.chmod(0o644)

    report(clinic="alder-creek", month=LAST, html=file)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("paper", Paper)
def test_a_pdf_has_two_pages_and_nothing_is_left_behind(
    chromium: str, paper: Paper, tmp_path: Path, short_folder: Path
):
    """On A4 and on Letter; the browser's folder is gone, and it held all it wrote."""
    file = tmp_path / "report.pdf"

    report(clinic="alder-creek", month=LAST, pdf=file, paper=paper, released=True)

    pdf = file.read_bytes()
    assert chromium
    assert pages_of(pdf) == 2
    assert b"/ToUnicode" in pdf
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [*short_folder.iterdir()] == []


@pytest.mark.usefixtures("settings")
def test_without_a_browser_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Before anything is counted; --html works without one."""
    monkeypatch.setattr(shutil, "which", lambda _: None)

    with pytest.raises(NoBrowserError, match="apt install chromium"):
        report(clinic="alder-creek", month=LAST, pdf=tmp_path / "report.pdf")
    assert "Scorecard" in released_page(tmp_path)
    assert not (tmp_path / "report.pdf").exists()


def test_a_browser_that_fails_leaves_nothing_behind(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """The page has true numbers in it: it goes, whatever happens."""
    monkeypatch.setattr(printing, "find_browser", lambda: "/bin/false")

    with pytest.raises(printing.PrintingError):
        printed("<p>8 of 16</p>")
    assert [*short_folder.iterdir()] == []


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(
    ("options", "refused"),
    [
        ({"month": "2026-13"}, InvalidElementError),
        ({"month": "October"}, InvalidElementError),
        ({"month": "2999-01"}, InvalidElementError),
        ({"clinic": "nowhere"}, NotFoundError),
        ({"html": None}, InvalidElementError),
    ],
)
def test_what_cannot_be_told_is_refused(options, refused, tmp_path: Path):
    """In one line, before a file is written."""
    asked = {"clinic": "alder-creek", "month": LAST, "html": tmp_path / "report.html"}

    with pytest.raises(refused):
        report(**asked | options)
    assert not (tmp_path / "report.html").exists()


def test_a_report_has_what_was_tried_and_what_to_ask(hub: Hub):
    """The note of May 2024; and that the level rose, which is better."""
    with read_session(hub.engine) as session:
        found = find_report(
            session, hub, "alder-creek", month=FIRST + 13, released=True
        )

    (row,) = [row for row in found.rows if row.line.page.id == MEASURE]
    assert row.spark is not None
    assert [each.month for each in found.tests] == [FIRST + 4]
    assert any(row.line.page.title in question for question in found.questions)
    assert found.card.edition is not None
    assert found.card.edition.release.audience is Audience.MEMBERS


def test_a_clinic_that_publishes_nothing_has_a_report_too(hub: Hub):
    """It says so, on two pages."""
    with read_session(hub.engine) as session:
        found = find_report(session, hub, "fern-dale", month=FIRST + 13, released=True)

    assert found.rows == ()
    assert found.places == ()
    assert found.others
