"""Signatures of bodies, as WebSub has them."""

from hypothesis import given
from hypothesis import strategies as st

from app.smart.signed_bodies import is_signed, signature


def test_a_signature_is_as_rfc_4231_has_it():
    """Test case 2: the key "Jefe", the data "what do ya want for nothing?"."""
    body = b"what do ya want for nothing?"

    assert signature(body, "Jefe") == (
        "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


@given(st.binary(), st.binary(), st.text(min_size=1), st.text(min_size=1))
def test_another_body_or_secret_never_passes(
    body: bytes, other: bytes, secret: str, another: str
):
    """And the right one passes in each method, whatever is stated beside it."""
    for method in ("sha256", "sha384", "sha512"):
        stated = signature(body, secret, method=method)

        assert is_signed(body, ["sha256=", stated], secrets=[another, secret])
        assert is_signed(other, [stated], secrets=[secret]) == (body == other)
        # HMAC pads a short key with zeros, so "a" and "a\0" are one secret.
        if secret.rstrip("\0") != another.rstrip("\0"):
            assert not is_signed(body, [stated], secrets=[another])
