"""The operator's commands: what they refuse, in one line, and what they leave."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from app.domain.errors import InvalidElementError
from app.main import write_master_key
from app.services.registry import check_code, check_time_zone
from tests.conftest import ROOT
from tests.hubs import Databases

START_SECONDS = 60


@pytest.fixture
def environment(tmp_path: Path, databases: Databases) -> dict[str, str]:
    """The environment of a hub that lives here, migrated."""
    write_master_key(tmp_path / "master.key")
    ours = {k: v for k, v in os.environ.items() if not k.startswith("CATCHMENT_")}
    return ours | {
        "CATCHMENT_DATABASE_URL": databases.fresh("sqlite"),
        "CATCHMENT_MASTER_KEY_FILE": str(tmp_path / "master.key"),
        "PYTHONPATH": str(ROOT),
    }


@pytest.fixture
def catchment(environment: dict[str, str], tmp_path: Path):
    """Run a command in an empty folder; return how it ended."""

    def run(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "app.cli", *words],
            env=environment | settings,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )

    return run


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that a refused command says."""
    assert done.returncode == 1, done
    (line,) = done.stderr.splitlines()
    assert line.startswith("catchment: ")
    return line


def test_a_new_key_never_replaces_another_clients(catchment, tmp_path: Path):
    """A private key is nowhere else: a client whose key is gone is locked out."""
    key = tmp_path / "first.jwk"
    assert catchment("client", "add", "first", "--new-key", str(key)).returncode == 0
    kept = key.read_text()
    assert key.stat().st_mode & 0o777 == 0o600

    again = catchment("client", "add", "other", "--new-key", str(key))

    assert "already" in refusal(again)
    assert key.read_text() == kept
    other = tmp_path / "other.jwk"
    done = catchment("client", "add", "other", "--new-key", str(other))
    assert done.returncode == 0, "the refused client was registered all the same"


def test_a_client_that_is_refused_leaves_no_key(catchment, tmp_path: Path):
    """A key that opens nothing would be taken for one that does."""
    key = tmp_path / "lost.jwk"
    done = catchment("client", "add", "lost", "--clinic", "none", "--new-key", str(key))
    assert "clinic" in refusal(done)
    assert not key.exists()


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
    assert catchment("clinic", "list").stdout == ""
