"""
What must be remembered of a clinic's ids for a while: readable under the key alone.

AES-256-GCM (NIST SP 800-38D) under a key of its own; the key's version stands in front.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.deid.pseudonyms import KeyRing, sealing_key
from app.domain.errors import ConflictError

VERSION_BYTES = 2
NONCE_BYTES = 12


def head_of(version: int) -> bytes:
    """Return what begins all that is sealed under a key version."""
    return version.to_bytes(VERSION_BYTES)


def seal(keys: KeyRing, plain: bytes) -> bytes:
    """Return *plain* sealed under the current key."""
    version = head_of(keys.current)
    nonce = os.urandom(NONCE_BYTES)
    return version + nonce + _cipher(keys, keys.current).encrypt(nonce, plain, version)


def unseal(keys: KeyRing, sealed: bytes) -> bytes:
    """
    Return what was sealed.

    Raises:
        ConflictError: the key it was sealed under is no more, or it is broken.
    """
    head, nonce = sealed[:VERSION_BYTES], sealed[VERSION_BYTES:][:NONCE_BYTES]
    version = int.from_bytes(head)
    if version in keys.masters:
        body = sealed[VERSION_BYTES + NONCE_BYTES :]
        try:
            return _cipher(keys, version).decrypt(nonce, body, head)
        except InvalidTag:
            pass
    msg = "What was sealed can't be read: its key is gone, or it is broken"
    raise ConflictError(msg)


def _cipher(keys: KeyRing, version: int) -> AESGCM:
    return AESGCM(sealing_key(keys.masters, keys.network, version))
