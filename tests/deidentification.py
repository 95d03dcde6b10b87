"""Resources, a source, keys and a policy for the tests of de-identification."""

from pathlib import Path
from typing import Any

import msgspec

from app.deid.policies import Policy, PolicyText, ReportedMeasure, parse_policy
from app.deid.pseudonyms import KeyRing
from app.deid.records import deidentify
from app.domain.clinics import Source
from app.fhir.parsing import parse_resource

ROOT = Path(__file__).parent.parent
MRN = "http://clinic.example/mrn"
BASE = "https://ehr.example/fhir"

SOURCE = Source(
    source_id=7,
    clinic_id=3,
    base_urls=(BASE,),
    identifier_systems=frozenset({MRN}),
    time_zone="America/New_York",
)
KEYS = KeyRing(network="test", current=1, masters={1: b"\x01" * 32})
POLICY_TEXT = (ROOT / "app/deid/limited_data_set.toml").read_text()
REPORTED = ReportedMeasure("https://hub.example/fhir", "1.0.0", is_proportion=False)
NOON = 1_800_000_000_000
"""15 January 2027."""


def policy(text: str = POLICY_TEXT, **rules: str) -> Policy:
    """Return the policy of a text; *rules* are files by name without ``.json``."""
    stated = PolicyText(
        origin="policy.toml",
        text=text,
        rules={f"{name}.json": of for name, of in rules.items()},
    )
    return parse_policy(
        stated, network_codes=("pucai-total",), reported={"clabsi-rate": REPORTED}
    )


def built_in(name: str) -> Policy:
    """Return a policy that comes with the hub."""
    return policy((ROOT / f"app/deid/{name}.toml").read_text())


POLICY = policy()


def linking(of: Policy = POLICY, *, is_on: bool = True) -> Policy:
    """Return a policy that allows linkage, or no longer does."""
    terms = msgspec.structs.replace(of.terms, linkage=is_on)
    return msgspec.structs.replace(of, terms=terms)


def source(**changes: Any) -> Source:
    return msgspec.structs.replace(SOURCE, **changes)


def concept(system: str | None, code: str) -> dict:
    coding = {"code": code} if system is None else {"system": system, "code": code}
    return {"coding": [coding]}


def observation(**elements: Any) -> dict:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": concept("http://loinc.org", "8480-6"),
        "subject": {"reference": "Patient/p1"},
    } | elements


def condition(**elements: Any) -> dict:
    return {
        "resourceType": "Condition",
        "code": concept("http://snomed.info/sct", "34000006"),
        "subject": {"reference": "Patient/p1"},
    } | elements


def encounter(**elements: Any) -> dict:
    return {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "code": "AMB",
        },
        "subject": {"reference": "Patient/p1"},
    } | elements


def patient(**elements: Any) -> dict:
    return {"resourceType": "Patient"} | elements


def deidentified(
    resource: dict,
    *,
    by: Source = SOURCE,
    keys: KeyRing = KEYS,
    entries: dict[str, int] | None = None,
    ids: tuple[str, ...] = (),
    under: Policy = POLICY,
) -> Any:
    """Return a DeidentifiedRecord; Any, since each test knows what its content is."""
    identified = parse_resource(resource, source=by, ids=ids)
    return deidentify(
        identified,
        policy=under,
        keys=keys,
        source=by,
        entries=entries or {},
        received_at=NOON,
    )
