"""Bodies of NDJSON as they really come: in other encodings, too long, cut, or bombs."""

import gzip
import json
import resource
import zlib
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.services.hub import Hub
from tests import make
from tests.hubs import Caller, current_of
from tests.importing import (
    counts,
    cut_off,
    issues_of,
    lines,
    lines_of,
    manifest_of,
    push,
    push_in_pieces,
    refused_lines,
    status_of,
    stored,
)

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("dialect", ["sqlite"])]

ONE, TWO = make.lab(5, id="o1"), make.lab(6, id="o2")
GOOD, BETTER = json.dumps(ONE).encode(), json.dumps(TWO).encode()
TAKEN: dict[tuple[str | None, str], int] = {("Observation", "created"): 2}
MEGABYTE = 1024 * 1024


@pytest.mark.parametrize(
    "body",
    [
        GOOD + b"\n" + BETTER,
        GOOD + b"\r\n" + BETTER + b"\r\n",
        b"\n\n  \n" + GOOD + b"\n\t\r\n" + BETTER + b"\n\n",
        b" " + GOOD + b" \n\t" + BETTER + b"\t\n",
    ],
    ids=["no last end", "carriage returns", "blank lines", "white space"],
)
async def test_lines_end_as_they_like(ehr: Caller, body: bytes):
    """Windows, editors and exports disagree; nothing is lost by it."""
    assert counts(await manifest_of(ehr, body)) == TAKEN


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"\xef\xbb\xbf" + GOOD, "structure"),
        (b"\x00", "structure"),
        (GOOD.replace(b"final", b"fin\x00al"), "structure"),
        (GOOD.replace(b"final", b"fin\xe4l"), "structure"),
        (b"[" * 100_000, "structure"),
        # Its name would be an environment variable of a megabyte.
        pytest.param(
            b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "structure", id="deep"
        ),
        (GOOD[:-1], "structure"),
        (GOOD + GOOD, "structure"),
        (GOOD.replace(b'"o1"', b'"o1", "id": "o1"'), "structure"),
        (b"<Observation/>", "structure"),
        (b"null", "structure"),
    ],
    ids=str,
)
async def test_a_line_that_cannot_be_read_leaves_the_others_alone(
    ehr: Caller, line: bytes, code: str
):
    """It is told by its number, and by nothing that is in it."""
    body = b"\n".join([BETTER, line, b"", json.dumps(make.lab(7)).encode()])

    manifest = await manifest_of(ehr, body)
    issues = await issues_of(ehr, manifest)

    assert counts(manifest) == {(None, "refused"): 1, ("Observation", "created"): 2}
    assert [(issue["code"], lines_of(issue)) for issue in issues] == [(code, [2])]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
async def test_other_encodings_are_told_in_few_words(ehr: Caller, encoding: str):
    """Every line is wrong for the same reason, so it is told once."""
    text = (GOOD + b"\n" + BETTER + b"\n").decode() * 20

    manifest = await manifest_of(ehr, text.encode(encoding))
    issues = await issues_of(ehr, manifest)

    assert not counts(manifest).keys() - {(None, "refused")}
    assert 1 <= len(issues) <= 3


async def test_latin_1_is_refused_where_it_is_not_also_utf_8(ehr: Caller):
    """A German EHR's export: lines of ASCII go through, the others are named."""
    text = json.dumps(make.lab(5, note=[{"text": "für später"}]), ensure_ascii=False)

    manifest = await manifest_of(ehr, GOOD + b"\n" + text.encode("latin-1") + b"\n")

    assert counts(manifest) == {(None, "refused"): 1, ("Observation", "created"): 1}
    assert "UTF-8" in (await issues_of(ehr, manifest))[0]["diagnostics"]


async def test_a_line_of_50_megabytes_is_left_out(ehr: Caller, hub: Hub):
    """In the memory of a few batches; the lines around it are stored, well numbered."""

    async def body() -> AsyncIterator[bytes]:
        yield GOOD + b'\n{"resourceType": "Observation", "id": "'
        for _ in range(50):
            yield b"x" * MEGABYTE
        yield b'"}\n' + BETTER + b"\n{"

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    response = await push_in_pieces(ehr, body())
    stored(hub)
    manifest = (await status_of(ehr, response)).json()
    issues = await issues_of(ehr, manifest)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before

    assert counts(manifest) == TAKEN | {(None, "refused"): 2}
    assert {issue["code"]: lines_of(issue) for issue in issues} == {
        "too-long": [2],
        "structure": [4],
    }
    assert grown < 120 * 1024  # kB: the line's 32 MB while they may be one, and copies


async def test_a_long_body_is_read_in_flat_memory(ehr: Caller, hub: Hub):
    """100 MB of lines that are blank but for two: no more is held than some batches."""

    async def body() -> AsyncIterator[bytes]:
        yield GOOD + b"\n"
        for _ in range(100):
            yield BLANK
        yield BETTER

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    response = await push_in_pieces(ehr, body())
    stored(hub)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before

    assert counts((await status_of(ehr, response)).json()) == TAKEN
    assert grown < 60 * 1024


BLANK = (b" " * 1023 + b"\n") * 1024


async def test_numbers_go_on_from_batch_to_batch(ehr: Caller):
    """Also where lines are so short that a batch has as many as it may."""
    body = b"{\n" * 10_000 + GOOD + b"\n[]\n" + BETTER

    manifest = await manifest_of(ehr, body)
    issues = await issues_of(ehr, manifest)

    assert manifest["extension"]["lines"] == 10_003
    assert counts(manifest) == TAKEN | {(None, "refused"): 10_001}
    assert [lines_of(issue)[0] for issue in issues] == [1, 10_002]


