"""What is said, decided and named at the console, as a coordinator does."""

from pathlib import Path

import pytest

from app.domain.clinics import Audience, ClinicStatus
from app.main import hub_of
from app.services import registry
from app.services.hub import Hub
from app.services.recounts import register_measures
from app.settings import Settings
from app.store.sessions import write_session
from tests.api.voices import publish_to_members
from tests.commands import refusal
from tests.released_hub import FIRST, MEAN_MEASURE, MEASURE, mean, published

SIGNED = ("--author", "The coordinator", "--reason", "The network agreed")
CLINICS = ("alder", "birch", "cedar")


@pytest.fixture(autouse=True)
def hub(environment: dict[str, str]) -> Hub:
    """The hub of the commands: three clinics, 18 months of 50 %, then 18 of 70 %."""
    opened = hub_of(
        Settings(
            database_url=environment["CATCHMENT_DATABASE_URL"],
            master_key_file=Path(environment["CATCHMENT_MASTER_KEY_FILE"]),
        )
    )
    register_measures(opened)
    with write_session(opened.engine) as session:
        for code in CLINICS:
            new = registry.NewClinic(
                code=code, name=code, status=ClinicStatus.ACTIVE, time_zone="UTC"
            )
            registry.enrol_clinic(session, new)
    cells = [published(50 if i < 18 else 70, 100, FIRST + i) for i in range(36)]
    publish_to_members(opened, MEASURE, cells, months=36)
    opened.engine.dispose()  # who closes the database last empties its log
    return opened


def lines_of(catchment, *words: str) -> list[list[str]]:
    header, *lines = catchment(*words).output.splitlines()
    assert "author" in header.split("\t")
    return [line.split("\t") for line in lines]


def test_a_suggested_shift_is_accepted_with_a_reason(catchment):
    """Suggested with its evidence, never applied by itself; once accepted, no more."""
    suggested = catchment("shift", "suggested", MEASURE).output
    done = catchment("shift", "accept", MEASURE, *SIGNED)
    (line,) = lines_of(catchment, "annotation", "list")
    again = catchment("shift", "accept", MEASURE, *SIGNED)

    assert "50.0% to 70.0% in 2025-07" in suggested
    assert done.code == 0
    assert line[1:5] == ["shift", "2025-07", "network", MEASURE]
    assert line[6:] == ["The coordinator", "The network agreed", "-"]
    assert "suggests no shift" in refusal(again)


def test_a_suggested_shift_of_means_is_no_percentage(catchment, hub):
    """A mean of 5 points is not 500 percent."""
    low = [mean(50, FIRST + i) for i in range(18)]
    high = [mean(70, FIRST + i) for i in range(18, 36)]
    publish_to_members(hub, MEAN_MEASURE, [*low, *high], months=36)
    hub.engine.dispose()

    suggested = catchment("shift", "suggested", MEAN_MEASURE).output

    assert "5.0 score to 7.0 score in 2025-07" in suggested


@pytest.mark.parametrize(
    ("asked", "missing"),
    [
        (("no-such-measure",), "No measure of that id"),
        ((MEASURE, "--clinic", "nowhere"), "No clinic of that code"),
    ],
)
def test_of_what_there_is_not_no_shift_is_denied(catchment, asked, missing):
    """A slip of the pen would read as a chart without a change."""
    assert missing in refusal(catchment("shift", "suggested", *asked))


def test_what_was_said_is_listed_and_taken_back(catchment):
    """With who said so and why; the audit keeps both."""
    words = ("annotation", "add", "test-of-change", "2025-03", "--clinic", "alder")
    catchment(*words, "--what", "A form before the visit", *SIGNED)
    refused = catchment(*words, "--what", "Began with patient 1234567", *SIGNED)
    taken = catchment("annotation", "withdraw", "1", *SIGNED)

    standing = lines_of(catchment, "annotation", "list")
    (kept,) = lines_of(catchment, "annotation", "list", "--withdrawn")
    assert "1234567" not in refusal(refused)
    assert taken.code == 0
    assert standing == []
    assert kept[3:6] == ["alder", "all", "A form before the visit"]
    assert kept[-1] == "The coordinator: The network agreed"


def test_words_that_name_somebody_can_be_overwritten(
    catchment, environment: dict[str, str]
):
    """The screen knows no names; the audit keeps that something was said, not what."""
    name = "Zebulon Quartermain"
    words = ("annotation", "add", "test-of-change", "2025-03", "--clinic", "alder")
    catchment(*words, "--what", f"{name} was the first", *SIGNED)

    done = catchment("annotation", "blank", "1", *SIGNED)

    standing = lines_of(catchment, "annotation", "list")
    (kept,) = lines_of(catchment, "annotation", "list", "--withdrawn")
    database = Path(environment["CATCHMENT_DATABASE_URL"].partition(":///")[2])
    files = [database, database.with_name(f"{database.name}-wal")]
    left = b"".join(path.read_bytes() for path in files if path.exists())
    assert done.code == 0
    assert standing == []
    assert kept[:6] == ["1", "test-of-change", "2025-03", "alder", "all", "-"]
    assert kept[-1] == "The coordinator: The network agreed"
    assert name.encode() not in left


def test_cohorts_and_projects_are_made_and_told_of(catchment):
    """The console does what a coordinator's client does."""
    named = [word for code in CLINICS[:2] for word in ("--clinic", code)]
    cohort = catchment("cohort", "add", "pair", *named, *SIGNED)
    added = catchment(
        *("project", "add", "forms", "--aim", "Ten points more", "--measure", MEASURE),
        *("--start", "2025-01", *named, *SIGNED),
    )
    joined = catchment("project", "join", "forms", "--start", "2025-06", *SIGNED)
    shown = catchment("project", "show", "forms").output
    catchment("project", "end", "forms", *SIGNED)

    ((code, name, members, *_),) = lines_of(catchment, "cohort", "list")
    ((project, _, status, phases, *_),) = lines_of(catchment, "project", "list")
    assert cohort.code == 0
    assert (code, name, members) == ("pair", "pair", "alder birch")
    assert "5 to 10 clinics" in added.output
    assert "1 clinics join forms" in joined.output
    assert "2025-06 all: cedar" in shown
    assert "No estimate." in shown
    assert (project, status, phases) == ("forms", "ended", "pilot, all")


def test_a_coordinators_client_is_no_clinics_and_reads_what_members_read(
    catchment, tmp_path: Path
):
    """It decides for the network, about what it can see."""
    key = ("--coordinator", "--new-key")
    done = catchment("client", "add", "lead", *key, str(tmp_path / "lead.jwk"))
    of_clinic = catchment(
        "client", "add", "a", *key, str(tmp_path / "a.jwk"), "--clinic", "alder"
    )
    of_public = catchment(
        *("client", "add", "b", *key, str(tmp_path / "b.jwk")),
        *("--audience", Audience.PUBLIC.value),
    )

    assert "system/coordination" in done.output
    assert "belongs to no clinic" in refusal(of_clinic)
    assert "reads what the members read" in refusal(of_public)
    assert not (tmp_path / "a.jwk").exists()
