"""A folder of FHIR files goes to the clinics patient by patient."""

import gzip
import json
import tracemalloc
from collections import defaultdict, deque
from pathlib import Path

import pytest

from app.demo.deliveries import Json
from app.demo.files import Note
from app.demo.folders import Dealt, folder_deliveries

SECRET = "Zanzibar"


def dealt(folder: Path, *, clinics: int = 1) -> tuple[list[Dealt], list[Note]]:
    found = list(folder_deliveries(folder, clinics=clinics))
    notes = [each for each in found if isinstance(each, Note)]
    return [each for each in found if isinstance(each, Dealt)], notes


def observation(key: str, subject: Json) -> Json:
    return {"resourceType": "Observation", "id": key, "subject": subject}


def referring(reference: str) -> Json:
    return {"reference": reference}


def bundle(bundle_type: str, *resources: Json) -> Json:
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": bundle_type, "entry": entries}


def write_lines(path: Path, *resources: Json) -> None:
    path.write_text("".join(json.dumps(resource) + "\n" for resource in resources))


def entries(found: list[Dealt]) -> list[tuple[int, Json]]:
    return [
        (each.clinic, entry) for each in found for entry in each.delivery.body["entry"]
    ]


def test_whole_patients_stay_together(shared: Path):
    """123 patients of NDJSON files and their transactions, dealt to twelve clinics."""
    clinics_of = defaultdict(set)
    resource_counts: dict[str, int] = defaultdict(int)

    found, notes = dealt(shared / "data" / "synthea_2019", clinics=12)

    for clinic, entry in entries(found):
        resource = entry["resource"]
        resource_counts[resource["resourceType"]] += 1
        subject = resource.get("subject") or resource.get("patient")
        if resource["resourceType"] == "Patient":
            clinics_of[resource["id"]].add(clinic)
        elif subject:
            clinics_of[subject["reference"].removeprefix("urn:uuid:")].add(clinic)
    assert not notes
    assert resource_counts["Observation"] > 19_493
    assert len(clinics_of) == 123
    assert all(len(clinics) == 1 for clinics in clinics_of.values())
    assert set.union(*clinics_of.values()) == set(range(12))


def test_lines_become_updates_in_batches_of_two_hundred(tmp_path: Path):
    """450 lines of two files are 200, 200 and 50; the ids are kept."""
    for part, numbers in (("a", range(300)), ("b", range(300, 450))):
        write_lines(
            tmp_path / f"{part}.ndjson",
            *(observation(f"o-{n}", referring("Patient/p-1")) for n in numbers),
        )

    found, _ = dealt(tmp_path)

    assert [each.delivery.resource_count for each in found] == [200, 200, 50]
    assert {(each.delivery.method, each.delivery.path) for each in found} == {
        ("POST", "")
    }
    assert [entry["request"] for _, entry in entries(found)] == [
        {"method": "PUT", "url": f"Observation/o-{n}"} for n in range(450)
    ]


def test_a_longer_file_takes_no_more_memory(tmp_path: Path):
    """Lines are read as they are sent: ten times the lines, the same peak."""

    def peak(lines: int) -> int:
        folder = tmp_path / str(lines)
        folder.mkdir()
        line = observation("o-1", referring("Patient/p-1"))
        write_lines(folder / "all.ndjson", *[line] * lines)
        tracemalloc.start()
        deque(folder_deliveries(folder, clinics=3), maxlen=0)
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    assert peak(10_000) < 1.2 * peak(1_000)


def test_transactions_go_as_they_are(shared: Path):
    """Claims and all: what a hub does with them is not the sender's business."""
    folder = shared / "data" / "synthea_2019" / "bundles"
    files = sorted(folder.iterdir())

    found, _ = dealt(folder, clinics=3)

    sent = [each.delivery.body for each in found]
    assert sent == [json.loads(gzip.decompress(file.read_bytes())) for file in files]


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/p-7",
        "Patient/p-7/_history/2",
        "urn:uuid:p-7",
        "https://fhir.mill-river.example/r4/Patient/p-7",
    ],
)
def test_every_form_of_reference_follows_the_patient(tmp_path: Path, reference: str):
    """With a thousand clinics, no form gets to the right one by chance."""
    write_lines(
        tmp_path / "all.ndjson",
        {"resourceType": "Patient", "id": "p-7"},
        observation("o-1", referring(reference)),
    )

    found, _ = dealt(tmp_path, clinics=1000)

    assert [each.delivery.resource_count for each in found] == [2]
    assert found[0].clinic != 0


