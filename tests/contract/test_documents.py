"""What the documents say to type or to set is there."""

import re

import typer

from app.cli import app
from app.settings import Settings
from tests.conftest import ROOT

OPERATING = (ROOT / "docs" / "operating.md").read_text()
DOCUMENTS = [OPERATING, (ROOT / "docs" / "connecting-a-clinic.md").read_text()]


def test_the_table_has_every_setting_and_no_other():
    """An operator finds all there is to decide in one place."""
    rows = re.findall(r"(?m)^\| (`CATCHMENT.*?) \|", OPERATING)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]

    assert sorted(named) == sorted(
        f"CATCHMENT_{name}".upper() for name in Settings.model_fields
    )


def test_the_commands_exist():
    """A renamed command would leave its readers behind."""
    root = typer.main.get_command(app)
    known = set(root.commands)  # type: ignore[attr-defined]
    lines = [line for text in DOCUMENTS for line in text.splitlines()]
    typed = [
        match[1]
        for line in lines
        if (match := re.search(r"(?:^|`|service )catchment (\w+)", line))
    ]

    assert {"key", "migrate", "serve", "clinic", "client", "release"} <= set(typed)
    assert set(typed) <= known
