"""Files of master keys: who may read them, and what happens to what is in them."""

import re
import stat
from pathlib import Path

import pytest

from app.key_files import (
    KeyFileError,
    add_master,
    drop_master,
    read_masters,
    write_master_key,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "master.key"


def written(path: Path, text: str, mode: int = 0o600) -> Path:
    path.parent.mkdir()
    path.touch(mode=mode)
    path.write_text(text)
    return path


def test_a_file_of_before_there_were_versions_is_version_one(path: Path):
    """Nobody has to touch a key that is in use."""
    written(path, "5A" * 32 + "\n")

    assert read_masters(path) == {1: b"\x5a" * 32}
    assert add_master(path) == 2
    assert read_masters(path)[1] == b"\x5a" * 32


def test_a_rotation_adds_a_key_and_keeps_what_is_there(path: Path):
    """The old names are found only by the old key."""
    write_master_key(path)
    first = read_masters(path)

    assert [add_master(path), add_master(path)] == [2, 3]

    masters = read_masters(path)
    assert masters.keys() == {1, 2, 3}
    assert masters[1] == first[1]
    assert len(set(masters.values())) == 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    drop_master(path, 2)
    drop_master(path, 2)
    assert read_masters(path).keys() == {1, 3}


def test_a_rotation_that_is_cut_off_leaves_the_file_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Half a key file would be a lost key; nothing is left beside it either."""
    write_master_key(path)
    before = path.read_bytes()

    monkeypatch.setattr("os.fsync", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        add_master(path)

    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_no_key_is_ever_replaced_by_a_new_one(path: Path):
    """All that is named by it would be lost."""
    write_master_key(path)

    with pytest.raises(KeyFileError, match="There is a key at"):
        write_master_key(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "64 hexadecimal digits"),
        ("secret", "line 1"),
        ("1 " + "5a" * 31, "line 1"),
        ("0 " + "5a" * 32, "line 1"),
        ("99999 " + "5a" * 32, "line 1"),
        ("5a" * 32 + "\n2 secret", "line 2"),
        ("5a" * 32 + "\n1 " + "5b" * 32, "line 2"),
        ("\xe9" * 64, "line 1"),
    ],
)
def test_a_line_that_is_no_key_is_told_by_its_number(path: Path, text: str, said: str):
    """And never by what is in it."""
    written(path, text)

    with pytest.raises(KeyFileError, match=re.escape(said)) as refusal:
        read_masters(path)

    assert "secret" not in str(refusal.value)
    assert "5a5a" not in str(refusal.value)


def test_a_key_that_others_may_read_or_that_is_not_there_is_refused(path: Path):
    """No key, no start; and a key that all can read is none."""
    with pytest.raises(KeyFileError, match="put its key back from the copy"):
        read_masters(path)
    written(path, "5a" * 32).chmod(0o640)
    with pytest.raises(KeyFileError, match="0600"):
        read_masters(path)