def test_a_logical_and_a_conditional_reference_meet(tmp_path: Path):
    """Both name the same identifier."""
    identifier = {"system": "https://x.example/mrn", "value": "12"}
    criterion = "Patient?identifier=https://x.example/mrn|12"
    write_lines(
        tmp_path / "all.ndjson",
        observation("o-1", {"identifier": identifier}),
        observation("o-2", referring(criterion)),
    )

    found, _ = dealt(tmp_path, clinics=1000)

    assert [each.delivery.resource_count for each in found] == [2]


def test_a_search_result_is_sent_as_batches_of_its_patients(tmp_path: Path):
    """A searchset asks for nothing, so each entry is made an update."""
    found_by_search = bundle(
        "searchset",
        *(observation(f"o-{n}", referring(f"Patient/p-{n}")) for n in range(20)),
        {"resourceType": "OperationOutcome", "issue": []},
    )
    (tmp_path / "page.json").write_text(json.dumps(found_by_search))

    found, _ = dealt(tmp_path, clinics=4)

    sent = {entry["resource"]["id"]: entry["request"] for _, entry in entries(found)}
    assert sent == {
        f"o-{n}": {"method": "PUT", "url": f"Observation/o-{n}"} for n in range(20)
    }
    assert {each.delivery.body["type"] for each in found} == {"batch"}
    assert len(found) > 1


def test_a_full_url_names_a_patient_whose_id_is_another(tmp_path: Path):
    """Entries refer to the fullUrl, lines elsewhere to the id: one patient, though."""
    url = "urn:uuid:5e2c5d1c-3d25-4a3a-9d8b-0d1c1c9d0e11"
    batch = bundle(
        "batch",
        {"resourceType": "Patient", "id": "p-7"},
        observation("o-1", referring(url)),
        {"resourceType": "Practitioner", "id": "dr-1"},
    )
    batch["entry"][0]["fullUrl"] = url
    (tmp_path / "a.json").write_text(json.dumps(batch))
    write_lines(tmp_path / "b.ndjson", observation("o-2", referring("Patient/p-7")))

    found, _ = dealt(tmp_path, clinics=1000)

    assert found[0].delivery.body == batch
    assert len({each.clinic for each in found}) == 1


def test_a_resource_without_id_is_created(tmp_path: Path):
    """There is no URL to put it under."""
    write_lines(tmp_path / "all.ndjson", {"resourceType": "Condition"})

    found, _ = dealt(tmp_path)

    ((_, entry),) = entries(found)
    assert entry["request"] == {"method": "POST", "url": "Condition"}


def test_what_cannot_be_sent_is_named_by_place_and_never_quoted(tmp_path: Path):
    """A line that is not JSON may hold anyone's name."""
    (tmp_path / "nested").mkdir()
    lines = [
        b"\xef\xbb\xbf" + json.dumps(observation("o-1", {})).encode(),
        f'{{"resourceType": "Patient", "id": "{SECRET}'.encode(),
        b"",
        json.dumps([SECRET]).encode(),
        json.dumps({"resourceType": "Patient", "id": f"{SECRET}/x"}).encode(),
        json.dumps({"resourceType": "Claim", "id": SECRET}).encode(),
        json.dumps({"resourceType": "Bundle", "entry": [SECRET]}).encode(),
        json.dumps({"resourceType": "Bundle", "id": SECRET}).encode(),
    ]
    with gzip.open(tmp_path / "nested" / "all.ndjson.gz", "wb") as file:
        file.write(b"\n".join(lines))
    (tmp_path / "notes.txt").write_text(SECRET)
    (tmp_path / "broken.ndjson.gz").write_bytes(b"\x1f\x8b" + SECRET.encode())

    found, notes = dealt(tmp_path)

    assert [entry["resource"]["id"] for _, entry in entries(found)] == ["o-1"]
    assert [(note.file, note.line) for note in notes] == [
        ("broken.ndjson.gz", None),
        ("nested/all.ndjson.gz", 2),
        ("nested/all.ndjson.gz", 4),
        ("nested/all.ndjson.gz", 5),
        ("nested/all.ndjson.gz", 7),
        ("nested/all.ndjson.gz", 8),
        ("nested/all.ndjson.gz", None),
        ("notes.txt", None),
    ]
    assert SECRET not in str(notes)


def test_real_quirks_and_invalid_files_stop_nothing(shared: Path):
    """Whatever stands in a file, the rest of the folder is sent."""
    for folder in ("ehr_quirks", "invalid", "hl7_r4_examples"):
        found, _ = dealt(shared / "data" / folder, clinics=5)

        assert sum(each.delivery.resource_count for each in found) > 100
