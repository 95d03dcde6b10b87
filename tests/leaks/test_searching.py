"""A search that can't fail proves nothing: what is planted is found, in each form."""

import base64
import hashlib
from collections.abc import Callable

import pytest

from tests.leaks.mints import PLANTED, Mint
from tests.leaks.searches import Search


def raw_hash(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


def hex_hash(token: bytes) -> bytes:
    return hashlib.md5(token).hexdigest().encode()


def truncated(token: bytes) -> bytes:
    return hashlib.sha512(token).digest()[:20]


def encoded_hash(token: bytes) -> bytes:
    return base64.b64encode(hashlib.sha1(token).digest())


FORMS: list[Callable[[bytes], bytes]] = [
    bytes,
    bytes.upper,
    lambda token: token[::-1],
    base64.b64encode,
    lambda token: base64.b64encode(b"a" + token),
    lambda token: base64.b64encode(b"ab" + token),
    base64.urlsafe_b64encode,
    lambda token: token.hex().encode(),
    raw_hash,
    hex_hash,
    truncated,
    encoded_hash,
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("before", range(9))
def test_a_token_is_found_in_every_form_at_every_offset(
    form: Callable[[bytes], bytes], before: int
):
    """Wherever a database happens to put it."""
    mint = Mint()
    token = mint.text("Patient.name.family").encode()

    found = Search(mint.planted).found_in(bytes(before) + form(token) + bytes(40))

    assert len(found) == 1


@pytest.mark.parametrize("type_", PLANTED.keys() - {"boolean"})
def test_a_token_of_every_type_is_found(type_: str):
    """A number, a date and a time are looked for too, not words alone."""
    mint = Mint()
    value = PLANTED[type_](mint, "x")

    assert Search(mint.planted).found_in(f'{{"value": "{value}"}}'.encode())


def test_nothing_is_found_where_nothing_is():
    """Other days and numbers are no tokens."""
    mint = Mint()
    for make in PLANTED.values():
        make(mint, "x")
    other = b'{"a": "2024-01-31", "b": 1500999999, "c": "07:00:00.999999"}' * 99

    assert Search(mint.planted).found_in(other + bytes(range(256)) * 99) == set()
