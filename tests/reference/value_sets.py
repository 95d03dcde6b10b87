"""Value sets of a few rules, as a test writes them."""

from app.measures.definitions import SYSTEMS
from app.measures.value_sets import (
    WITHOUT,
    Compose,
    Concept,
    Filter,
    Part,
    ValueSet,
    url_of,
)


def value_set(name: str, *rules: str, version: str = "1.0.0") -> ValueSet:
    """Return a value set; a rule after ``not`` is excluded."""
    return ValueSet(
        id=name,
        url=url_of(name),
        version=version,
        name="Tried",
        title=name,
        status="active",
        compose=Compose(
            include=tuple(_part(r) for r in rules if not r.startswith(WITHOUT)),
            exclude=tuple(
                _part(r.removeprefix(WITHOUT)) for r in rules if r.startswith(WITHOUT)
            ),
        ),
    )


def _part(rule: str) -> Part:
    system, _, code = rule.partition("|")
    if code.endswith("*"):
        filters = (Filter.of(code.removesuffix("*")),)
        return Part(system=SYSTEMS[system], filter=filters)
    return Part(system=SYSTEMS[system], concept=(Concept(code=code),))
