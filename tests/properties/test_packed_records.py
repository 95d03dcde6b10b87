"""A de-identified record comes out of its packed form as it went in."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.deid.pseudonyms import KeyRing
from app.domain.records import (
    AliasTarget,
    DeidentifiedRecord,
    EntryTarget,
    HubTarget,
    RecordType,
)
from tests.api.test_summaries import report, ward
from tests.deidentification import (
    KEYS,
    deidentified,
    encounter,
    linking,
    observation,
    patient,
)
from tests.fuzz.built_resources import BUILT

ENTRIES = {"urn:uuid:00000000-0000-4000-8000-000000000001": 2}
TURNED = KeyRing(network="test", current=2, masters={1: b"\x01" * 32, 2: b"\x02" * 32})
LINKED = patient(
    link=[
        {"other": {"reference": "Patient/p0"}, "type": "replaces"},
        {"other": {"reference": "Patient/hub-9"}, "type": "replaced-by"},
    ],
    birthDate="2010-05-06",
    gender="female",
    name=[{"family": "Doe", "given": ["Jane"]}],
)
ENCODE = msgspec.msgpack.Encoder().encode
DECODE = msgspec.msgpack.Decoder(DeidentifiedRecord).decode


@given(st.one_of(*BUILT.values()), st.sampled_from([KEYS, TURNED]), st.booleans())
def test_any_record_is_packed_and_unpacked(resource: dict[str, Any], keys, is_linking):
    """What waits in the store between two steps of a job is all there is of it."""
    under = linking(is_on=is_linking)
    record = deidentified(resource, keys=keys, entries=ENTRIES, under=under)

    assert DECODE(ENCODE(record)) == record


@pytest.mark.parametrize(
    "resource",
    [ward(), ward(valueQuantity={"value": 1.5, "unit": "d"}), report(1, 2), LINKED],
    ids=["an event", "a number", "a report", "a patient with links"],
)
@pytest.mark.parametrize("keys", [KEYS, TURNED], ids=["one key", "two keys"])
def test_what_is_rarely_sent_is_packed_too(resource: dict[str, Any], keys: KeyRing):
    """Numbers of nobody known, and what a turned key or linkage adds."""
    record = deidentified(resource, keys=keys, under=linking())

    assert DECODE(ENCODE(record)) == record


@pytest.mark.parametrize(
    ("reference", "kind"),
    [
        ("Patient/p1", AliasTarget),
        ("Patient/hub-12", HubTarget),
        (next(iter(ENTRIES)), EntryTarget),
    ],
)
def test_each_kind_of_reference_is_told_from_the_others(reference: str, kind: type):
    """One read as another would give a record to somebody else."""
    record = deidentified(encounter(subject={"reference": reference}), entries=ENTRIES)

    unpacked = DECODE(ENCODE(record))

    assert type(unpacked.subject) is kind
    assert unpacked.subject == record.subject


def test_numbers_and_words_come_out_as_the_types_that_they_were():
    """A type that is only equal, as 3 is to OBSERVATION, has no name in FHIR."""
    record = deidentified(observation(effectiveDateTime="2024-05-06"))

    unpacked = DECODE(ENCODE(record))

    assert type(unpacked.type) is RecordType
    assert repr(unpacked) == repr(record)
