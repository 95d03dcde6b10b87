"""
Keyed names: what a clinic calls a record -> what the hub knows it by.

Every key is derived from the master key of its version by HKDF-SHA256, for one network,
one scope (a source, or a clinic) and one purpose; every name is an HMAC-SHA256 under
such a key. There is no table that leads back.

Source: RFC 5869 (HKDF), RFC 2104 (HMAC).
"""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.domain.clinics import Source
from app.domain.records import Alias, AliasKind, RecordType, WardType
from app.domain.terminology import LOCAL, Coding

KEY_BYTES = 32
BLOCK_BYTES = 64
_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))
ALIAS_BYTES = 20
LOCAL_CODE_LETTERS = 26
"""Of base32: 130 bits."""

Purpose = Literal[
    "id",
    "identifier",
    "digest",
    "local-code",
    "ward",
    "fingerprint",
    "linkage",
    "job-name",
]

_encode: Callable[[list[object]], bytes] = msgspec.json.Encoder().encode
"""A JSON array joins strings so that no two lists of them look alike."""


def derived_key(master: bytes, info: bytes) -> bytes:
    """Return HKDF-SHA256 of *master* for *info*: 32 bytes, without salt."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(
        master
    )


def sealing_key(masters: Mapping[int, bytes], network: str, version: int) -> bytes:
    """Return the key of AES-256-GCM for what is sealed under a key version."""
    info = _encode(["catchment", network, "hub", "sealed", version])
    return derived_key(masters[version], info)


def job_name_key(name: str, *, keys: "KeyRing", source: Source) -> bytes:
    """Return what a sender's own name of an upload or a submission is known by."""
    scope = f"source/{source.source_id}"
    hashing = keys.of("job-name", scope)[keys.current]
    return digest_under(hashing, _encode([scope, name]))[:ALIAS_BYTES]


def network_name_keys(name: Sequence[str], *, keys: "KeyRing") -> list[bytes]:
    """
    Return what a name that is one in the whole network is known by.

    One for each key version, that of the current one first; *name* is in parts.
    """
    message = _encode(["network", *name])
    return [
        digest_under(hashing, message)[:ALIAS_BYTES]
        for hashing in keys.of("job-name", "network").values()
    ]


class KeyedHash(NamedTuple):
    """HMAC-SHA256 under one key: SHA-256 of its two blocks, each to be gone on with."""

    inner: "hashlib._Hash"
    outer: "hashlib._Hash"


def keyed(key: bytes) -> KeyedHash:
    """
    Return HMAC-SHA256 set up with *key*, of at most 64 bytes.

    Source: RFC 2104, section 4: the blocks made of the key are hashed but once.
    """
    block = key.ljust(BLOCK_BYTES, b"\0")
    inner, outer = block.translate(_INNER_PAD), block.translate(_OUTER_PAD)
    return KeyedHash(hashlib.sha256(inner), hashlib.sha256(outer))


