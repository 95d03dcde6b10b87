"""Valid R4 resources with a token of its own in every place that can hold one."""

from collections.abc import Callable, Iterator
from typing import Any

from app.deid.elements import ROOTS, SUMMARY
from app.fhir.bindings import CODES, CONCEPTS
from app.fhir.model_elements import Element
from app.fhir.primitives import PRIMITIVES
from tests.deidentification import MRN, concept
from tests.leaks.mints import PLANTED, Mint
from tests.leaks.places import ELEMENTS

Json = dict[str, Any]

TURNS = {
    "Observation": 12,
    SUMMARY: 3,
    "Condition": 5,
    "Encounter": 1,
    "Patient": 51,
    "MeasureReport": 1,
}
"""After how many turns each of a choice of types has stood in its place."""
UCUM = "http://unitsofmeasure.org"
POPULATION = "http://terminology.hl7.org/CodeSystem/measure-population"
VALID = {
    "Condition.clinicalStatus": "inactive",
    "Condition.verificationStatus": "confirmed",
    "Encounter.status": "finished",
    "Observation.status": "final",
    "PatientLink.type": "replaces",
    "MeasureReport.type": "summary",
}
FITTING = {
    "Attachment.contentType": "text/plain",
    "DataRequirement.type": "Patient",
    "Money.currency": "USD",
    "ParameterDefinition.type": "Patient",
    "Signature.sigFormat": "text/plain",
    "Signature.targetFormat": "text/plain",
    "Age.code": "a",
    "Count.code": "1",
    "Distance.code": "m",
    "Duration.code": "d",
    **dict.fromkeys(("Age.system", "Count.system", "Distance.system"), UCUM),
    "Duration.system": UCUM,
}
REFUSED = {"modifierExtension", "evaluatedResource", "subjectResults"}
"""What has its resource refused."""
EXCLUDED = {
    *("TimingRepeat.when", "TimingRepeat.offset", "Quantity.comparator"),
    *(f"{type_}.comparator" for type_ in ("Age", "Count", "Distance", "Duration")),
}
"""What its neighbours exclude."""
OF_A_SUMMARY = {
    *("effectiveDateTime", "effectiveInstant", "effectivePeriod"),
    *("valueInteger", "valueQuantity"),
}
"""What may stand in its choices."""
TARGETS = {f"{SUMMARY}.subject": "Group", "MeasureReport.subject": "Group"}


class Planter:
    """
    Builds resources that are taken.

    Which of a choice of types stands in each is told by the turn. A type is not
    repeated within itself.
    """

    def __init__(self, mint: Mint, *, turn: int) -> None:
        self.mint = mint
        self.turn = turn
        self.places: set[str] = set()

    def resource(self, root: str) -> Json:
        """Return a resource of one of the roots of paths."""
        return {"resourceType": ROOTS[root], **self.parts(ROOTS[root], root, ())}

    def parts(self, type_: str, at: str, within: tuple[str, ...]) -> Json:
        """Return all that fits below a path."""
        built: Json = {}
        for element in self._chosen(type_, at):
            path = f"{at}.{element.name}"
            value = self._value(element, type_, path, (*within, type_))
            if value is None:
                continue
            built[element.name] = value
            self.places.add(path)
            if element.has_sibling:
                beside = self.beside(f"{at}._{element.name}")
                is_list = isinstance(value, list)
                built[f"_{element.name}"] = [beside] if is_list else beside
        return built

    def _chosen(self, type_: str, at: str) -> Iterator[Element]:
        """Yield a type's elements, of each choice the one whose turn it is."""
        choices: dict[str, list[Element]] = {}
        names = {element.name for element in ELEMENTS[type_]}
        for element in ELEMENTS[type_]:
            if element.choice and (at != SUMMARY or element.name in OF_A_SUMMARY):
                choices.setdefault(element.choice, []).append(element)
        absent = "dataAbsentReason" in names and self.turn % 12 == 11
        for base, options in choices.items():
            if not (absent and base == "value"):
                yield options[self.turn % len(options)]
        # A period's start is minted before its end, and so is before it.
        for element in sorted(ELEMENTS[type_], key=lambda e: e.name == "end"):
            if element.choice or element.name in REFUSED:
                continue
            if f"{type_}.{element.name}" in EXCLUDED:
                continue
            if element.name != "dataAbsentReason" or (absent and at != SUMMARY):
                yield element

    def _value(
        self, element: Element, owner: str, path: str, within: tuple[str, ...]
    ) -> Any:
        if path in SPECIAL:
            return SPECIAL[path](self, path, within)
        if element.name == "extension":
            return self._extensions(path, within)
        if element.name == "contained":
            return self._contained(path)
        if element.name == "assigner" and "Reference" in within:
            return {"display": self.mint.text(path)}
        if element.type in {*within, "Resource"}:
            return None
        one = self._one(element, f"{owner}.{element.name}", path, within)
        return [one] if element.is_list else one

    def _one(
        self, element: Element, bound: str, path: str, within: tuple[str, ...]
    ) -> Any:
        if bound in CONCEPTS:
            system, codes = CONCEPTS[bound]
            planted = self.parts("CodeableConcept", path, within)
            stated = concept(system, VALID.get(bound, codes[0]))
            return planted | {"coding": stated["coding"] + planted["coding"]}
        if bound in CODES:
            return VALID.get(bound, CODES[bound][0])
        if bound in FITTING:
            return FITTING[bound]
        if element.type in PRIMITIVES:
            return PLANTED[element.type](self.mint, path)
        built = self.parts(element.type, path, within)
        if element.type == "Reference":
            target = TARGETS.get(path) or next(iter(element.targets), "Patient")
            target = "Patient" if target == "Resource" else target
            name = f"{target}/{self.mint.text(path)}"
            built |= {"reference": name, "type": target}
        return built

    def beside(self, at: str) -> Json:
        """Return what stands beside a primitive."""
        self.places |= {f"{at}.id", f"{at}.extension"}
        return {"id": self.mint.text(at), "extension": [self.extension(at)]}

    def extension(self, at: str) -> Json:
        """Return an extension of text."""
        return {"url": self.mint.text(at), "valueString": self.mint.text(at)}

    def _extensions(self, path: str, within: tuple[str, ...]) -> list[Json]:
        """Return an extension; on a resource also a nested one, and one of any type."""
        found = [self.extension(path)]
        if len(within) > 1:
            return found
        nested = {"url": self.mint.text(path), "extension": [self.extension(path)]}
        full = self.parts("Extension", path, within)
        del full["extension"]
        return [*found, nested, full]

    def _contained(self, path: str) -> list[Json]:
        doctor = {
            "resourceType": "Practitioner",
            "id": self.mint.text(path),
            "name": [{"text": self.mint.text(path)}],
            "vendorField": {"deep": [self.mint.text(path)]},
        }
        person = {
            "resourceType": "Patient",
            "id": self.mint.text(path),
            "name": [{"family": self.mint.text(path)}],
            "birthDate": self.mint.day(path),
        }
        links = [{"url": "x:y", "valueUri": f"#{o['id']}"} for o in (doctor, person)]
        return [doctor, person | {"extension": links}]


