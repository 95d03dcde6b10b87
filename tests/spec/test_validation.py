"""What FHIR R4 says of a resource, element by element: the issue and its place."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from app.domain.errors import Severity
from app.fhir.primitives import RULE
from app.fhir.schemas import schemas
from app.fhir.validation import MAX_ISSUES, STRUCTURAL, validate

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
REASON = {"extension": [{"url": "http://example.org/why", "valueCode": "unknown"}]}
HEIGHT = {"coding": [{"system": "http://loinc.org", "code": "8302-2"}]}


def observation(**elements: Any) -> dict[str, Any]:
    made = {"resourceType": "Observation", "status": "final", "code": HEIGHT}
    return {k: v for k, v in (made | elements).items() if v is not None}


def condition(**elements: Any) -> dict[str, Any]:
    made = {"resourceType": "Condition", "subject": {"reference": "Patient/1"}}
    return {k: v for k, v in (made | elements).items() if v is not None}


def patient(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "1", **elements}


def encounter(**elements: Any) -> dict[str, Any]:
    made = {"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"}}
    return {k: v for k, v in (made | elements).items() if v is not None}


def bundle(*entries: Any, **elements: Any) -> dict[str, Any]:
    made = {"resourceType": "Bundle", "type": "batch", "entry": list(entries)}
    return {k: v for k, v in (made | elements).items() if v is not None}


def concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def component(**elements: Any) -> dict[str, Any]:
    return {"code": {"text": "a part"}, **elements}


PUT = {"method": "PUT", "url": "Patient/1"}

VALID = [
    observation(),
    observation(status=None, _status=REASON),
    observation(valueQuantity={"value": Decimal("1.10"), "unit": "mmHg"}),
    observation(valueQuantity={"value": 7}),
    observation(dataAbsentReason={"text": "asleep"}, component=[component()]),
    observation(effectiveDateTime="2024-02-29"),
    observation(effectiveDateTime="2000-02-29T23:59:60.123456789-14:00"),
    observation(effectivePeriod={"start": "2024", "end": "2024-01-01"}),
    observation(effectivePeriod={"start": "2024-01-01", "end": "2024-01-01T01:00:00Z"}),
    observation(subject={"reference": "Patient?identifier=http://a.example|7"}),
    observation(subject={"reference": "urn:uuid:7"}),
    observation(subject={"reference": "http://a.example/Patient/7/_history/2"}),
    observation(subject={"identifier": {"value": "7"}}),
    observation(
        subject={"reference": "#p"}, contained=[{"resourceType": "Patient", "id": "p"}]
    ),
    observation(
        performer=[{"reference": "#dr"}],
        contained=[
            {"resourceType": "Practitioner", "id": "dr", "name": [{"text": "x"}]}
        ],
    ),
    observation(extension=[{"url": "a", "extension": [{"url": "b", "valueId": "c"}]}]),
    observation(extension=[{"url": "a", "_valueId": REASON}]),
    condition(),
    condition(
        clinicalStatus=concept(CLINICAL, "resolved"), abatementDateTime="2020-01"
    ),
    condition(verificationStatus=concept(VERIFICATION, "entered-in-error")),
    condition(
        verificationStatus={
            "coding": [
                {"display": "local"},
                {"system": VERIFICATION, "code": "refuted"},
            ]
        }
    ),
    patient(birthDate="1980", _birthDate=REASON),
    patient(name=[{"given": [None, "A"], "_given": [REASON, None]}]),
    patient(telecom=[{"value": "an EHR in wide use sends no system"}]),
    patient(text={"status": "generated", "div": "<div><p>on=1 off</p></div>"}),
    encounter(period={"start": "2020-01-01T10:00:00Z", "end": "2020-01-01T10:00:00Z"}),
    bundle({"resource": patient(), "request": PUT}),
    bundle(type="searchset", total=0, entry=None),
]


@pytest.mark.parametrize("resource", VALID)
def test_valid_r4_has_no_issues(resource: dict[str, Any]):
    """Each holds something that a hasty validator refuses."""
    assert validate(resource) == ()


INVALID = [
    (observation(status=None), "required", "Observation.status"),
    (observation(status=None, _status={"id": "a"}), "required", "Observation.status"),
    (observation(code=None), "required", "Observation.code"),
    (observation(status="done"), "code-invalid", "Observation.status"),
    (observation(status="final "), "code-invalid", "Observation.status"),
    (observation(status=["final"]), "code-invalid", "Observation.status"),
    (observation(code={}), "structure", "Observation.code"),
    (observation(category=[]), "structure", "Observation.category"),
    (observation(code={"text": ""}), "value", "Observation.code.text"),
    (observation(code={"coding": [{"code": "a  b"}]}), "value",
     "Observation.code.coding[0].code"),
    (observation(code={"coding": [None]}), "structure", "Observation.code.coding[0]"),
    (observation(id="a_b"), "value", "Observation.id"),
    (observation(id="a" * 65), "value", "Observation.id"),
    (observation(valueQuantity={"value": "7"}), "structure",
     "Observation.value.ofType(Quantity).value"),
    (observation(valueQuantity={"value": Decimal("1E+308")}), "value",
     "Observation.value.ofType(Quantity).value"),
    (observation(valueQuantity={"value": 10**18}), "value",
     "Observation.value.ofType(Quantity).value"),
    (observation(valueQuantity={"value": 1, "comparator": "="}), "code-invalid",
     "Observation.value.ofType(Quantity).comparator"),
    (observation(valueQuantity={"value": 1, "code": "mm"}), "invariant",
     "Observation.value.ofType(Quantity).system"),
    (observation(valueInteger=2**31), "value", "Observation.value.ofType(integer)"),
    (observation(valueInteger=Decimal("1.5")), "structure",
     "Observation.value.ofType(integer)"),
    (observation(valueBoolean="true"), "structure",
     "Observation.value.ofType(boolean)"),
    (observation(valueString="a", valueInteger=1), "structure", "Observation.value"),
    (observation(valueString="a", _valueInteger=REASON), "structure",
     "Observation.value"),
    (observation(valueTime="24:00:00"), "value", "Observation.value.ofType(time)"),
    (observation(effectiveDateTime="2023-02-30"), "value",
     "Observation.effective.ofType(dateTime)"),
    (observation(effectiveDateTime="2023-02-29"), "value",
     "Observation.effective.ofType(dateTime)"),
    (observation(effectiveDateTime="1900-02-29"), "value",
     "Observation.effective.ofType(dateTime)"),
    (observation(effectiveDateTime="2023-04-31"), "value",
     "Observation.effective.ofType(dateTime)"),
    (observation(effectiveDateTime="0000-02-29"), "value",
     "Observation.effective.ofType(dateTime)"),
    (observation(effectiveDateTime="2023-01-01T10:00:00"), "value",
     "Observation.effective.ofType(dateTime)"),
    (observation(effectiveDateTime="2023-01-01T10:00Z"), "value",
     "Observation.effective.ofType(dateTime)"),
    (observation(effectiveDateTime="2023-01-01\n"), "value",
     "Observation.effective.ofType(dateTime)"),
    (observation(issued="2023-01-01"), "value", "Observation.issued"),
    (observation(effectivePeriod={"start": "2024-01-02", "end": "2024-01-01"}),
     "invariant", "Observation.effective.ofType(Period)"),
    (observation(effectivePeriod={"start": "2024-01-01T10:00:00Z",
                                  "end": "2024-01-01T10:00:00+01:00"}),
     "invariant", "Observation.effective.ofType(Period)"),
    (observation(subject={"reference": "Practitioner/1"}), "value",
     "Observation.subject.reference"),
    (observation(subject={"reference": "Patient/a_b"}), "value",
     "Observation.subject.reference"),
    (observation(subject={"reference": "7"}), "value", "Observation.subject.reference"),
    (observation(subject={"type": "Organization"}), "value",
     "Observation.subject.type"),
    (observation(focus=[{"reference": "Patientt/1"}]), "value",
     "Observation.focus[0].reference"),
    (observation(subject={"reference": "#p"}), "invariant",
     "Observation.subject.reference"),
    (observation(contained=[patient()]), "invariant", "Observation.contained[0]"),
    (observation(subject={"reference": "#1"}, contained=[patient(gender="m")]),
     "code-invalid", "Observation.contained[0].gender"),
    (observation(subject={"reference": "#1"},
                 contained=[patient(contained=[patient()])]),
     "invariant", "Observation.contained[0].contained"),
    (observation(subject={"reference": "#1"},
                 contained=[patient(meta={"versionId": "1"})]),
     "invariant", "Observation.contained[0].meta"),
    (observation(subject={"reference": "#1"}, contained=[patient(), patient()]),
     "invariant", "Observation.contained[1].id"),
    (observation(contained=[{"id": "a"}]), "required",
     "Observation.contained[0].resourceType"),
    (observation(contained=[{"resourceType": "Citation"}]), "structure",
     "Observation.contained[0].resourceType"),
    (observation(contained=[{"resourceType": "Device", "type": {"text": ""}}]),
     "structure", "Observation.contained[0].type.text"),
    (observation(code={"id": "x", **HEIGHT}, category=[{"id": "x", "text": "a"}]),
     "invariant", "Observation.category[0].id"),
    (observation(extension=[{"url": "a"}]), "required",
     "Observation.extension[0].value"),
    (observation(extension=[{"valueCode": "a"}]), "required",
     "Observation.extension[0].url"),
    (observation(extension=[{"url": "a", "valueId": "b", "extension": [
        {"url": "c", "valueId": "d"}]}]), "structure",
     "Observation.extension[0].value"),
    (observation(extension=[{"url": "a", "valueCode": "b", "valueRatioRange": {}}]),
     "structure", "Observation.extension[0]"),
    (observation(referenceRange=[{"type": {"text": "a"}}]), "invariant",
     "Observation.referenceRange[0]"),
    (observation(referenceRange=[{"low": {"value": 1, "comparator": "<"}}]),
     "invariant", "Observation.referenceRange[0]"),
    (observation(dataAbsentReason={"text": "a"}, valueInteger=1), "invariant",
     "Observation.dataAbsentReason"),
    (observation(valueInteger=1, component=[component(), {"code": HEIGHT}]),
     "invariant", "Observation.component[1].code"),
    (observation(effectiveTiming={"repeat": {"when": ["LUNCH"]}}), "code-invalid",
     "Observation.effective.ofType(Timing).repeat.when[0]"),
    (observation(effectiveTiming={"repeat": {"duration": 1}}), "invariant",
     "Observation.effective.ofType(Timing).repeat.durationUnit"),
    (observation(effectiveTiming={"repeat": {"period": -1, "periodUnit": "d"}}),
     "invariant", "Observation.effective.ofType(Timing).repeat"),
    (observation(fhir_comments="a"), "structure", "Observation"),
    (observation(meta=None, text={"status": "generated"}), "required",
     "Observation.text.div"),
    (condition(subject=None), "required", "Condition.subject"),
    (condition(onsetAge={"value": 3}), "invariant", "Condition.onset.ofType(Age).code"),
    (condition(onsetAge={"value": 3, "code": "a", "system": "http://a.example"}),
     "invariant", "Condition.onset.ofType(Age).system"),
    (condition(onsetAge={"value": 0, "code": "a"}), "invariant",
     "Condition.onset.ofType(Age).value"),
    (condition(clinicalStatus={"text": "active"}), "code-invalid",
     "Condition.clinicalStatus.coding"),
    (condition(clinicalStatus=concept(VERIFICATION, "active")), "code-invalid",
     "Condition.clinicalStatus.coding"),
    (condition(verificationStatus=concept(VERIFICATION, "sure")), "code-invalid",
     "Condition.verificationStatus.coding"),
    (condition(abatementString="a"), "invariant", "Condition.clinicalStatus"),
    (condition(abatementString="a", clinicalStatus=concept(CLINICAL, "active")),
     "invariant", "Condition.clinicalStatus"),
    (condition(clinicalStatus=concept(CLINICAL, "active"),
               verificationStatus=concept(VERIFICATION, "entered-in-error")),
     "invariant", "Condition.clinicalStatus"),
    (condition(stage=[{"type": {"text": "a"}}]), "invariant", "Condition.stage[0]"),
    (condition(evidence=[{"id": "a"}]), "invariant", "Condition.evidence[0]"),
    (patient(gender="m"), "code-invalid", "Patient.gender"),
    (patient(birthDate="1980-13"), "value", "Patient.birthDate"),
    (patient(_birthDate={"extension": [{"url": "", "valueCode": "a"}]}), "value",
     "Patient.birthDate.extension[0].url"),
    (patient(name=[{"given": [None, "A"]}]), "structure", "Patient.name[0].given"),
    (patient(contact=[{"gender": "male"}]), "invariant", "Patient.contact[0]"),
    (patient(photo=[{"data": "YQ=="}]), "invariant", "Patient.photo[0].contentType"),
    (patient(photo=[{"data": "(snip)", "contentType": "image/png"}]), "value",
     "Patient.photo[0].data"),
    (patient(link=[{"other": {"reference": "Patient/2"}, "type": "same"}]),
     "code-invalid", "Patient.link[0].type"),
    (patient(meta=None), "structure", "Patient.meta"),
    (encounter(status="open"), "code-invalid", "Encounter.status"),
    (encounter(length={"value": 3}), "invariant", "Encounter.length.code"),
    (encounter(**{"class": None}), "required", "Encounter.class"),
    (bundle(type="invalid", entry=None), "code-invalid", "Bundle.type"),
    (bundle({"request": PUT}, type=None), "required", "Bundle.type"),
    (bundle({"resource": patient()}), "invariant", "Bundle.entry"),
    (bundle({"resource": patient(), "request": PUT}, type="collection"), "invariant",
     "Bundle.entry"),
    (bundle({"request": PUT, "response": {"status": "200"}}), "invariant",
     "Bundle.entry"),
    (bundle({"resource": patient()}, type="batch-response"), "invariant",
     "Bundle.entry"),
    (bundle({"request": PUT, "search": {"mode": "match"}}), "invariant",
     "Bundle.entry"),
    (bundle({"request": PUT}, total=1), "invariant", "Bundle.total"),
    (bundle({"fullUrl": "http://a.example/Patient/1"}, type="collection"), "invariant",
     "Bundle.entry[0].resource"),
    (bundle({"request": PUT | {"method": "MOVE"}}), "code-invalid",
     "Bundle.entry[0].request.method"),
    (bundle({"request": PUT, "fullUrl": "http://a.example/Patient/1/_history/1"}),
     "invariant", "Bundle.entry[0].fullUrl"),
    (bundle(*[{"request": PUT, "fullUrl": "http://a.example/Patient/1"}] * 2),
     "invariant", "Bundle.entry[1].fullUrl"),
    (bundle(7), "structure", "Bundle.entry[0]"),
    (bundle({"resource": "a", "request": PUT}), "structure",
     "Bundle.entry[0].resource"),
    ({}, "structure", "Resource"),
    ({"resourceType": ["Patient"]}, "structure", "Resource"),
    ({"resourceType": ""}, "structure", "Resource"),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "issue_type", "expression"), INVALID)
def test_each_rule_of_r4_is_told_with_its_place(
    resource: dict[str, Any], issue_type: str, expression: str
):
    """The one thing that is wrong gives one issue, at the element it is about."""
    issues = validate(resource)

    assert [(i.issue_type, i.expression) for i in issues] == [(issue_type, expression)]
    assert issues[0].severity is Severity.ERROR


@pytest.mark.parametrize(
    "div",
    [
        "<div><script>alert(1)</script></div>",
        "<div><SCRIPT src='a'/></div>",
        "<div><p onclick='a()'>x</p></div>",
        "<div><a href='javascript:a()'>x</a></div>",
        "<div><iframe src='http://a.example'/>x</div>",
        "<div><object data='a'>x</object></div>",
        "<div><form><input name='a'/></form>x</div>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><div>x</div>",
        "<div><style>p {}</style>x</div>",
        "<p>no div around it</p>",
        "<div> \n </div>",
        "<div/>",
    ],
)
def test_a_narrative_with_active_or_no_content_is_refused(div: str):
    """txt-1 and txt-2; what someone may one day put on a screen."""
    issues = validate(patient(text={"status": "generated", "div": div}))

    assert {i.expression for i in issues} == {"Patient.text.div"}


def test_an_unknown_element_is_told_without_its_name():
    """The name is the sender's own, and may be a patient's."""
    (issue,) = validate(observation(component=[component(JohnDoe=1, DoeJohn=2)]))

    assert issue.expression == "Observation.component[0]"
    assert "Doe" not in issue.message


def test_unknown_elements_are_counted_and_told_by_what_fhir_has_near():
    """Of a slip of the hand nothing else could be found: its name is not repeated."""
    slips = {"valuequantity": 1, "efectiveDateTime": "2024", "JohnDoe": 1}

    (issue,) = validate(observation(**slips))

    assert issue.expression == "Observation"
    assert issue.message == (
        "Has 3 unknown elements; near to effectiveDateTime, valueQuantity"
    )


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["JohnDoe"], "Has an unknown element"),
        (["Status"], "Has an unknown element; near to status"),
        (["_Status"], "Has an unknown element; near to _status"),
        (["statu" + "s" * 100_000], "Has an unknown element"),
        ([f"name{n}" for n in range(50_000)], "Has 50000 unknown elements"),
    ],
    ids=["far", "case", "sibling", "long", "many"],
)
def test_what_is_told_of_unknown_elements_is_fhirs_alone(
    names: list[str], message: str
):
    """However many and long they are: a name is the sender's, or a patient's."""
    (issue,) = validate(observation(**dict.fromkeys(names, 1)))

    assert issue.message == message


def test_what_is_near_is_looked_for_where_the_element_stands():
    """A component has no effectiveDateTime; a sibling's object has its own names."""
    part = component(efectiveDateTime="2024", valuequantity={})

    (issue,) = validate(observation(component=[part]))

    assert issue.message == "Has 2 unknown elements; near to valueQuantity"


