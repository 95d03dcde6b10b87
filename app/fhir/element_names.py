"""Every name that FHIR R4 has for a type of resource or an element."""

from functools import cache
from importlib import import_module
from inspect import isclass
from pkgutil import iter_modules

from fhir.resources import R4B
from fhir_core.fhirabstractmodel import FHIRAbstractModel

from app.fhir.bindings import RESOURCE_TYPES


@cache
def element_names() -> frozenset[str]:
    """
    Return the names of all elements of all types, and of the types of resources.

    The first call imports every model, which takes seconds.
    """
    modules = [m.name for m in iter_modules(R4B.__path__) if not m.ispkg]
    models = {
        model
        for name in modules
        for model in vars(import_module(f"{R4B.__name__}.{name}")).values()
        if isclass(model) and issubclass(model, FHIRAbstractModel)
    }
    names = {
        field.alias or name
        for model in models
        for name, field in model.model_fields.items()
        if not name.endswith("__ext")
    }
    return frozenset(names | {*RESOURCE_TYPES, "resourceType"})
