"""
fhir.resources' models -> the elements of each type.

The models are of R4B (4.3.0); what that has and R4 (4.0.1) has not is left out here.
"""

import types
import typing
from typing import Any, NamedTuple

from fhir.resources.R4B import get_fhir_model_class
from fhir_core.fhirabstractmodel import FHIRAbstractModel
from pydantic.fields import FieldInfo

from app.fhir.primitives import PRIMITIVES

RESOURCES = (
    "Observation",
    "Condition",
    "Patient",
    "Encounter",
    "MeasureReport",
    "Bundle",
)
NOT_IN_R4 = {"Extension": {"valueCodeableReference", "valueRatioRange"}}
TARGETS_IN_R4 = {"Observation.subject": ("Patient", "Group", "Device", "Location")}
"""Elements that R4B lets point to more types than R4 does."""

BARE = {"Extension.url"}
"""What, like every id, is text of its own and can have no extension (in the models
an extension's value cannot either, which FHIR allows)."""

TypeForm = Any
"""What may stand behind the colon of a field, for which typing has no type yet."""

_NAMES: dict[TypeForm, str] = {bool: "boolean", bytes: "base64Binary"}
_METADATA_NAMES = {"UuidVersion": "uuid"}


class Element(NamedTuple):
    """
    An element of a model: how JSON calls it, and what it is.

    ``has_sibling``: its extensions stand beside it, under its name with ``_`` before.
    ``choice`` is the base name where it is one of a choice (value for valueQuantity).
    """

    name: str
    type: str
    is_list: bool
    is_required: bool
    has_sibling: bool
    choice: str | None
    is_choice_required: bool
    targets: tuple[str, ...]


NOT_IN_MODELS = {
    "Extension": (
        Element(
            name="valueMeta",
            type="Meta",
            is_list=False,
            is_required=False,
            has_sibling=False,
            choice="value",
            is_choice_required=False,
            targets=(),
        ),
    )
}


def reached_elements() -> dict[str, tuple[Element, ...]]:
    """Return the elements of our resource types and of every type that they reach."""
    reached: dict[str, tuple[Element, ...]] = {}
    waiting = list(RESOURCES)
    while waiting:
        name = waiting.pop()
        if name in reached or name in PRIMITIVES or name == "Resource":
            continue
        reached[name] = _elements(get_fhir_model_class(name))
        waiting.extend(element.type for element in reached[name])
    return reached


def _elements(model: type[FHIRAbstractModel]) -> tuple[Element, ...]:
    ignored = {"fhir_comments"} | NOT_IN_R4.get(model.__name__, set())
    fields = {f.alias or name: f for name, f in model.model_fields.items()}
    modelled = (
        _element(model.__name__, name, field)
        for name, field in fields.items()
        if not name.startswith("_") and name not in ignored
    )
    return (*modelled, *NOT_IN_MODELS.get(model.__name__, ()))


def _element(owner: str, name: str, field: FieldInfo) -> Element:
    type_, is_list = _unwrap(field.annotation)
    extra = typing.cast("dict[str, Any]", field.json_schema_extra or {})
    path = f"{owner}.{name}"
    targets = TARGETS_IN_R4.get(path, extra.get("enum_reference_types"))
    return Element(
        name=name,
        type=type_,
        is_list=is_list,
        is_required=field.is_required() or extra.get("element_required", False),
        has_sibling=type_ in PRIMITIVES and name != "id" and path not in BARE,
        choice=extra.get("one_of_many"),
        is_choice_required=extra.get("one_of_many_required", False),
        targets=tuple(targets or ()),
    )


def _unwrap(annotation: TypeForm) -> tuple[str, bool]:
    """Return the FHIR type that an annotation stands for, and whether it repeats."""
    origin: TypeForm = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin is typing.Annotated:
        return _primitive_name(annotation.__metadata__[-1]), False
    if origin is list:
        return _unwrap(arguments[0])[0], True
    if origin in {typing.Union, types.UnionType}:
        return _unwrap(next(a for a in arguments if a is not types.NoneType))
    name = _NAMES.get(annotation) or annotation.__name__.removesuffix("Type")
    return name, False


def _primitive_name(metadata: object) -> str:
    name = type(metadata).__name__
    return _METADATA_NAMES.get(name) or name[0].lower() + name[1:]
