"""A hub that commands work on."""

import gc
import os
import signal
import sys
from pathlib import Path

import pytest

from app import cli
from tests.commands import Ended, environment_of
from tests.hubs import Databases


@pytest.fixture
def environment(tmp_path: Path, databases: Databases) -> dict[str, str]:
    """The environment of a hub that lives here, migrated."""
    return environment_of(tmp_path, databases.fresh("sqlite"))


@pytest.fixture
def catchment(
    environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    """Run a command in an otherwise empty folder; return how it ended."""
    gc.freeze()  # what is there already is no command's, and need not be looked through

    def run(*words: str, **settings: str) -> Ended:
        with monkeypatch.context() as here:
            here.setattr(os, "environ", environment | settings)
            here.setattr(sys, "argv", ["catchment", *words])
            here.setattr(signal, "signal", lambda *_: None)
            here.setattr(cli, "configure_logging", lambda _: None)
            here.chdir(tmp_path)
            with pytest.raises(SystemExit) as ended:
                cli.main()
        gc.collect()  # closes the command's database, as the end of its process does
        return Ended(ended.value.code, *capsys.readouterr())

    yield run
    gc.unfreeze()
