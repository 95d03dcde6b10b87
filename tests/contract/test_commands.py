"""The operator's commands: what they refuse, in one line, and what they leave."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.demonstration import PORTS
from app.domain.errors import InvalidElementError
from app.services.registry import check_code, check_time_zone
from tests.commands import START_SECONDS, refusal, started


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    "name", ["Nowhere/X", "America", "", "/etc/passwd", "../UTC", "a\0b"]
)
def test_a_time_zone_is_an_iana_name(name: str):
    """Else the first instant that the clinic sends could not be dated."""
    with pytest.raises(InvalidElementError) as refused:
        check_time_zone(name)
    assert refused.value.expression == "time_zone"


@pytest.mark.parametrize("name", ["UTC", "America/New_York", "Asia/Kathmandu"])
def test_every_iana_name_is_a_time_zone(name: str):
    """The check refuses no clinic that exists."""
    check_time_zone(name)


@pytest.mark.parametrize(
    "code", ["Bad Code", "", "-a", "a-", "a--b", "a/b", "ä", "a\n", "a" * 65]
)
def test_a_code_is_words_with_hyphens(code: str):
    """It stands in URLs as it is."""
    with pytest.raises(InvalidElementError) as refused:
        check_code(code)
    assert refused.value.expression == "code"


@pytest.mark.parametrize("code", ["alder-creek", "7", "clinic-12", "a" * 64])
def test_a_code_may_be_words_and_digits(code: str):
    """The bounds belong to what is allowed."""
    check_code(code)


@pytest.mark.parametrize("words", [("zed", "--time-zone", "Nowhere/X"), ("Bad Code",)])
def test_a_clinic_that_could_not_be_served_is_not_enrolled(catchment, words):
    """What is refused at the desk does not fail later, at every request."""
    refusal(catchment("clinic", "add", *words))
    assert catchment("clinic", "list").output == ""


def test_a_hub_whose_database_is_empty_says_what_to_run(catchment, tmp_path: Path):
    """The first thing that anyone forgets is the migration."""
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    for words in (("serve",), ("worker",), ("clinic", "list"), ("release",)):
        assert "`catchment migrate`" in refusal(
            catchment(*words, CATCHMENT_DATABASE_URL=url)
        )


def test_a_restatement_of_nothing_says_so_and_publishes(catchment):
    """Totals, and what was told anew by its name; a dry run leaves no release."""
    dry = catchment("release", "--restate", "--dry-run").output
    done = catchment("release", "--restate").output

    assert dry == "0 published blocks changed, 0 can be restated\n"
    assert done.splitlines()[0] == "0 published blocks changed, 0 restated"
    assert done.count("Release") == 2
    assert "--restate" in refusal(catchment("release", "--dry-run"))


def test_a_clinic_that_left_is_listed_so(catchment):
    """What was published of it stays, so it does not vanish."""
    catchment("clinic", "add", "alder-creek", "--active")
    catchment("clinic", "leave", "alder-creek")

    assert catchment("clinic", "list").output == "alder-creek\tleft\talder-creek\n"


@pytest.mark.parametrize(
    "url",
    [
        "mysql://catchment@localhost/catchment",
        "postgresql+asyncpg://localhost/catchment",
        "postgresql://localhost:port/catchment",
        "catchment.db",
    ],
)
def test_a_database_of_another_kind_is_refused(catchment, url: str):
    """The hub's SQL is for two databases, by one driver each."""
    assert "sqlite" in refusal(catchment("serve", CATCHMENT_DATABASE_URL=url))


@pytest.mark.parametrize(
    "url", ["sqlite:////nonexistent/x.db", "postgresql://127.0.0.1:1/x"]
)
@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_a_database_out_of_reach_is_one_line(catchment, url: str, command: str):
    """The reason is the database's own; where the code stood is nobody's help."""
    said = refusal(catchment(command, CATCHMENT_DATABASE_URL=url))
    assert "does not answer" in said


@pytest.mark.parametrize(
    ("name", "value"), [("CATCHMENT_LOG_LEVEL", "LOUD"), ("CATCHMENT_TYPO", "1")]
)
@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_wrong_setting_is_named(catchment, command: str, name: str, value: str):
    """Of whichever command, and before it leaves anything behind."""
    said = refusal(catchment(command, **{name: value})).lower()
    assert name.lower().removeprefix("catchment_") in said


@pytest.mark.parametrize("folder", ["nonexistent", "empty"])
def test_a_demonstration_of_nothing_is_not_begun(
    catchment, tmp_path: Path, folder: str
):
    """A misspelt folder would look like a network in which nobody is ill."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "sent.json").touch()

    said = refusal(catchment("demo", "--fresh", "--data", folder))

    assert said.endswith(f"There is nothing to send in {folder}")
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["sent.json"]


def test_a_port_that_is_taken_is_said(
    environment: dict[str, str], tmp_path: Path, taken_port: int
):
    """And nothing else is, so that it is seen."""
    settings = {"CATCHMENT_PORT": str(taken_port)}
    with started(environment | settings, tmp_path, "serve") as server:
        assert server.wait(START_SECONDS) != 0
    (line,) = (tmp_path / "errors").read_text().splitlines()
    assert f"{taken_port}): address already in use" in line


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)]
)
def test_a_demonstration_begins_at_its_port_and_leaves_no_server(
    environment: dict[str, str],
    tmp_path: Path,
    taken_port: int,
    number: signal.Signals,
    code: int,
):
    """A server that is left would hold the port, and the database, of the next."""
    # Whom a shell starts in the background ignores it, and so would the command.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    data = tmp_path / "data"
    data.mkdir()
    (data / "one.json").write_text('{"resourceType": "Patient", "id": "one"}')
    settings = {"CATCHMENT_PORT": str(taken_port)}
    words = ("demo", "--data", "data")
    with started(environment | settings, tmp_path, *words) as process:
        assert process.stdout is not None
        said = iter(process.stdout)
        hub = next(line.split()[-1] for line in said if line.startswith("The hub:"))
        assert taken_port < int(hub.rpartition(":")[2]) <= taken_port + PORTS
        assert any("The API" in line for line in said), "it did not serve"
        assert httpx.get(f"{hub}/health/live", trust_env=False).is_success

        process.send_signal(number)

        assert process.wait(START_SECONDS) == code
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{hub}/health/live", trust_env=False)
    assert "Traceback" not in (tmp_path / "errors").read_text()
