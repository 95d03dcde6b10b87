"""The decision on every element: held to R4's models, and to what is stored."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import pytest

from app.deid.elements import LETTERS, PRIMITIVE, ROOTS, Act, by_path, by_type
from app.deid.policies import ReportedMeasure
from app.deid.records import deidentify
from app.domain.errors import ServiceError
from app.fhir.parsing import parse_resource
from app.fhir.validation import validate
from app.services.privacy_pages import elements_page
from tests.conftest import ROOT
from tests.deidentification import (
    KEYS,
    MRN,
    NOON,
    POLICY,
    concept,
    condition,
    encounter,
    observation,
    patient,
    source,
)
from tests.leaks.mints import PLANTED, Mint
from tests.leaks.places import PLACES, Place, elements_of, names_in_models
from tests.leaks.plants import TURNS, UCUM, Planter
from tests.leaks.searches import Search
from tests.make import summary_report
from tests.properties.test_nothing_identifying_survives import shown

Json = dict[str, Any]
Pair = tuple[Json, Json]

LOINC = "http://loinc.org"
HL7 = "http://terminology.hl7.org/CodeSystem"
POPULATION = f"{HL7}/measure-population"
OTHER_MRN = "http://clinic.example/other"
BY_SOURCE = source(identifier_systems=frozenset({MRN, OTHER_MRN}))
HUB = "https://hub.example/fhir"
RATE = ReportedMeasure(HUB, "1.0.0", is_proportion=False)
BY_POLICY = msgspec.structs.replace(POLICY, reported={"one-rate": RATE, "two": RATE})
BY_PATH = {place.path: place for place in PLACES}


def kept_of(resource: Json) -> Any:
    """Return what is stored of a resource, but for the digest of its whole."""
    assert validate(resource) == ()
    identified = parse_resource(resource, source=BY_SOURCE)
    record = deidentify(
        identified,
        policy=BY_POLICY,
        keys=KEYS,
        source=BY_SOURCE,
        entries={},
        received_at=NOON,
    )
    return msgspec.structs.replace(record, content_digests=(), dropped=())


def test_every_element_has_a_decision_and_every_decision_an_element():
    """What a later release adds can't slip in; what is decided is there."""
    types = {place.owner for place in PLACES} - {PRIMITIVE}
    below = {(place.at, place.element.name) for place in PLACES}

    for type_ in types:
        names = {element.name for element in elements_of(type_)}
        assert names - {"resourceType"} == names_in_models(type_), type_
        assert by_type()[type_].keys() == names, type_
    assert by_type().keys() == types | {PRIMITIVE}
    for path, decisions in by_path().items():
        assert {(path, name) for name in decisions} <= below


def test_what_differs_below_a_path_differs():
    """A row that says what its type's says would be read as an exception."""
    owners = {(place.at, place.element.name): place.owner for place in PLACES}
    for path, decisions in by_path().items():
        for name, decision in decisions.items():
            assert decision != by_type()[owners[path, name]][name]


def test_a_decision_has_letters_of_the_law_and_a_reason():
    """A-R stands for all eighteen."""
    tables = [*by_type().values(), *by_path().values()]
    for decision in (each for table in tables for each in table.values()):
        letters = decision.letters
        assert decision.how
        assert letters == "A-R" or set(letters) <= LETTERS.keys()
        assert letters == "A-R" or sorted(letters) == list(letters)


def fault_of(resource: Json) -> str:
    """Return why a resource is not taken; nothing where it is."""
    if issues := validate(resource):
        return f"{issues[0].expression}: {issues[0].message}"
    try:
        shown(kept_of(resource))
    except ServiceError as error:
        return f"{error.expression}: {error.message}"
    return ""


@pytest.mark.parametrize("root", ROOTS)
def test_nothing_stays_of_what_is_dropped(root: str):
    """
    A token stands in every place of a resource that is taken, at every depth.

    Those in places of which something is kept (ids, codes, times of day) go too: what
    is kept of them is no part of what was sent.
    """
    mint = Mint()
    places: set[str] = set()
    stored = b""
    measure = {"measure": f"{HUB}/Measure/one-rate"} if "Report" in root else {}
    for turn in range(TURNS[root]):
        planter = Planter(mint, turn=turn)
        resource = planter.resource(root) | measure
        places |= planter.places
        assert fault_of(resource) == ""
        stored += shown(kept_of(resource)).encode()

    planted = {place.path for place in PLACES if place.decision.act is not Act.REFUSE}
    ours = {path for path in planted if path.partition(".")[0] == root}
    assert ours - {f"{root}.resourceType"} <= places
    assert len(mint.planted) > 800
    assert Search(mint.planted).found_in(stored) == set()