async def zipped(ehr: Caller, body: bytes) -> Any:
    return await push(ehr, body, Content_Encoding="gzip")


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(GOOD + b"\n" + BETTER),
        gzip.compress(GOOD + b"\n" + BETTER[:9]) + gzip.compress(BETTER[9:]),
    ],
    ids=["one member", "two members"],
)
async def test_gzip_is_inflated_as_it_comes(ehr: Caller, hub: Hub, body: bytes):
    """Lines may go over the end of a member."""
    response = await zipped(ehr, body)
    stored(hub)

    assert counts((await status_of(ehr, response)).json()) == TAKEN


@pytest.mark.parametrize(
    ("body", "kept"),
    [(GOOD, {}), (gzip.compress(GOOD + b"\n" + BETTER)[:-9], {"Observation": 1})],
    ids=["none at all", "cut"],
)
async def test_gzip_that_is_not_whole_is_refused(
    ehr: Caller, hub: Hub, body: bytes, kept: dict[str, int]
):
    """What came whole of it is stored, as of any upload that is cut off."""
    response = await zipped(ehr, body)
    stored(hub)

    assert response.status_code == 400
    assert "gzip" in response.text
    assert current_of(hub.engine) == kept


async def test_gzip_that_is_not_said_to_be_is_refused(ehr: Caller):
    """A header forgotten is told at once, not as a thousand lines that are no JSON."""
    response = await push(ehr, gzip.compress(GOOD))

    assert response.status_code == 400
    assert "Content-Encoding: gzip" in response.text


async def test_a_bomb_is_refused(ehr: Caller, hub: Hub):
    """Much in little: given up in bounded time and memory, nothing kept."""
    packer = zlib.compressobj(9, wbits=31)
    zeros = bytes(MEGABYTE)
    bomb = b"".join([*(packer.compress(zeros) for _ in range(96)), packer.flush()])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    response = await zipped(ehr, bomb)
    stored(hub)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before

    assert response.status_code == 413
    assert len(bomb) < MEGABYTE / 8
    assert grown < 120 * 1024
    assert current_of(hub.engine) == {}


async def test_a_sender_of_another_version_learns_it_once(
    ehr: Caller, hub: Hub, shared: Path
):
    """201 resources in the form of STU3: a few issues, each of many lines."""
    folder = shared / "data/invalid/synthea-2019-stu3-shaped"
    texts = [
        json.dumps(each)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for each in read_all(path)
    ]
    assert len(texts) >= 201

    manifest = await manifest_of(ehr, lines(*texts))
    issues = await issues_of(ehr, manifest)

    assert sum(n for (_, how), n in counts(manifest).items() if how == "refused") >= 201
    assert len(issues) <= 12
    assert current_of(hub.engine).get("Observation", 0) <= len(texts) - 201


def read_all(path: Path) -> list[Any]:
    packed = path.read_bytes()
    text = gzip.decompress(packed) if path.suffix == ".gz" else packed
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]


async def test_what_validators_refuse_is_refused_here_as_by_the_single_door(
    ehr: Caller, shared: Path
):
    """And valid examples are taken by both: each file a line with its own fate."""
    files = [
        *sorted((shared / "data/invalid/fhir-test-cases").glob("*.json"))[:40],
        *sorted((shared / "data/hl7_r4_examples").rglob("*.json"))[:60],
        *sorted((shared / "data/ehr_quirks").rglob("*.json")),
    ]
    texts = [" ".join(path.read_text("utf-8").splitlines()) for path in files]
    manifest = await manifest_of(ehr, lines(*texts))
    issues = await issues_of(ehr, manifest)
    found = refused_lines(issues)

    errors = [issue for issue in issues if issue["severity"] == "error"]
    assert not any("..." in issue["details"]["text"] for issue in errors)
    expected = set()
    for number, text in enumerate(texts, 1):
        try:
            body = json.loads(text)
            type_name, own_id = body["resourceType"], body.get("id")
        except (ValueError, KeyError, TypeError, AttributeError):
            expected.add(number)
            continue
        at = f"/{type_name}" + (f"/{own_id}" if "id" in body else "")
        answer = await ehr.call("PUT" if "id" in body else "POST", at, text.encode())
        if answer.status_code not in {200, 201, 404}:
            expected.add(number)

    assert found == expected
    assert 20 < len(expected) < len(texts)


async def test_a_whole_export_comes_to_what_its_files_hold(
    ehr: Caller, hub: Hub, shared: Path
):
    """Of each type as many as there are, but for one reading in no unit of UCUM."""
    folder = shared / "data/synthea_2019"
    held: Counter[str] = Counter()
    answers = []
    for name in ("Condition", "Patient", "Encounter", "Observation"):
        body = (folder / f"{name}.ndjson.gz").read_bytes()
        held[name] = len(gzip.decompress(body).splitlines())
        answers.append(await zipped(ehr, body))
    stored(hub)
    manifest = (await status_of(ehr, answers[-1])).json()

    held["Observation"] -= 1
    assert current_of(hub.engine) == held
    assert counts(manifest) == {
        ("Observation", "created"): held["Observation"],
        ("Observation", "refused"): 1,
    }


async def test_a_batch_that_is_cut_is_stored_as_far_as_it_came(ehr: Caller, hub: Hub):
    """In the middle of its gzip, as when a lid is closed."""
    packed = gzip.compress(b"".join(b"%s\n" % GOOD for _ in range(50)), 0)

    response = await push_in_pieces(
        ehr, cut_off(packed[: len(packed) // 2]), Content_Encoding="gzip"
    )
    stored(hub)

    assert response.status_code == 400
    assert current_of(hub.engine) == {"Observation": 1}
