"""`catchment key`: versions made, told and retired; a lost key explained."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.key_files import read_masters
from tests.commands import refusal

HEADER = "version\tstate\tcreated\tnames\trecords\tblocks"


@pytest.fixture
def key(environment: dict[str, str]) -> Path:
    """The key file of the hub."""
    return Path(environment["CATCHMENT_MASTER_KEY_FILE"])


@pytest.fixture
def one_name(catchment, environment: dict[str, str]) -> None:
    """A hub that has begun, and a record that is named under its first key."""
    assert catchment("clinic", "add", "alder").code == 0
    path = environment["CATCHMENT_DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO record (id, type, source_id, subject_id, encounter_id, "
            "version, state, content, policy_digest, received_at, key_version) "
            "VALUES (1, 1, 1, 1, 0, 1, 1, '{\"type\":\"Patient\"}', 'x', 0, 1)"
        )
        connection.execute("INSERT INTO alias VALUES (?, 1, 1, 1)", [b"a" * 20])
        connection.execute("INSERT INTO subject (id, clinic_id) VALUES (1, 1)")


def listed(catchment) -> list[list[str]]:
    """Return version, state, names and records of each key."""
    header, *lines = catchment("key", "list").output.splitlines()
    assert header == HEADER
    cells = [line.split("\t") for line in lines]
    return [[version, state, *rest[:2]] for version, state, _, *rest in cells]


@pytest.mark.usefixtures("one_name")
def test_a_rotation_is_told_and_no_key_is(catchment, key: Path):
    """The old version goes on finding what it named."""
    before = read_masters(key)

    ended = catchment("key", "rotate")

    assert ended.code == 0, ended
    assert "start every server and worker again" in ended.output
    masters = read_masters(key)
    assert masters[1] == before[1]
    assert listed(catchment) == [["1", "active", "1", "1"], ["2", "current", "0", "0"]]
    said = f"{ended} {catchment('key', 'list')}"
    assert not any(each.hex()[:16] in said for each in masters.values())


@pytest.mark.usefixtures("one_name")
def test_a_version_in_use_goes_only_by_force_which_says_what_is_lost(
    catchment, key: Path
):
    """Without it the records would be there for good, and matched by nobody."""
    catchment("key", "rotate")

    refused = refusal(catchment("key", "retire", "1"))
    kept = read_masters(key).keys()
    ended = catchment("key", "retire", "1", "--force")

    assert "1 names, 1 records and 0 blocks" in refused
    assert "can be matched no more" in refused
    assert kept == {1, 2}
    assert ended.code == 0, ended
    assert "Records dropped, to be collected again: 1" in ended.output
    assert read_masters(key).keys() == {2}
    assert listed(catchment) == [["1", "retired", "0", "0"], ["2", "current", "0", "0"]]
    assert "No name was made under key version 7" in refusal(
        catchment("key", "retire", "7")
    )
    assert "rotate" in refusal(catchment("key", "retire", "2", "--force"))


@pytest.mark.usefixtures("one_name")
@pytest.mark.parametrize("words", [("clinic", "list"), ("serve",), ("refresh",)])
def test_another_key_is_refused_with_what_is_lost_and_the_right_one_goes_on(
    catchment, key: Path, words: tuple[str, ...]
):
    """Whatever begins: a guess would count everybody twice."""
    right = key.read_bytes()
    key.write_text("ab" * 32)

    said = refusal(catchment(*words))

    assert "Version 1 in the key file is not the key" in said
    assert "1 records can't be matched" in said
    assert "or CATCHMENT_NETWORK is another" in said
    assert "abab" not in said
    key.write_bytes(right)
    assert catchment("clinic", "list").code == 0


@pytest.mark.usefixtures("one_name")
def test_another_network_is_another_key(catchment):
    """It goes into every name."""
    said = refusal(catchment("clinic", "list", CATCHMENT_NETWORK="other"))

    assert "CATCHMENT_NETWORK is another" in said


@pytest.mark.usefixtures("one_name")
def test_a_version_that_is_missing_is_refused_with_what_it_named(catchment, key: Path):
    """A copy of the key file from before a rotation is such a case."""
    before = key.read_bytes()
    catchment("key", "rotate")
    after = key.read_bytes()

    key.write_bytes(before)
    of_old_copy = refusal(catchment("clinic", "list"))
    key.write_bytes(after.splitlines(keepends=True)[1])
    of_lost = refusal(catchment("clinic", "list"))
    key.write_bytes(after)

    assert "Key version 2 is not in the key file" in of_old_copy
    assert "0 records can't be matched" in of_old_copy
    assert "Key version 1 is not in the key file" in of_lost
    assert "1 records can't be matched" in of_lost
    assert catchment("clinic", "list").code == 0


@pytest.mark.usefixtures("one_name")
def test_a_hub_whose_key_is_lost_for_good_begins_again_with_its_clinics(
    catchment, key: Path
):
    """What nobody can name goes; clinics, clients and releases stay."""
    key.unlink()
    lost = refusal(catchment("clinic", "list"))
    catchment("key", "new", "--version", "2")
    missing = refusal(catchment("clinic", "list"))

    ended = catchment("key", "retire", "1", "--force")

    assert "put its key back from the copy" in lost
    assert "catchment key retire 1 --force" in missing
    assert ended.code == 0, ended
    assert "alder" in catchment("clinic", "list").output
    assert listed(catchment) == [["1", "retired", "0", "0"], ["2", "current", "0", "0"]]


@pytest.mark.usefixtures("one_name")
def test_a_retired_version_that_is_in_the_file_again_is_told(catchment, key: Path):
    """As after a copy of the file was put back."""
    catchment("key", "rotate")
    both = key.read_bytes()
    catchment("key", "retire", "1", "--force")
    key.write_bytes(both)

    said = refusal(catchment("clinic", "list"))
    again = catchment("key", "retire", "1")

    assert "Key version 1 was retired" in said
    assert again.code == 0, again
    assert catchment("clinic", "list").code == 0