READ_TO_CHOOSE = {
    "Patient.address.country": "which address is in the United States",
    "Patient.address.use": "which address is the home",
    "Patient.link.type": "whether the two are one person",
}
"""Dropped, and yet what is stored depends on them: what they decide."""


def holders_of(node: Any, names: Sequence[str]) -> Iterator[Json]:
    """Yield the objects at the end of a path."""
    if isinstance(node, list):
        for item in node:
            yield from holders_of(item, names)
    elif not names:
        yield node
    elif names[0] in node:
        yield from holders_of(node[names[0]], names[1:])


def without(resource: Json, place: Place) -> Iterator[None]:
    """Take an element away wherever it stands; put it back when asked again."""
    name = place.element.name
    holders = list(holders_of(resource, place.at.split(".")[1:]))
    taken = [(holder, holder.pop(name)) for holder in holders if name in holder]
    if taken:
        yield
    for holder, value in taken:
        holder[name] = value


@pytest.mark.parametrize("root", ROOTS)
def test_what_is_dropped_changes_nothing_that_is_stored(root: str):
    """Without it the same is kept: of a boolean, in which no token fits, too."""
    dropped = [place for place in PLACES if place.decision.act is Act.DROP]
    ours = {p.path: p for p in dropped if p.path.partition(".")[0] == root}
    tried: set[str] = set()
    for turn in range(min(TURNS[root], 12)):
        resource = Planter(Mint(), turn=turn).resource(root)
        if root == "MeasureReport":
            resource["measure"] = f"{HUB}/Measure/one-rate"
        whole = kept_of(resource)
        for path in ours.keys() - tried:
            for _ in without(resource, ours[path]):
                tried.add(path)
                if not validate(resource):
                    is_same = kept_of(resource) == whole
                    assert is_same or path in READ_TO_CHOOSE, path
    assert tried == ours.keys()


REFUSING = [place for place in PLACES if place.decision.act is Act.REFUSE]


@pytest.mark.parametrize("place", REFUSING, ids=[place.path for place in REFUSING])
def test_what_refuses_its_resource_does(place: Place):
    """The same resource without the element is taken."""
    root = place.path.partition(".")[0]
    mint = Mint()
    planter = Planter(mint, turn=3 if "Timing" in place.path else 1)
    resource = planter.resource(root)
    if root == "MeasureReport":
        resource["measure"] = f"{HUB}/Measure/two"
    assert fault_of(resource) == ""
    parent: Any = resource
    for name in place.at.split(".")[1:]:
        parent = parent[name]
        parent = parent[0] if isinstance(parent, list) else parent
    if place.element.choice:
        for name in [
            n for n in parent if n.strip("_").startswith(place.element.choice)
        ]:
            del parent[name]
    value = planted_value(place, planter)
    parent[place.element.name] = [value] if place.element.is_list else value

    assert (fault := fault_of(resource)) != ""
    assert not any(token in fault for token in mint.planted)


def planted_value(place: Place, planter: Planter) -> Any:
    """Return a value for a place, with a token in it where one has room."""
    if place.element.type == "Extension":
        return planter.extension(place.path)
    if place.element.name == "comparator":
        return "<"
    if place.is_leaf:
        return PLANTED[place.element.type](planter.mint, place.path)
    if place.element.type == "Reference":
        return {"reference": f"{place.element.targets[0]}/x"}
    return planter.parts(place.element.type, place.path, ())


def _in_turn(name: str, before: Any, after: Any, **beside: Any) -> Pair:
    return beside | {name: before}, beside | {name: after}


def _codings(system: str, *codes: str) -> dict[str, Pair]:
    one, other = ({"system": system, "code": code} for code in codes)
    elsewhere = one | {"system": "http://x.example"}
    return {"code": (one, other), "system": (one, elsewhere)}