def _special(make: Callable[[Planter, str], Any]) -> "Special":
    return lambda planter, path, _: make(planter, path)


def _identifiers(planter: Planter, path: str, within: tuple[str, ...]) -> list[Json]:
    """Return an identifier that is unique in the clinic, and another."""
    other = planter.parts("Identifier", path, within)
    return [other, planter.parts("Identifier", path, within) | {"system": MRN}]


def _homes(planter: Planter, path: str, within: tuple[str, ...]) -> list[Json]:
    """Return an address whose country is a token, and one in the United States."""
    abroad = planter.parts("Address", path, within)
    here = planter.parts("Address", path, within)
    return [abroad, here | {"country": "US", "postalCode": "03687-1234"}]


def _measured(planter: Planter, path: str, within: tuple[str, ...]) -> Json:
    """Return a quantity whose number may stay, and whose unit is a token."""
    planted = planter.parts("Quantity", path, within)
    planter.places.add(f"{path}.comparator")
    beside = planter.beside(f"{path}._comparator")
    known = {"value": 143, "system": UCUM, "code": "mm[Hg]", "comparator": "<"}
    return planted | known | {"_comparator": beside}


def _counted(planter: Planter, path: str, within: tuple[str, ...]) -> Json:
    """Return a number of nobody known: days, with no comparator."""
    planted = planter.parts("Quantity", path, within)
    return planted | {"value": 14, "code": "d", "system": UCUM}


def _time_on(day: str) -> "Special":
    return _special(lambda planter, path: planter.mint.time_on(day, path))


def _populations(planter: Planter, path: str, within: tuple[str, ...]) -> list[Json]:
    """Return a population for each of the two counts, and one of no such code."""
    built = [
        planter.parts("MeasureReportGroupPopulation", path, within) for _ in range(3)
    ]
    for population, name in zip(built, ("numerator", "denominator"), strict=False):
        population["code"]["coding"] += concept(POPULATION, name)["coding"]
        population["count"] = 7
    return built


Special = Callable[[Planter, str, tuple[str, ...]], Any]
SPECIAL: dict[str, Special] = {
    **{f"{root}.identifier": _identifiers for root in ROOTS},
    **{f"{root}.meta.lastUpdated": _time_on("2024-07-01") for root in ROOTS},
    "Patient.address": _homes,
    "Patient.birthDate": _special(lambda *_: "1985-03-17"),
    "Patient.deceasedDateTime": _time_on("2024-02-29"),
    "Observation.valueQuantity": _measured,
    "Observation.component.valueQuantity": _measured,
    "Observation.effectiveDateTime": _time_on("2024-06-30"),
    "Observation.effectiveInstant": _time_on("2024-06-30"),
    "Observation.effectivePeriod.start": _time_on("1903-01-01"),
    "Observation.effectiveTiming.event": _special(
        lambda planter, path: [planter.mint.time_on("2024-06-30", path)]
    ),
    "Observation.valueInteger": _special(lambda *_: 3),
    "Observation.component.valueInteger": _special(lambda *_: 3),
    "Summary.effectiveDateTime": _time_on("2024-06-30"),
    "Summary.effectiveInstant": _time_on("2024-06-30"),
    "Summary.effectivePeriod.start": _time_on("2024-06-01"),
    "Summary.effectivePeriod.end": _time_on("2024-06-30"),
    "Summary.valueInteger": _special(lambda *_: 3),
    "Summary.valueQuantity": _counted,
    "Condition.onsetDateTime": _time_on("2020-01-31"),
    "Condition.onsetPeriod.start": _time_on("1903-01-01"),
    "Condition.abatementDateTime": _time_on("2022-01-31"),
    "Condition.abatementPeriod.start": _time_on("1903-01-01"),
    "Condition.recordedDate": _time_on("2020-02-29"),
    "Encounter.period.start": _time_on("1903-01-01"),
    "MeasureReport.measure": _special(
        lambda *_: "https://hub.example/fhir/Measure/clabsi-rate"
    ),
    "MeasureReport.period.start": _special(lambda *_: "2024-06-01"),
    "MeasureReport.period.end": _special(lambda *_: "2024-06-30"),
    "MeasureReport.group.population": _populations,
}
"""What stands in places of which something is kept, so that the resource is taken."""
