"""What the documents say to type or to set is there."""

import json
import re
import tomllib

import typer

from app.cli import app
from app.settings import Settings
from tests.conftest import ROOT

OPERATING = (ROOT / "docs" / "operating.md").read_text()
CONNECTING = (ROOT / "docs" / "connecting-a-clinic.md").read_text()
DOCUMENTS = [OPERATING, CONNECTING]


def test_the_table_has_every_setting_and_no_other():
    """An operator finds all there is to decide in one place."""
    rows = re.findall(r"(?m)^\| (`CATCHMENT.*?) \|", OPERATING)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]

    assert sorted(named) == sorted(
        f"CATCHMENT_{name}".upper() for name in Settings.model_fields
    )


def test_the_clients_of_others_are_those_that_are_tested():
    """An engineer who reads that a client works can see it work."""
    packages = json.loads((ROOT / "tests/clients/node/package.json").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    development = " ".join(project["optional-dependencies"]["dev"])
    _, _, section = CONNECTING.partition("## Clients that others wrote")
    named = re.findall(r"(?m)^\| `([^`]+)`", section)

    in_python = {name for name in named if f"{name}>=" in development}
    assert set(packages["dependencies"]) | in_python == set(named)
    assert {"fhirclient", "fhirpy"} == in_python


def test_the_commands_exist():
    """A renamed command would leave its readers behind."""
    root = typer.main.get_command(app)
    known = set(root.commands)  # type: ignore[attr-defined]
    lines = [line for text in DOCUMENTS for line in text.splitlines()]
    typed = [
        match[1]
        for line in lines
        if (match := re.search(r"(?:^|`|service )catchment ([\w-]+)", line))
    ]

    assert {"key", "migrate", "serve", "clinic", "client", "release"} <= set(typed)
    assert set(typed) <= known
