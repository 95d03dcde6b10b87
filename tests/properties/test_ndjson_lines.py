"""A stream is cut into lines as a plain split would cut it, however it comes."""

import gzip
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.deliveries import LineBatch
from app.domain.errors import MalformedError, TooLargeError
from app.fhir import ndjson
from app.fhir.ndjson import batches, inflated

MOST = 60
BODIES = st.lists(
    st.one_of(
        st.sampled_from([b"", b"\n", b"\n\n", b"\r\n", b"a\n"]),
        st.binary(max_size=30),
        st.integers(0, 150).map(lambda size: b"x" * size),
        st.integers(0, 150).map(lambda size: b"x" * size + b"\n"),
    ),
    max_size=20,
).map(b"".join)
CUTS = st.lists(st.integers(0, 2_000), max_size=8)


@pytest.fixture(autouse=True, scope="module")
def small_batches() -> Iterator[None]:
    """Batches of some lines, so that there are several."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ndjson, "BATCH_BYTES", 50)
        patch.setattr(ndjson, "BATCH_LINES", 4)
        yield


def pieces_of(body: bytes, cuts: list[int]) -> list[bytes]:
    ends = sorted(min(cut, len(body)) for cut in cuts)
    return [body[a:b] for a, b in zip([0, *ends], [*ends, len(body)], strict=True)]


def numbered(found: Iterator) -> list[tuple[int, bytes | None]]:
    """Return each line of batches with its number; None for one that is too long."""
    lines: list[tuple[int, bytes | None]] = []
    for batch in found:
        assert batch.lines <= 4
        if batch.is_too_long:
            lines.append((batch.first, None))
            continue
        whole = batch.body.removesuffix(b"\n").split(b"\n")
        assert len(whole) == batch.lines
        lines += enumerate(whole, batch.first)
    return lines


def expected(body: bytes) -> list[tuple[int, bytes]]:
    whole = body.removesuffix(b"\n").split(b"\n") if body else []
    return list(enumerate(whole, 1))


@given(BODIES, CUTS)
def test_lines_are_those_of_a_plain_split(body: bytes, cuts: list[int]):
    """Each once, in order, under its number; only what is too long is left out."""
    found = numbered(batches(pieces_of(body, cuts), max_line_bytes=MOST))

    plain = expected(body)
    assert [number for number, _ in found] == [number for number, _ in plain]
    for (_, line), (_, other) in zip(found, plain, strict=True):
        assert line == other or (line is None and len(other) > MOST)


@given(BODIES, CUTS)
def test_of_a_stream_that_fails_the_whole_lines_are_given(body: bytes, cuts: list[int]):
    """What comes after the last end of a line is no line yet."""

    def failing() -> Iterator[bytes]:
        yield from pieces_of(body, cuts)
        msg = "gone"
        raise MalformedError(msg)

    given_: list[LineBatch] = []
    with pytest.raises(MalformedError):
        given_.extend(batches(failing(), max_line_bytes=MOST))

    found = numbered(iter(given_))
    ended = expected(body[: body.rfind(b"\n") + 1])
    assert [number for number, _ in found] == [number for number, _ in ended]


@given(BODIES, CUTS, st.integers(1, 3))
def test_gzip_is_read_whole(body: bytes, cuts: list[int], members: int):
    """Of several members too, as log shippers and parallel compressors write it."""
    packed = gzip.compress(body) * members

    assert b"".join(inflated(pieces_of(packed, cuts))) == body * members


@given(BODIES, CUTS, st.integers(1, 12))
def test_gzip_that_is_cut_is_told(body: bytes, cuts: list[int], missing: int):
    """Its last lines are not taken for all of them."""
    packed = gzip.compress(body)[:-missing]

    with pytest.raises(MalformedError):
        list(inflated(pieces_of(packed, cuts)))


def test_what_is_no_gzip_is_told():
    """Before anything is made of it."""
    with pytest.raises(MalformedError):
        list(inflated([b"{}\n"]))
    with pytest.raises(MalformedError):
        list(inflated([gzip.compress(b"{}\n"), b"{}\n"]))


def test_a_bomb_is_refused_before_it_goes_off():
    """100 kB that would be 100 MB: given up at a third of that."""
    packer = zlib.compressobj(9, wbits=31)
    zeros = bytes(1024 * 1024)
    bomb = b"".join([*(packer.compress(zeros) for _ in range(96)), packer.flush()])
    given_: list[int] = []

    with pytest.raises(TooLargeError):
        given_.extend(map(len, inflated(pieces_of(bomb, []))))

    assert max(given_) <= ndjson.INFLATED_BYTES
    assert sum(given_) <= 40 * 1024 * 1024
