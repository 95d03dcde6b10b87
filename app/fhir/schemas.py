"""
fhir.resources' models -> one JSON Schema, compiled.

The models say which elements exist, how often, of which types, and which of them choose
among types; FHIR's patterns, the required bindings and the invariants are added here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import jsonschema_rs

from app.domain.errors import IssueType
from app.fhir.bindings import CODES, CONCEPTS, PATTERNS, RESOURCE_TYPES
from app.fhir.invariants import CONTAINED, INVARIANTS, has_coding
from app.fhir.model_elements import RESOURCES, Element, reached_elements
from app.fhir.primitives import ID, PRIMITIVES, Schema, rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Schemas:
    """
    The schema, compiled by resource type, and what is needed to explain an error.

    A type is compiled when the first of it comes, since each takes some megabytes.
    ``definitions`` is the schema itself, in which broken rules are looked up.
    ``names`` are the elements that FHIR has for our types: no other name may stand in
    an answer. ``choices`` maps valueQuantity to (value, Quantity).
    """

    definitions: dict[str, Schema]
    names: frozenset[str]
    choices: dict[str, tuple[str, str]]
    _validators: dict[str, jsonschema_rs.Validator] = field(
        init=False, repr=False, default_factory=dict
    )

    def validator(self, kind: str) -> jsonschema_rs.Validator | None:
        """Return what a resource of a type is held against; None: it is not kept."""
        if kind not in RESOURCES:
            return None
        if kind not in self._validators:
            self._validators[kind] = _compiled(kind, self.definitions)
        return self._validators[kind]


@cache
def schemas() -> Schemas:
    """Return the schema of all types; the first call makes it."""
    models = reached_elements()
    definitions = _definitions(models)
    elements = [element for model in models.values() for element in model]
    names = {name for e in elements for name in (e.name, e.choice) if name}
    return Schemas(
        definitions=definitions,
        names=frozenset(names | {"resourceType"}),
        choices={e.name: (e.choice, e.type) for e in elements if e.choice},
    )


def _compiled(name: str, definitions: dict[str, Schema]) -> jsonschema_rs.Validator:
    return jsonschema_rs.Draft202012Validator(
        {**_ref(name), "$defs": definitions},
        pattern_options=jsonschema_rs.RegexOptions(),
        offline=True,
    )


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _list_of(items: Schema) -> Schema:
    return {"type": "array", "minItems": 1, "items": items}


def _definitions(models: dict[str, tuple[Element, ...]]) -> dict[str, Schema]:
    by_name = {name: _definition(name, model) for name, model in models.items()}
    base = by_name["Reference"]
    all_targets = {element.targets for model in models.values() for element in model}
    references = {_reference_name(t): _reference(base, t) for t in all_targets}
    return by_name | references | _definitions_beyond_models()


def _definition(name: str, elements: tuple[Element, ...]) -> Schema:
    """Return the schema of one model."""
    properties: Schema = {"resourceType": {"const": name}} if name in RESOURCES else {}
    required = [*properties]
    rules = [*_choices(name, elements), *INVARIANTS.get(name, ())]
    for element in elements:
        value = _value(name, element)
        if element.is_required and element.has_sibling:
            rules.append(_value_or_reason(element.name))
        elif element.is_required:
            required.append(element.name)
        if element.has_sibling and element.is_list:
            properties[f"_{element.name}"] = _list_of(_ref("SiblingOrNull"))
            rules.append(_null_with_sibling(element.name))
            value = _or_null(value)
        elif element.has_sibling:
            properties[f"_{element.name}"] = _ref("Sibling")
        properties[element.name] = _list_of(value) if element.is_list else value
    return {
        "type": "object",
        "minProperties": 1,
        "properties": properties,
        "additionalProperties": False,
        "required": required,
        **({"allOf": rules} if rules else {}),
    }


def _value(owner: str, element: Element) -> Schema:
    """Return the schema of an element, of one item of it where it repeats."""
    path = f"{owner}.{element.name}"
    if path in CODES:
        text = f"Must be one of: {', '.join(CODES[path])}"
        said = rule(text, code=IssueType.CODE_INVALID)
        return {"enum": list(CODES[path]), **said}
    if path in PATTERNS:
        said = rule("Not in the required value set", code=IssueType.CODE_INVALID)
        return {"type": "string", "pattern": f"^(?:{PATTERNS[path]})$", **said}
    if path in CONCEPTS:
        return _bound_concept(path)
    if element.name == "contained":
        return _ref("Contained")
    if element.type == "Reference":
        return _ref(_reference_name(element.targets))
    return PRIMITIVES.get(element.type) or _ref(element.type)


def _or_null(value: Schema) -> Schema:
    """Return a primitive's schema that also takes the null of an absent value."""
    if "enum" in value:
        return {**value, "enum": [*value["enum"], None]}
    return {**value, "type": [value["type"], "null"]}


def _null_with_sibling(name: str) -> Schema:
    """Match lists in which a null leaves a place for something in the sibling."""
    text = "An item may be null only where it has an extension"
    no_null = {"properties": {name: {"items": {"not": {"type": "null"}}}}}
    return {
        **rule(text, code=IssueType.STRUCTURE, at=name),
        "anyOf": [{"required": [f"_{name}"]}, no_null],
    }


