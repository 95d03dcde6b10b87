"""Every place in an R4 resource that a clinic may send, and what is decided of it."""

from collections.abc import Iterator
from typing import NamedTuple

from fhir.resources.R4B import get_fhir_model_class

from app.deid.elements import PRIMITIVE, ROOTS, Act, Decision, decision_on
from app.fhir.model_elements import Element, reached_elements
from app.fhir.primitives import PRIMITIVES

ELEMENTS = reached_elements()


def _plain(name: str, type_: str, *, is_list: bool = False) -> Element:
    return Element(
        name=name,
        type=type_,
        is_list=is_list,
        is_required=False,
        has_sibling=False,
        choice=None,
        is_choice_required=False,
        targets=(),
    )


TYPE = _plain("resourceType", "code")
BESIDE = (_plain("id", "string"), _plain("extension", "Extension", is_list=True))
NOT_IN_JSON = {"resource_type", "fhir_comments"}


class Place(NamedTuple):
    """An element where it stands: below a root, by the names of JSON."""

    path: str
    owner: str
    element: Element
    decision: Decision

    @property
    def at(self) -> str:
        return self.path.rpartition(".")[0]

    @property
    def is_leaf(self) -> bool:
        """Return whether the element is a value itself, and has no parts."""
        return self.element.type in PRIMITIVES


def elements_of(type_: str) -> tuple[Element, ...]:
    """Return the elements of a type, ``resourceType`` among them where it has one."""
    is_resource = type_ in ROOTS.values()
    return (TYPE, *ELEMENTS[type_]) if is_resource else ELEMENTS[type_]


def names_in_models(type_: str) -> set[str]:
    """Return what fhir.resources calls a type's elements, read from it directly."""
    return {
        field.alias or name
        for name, field in get_fhir_model_class(type_).model_fields.items()
        if name not in NOT_IN_JSON and not name.endswith("__ext")
    }


def places_below(at: str, type_: str) -> Iterator[Place]:
    """Yield every place below a path that needs a decision, the outermost first."""
    for element in elements_of(type_):
        path = f"{at}.{element.name}"
        decision = decision_on(element.name, of=type_, at=at)
        yield Place(path, type_, element, decision)
        if element.has_sibling and decision.act is not Act.REFUSE:
            for beside in BESIDE:
                under = f"{at}._{element.name}"
                yield Place(
                    f"{under}.{beside.name}",
                    PRIMITIVE,
                    beside,
                    decision_on(beside.name, of=PRIMITIVE, at=under),
                )
        if not decision.act.is_gone and element.type not in PRIMITIVES:
            yield from places_below(path, element.type)


PLACES = tuple(
    place for root, type_ in ROOTS.items() for place in places_below(root, type_)
)