def test_a_place_in_a_foreign_contained_resource_ends_at_the_last_known_name():
    """An outline is all that we have of such types: their names may be invented."""
    contained = {"resourceType": "Device", "JohnDoe": {"type": {"text": ""}}}

    (issue,) = validate(observation(contained=[contained]))

    assert issue.expression == "Observation.contained[0]"


@pytest.mark.parametrize(
    ("resource", "hint"),
    [
        (observation(context={"reference": "Encounter/1"}), "context is now encounter"),
        (observation(comment="a"), "comment is now note"),
        (observation(related=[{}]), "related is now hasMember or derivedFrom"),
        (condition(assertedDate="2020"), "assertedDate is now recordedDate"),
        (condition(clinicalStatus="active"), "clinicalStatus is now a CodeableConcept"),
        (patient(animal={}), "animal is now an extension"),
        (encounter(reason=[{"text": "a"}]), "reason is now reasonCode"),
    ],
)
def test_a_resource_in_stu3_is_told_so_once(resource: dict[str, Any], hint: str):
    """A sender on STU3 has everything wrong in one way, and needs to hear just that."""
    (issue,) = validate(resource | {"birthDate": 1, "status": 2})

    assert "looks like FHIR STU3" in issue.message
    assert hint in issue.message


def test_a_resource_in_a_bundle_is_named_by_its_place():
    """The sender finds it among a thousand."""
    (issue,) = validate(observation(code=None), at="Bundle.entry[3].resource")

    assert issue.expression == "Bundle.entry[3].resource.code"