DATES = ("2024-01-31", "2024-02-01")
IDENTIFIER = {
    "value": _in_turn("value", "1", "2", system=MRN),
    "system": _in_turn("system", MRN, OTHER_MRN, value="1"),
}
PAIRS: Mapping[str, Mapping[str, Pair]] = {
    "Coding": _codings(LOINC, "8480-6", "8462-4"),
    "Identifier": IDENTIFIER,
    "Period": {"start": _in_turn("start", *DATES), "end": _in_turn("end", *DATES)},
    "Timing": {"event": _in_turn("event", [DATES[0]], [DATES[1]])},
    "Meta": {
        "lastUpdated": _in_turn(
            "lastUpdated", "2024-01-01T00:00:00Z", "2024-01-01T00:00:01Z"
        )
    },
    "Address": {
        "state": _in_turn("state", "MA", "Vermont"),
        "postalCode": _in_turn("postalCode", "02139", "03687"),
    },
    "Quantity": {
        "value": _in_turn("value", 1, 2),
        "comparator": _in_turn("comparator", "<", ">", value=1),
        "code": _in_turn("code", "mg", "g", value=1, system=UCUM),
        "system": _in_turn("system", UCUM, "urn:x", value=1, code="mg", unit="g"),
        "unit": _in_turn("unit", "mg", "g", value=1),
    },
    "Observation": {
        "status": _in_turn("status", "final", "amended", id="o1"),
        "effectiveDateTime": _in_turn("effectiveDateTime", *DATES),
        "effectiveInstant": _in_turn(
            "effectiveInstant", *(f"{day}T10:00:00Z" for day in DATES)
        ),
        "valueBoolean": _in_turn("valueBoolean", before=True, after=False),
        "valueInteger": _in_turn("valueInteger", 1, 2),
    },
    "ObservationComponent": {
        "valueBoolean": _in_turn("valueBoolean", before=True, after=False),
        "valueInteger": _in_turn("valueInteger", 1, 2),
    },
    "Condition": {
        name: _in_turn(name, *DATES)
        for name in ("onsetDateTime", "abatementDateTime", "recordedDate")
    },
    "Encounter": {"status": _in_turn("status", "finished", "in-progress")},
    "Patient": {
        "gender": _in_turn("gender", "male", "female"),
        "birthDate": _in_turn("birthDate", *DATES),
        "deceasedBoolean": _in_turn("deceasedBoolean", before=True, after=False),
        "deceasedDateTime": _in_turn("deceasedDateTime", *DATES),
    },
    "MeasureReport": {
        "status": _in_turn("status", "complete", "pending"),
        "measure": _in_turn(
            "measure", *(f"{HUB}/Measure/{name}" for name in ("one-rate", "two"))
        ),
    },
    "MeasureReportGroupPopulation": {
        "count": _in_turn("count", 1, 2, code=concept(POPULATION, "numerator"))
    },
}
"""For each type and element two values of the type, of which other things are kept."""
ABSENT = f"{HL7}/data-absent-reason"
PAIRS_BELOW: Mapping[str, Mapping[str, Pair]] = {
    "Observation.dataAbsentReason.coding": _codings(ABSENT, "unknown", "masked"),
    "Observation.component.dataAbsentReason.coding": _codings(
        ABSENT, "unknown", "masked"
    ),
    "Condition.clinicalStatus.coding": _codings(
        f"{HL7}/condition-clinical", "resolved", "inactive"
    ),
    "Condition.verificationStatus.coding": _codings(
        f"{HL7}/condition-ver-status", "confirmed", "provisional"
    ),
    "MeasureReport.group.population.code.coding": _codings(
        POPULATION, "numerator", "initial-population"
    ),
    "Summary": {
        "status": _in_turn("status", "final", "amended", id="o1"),
        "effectiveDateTime": _in_turn("effectiveDateTime", *DATES),
        "effectiveInstant": _in_turn(
            "effectiveInstant", *(f"{day}T10:00:00Z" for day in DATES)
        ),
        "valueInteger": _in_turn("valueInteger", 1, 2),
    },
    "Summary.effectivePeriod": {
        "start": _in_turn("start", "2024-01-01", "2024-01-31", end="2024-01-31"),
        "end": _in_turn("end", "2024-01-01", "2024-01-31", start="2024-01-01"),
    },
    "MeasureReport.period": {
        "end": _in_turn("end", "2024-06-30", "2024-07-31", start="2024-06-01"),
    },
}
REFUSED_AFTER = {
    "Condition.clinicalStatus.coding.system",
    "Condition.verificationStatus.coding.system",
    "MeasureReport.group.population.code.coding.system",
    "MeasureReport.group.population.code.coding.code",
    "MeasureReport.period.end",
}
"""Where another value is none that is taken: not of the list, not of one month."""
ONE_VALUE = {
    *(f"{root}.resourceType" for root in ROOTS),
    "MeasureReport.type",
    "MeasureReport.period.start",
}
"""Whose other values are refused, or tried where the type or the end is."""
WHOLE: dict[str, Json] = {
    "Observation": observation(),
    "Summary": observation(
        subject={"reference": "Group/g"}, effectiveDateTime="2024-01-31"
    ),
    "Condition": condition(
        clinicalStatus=concept(f"{HL7}/condition-clinical", "resolved")
    ),
    "Encounter": encounter(),
    "Patient": patient(),
    "MeasureReport": summary_report(2, 800, measure=f"{HUB}/Measure/one-rate"),
    "Observation.component": {"code": concept(LOINC, "8480-6")},
    "Summary.subject": {"type": "Group"},
    "MeasureReport.subject": {"type": "Group"},
    "MeasureReport.reporter": {"type": "Location"},
    "Patient.link": {"type": "replaces"},
    "MeasureReport.group.population": {
        "code": concept(POPULATION, "numerator"),
        "count": 1,
    },
}
"""What a resource, or an element, needs beside the one that is tried."""
KEPT = [
    place
    for place in PLACES
    if not place.decision.act.is_gone and place.is_leaf and place.path not in ONE_VALUE
]