def _value_or_reason(name: str) -> Schema:
    """Match objects with the element, or with an extension that says why not."""
    sibling = f"_{name}"
    reason = {"properties": {sibling: {"required": ["extension"]}}}
    return {
        **rule("Must be present", code=IssueType.REQUIRED, at=name),
        "anyOf": [{"required": [name]}, {"required": [sibling], **reason}],
    }


def _bound_concept(path: str) -> Schema:
    system, codes = CONCEPTS[path]
    text = f"Needs a coding of {system} with one of: {', '.join(codes)}"
    bound = rule(text, code=IssueType.CODE_INVALID) | has_coding(system, *codes)
    return {**_ref("CodeableConcept"), "allOf": [bound]}


def _choices(owner: str, elements: tuple[Element, ...]) -> Iterator[Schema]:
    """Yield what holds value[x] and the like to one type; ext-1 is of that kind."""
    is_extension = owner == "Extension"
    bases = {e.choice: e.is_choice_required for e in elements if e.choice}
    for base, is_required in bases.items():
        groups = [_keys(e) for e in elements if e.choice == base]
        groups += [["extension"]] if is_extension else []
        yield _at_most_one(base, groups)
        if is_required or is_extension:
            yield {
                **rule("Must be present", code=IssueType.REQUIRED, at=base),
                "anyOf": [{"required": [key]} for group in groups for key in group],
            }


def _keys(element: Element) -> list[str]:
    return [element.name, *([f"_{element.name}"] if element.has_sibling else [])]


def _at_most_one(base: str, groups: list[list[str]]) -> Schema:
    def none_but(group: list[str]) -> Schema:
        others = (key for other in groups if other is not group for key in other)
        return {"properties": dict.fromkeys(others, False)}

    return {
        **rule(
            "Only one of the choice may be present", code=IssueType.STRUCTURE, at=base
        ),
        "dependentSchemas": {key: none_but(group) for group in groups for key in group},
    }


def _reference_name(targets: tuple[str, ...]) -> str:
    return "-".join(("ReferenceTo", *targets))


def _reference(base: Schema, targets: tuple[str, ...]) -> Schema:
    """Return the schema of references to *targets* (none given: to anything)."""
    is_any = targets in {(), ("Resource",)}
    choice = "|".join(RESOURCE_TYPES if is_any else targets)
    named = "any type" if is_any else " or ".join(targets)
    absolute = r"[A-Za-z][A-Za-z0-9+.\-]*:\S+"
    relative = rf"(?:{choice})(?:/{ID}(?:/_history/{ID})?(?:#\S+)?|\?\S+)"
    text = (
        f"Must be Type/id or Type?criteria of {named}, an absolute URL, or # and the "
        "id of a contained resource"
    )
    properties = base["properties"] | {
        "reference": {
            "type": "string",
            "pattern": rf"^(?:{relative}|{absolute}|#\S*)$",
            **rule(text, code=IssueType.VALUE),
        },
        "type": {
            "type": "string",
            "pattern": f"^(?:{choice}|{absolute})$",
            **rule(f"Must name {named}", code=IssueType.VALUE),
        },
    }
    return {**base, "properties": properties}


def _definitions_beyond_models() -> dict[str, Schema]:
    sibling = {
        "type": "object",
        "minProperties": 1,
        "properties": {
            "id": PRIMITIVES["string"],
            "extension": _list_of(_ref("Extension")),
        },
        "additionalProperties": False,
    }
    json_types = ["object", "array", "string", "number", "boolean"]
    return {
        "Sibling": sibling,
        "SiblingOrNull": {**sibling, "type": ["object", "null"]},
        "Resource": {"type": "object"},
        "Contained": _contained(),
        "OtherResource": _other_resource(),
        "Shape": _shape(json_types),
        "ShapeOrNull": _shape([*json_types, "null"]),
    }


def _contained() -> Schema:
    """Return the schema of a resource in another: ours in full, others in outline."""
    ours = [name for name in RESOURCES if name != "Bundle"]
    return {
        "type": "object",
        "required": ["resourceType"],
        "allOf": [
            *CONTAINED,
            *({"if": _is_type(name), "then": _ref(name)} for name in ours),
            {"if": _is_type(*ours), "else": _ref("OtherResource")},
        ],
    }


def _is_type(*names: str) -> Schema:
    named = {"properties": {"resourceType": {"enum": list(names)}}}
    return {"required": ["resourceType"], **named}


def _other_resource() -> Schema:
    """Return the outline of resource types that Catchment does not keep."""
    unknown = rule("Not a resource type of R4", code=IssueType.STRUCTURE)
    return {
        "properties": {
            "resourceType": {"enum": list(RESOURCE_TYPES), **unknown},
            "id": PRIMITIVES["id"],
            "meta": _ref("Meta"),
            "implicitRules": PRIMITIVES["uri"],
            "language": PRIMITIVES["code"],
            "text": _ref("Narrative"),
            "extension": _list_of(_ref("Extension")),
            "modifierExtension": _list_of(_ref("Extension")),
        },
        "additionalProperties": _ref("Shape"),
    }


def _shape(json_types: list[str]) -> Schema:
    """Match any FHIR JSON: nothing is empty or, save in lists, null."""
    return {
        "type": json_types,
        "minLength": 1,
        "minItems": 1,
        "minProperties": 1,
        "additionalProperties": _ref("Shape"),
        "items": _ref("ShapeOrNull"),
    }
