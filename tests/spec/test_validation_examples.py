"""The verdict on other people's FHIR: as fhir.resources', or stricter for a reason."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import MalformedError
from app.fhir.json_documents import BYTE_ORDER_MARK, read_json
from app.fhir.validation import validate
from tests.reference.r4b_models import KEPT, REACHED, issues_of, models_refuse

LIMIT = 10_000_000
VALID = "hl7_r4_examples/fhir-test-cases-valid"
INVALID = "invalid/fhir-test-cases"

STRICTER = {
    f"{INVALID}/bundle-enrl.json": "Reference.type names a type R4 does not have",
    f"{INVALID}/bundle-sig-2.json": "meta is null",
    f"{INVALID}/contained-resource.json": "an id of 65 characters",
    f"{INVALID}/mni-patientOverview-bundle-example1b.json": "an element id twice",
    f"{INVALID}/pat-security-bad-xhtml.json": "a script in the narrative",
    f"{INVALID}/patient-id-bad-3.json": "an id of 115 characters",
    f"{VALID}/contained-resource.json": "an id of 65 characters",
    f"{VALID}/shc-bundle.json": "a byte order mark",
    "hl7_r4_examples/r4_4.0.1/Observation-clinical-gender.json": (
        "an Encounter as performer"
    ),
    "hl7_r4_examples/r4_4.0.1/Observation-decimal.json": (
        "19 and 246 digits before the point"
    ),
    "invalid/ms-fhir-server/Bundle-InvalidBundleType.json": "an invented Bundle.type",
    "invalid/ms-fhir-server/Bundle-MissingIdentifier.json": "a byte order mark",
    "invalid/ms-fhir-server/Bundle-TransactionWithInvalidResourceType.json": (
        "a byte order mark"
    ),
    "invalid/ms-fhir-server/ObservationWithInvalidDecimalSpecification.json": (
        "a byte order mark"
    ),
}

NOT_HELD_TO = {
    "PulseOxBundle_25Oct2022.json": "a profile's rule",
    "bundle-duplicate-ids-not.json": "links of a search result",
    "bundle-ea-testcase.json": "resources that are not kept",
    "bundle-id-search-2.json": "links of a search result",
    "bundle-id-search-3.json": "ids in a search result",
    "bundle-id-search-4.json": "ids in a search result",
    "bundle-urn.json": "whether a document holds together",
    "ips-htmlrefs-backwards.json": "whether a document holds together",
    "ips-htmlrefs-forwards.json": "a narrative that is not kept",
    "pat-security-bad-string.json": "a setting of that validator, no rule of FHIR",
    "patient-ig-bad.json": "a profile's rule",
    "signatures/example-2.json": "whether a signature is genuine",
}


def documents(shared: Path, folder: str) -> Iterator[tuple[str, bytes]]:
    data = shared / "data"
    for path in sorted((data / folder).rglob("*.json")):
        if path.parent not in {data / "invalid", data / "hl7_r4_examples"}:
            yield str(path.relative_to(data)), path.read_bytes()


def we_refuse(body: bytes) -> bool:
    try:
        return bool(issues_of(read_json(body, max_bytes=LIMIT)))
    except MalformedError:
        return True


def loosely_read(body: bytes) -> dict[str, Any]:
    """Return what Python's own reader makes of it, {} where it cannot."""
    try:
        document = json.loads(body.removeprefix(BYTE_ORDER_MARK))
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def test_every_verdict_is_that_of_the_models_or_stricter_for_a_reason(shared: Path):
    """Never laxer than fhir.resources; where stricter, the file is listed with why."""
    counts: Counter[str] = Counter()
    stricter = set()
    for folder in ("hl7_r4_examples", "invalid"):
        for name, body in documents(shared, folder):
            document = loosely_read(body)
            if document.get("resourceType") not in REACHED:
                counts["another type, or no JSON"] += 1
                continue
            refused, by_models = we_refuse(body), models_refuse(document)
            assert refused or not by_models, f"laxer: {name}"
            counts["refused" if refused else "accepted"] += 1
            if refused and not by_models:
                stricter.add(name)

    assert stricter == set(STRICTER)
    assert counts == {"accepted": 420, "refused": 30, "another type, or no JSON": 55}


