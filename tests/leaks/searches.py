"""Bytes -> which tokens stand in them, in any form that can be undone."""

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping

import numpy as np

from tests.leaks.mints import PREFIX

HASHES = ("md5", "sha1", "sha256", "sha512", "sha3_256")
HEAD = 8
"""So many bytes of a digest are looked up; what is found is compared with more."""
ENOUGH = 16
END_VALUES = 2**24
"""So many values of a digest's first bytes are told apart before it is looked up."""
TOKEN = re.compile(
    rb"zqxcan[0-9a-f]{6}|19\d\d-\d\d-\d\d|07:\d\d:\d\d\.\d{6}|15\d{8}"
    rb"|7a717863-616e-4a00-8a00-[0-9a-f]{12}"
)
"""All forms that a mint gives tokens."""


def _encoded_prefixes() -> Iterator[bytes]:
    """Yield what tokens begin with in hexadecimal, and in base64 at each offset."""
    for spelling in (PREFIX.encode(), PREFIX.upper().encode()):
        yield spelling.hex().encode()
        for before in range(3):
            code = base64.b64encode(bytes(before) + spelling)
            # Only letters that six known bits make are the same in any company.
            yield code[-(-8 * before // 6) : 8 * (before + len(spelling)) // 6]


ENCODED = re.compile(b"|".join(map(re.escape, _encoded_prefixes())))


class Search:
    """
    Looks for all tokens at once.

    In plain and in any case, backwards, in hexadecimal, in base64, and as an unkeyed
    hash: raw, in hexadecimal or in base64.
    """

    def __init__(self, planted: Mapping[str, str]) -> None:
        self._planted = planted
        self._digests = {
            form[:HEAD]: (form, token) for token in planted for form in _hashed(token)
        }
        heads = np.frombuffer(b"".join(self._digests), dtype="<u8")
        self._heads = np.sort(heads)
        self._ends = np.zeros(END_VALUES, dtype=bool)
        self._ends[heads % END_VALUES] = True

    def found_in(self, written: bytes, *, hashed: bool = True) -> set[str]:
        """
        Return the paths of the tokens that stand in *written*, and in what form.

        Without *hashed* hashes are not looked for, which takes long in much.
        """
        return {
            *self._plain(written.lower(), "plain"),
            *self._plain(written.lower()[::-1], "backwards"),
            *(f"encoded: {part[:4]!r}" for part in set(ENCODED.findall(written))),
            *(self._hashed_in(written) if hashed else ()),
        }

    def _plain(self, written: bytes, form: str) -> Iterator[str]:
        for found in {each.decode() for each in TOKEN.findall(written)}:
            if found in self._planted:
                yield f"{form}: {self._planted[found]}"

    def _hashed_in(self, written: bytes) -> Iterator[str]:
        """Yield the paths of tokens whose hash stands anywhere, at whatever offset."""
        for offset in range(min(HEAD, len(written))):
            size = (len(written) - offset) // HEAD * HEAD
            words = np.frombuffer(
                written, dtype="<u8", count=size // HEAD, offset=offset
            )
            maybe = np.flatnonzero(self._ends[words % END_VALUES])
            at = np.searchsorted(self._heads, words[maybe])
            for index in maybe[self._heads.take(at, mode="clip") == words[maybe]]:
                start = offset + int(index) * HEAD
                form, token = self._digests[written[start : start + HEAD]]
                if written[start : start + ENOUGH] == form[:ENOUGH]:
                    yield f"hashed: {self._planted[token]}"


def _hashed(token: str) -> Iterator[bytes]:
    """Yield a token's hashes, as bytes, in hexadecimal and in base64."""
    for name in HASHES:
        digest = hashlib.new(name, token.encode()).digest()
        yield from (digest, digest.hex().encode(), base64.b64encode(digest))
