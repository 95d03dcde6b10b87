"""The synthetic network: valid, repeatable, and what was planted can be found."""

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from functools import cache
from itertools import pairwise
from math import log
from statistics import median
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.demo.deliveries import Delivery, Json
from app.demo.network import DemoClinic, DemoNetwork, demo_network
from app.domain.calendar import month_number

SEED, LAST_DAY = 1, date(2026, 6, 30)
RESULTS = {
    "75846-6": "physician",
    "75894-6": "patient",
    "active-joint-count": "joints",
}
LOW_DISEASE_ACTIVITY = {"M08.40": 4, "M08.3": 5}
REQUIRED_CODES = {
    ("Patient", "gender"): {"female", "male", "other", "unknown"},
    ("Encounter", "status"): {"finished"},
    ("Observation", "status"): {"final"},
    ("MedicationRequest", "status"): {"active"},
    ("MedicationRequest", "intent"): {"order"},
    ("Claim", "status"): {"active"},
    ("Claim", "use"): {"claim"},
}
DIGEST_PROGRAM = """
from tests.spec.test_demo_network import digest, demo_network, SEED, LAST_DAY
print(digest(demo_network(seed=SEED, last_day=LAST_DAY)))
"""


class ScoredVisit(NamedTuple):
    """A visit with a whole cJADAS10, and whether it found low disease activity."""

    month: int
    patient: str
    low: bool


@pytest.fixture(scope="module")
def network() -> DemoNetwork:
    return demo_network(seed=SEED, last_day=LAST_DAY)


@pytest.fixture(scope="module")
def scored(network: DemoNetwork) -> dict[str, list[ScoredVisit]]:
    visits = {clinic.slug: list(scored_visits(clinic)) for clinic in network.clinics}
    return {slug: found for slug, found in visits.items() if found}


def digest(network: DemoNetwork) -> str:
    """Return one digest of every byte that the network sends."""
    written = hashlib.sha256()
    for clinic in network.clinics:
        for delivery in sent(clinic):
            written.update(msgspec.json.encode(delivery))
    return written.hexdigest()


def entries(delivery: Delivery) -> list[Json]:
    return delivery.body["entry"] if delivery.path == "" else []


@cache
def sent(clinic: DemoClinic) -> list[Delivery]:
    return list(clinic.deliveries())


@cache
def resources(clinic: DemoClinic) -> list[Json]:
    return [
        entry["resource"]
        for delivery in sent(clinic)
        for entry in entries(delivery) or [{"resource": delivery.body}]
    ]


def local_day(clinic: DemoClinic, written: str) -> date:
    if "T" not in written:
        return date.fromisoformat(written)
    moment = datetime.fromisoformat(written)
    return moment.astimezone(ZoneInfo(clinic.time_zone)).date()


def patient_of(resource: Json) -> str:
    """Return the record number that all forms of a clinic's references share."""
    subject = resource["subject"]
    if "identifier" in subject:
        return str(subject["identifier"]["value"]).removeprefix("MRN")
    last = str(subject["reference"]).replace(":", "/").split("/")[-1]
    return last.removeprefix("pat-")


def codes(concept: Json) -> list[str]:
    return [coding["code"] for coding in concept["coding"]]


def scored_visits(clinic: DemoClinic) -> Iterator[ScoredVisit]:
    """Yield what a reader of the raw resources would score, codes and all."""
    limits: dict[str, int] = {}
    results: dict[tuple[str, date], dict[str, float]] = defaultdict(dict)
    for resource in resources(clinic):
        if resource["resourceType"] == "Condition":
            for code in codes(resource["code"]):
                dotted = code if "." in code else f"{code[:3]}.{code[3:]}"
                if dotted in LOW_DISEASE_ACTIVITY:
                    limits[patient_of(resource)] = LOW_DISEASE_ACTIVITY[dotted]
        if resource["resourceType"] == "Observation":
            day = local_day(clinic, resource["effectiveDateTime"])
            for part in resource.get("component", [resource]):
                name = RESULTS.get(codes(part["code"])[0])
                if name is not None:
                    value = part["valueQuantity"]["value"]
                    results[patient_of(resource), day][name] = value
    for (patient, day), found in results.items():
        if found.keys() == set(RESULTS.values()):
            score = found["physician"] + found["patient"] + min(found["joints"], 10)
            month = month_number(day.year, day.month)
            yield ScoredVisit(month, patient, score <= limits[patient])