def test_a_bundle_is_judged_without_its_entries():
    """Each is validated by itself: in a batch, one bad entry refuses itself only."""
    assert validate(bundle({"resource": observation(status=1), "request": PUT})) == ()


def test_a_type_that_is_not_kept_is_not_looked_into():
    """Whether it is acknowledged or not found is the caller's decision."""
    assert validate({"resourceType": "Claim", "": None}) == ()
    assert validate({"resourceType": "Quantity"}) == ()


def test_only_the_first_issues_are_told():
    """Nobody reads a thousand."""
    resource = observation(component=[{"code": 1}, *[component(a=1)] * 1000])

    assert len(validate(resource)) == MAX_ISSUES


def test_no_element_has_the_name_of_another_ones_choice():
    """Else valueQuantity could not be written as value.ofType(Quantity) by its name."""
    compiled = schemas()
    plain = {
        name
        for definition in compiled.definitions.values()
        for name in definition.get("properties", ())
        if name in compiled.choices
        and f'"{name}"' not in str(definition.get("allOf")).replace("'", '"')
    }

    assert plain == set()


def test_whatever_breaks_has_words():
    """An assertion of the schema without a rule of FHIR's has words for its JSON."""
    speechless = [
        (name, keyword)
        for name, definition in schemas().definitions.items()
        for keyword in assertions_without_rule(definition)
        if keyword not in STRUCTURAL
    ]

    assert speechless == []


def assertions_without_rule(node: Any) -> Iterator[str]:
    """Yield the keywords that can fail outside of any rule."""
    if not isinstance(node, dict) or RULE in node:
        return
    for keyword, value in node.items():
        if keyword in {"properties", "dependentSchemas"}:
            for child in value.values():
                yield from assertions_without_rule(child)
        elif keyword == "allOf":
            for child in value:
                yield from assertions_without_rule(child)
        elif keyword in {"items", "additionalProperties", "then", "else"} and value:
            yield from assertions_without_rule(value)
        elif keyword not in {"$ref", "if"}:
            yield keyword