def digest_under(key: KeyedHash, message: bytes) -> bytes:
    """Return HMAC-SHA256 of *message* under a key that is set up: 32 bytes."""
    inner, outer = key.inner.copy(), key.outer.copy()
    inner.update(message)
    outer.update(inner.digest())
    return outer.digest()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class KeyRing:
    """
    The master keys of a network by version; derived keys are kept once made.

    New names are made under the *current* version. The other versions are active too: a
    look-up tries them, so that what an older key named is still found.
    """

    network: str
    current: int
    masters: Mapping[int, bytes] = field(repr=False)
    _derived: dict[tuple[Purpose, str], dict[int, KeyedHash]] = field(
        init=False, repr=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        if self.current not in self.masters:
            msg = "The current key version is not on the ring"
            raise ValueError(msg)
        if any(len(master) != KEY_BYTES for master in self.masters.values()):
            msg = f"A master key has {KEY_BYTES} bytes"
            raise ValueError(msg)

    @property
    def versions(self) -> tuple[int, ...]:
        """Return the versions of the ring, the current one first."""
        others = sorted(self.masters.keys() - {self.current}, reverse=True)
        return self.current, *others

    def of(self, purpose: Purpose, scope: str) -> dict[int, KeyedHash]:
        """Return the keys of a purpose and scope by version, the current one first."""
        keys = self._derived.get((purpose, scope))
        if keys is None:
            keys = self._derived[purpose, scope] = {
                version: self._derive(purpose, scope, version)
                for version in self.versions
            }
        return keys

    def _derive(self, purpose: Purpose, scope: str, version: int) -> KeyedHash:
        info = _encode(["catchment", self.network, scope, purpose, version])
        return keyed(derived_key(self.masters[version], info))


def id_aliases(
    type_: RecordType, resource_id: str, *, keys: KeyRing, source: Source
) -> tuple[Alias, ...]:
    """Return what a source's own id is known by, under each key version."""
    scope = f"source/{source.source_id}"
    message = _encode([type_, scope, resource_id])
    return _aliases(AliasKind.ID, message, keys.of("id", scope))


def identifier_aliases(
    type_: RecordType, system: str, value: str, *, keys: KeyRing, source: Source
) -> tuple[Alias, ...]:
    """Return what an identifier unique in the clinic is known by, likewise."""
    scope = f"clinic/{source.clinic_id}"
    message = _encode([type_, scope, system, value])
    return _aliases(AliasKind.IDENTIFIER, message, keys.of("identifier", scope))


def hub_id_aliases(record_id: int, *, keys: KeyRing) -> tuple[Alias, ...]:
    """Return by what an erased record's hub id is known, under each key version."""
    return _aliases(AliasKind.ID, _encode([record_id]), keys.of("id", "hub"))


def content_digests(
    canonical: bytes, *, keys: KeyRing, source: Source
) -> tuple[Alias, ...]:
    """Return the keyed digests of a resource's content, its references apart."""
    scope = f"source/{source.source_id}"
    return _aliases(AliasKind.DIGEST, canonical, keys.of("digest", scope))


def digest_aliases(
    digests: tuple[Alias, ...], *, subject: int | None, encounter: int | None
) -> tuple[Alias, ...]:
    """Return content digests joined with the records that the references meant."""
    return tuple(
        Alias(
            digest_about(digest.key, subject=subject, encounter=encounter),
            digest.kind,
            digest.key_version,
        )
        for digest in digests
    )


def digest_about(
    content: bytes, *, subject: int | None, encounter: int | None
) -> bytes:
    """Return a content digest joined with the records that the references meant."""
    records = _encode([subject, encounter])
    return hashlib.sha256(content + records).digest()[:ALIAS_BYTES]


def block_key(alias: bytes) -> bytes:
    """
    Return by what an erased name is refused: a digest of its keyed alias.

    Without the key it can't be made from a name, and it equals no alias, so nothing
    that was stored of the person is stored on.
    """
    return hashlib.sha256(b"block" + alias).digest()[:ALIAS_BYTES]


def names_of(aliases: Sequence[Alias]) -> tuple[tuple[Alias, ...], ...]:
    """
    Return *aliases* by the name that they are of, each under every key version.

    Takes the aliases of one kind in the order of a record's: the names come in the same
    order under each version.
    """
    versions: dict[int, list[Alias]] = {}
    for alias in aliases:
        versions.setdefault(alias.key_version, []).append(alias)
    return tuple(zip(*versions.values(), strict=True))


def local_codings(
    system: str | None, code: str, *, keys: KeyRing, source: Source
) -> tuple[Coding, ...]:
    """Return a local code as a keyed hash, under each key version."""
    message = _encode([system, code])
    hashing = keys.of("local-code", f"source/{source.source_id}")
    return tuple(Coding(LOCAL, _letters(message, key)) for key in hashing.values())


def ward_name(type_: WardType, reference: Sequence[str], *, scope: str) -> bytes:
    """Return a Group or Location as one message, to be hashed; it is PHI as it is."""
    return _encode([type_, scope, *reference])


def ward_keys(name: bytes, *, keys: KeyRing) -> tuple[str, ...]:
    """Return a ward's name as a keyed hash, under each key version."""
    return tuple(_letters(name, key) for key in keys.of("ward", "network").values())


def fingerprints(keys: KeyRing) -> dict[int, bytes]:
    """
    Return by what each key of the ring is told from others, by its version.

    Under another network's name it is another key, as it is for every name.
    """
    return {
        version: digest_under(key, b"")[:ALIAS_BYTES]
        for version, key in keys.of("fingerprint", "network").items()
    }


def report_aliases(
    measure: str, month: int, ward: bytes, *, keys: KeyRing, source: Source
) -> tuple[Alias, ...]:
    """Return what a clinic's report of a measure, month and ward is known by."""
    scope = f"clinic/{source.clinic_id}"
    message = _encode([scope, measure, month]) + ward
    return _aliases(AliasKind.REPORT, message, keys.of("identifier", scope))


def _letters(message: bytes, key: KeyedHash) -> str:
    encoded = base64.b32encode(digest_under(key, message)).decode()
    return encoded[:LOCAL_CODE_LETTERS]


def _aliases(
    kind: AliasKind, message: bytes, keys: dict[int, KeyedHash]
) -> tuple[Alias, ...]:
    """Return the alias of *message* under each key."""
    return tuple(
        [
            Alias(digest_under(key, message)[:ALIAS_BYTES], kind, version)
            for version, key in keys.items()
        ]
    )