def test_structural_errors_that_the_reference_validator_finds_are_refused(shared: Path):
    """25 of its 37 JSON cases; the rest are about what a profile or a document asks."""
    cases = json.loads((shared / "data" / f"{INVALID}.json").read_bytes())
    structural = [
        case["file"]
        for case in cases
        if case["format"] == "json" and "structure" in case["categories"]
    ]

    accepted = {
        name
        for name in structural
        if not we_refuse((shared / "data" / INVALID / name).read_bytes())
    }

    assert len(structural) == 37
    assert accepted == set(NOT_HELD_TO)


@pytest.mark.parametrize(
    ("name", "expression"),
    [
        ("Bundle-BatchWithInvalidEleEnums", "Bundle.entry[0].resource"),
        ("Bundle-InvalidBundleType", "Bundle.type"),
        (
            "Bundle-TransactionWithInvalidResourceType",
            "Bundle.entry[0].resource.subject.reference",
        ),
        ("Bundle-TypeMissing", "Bundle.type"),
        ("InvalidObservation", "Observation.text"),
        (
            "ObservationWithInvalidDecimalSpecification",
            "Observation.value.ofType(Quantity).value",
        ),
        ("ObservationWithInvalidStatus", "Observation.status"),
        ("ObservationWithNoCode", "Observation.code"),
    ],
)
def test_a_bad_resource_is_found_bad_behind_its_byte_order_mark(
    shared: Path, name: str, expression: str
):
    """The mark is not the only thing wrong with these."""
    path = shared / "data/invalid/ms-fhir-server" / f"{name}.json"
    body = path.read_bytes().removeprefix(BYTE_ORDER_MARK)

    issues = issues_of(read_json(body, max_bytes=LIMIT))

    assert expression in {issue.expression for issue in issues}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("Patient", 123), ("Condition", 981), ("Encounter", 3837), ("Observation", 19493)],
)
def test_every_synthetic_record_is_accepted(shared: Path, kind: str, expected: int):
    """Another project's R4, whole patients' histories of it."""
    path = shared / "data/synthea_2019" / f"{kind}.ndjson.gz"
    lines = gzip.decompress(path.read_bytes()).splitlines()

    refused = [line for line in lines if validate(read_json(line, max_bytes=LIMIT))]

    assert refused == []
    assert len(lines) == expected


def test_whole_transaction_bundles_are_accepted(shared: Path):
    """With claims, procedures and medications in them, which are not looked into."""
    paths = sorted((shared / "data/synthea_2019/bundles").glob("*.json.gz"))
    bundles = [
        read_json(gzip.decompress(p.read_bytes()), max_bytes=LIMIT) for p in paths
    ]

    assert [issues_of(bundle) for bundle in bundles] == [()] * 12


@pytest.mark.parametrize("kind", ["Observation", "Condition"])
def test_a_sender_on_stu3_is_told_so_on_every_line_and_once(shared: Path, kind: str):
    """Wrong in one way a hundred times over: one and the same answer."""
    path = shared / "data/invalid/synthea-2019-stu3-shaped" / f"{kind}.ndjson"
    lines = path.read_bytes().splitlines()

    answers = {validate(read_json(line, max_bytes=LIMIT)) for line in lines}

    ((issue,),) = answers
    assert "looks like FHIR STU3" in issue.message
    assert len(lines) >= 100


def test_real_vendors_records_are_accepted_but_for_three(shared: Path):
    """The three name a terminology by a text with blanks, where FHIR wants a URI."""
    folder = shared / "data/ehr_quirks"
    bodies = [path.read_bytes() for path in sorted(folder.rglob("*.json"))]
    for path in sorted(folder.rglob("*.ndjson")):
        bodies += path.read_bytes().splitlines()
    resources = [read_json(body, max_bytes=LIMIT) for body in bodies]

    issues = [issue for r in resources for issue in validate(r)]

    assert Counter(r["resourceType"] in KEPT for r in resources) == {True: 149}
    assert [issue.expression.split(".")[-1] for issue in issues] == ["system"] * 3
