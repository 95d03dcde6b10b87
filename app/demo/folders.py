"""A folder of FHIR files, dealt to clinics as requests, patient by patient."""

import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from app.demo.deliveries import Delivery, Json, bundle_delivery, whole_bundle
from app.demo.files import Note, folder_contents, is_kept

LINES_A_BATCH = 200
PATIENT_REFERENCE = re.compile(r"(?:urn:uuid:|(?:.*/)?Patient/)([^/?#]+)")
PATIENT_CRITERION = re.compile(r"Patient\?identifier=(.+)")
SUBJECT_ELEMENTS = ("subject", "patient", "beneficiary")


class Dealt(msgspec.Struct, frozen=True):
    """A request and the position, from 0, of the clinic that makes it."""

    clinic: int
    delivery: Delivery


def folder_deliveries(folder: Path, *, clinics: int) -> Iterator[Dealt | Note]:
    """
    Yield the requests that send a folder's FHIR files, and notes on what is not sent.

    NDJSON, Bundles and single resources are read, gzipped or not, nested or not, in
    the order of their paths. All that names a patient goes to one clinic, by a stable
    hash of the patient's id; a subject given by identifier alone goes by that.

    A transaction goes whole, to the clinic of the first patient in it. The entries of
    any other Bundle go each to its patient's clinic. Resources outside Bundles are put
    under their ids (created, where they have none) in batches of up to 200, unless a
    hub keeps nothing of their type. What names no patient goes to the first clinic, or
    with the first patient of its Bundle.

    Memory is that of the largest JSON file, and of a batch for each clinic.
    """
    waiting: list[list[Json]] = [[] for _ in range(clinics)]
    for found in folder_contents(folder):
        if isinstance(found, Note):
            yield found
        elif found["resourceType"] == "Bundle":
            yield from _deal_bundle(found, clinics)
        else:
            clinic = _clinic(_patient_key(found, {}), clinics)
            waiting[clinic].append(_lone_entry(found))
            if len(waiting[clinic]) == LINES_A_BATCH:
                yield Dealt(clinic, bundle_delivery("batch", waiting[clinic]))
                waiting[clinic] = []
    for clinic, entries in enumerate(waiting):
        if entries:
            yield Dealt(clinic, bundle_delivery("batch", entries))


def _deal_bundle(bundle: Json, clinics: int) -> Iterator[Dealt]:
    keys = _entry_keys(bundle["entry"])
    first = next((key for key in keys if key is not None), None)
    if bundle.get("type") == "transaction":
        yield Dealt(_clinic(first, clinics), whole_bundle(bundle))
        return
    shares: dict[int, list[Json]] = {}
    for entry, key in zip(bundle["entry"], keys, strict=True):
        shares.setdefault(_clinic(key or first, clinics), []).append(entry)
    for clinic, entries in sorted(shares.items()):
        delivery = _share(bundle, entries)
        if delivery.resource_count:
            yield Dealt(clinic, delivery)


def _share(bundle: Json, entries: list[Json]) -> Delivery:
    """Return one clinic's entries; what was no batch, like a search, becomes one."""
    if bundle.get("type") == "batch":
        return whole_bundle({**bundle, "entry": entries})
    kept = [entry for entry in entries if is_kept(entry.get("resource"))]
    return bundle_delivery("batch", [_located(entry) for entry in kept])


def _located(entry: Json) -> Json:
    """Return the entry of a Bundle that asked for nothing as one that asks."""
    lone = _lone_entry(entry["resource"])
    return {"fullUrl": entry["fullUrl"], **lone} if "fullUrl" in entry else lone


def _lone_entry(resource: Json) -> Json:
    resource_type = resource["resourceType"]
    if "id" not in resource:
        request = {"method": "POST", "url": resource_type}
    else:
        request = {"method": "PUT", "url": f"{resource_type}/{resource['id']}"}
    return {"resource": resource, "request": request}


def _entry_keys(entries: list[Json]) -> list[str | None]:
    """Return whom each entry is about."""
    names = _names(entries)
    return [
        _patient_key(entry.get("resource"), names)
        or names.get(str(entry.get("fullUrl")))
        for entry in entries
    ]


def _names(entries: list[Json]) -> dict[str, str]:
    """Return by fullUrl the Patients of a Bundle, which may be referred to by it."""
    names = {}
    for entry in entries:
        full_url, resource = entry.get("fullUrl"), entry.get("resource")
        if isinstance(full_url, str) and _is_patient(resource):
            key = _patient_key(resource, {}) or _referenced(full_url)
            if key is not None:
                names[full_url] = key
    return names


def _is_patient(resource: object) -> bool:
    return isinstance(resource, dict) and resource.get("resourceType") == "Patient"


def _patient_key(resource: object, names: Mapping[str, str]) -> str | None:
    """Return what the patient of a resource is dealt by: an id, or an identifier."""
    if not isinstance(resource, dict):
        return None
    if _is_patient(resource):
        own_id = resource.get("id")
        return own_id if isinstance(own_id, str) else None
    for element in SUBJECT_ELEMENTS:
        subject = resource.get(element)
        if isinstance(subject, dict):
            return _subject_key(subject, names)
    return None


def _subject_key(subject: Json, names: Mapping[str, str]) -> str | None:
    reference, identifier = subject.get("reference"), subject.get("identifier")
    if isinstance(reference, str):
        return names.get(reference) or _referenced(reference)
    if isinstance(identifier, dict):
        return f"{identifier.get('system')}|{identifier.get('value')}"
    return None


def _referenced(reference: str) -> str | None:
    match = PATIENT_REFERENCE.match(reference) or PATIENT_CRITERION.match(reference)
    return match[1] if match else None


def _clinic(key: str | None, clinics: int) -> int:
    return 0 if key is None else zlib.crc32(key.encode()) % clinics
