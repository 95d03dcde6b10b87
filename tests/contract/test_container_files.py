"""The image and the compose file say what the project really has."""

import re

import pytest
import typer
import yaml

from app.cli import app
from app.settings import Settings
from tests.conftest import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
STAGES = re.split(r"(?m)^FROM ", DOCKERFILE)[1:]
FINAL = STAGES[-1]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict] = COMPOSE["services"]
HUBS = {name: each for name, each in SERVICES.items() if each.get("build")}


def copied() -> list[str]:
    """What the image takes from the project."""
    lines = re.findall(r"(?m)^COPY (?!--from)(.+)$", DOCKERFILE)
    return [source for line in lines for source in line.split()[:-1]]


def commands() -> set[str]:
    return set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("source", copied())
def test_all_that_is_copied_is_there_and_not_ignored(source: str):
    """Else the image does not build."""
    assert (ROOT / source).exists()
    assert f"!{source}" in (ROOT / ".dockerignore").read_text().splitlines()


def test_the_image_holds_what_was_tested_by_hash():
    """Nothing but the locked versions gets in, and no tools of development."""
    assert "--require-hashes --requirement requirements.lock" in DOCKERFILE
    assert "requirements-dev.lock" not in DOCKERFILE
    assert {"app", "migrations"} <= set(copied())


def test_the_image_does_not_run_as_root():
    """A hole in the hub is not one in the machine."""
    user = re.findall(r"(?m)^USER (\S+)$", FINAL)

    assert user == ["catchment"]
    assert "useradd --system --uid 10001" in FINAL


def test_the_image_says_whether_the_hub_is_ready():
    """By the page that looks at the database too, with what the image has: Python."""
    (check,) = re.findall(r"(?m)^HEALTHCHECK .+ CMD (.+)$", FINAL)

    assert "/health/ready" in check
    assert check.startswith('["python"')


def test_the_image_runs_a_command_that_exists():
    """An image that needs no argument serves."""
    assert re.findall(r"(?m)^CMD (.+)$", FINAL) == ['["catchment", "serve"]']
    assert "serve" in commands()


@pytest.mark.parametrize("name", HUBS)
def test_each_service_runs_a_command_that_exists(name: str):
    """A typing error here would only show on the operator's machine."""
    program, command = HUBS[name]["command"]

    assert program == "catchment"
    assert command in commands()


@pytest.mark.parametrize("name", HUBS)
def test_each_setting_exists(name: str):
    """A misspelt one would keep the hub from starting."""
    known = {f"CATCHMENT_{field}".upper() for field in Settings.model_fields}

    assert set(HUBS[name]["environment"]) <= known


def test_all_wait_until_the_database_has_its_schema():
    """And that waits until the database answers."""
    for name in ("service", "worker"):
        waits = SERVICES[name]["depends_on"]
        assert waits == {"migrate": {"condition": "service_completed_successfully"}}
    waits = SERVICES["migrate"]["depends_on"]
    assert waits == {"database": {"condition": "service_healthy"}}
    assert SERVICES["database"]["healthcheck"]["test"]


def test_secrets_are_files_that_are_not_in_the_repository():
    """No password stands in a file that is shared, not even a first one."""
    used = {name for each in SERVICES.values() for name in each.get("secrets", ())}
    files = {secret["file"] for secret in COMPOSE["secrets"].values()}

    assert used == set(COMPOSE["secrets"])
    assert all(file.startswith("./secrets/") for file in files)
    assert "secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    for each in SERVICES.values():
        for name, value in each.get("environment", {}).items():
            assert "PASSWORD" not in name or value.startswith("/run/secrets/")
            assert not re.search(r"//[^/@]+:[^/@]+@", value)