def log_likelihood(visits: Iterable[ScoredVisit]) -> float:
    """Return that of independent visits with one proportion for all."""
    outcomes = Counter(visit.low for visit in visits)
    total = outcomes.total()
    return sum(n * log(n / total) for n in outcomes.values())


def likeliest_change(visits: list[ScoredVisit]) -> tuple[int, float]:
    """Return the month of the likeliest step and twice its log likelihood's gain."""
    months = sorted({visit.month for visit in visits})
    unchanged = log_likelihood(visits)

    def gain(month: int) -> float:
        before = log_likelihood(visit for visit in visits if visit.month < month)
        after = log_likelihood(visit for visit in visits if visit.month >= month)
        return 2 * (before + after - unchanged)

    best = max(months[3:-3], key=gain)
    return best, gain(best)


def people_seen(visits: list[ScoredVisit], *, months: int) -> float:
    """Return the median number of distinct patients in an interval of *months*."""
    seen = defaultdict(set)
    for visit in visits:
        seen[visit.month // months].add(visit.patient)
    return median(len(patients) for patients in seen.values())


def proportion(visits: Iterable[ScoredVisit]) -> float:
    outcomes = [visit.low for visit in visits]
    return sum(outcomes) / len(outcomes)


def test_the_same_seed_and_day_give_the_same_bytes(network: DemoNetwork):
    """In another process too, where sets and hashes come in another order."""
    again = subprocess.run(
        [sys.executable, "-c", DIGEST_PROGRAM],
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        capture_output=True,
        check=True,
        text=True,
    )

    assert again.stdout.strip() == digest(network)


def test_another_seed_gives_another_network(network: DemoNetwork):
    """Else the seed would not be one."""
    assert digest(demo_network(seed=SEED + 1, last_day=LAST_DAY)) != digest(network)


def test_every_resource_is_valid_r4(network: DemoNetwork):
    """A demo that its own hub refuses would show nothing."""
    for clinic in network.clinics:
        for resource in resources(clinic):
            resource_type = resource["resourceType"]
            get_fhir_model_class(resource_type).model_validate(resource)
            for (of_type, element), allowed in REQUIRED_CODES.items():
                if resource_type == of_type:
                    assert resource[element] in allowed


def test_every_bundle_is_valid_r4(network: DemoNetwork):
    """Its entries say what is asked of each, and there are as many as counted."""
    bundle_model = get_fhir_model_class("Bundle")
    for clinic in network.clinics:
        for delivery in sent(clinic):
            if delivery.path:
                assert delivery.method == "PUT"
                assert delivery.resource_count == 1
                assert delivery.path.split("/")[1] == delivery.body["id"]
                continue
            asked = [{**entry, "resource": None} for entry in entries(delivery)]
            bundle_model.model_validate({**delivery.body, "entry": asked})
            assert delivery.method == "POST"
            assert delivery.resource_count == len(asked)
            assert delivery.body["type"] in {"batch", "transaction"}


def test_the_network_has_the_size_of_a_demo(network: DemoNetwork):
    """A dozen clinics, and a load that a laptop takes in under a minute."""
    deliveries = [each for clinic in network.clinics for each in sent(clinic)]
    total = sum(delivery.resource_count for delivery in deliveries)
    singles = sum(bool(delivery.path) for delivery in deliveries)

    assert len({clinic.slug for clinic in network.clinics}) == 12
    assert 24_000 <= total <= 28_000
    assert all(15 <= clinic.patient_count <= 400 for clinic in network.clinics)
    assert 50 <= singles <= 400


def test_deliveries_come_the_same_however_often_asked_for(network: DemoNetwork):
    """A progress bar counts them first."""
    for clinic in network.clinics:
        assert list(clinic.deliveries()) == sent(clinic)


def test_visits_fill_three_years_and_end_on_the_last_day(network: DemoNetwork):
    """Nothing happens after the last day, whatever the time zone."""
    days = [
        local_day(clinic, resource["period"]["start"])
        for clinic in network.clinics
        for resource in resources(clinic)
        if resource["resourceType"] == "Encounter"
    ]

    assert min(days) >= date(2023, 7, 1)
    assert max(days) <= LAST_DAY
    assert min(Counter((day.year, day.month) for day in days).values()) > 200


def test_the_planted_step_is_in_the_improving_clinics_data(
    network: DemoNetwork, scored: dict[str, list[ScoredVisit]]
):
    """At least 350 patients; 55 % low disease activity before, 75 % after."""
    truth = network.truth
    visits = scored[truth.improving_clinic]
    changed = month_number(truth.changed_on.year, truth.changed_on.month)
    before = [visit for visit in visits if visit.month < changed]
    after = [visit for visit in visits if visit.month >= changed]

    month, gain = likeliest_change(visits)

    assert truth.changed_on == date(2025, 4, 1)
    assert len({visit.patient for visit in visits}) >= 350
    assert proportion(before) == pytest.approx(truth.proportion_before, abs=0.04)
    assert proportion(after) == pytest.approx(truth.proportion_after, abs=0.04)
    assert abs(month - changed) <= 1
    assert gain > 60


def test_no_other_clinic_changes(
    network: DemoNetwork, scored: dict[str, list[ScoredVisit]]
):
    """
    A step that was not planted would be a false finding in the demo.

    A gain of 15 is beyond what a scan over 36 months reaches once in a thousand.
    """
    for slug, visits in scored.items():
        if slug != network.truth.improving_clinic:
            assert likeliest_change(visits)[1] < 15, slug


def test_a_patients_visits_are_alike(scored: dict[str, list[ScoredVisit]]):
    """Of independent visits 52 % would agree with the one before (0.6² + 0.4²)."""
    agree = []
    for slug, visits in scored.items():
        by_patient = defaultdict(list)
        for visit in sorted(visits):
            by_patient[slug, visit.patient].append(visit.low)
        for outcomes in by_patient.values():
            agree += [a == b for a, b in pairwise(outcomes)]

    assert 0.6 < sum(agree) / len(agree) < 0.8


def test_members_see_some_clinics_monthly_and_some_hardly(
    network: DemoNetwork, scored: dict[str, list[ScoredVisit]]
):
    """An interval shows where median d x min(p, 1-p) >= 10 (k = 5)."""
    everyone = [visit for visits in scored.values() for visit in visits]
    rarer = min(proportion(everyone), 1 - proportion(everyone))
    needed = 10 / rarer
    monthly = {s for s, v in scored.items() if people_seen(v, months=1) >= needed}
    quarterly = {s for s, v in scored.items() if people_seen(v, months=3) >= needed}

    assert network.truth.improving_clinic in monthly
    assert len(monthly) >= 2
    assert len(quarterly) >= 5
    assert set(scored) - quarterly


def test_one_clinic_codes_badly(
    network: DemoNetwork, scored: dict[str, list[ScoredVisit]]
):
    """Fewer than two in three of its JIA visits are whole; elsewhere nine in ten."""
    for clinic in network.clinics:
        if clinic.slug not in scored:
            continue
        jia, visits = set(), []
        for resource in resources(clinic):
            if resource["resourceType"] == "Condition":
                if any(code.startswith("M08") for code in codes(resource["code"])):
                    jia.add(patient_of(resource))
            elif resource["resourceType"] == "Encounter":
                visits.append(patient_of(resource))
        share = len(scored[clinic.slug]) / sum(patient in jia for patient in visits)
        if clinic.slug == network.truth.poorly_coding_clinic:
            assert share < 0.67
        else:
            assert share > 0.9


def test_one_clinic_is_months_late(network: DemoNetwork):
    """It has sent nothing of the last five months; the others of the last week."""
    truth = network.truth
    for clinic in network.clinics:
        newest = max(
            local_day(clinic, resource["period"]["start"])
            for resource in resources(clinic)
            if resource["resourceType"] == "Encounter"
        )
        if clinic.slug == truth.late_clinic:
            assert newest <= truth.last_sent_day == date(2026, 1, 31)
        else:
            assert (LAST_DAY - newest).days < 21


def test_some_people_are_patients_of_two_clinics(network: DemoNetwork):
    """Linkage has something to find: same name, birth date and sex, other number."""
    clinics = defaultdict(list)
    for clinic in network.clinics:
        for resource in resources(clinic):
            if resource["resourceType"] == "Patient":
                name = resource["name"][0]
                person = (name["given"][0], name["family"], resource["birthDate"])
                clinics[(*person, resource["gender"])].append(clinic.slug)
    shared = [slugs for slugs in clinics.values() if len(slugs) > 1]

    assert len(shared) == network.truth.people_at_two_clinics == 14
    assert all(len(set(slugs)) == 2 for slugs in shared)


def test_every_patient_brings_what_must_not_be_kept(network: DemoNetwork):
    """A demonstration of privacy needs something to drop."""
    for clinic in network.clinics:
        patients = [r for r in resources(clinic) if r["resourceType"] == "Patient"]
        for patient in patients:
            assert patient["name"]
            assert patient["telecom"]
            assert patient["address"][0]["line"]
            assert patient["birthDate"]
            assert patient["identifier"][0]["system"] == clinic.identifier_system
        numbers = {patient["identifier"][0]["value"] for patient in patients}
        assert len(numbers) == len(patients) == clinic.patient_count


def test_every_reference_finds_its_resource(network: DemoNetwork):
    """By fullUrl, absolute or relative URL, or identifier, as the accent has it."""
    for clinic in network.clinics:
        known: set[str | None] = set()
        referred: set[str | None] = set()
        for delivery in sent(clinic):
            bundled = entries(delivery) or [{"resource": delivery.body}]
            for entry in bundled:
                resource = entry["resource"]
                if "id" in resource:
                    relative = f"{resource['resourceType']}/{resource['id']}"
                    known |= {relative, f"{clinic.base_url}/{relative}"}
                known.add(entry.get("fullUrl"))
                known |= {i["value"] for i in resource.get("identifier", [])}
                for element in ("subject", "encounter", "patient"):
                    target = resource.get(element, {})
                    referred.add(target.get("reference"))
                    referred.add(target.get("identifier", {}).get("value"))

        assert referred <= known | {None}


def test_the_accents_hold_the_traps_of_real_senders(network: DemoNetwork):
    """Undotted ICD, dates alone, `mmHg` claimed as UCUM, mmol/mol, UTC's other day."""
    found: dict[str, set[str]] = defaultdict(set)
    for clinic in network.clinics:
        for resource in resources(clinic):
            text = json.dumps(resource)
            traits = {
                "undotted": '"K5190"' in text,
                "snomed": '"44054006"' in text,
                "claimed": '"code": "mmHg"' in text,
                "text only": '"unit": "mmHg"}' in text,
                "ucum": '"code": "mm[Hg]"' in text,
                "ifcc": '"59261-8"' in text,
                "logical": '"type": "Patient", "identifier"' in text,
                "named": f'"display": "{resource.get("subject", {}).get("display")}"'
                in text,
                "no id": "id" not in resource,
                "panel": '"cjadas10-panel"' in text,
                "unneeded": resource["resourceType"] == "Claim",
                "local": "LOC-" in text,
            }
            written = resource.get("effectiveDateTime", "")
            traits["date only"] = len(written) == 10
            traits["offset"] = written.endswith("-05:00")
            traits["other day"] = written.endswith("Z") and (
                local_day(clinic, written).isoformat() != written[:10]
            )
            found[clinic.accent] |= {name for name, is_so in traits.items() if is_so}

    assert found["transactions"] == {"ucum", "offset", "no id", "panel", "unneeded"}
    assert found["updates"] == {"ucum", "snomed", "panel", "other day"}
    assert found["interface-engine"] == {
        "undotted",
        "claimed",
        "text only",
        "ifcc",
        "logical",
        "named",
        "date only",
        "local",
    }