def pair_at(place: Place) -> Pair:
    """Return two values of what a place is in, that differ in the place alone."""
    name = place.element.name
    own = PAIRS_BELOW.get(place.at, {}).get(name)
    if own is not None:
        return own
    if name == "id":
        return {"id": "one"}, {"id": "two"}
    if place.owner == "Reference":
        usual = BY_PATH[place.at].element.targets[0]
        target = WHOLE.get(place.at, {}).get("type", usual)
        return {"reference": f"{target}/one"}, {"reference": f"{target}/two"}
    return PAIRS[place.owner][name]


def resource_with(place: Place, parts: Json) -> Json:
    """Return a resource in which *parts* is all that the place is in."""
    root, *names = place.at.split(".")
    path = place.at
    for name in reversed(names):
        parts = WHOLE.get(path, {}) | parts
        items: Any = [parts] if BY_PATH[path].element.is_list else parts
        if path == "MeasureReport.group.population":
            items.append({"code": concept(POPULATION, "denominator"), "count": 800})
        parts = {name: items}
        path = path.rpartition(".")[0]
    whole = copy.deepcopy(WHOLE[root])
    if any(name.startswith("effective") for name in parts):
        whole.pop("effectiveDateTime", None)
    return whole | parts


def test_what_is_kept_changes_what_is_stored():
    """A row may not promise less than the code keeps, nor more."""
    unmoved = []
    for place in KEPT:
        before, after = (resource_with(place, parts) for parts in pair_at(place))
        assert before != after
        assert fault_of(before) == "", place.path
        if place.path in REFUSED_AFTER:
            assert fault_of(after) != "", place.path
        elif kept_of(before) == kept_of(after):
            unmoved.append(place.path)

    assert unmoved == []
    assert len(KEPT) > 100


def test_the_page_is_what_the_decisions_make():
    """Run `make elements-page` after a change of the table."""
    assert (ROOT / "docs/privacy/elements.md").read_text("utf-8") == elements_page()


def test_the_page_names_every_element_that_has_a_decision():
    """A privacy officer reads the page, not the code."""
    text = elements_page()

    for type_, decisions in by_type().items():
        title = type_ if type_ != PRIMITIVE else "Beside any primitive"
        section = text[text.index(f"## {title}") :]
        for name, decision in decisions.items():
            assert f"| `{name}` | {decision.act} |" in section
