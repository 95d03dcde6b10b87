"""Keyed names: HKDF and HMAC as published, and which names differ."""

import hmac
import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.deid.pseudonyms import (
    KeyRing,
    content_digests,
    derived_key,
    digest_aliases,
    digest_under,
    id_aliases,
    identifier_aliases,
    keyed,
    local_codings,
)
from app.domain.records import AliasKind, AliasTarget, RecordType
from tests.deidentification import KEYS, MRN, SOURCE, deidentified, observation, source

OLD, NEW = b"\x01" * 32, b"\x02" * 32


def test_derived_keys_are_hkdf_sha256_without_salt():
    """RFC 5869, test case 3; its 42 bytes begin with our 32."""
    assert derived_key(b"\x0b" * 22, b"").hex() == (
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
    )


def test_names_are_hmac_sha256(shared):
    """The values that other tools' tests give for their keys and messages."""
    vectors = json.loads((shared / "golden/deid/vectors/vectors.json").read_text())

    for case in vectors["hmac_sha256"]:
        key = (
            bytes.fromhex(case["key_hex"])
            if "key_hex" in case
            else case["key_utf8"].encode()
        )
        digest = digest_under(keyed(key), case["message"].encode()).hex()
        assert digest[: len(case["hex"])] == case["hex"]


@given(st.binary(max_size=64), st.binary(max_size=200))
def test_any_message_under_any_key_has_its_hmac(key: bytes, message: bytes):
    """As the standard library makes it; a key that is set up serves many messages."""
    set_up = keyed(key)

    for each in (message, b"", message + b"!"):
        assert digest_under(set_up, each) == hmac.digest(key, each, sha256)


def test_an_alias_is_what_its_definition_says():
    """Worked with the standard library's own HMAC, step by step."""
    info = b'["catchment","test","source/7","id",1]'
    prk = hmac.digest(bytes(32), b"\x01" * 32, sha256)
    key = hmac.digest(prk, info + b"\x01", sha256)
    name = hmac.digest(key, b'[1,"source/7","p1"]', sha256)[:20]

    (alias,) = id_aliases(RecordType.PATIENT, "p1", keys=KEYS, source=SOURCE)

    assert (alias.key, alias.kind, alias.key_version) == (name, AliasKind.ID, 1)


def test_ids_are_scoped_to_type_source_and_network():
    """Two systems' Patient/123 never meet, nor do Patient/123 and Encounter/123."""
    other = KeyRing(network="other", current=1, masters=KEYS.masters)

    names = [
        id_aliases(RecordType.PATIENT, "123", keys=KEYS, source=SOURCE),
        id_aliases(RecordType.ENCOUNTER, "123", keys=KEYS, source=SOURCE),
        id_aliases(RecordType.PATIENT, "124", keys=KEYS, source=SOURCE),
        id_aliases(RecordType.PATIENT, "123", keys=KEYS, source=source(source_id=8)),
        id_aliases(RecordType.PATIENT, "123", keys=other, source=SOURCE),
        identifier_aliases(RecordType.PATIENT, MRN, "123", keys=KEYS, source=SOURCE),
    ]

    assert len({alias.key for (alias,) in names}) == len(names)


def test_identifiers_are_scoped_to_the_clinic():
    """An EHR and a lab of one clinic share its record numbers; two clinics do not."""

    def name(system: str, value: str, **changes) -> bytes:
        by = source(**changes)
        (alias,) = identifier_aliases(
            RecordType.PATIENT, system, value, keys=KEYS, source=by
        )
        return alias.key

    assert name(MRN, "1", source_id=8) == name(MRN, "1")
    assert name(MRN, "1", clinic_id=4) != name(MRN, "1")
    assert name("a", "bc") != name("ab", "c")


def test_after_a_rotation_every_active_version_is_named_the_current_one_first():
    """A look-up by the old name must find what was stored before."""
    rotated = KeyRing(network="test", current=2, masters={1: OLD, 2: NEW})

    record = deidentified(observation(id="o1"), keys=rotated)
    before = deidentified(observation(id="o1"))

    assert [alias.key_version for alias in record.aliases] == [2, 1]
    assert record.aliases[1] == before.aliases[0]
    assert isinstance(record.subject, AliasTarget)
    assert record.subject.aliases[1:] == before.subject.aliases
    assert record.content_digests[1:] == before.content_digests
    hashes = local_codings(None, "HB", keys=rotated, source=SOURCE)
    assert hashes[1:] == local_codings(None, "HB", keys=KEYS, source=SOURCE)


def test_a_digest_is_joined_with_the_records_that_were_meant():
    """The same content about another subject, or at another visit, is another."""
    digests = content_digests(b"{}", keys=KEYS, source=SOURCE)

    names = {
        digest_aliases(digests, subject=subject, encounter=encounter)
        for subject, encounter in [(1, 2), (2, 1), (1, None), (None, 1), (12, None)]
    }

    assert len(names) == 5
    ((alias,), *_) = names
    assert (alias.kind, len(alias.key)) == (AliasKind.DIGEST, 20)


def test_no_key_is_ever_shown():
    """Not by the ring's repr, nor by an error about it."""
    KEYS.of("id", "source/7")

    assert repr(KEYS) == "KeyRing(network='test', current=1)"
    with pytest.raises(ValueError, match="32 bytes") as refusal:
        KeyRing(network="test", current=1, masters={1: b"secret"})
    assert "secret" not in str(refusal.value)
    with pytest.raises(ValueError, match="version"):
        KeyRing(network="test", current=2, masters={1: OLD})
