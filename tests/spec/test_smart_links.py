"""Signed links: a key holds until it expires, and cannot be made without the secret."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.smart.links import (
    LinkExpiredError,
    LinkInvalidError,
    is_members_key,
    members_key,
    members_link,
    read_members_key,
)

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
EXPIRES_AT = 1_800_000_000
GOOD = members_key(KEY, expires_at=EXPIRES_AT)


def test_a_link_is_the_hubs_address_with_the_key():
    link = members_link(KEY, base_url="https://hub.example", expires_at=EXPIRES_AT)

    assert link == f"https://hub.example/?key={GOOD}"


def test_a_key_holds_up_to_the_second_it_expires():
    """From *expires_at* on it is over."""
    assert read_members_key(GOOD, key=KEY, now=EXPIRES_AT - 1) == EXPIRES_AT
    with pytest.raises(LinkExpiredError, match="has expired"):
        read_members_key(GOOD, key=KEY, now=EXPIRES_AT)


def test_a_key_of_another_secret_is_refused():
    with pytest.raises(LinkInvalidError):
        read_members_key(GOOD, key=OTHER_KEY, now=0)


@given(text=st.text() | st.from_regex(r"[0-9]+\.[A-Za-z0-9_-]{43}", fullmatch=True))
def test_nothing_but_a_signed_key_is_ever_taken(text: str):
    """Whatever comes in an address or a cookie is refused, and breaks nothing."""
    assert not is_members_key(text, key=KEY, now=0)


@given(at=st.integers(0, len(GOOD) - 1), put=st.characters())
def test_an_altered_key_is_never_taken(at: int, put: str):
    """
    One letter changed, in the expiry or in the signature.

    The last letter of base64 carries two bits that say nothing, yet it must match too.
    """
    altered = GOOD[:at] + put + GOOD[at + 1 :]

    assert is_members_key(altered, key=KEY, now=0) == (altered == GOOD)
