"""
Which elements are read, and the name of every other: one decision for each of R4's.

An element that is in no table is not FHIR's; its very name may be PHI, so it is counted
as ``<unknown>``.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

UNKNOWN = "<unknown>"


class Elements(NamedTuple):
    """The JSON names that are read, and the FHIRPath name of each JSON name."""

    read: frozenset[str]
    paths: Mapping[str, str]


def note_dropped(
    element: dict[str, Any], known: Elements, path: str, dropped: set[str]
) -> None:
    """Add to *dropped* the paths of what the *element* at *path* has beyond *known*."""
    for name in element:
        if name not in known.read:
            dropped.add(f"{path}.{known.paths.get(name, UNKNOWN)}")


def _paths(names: str) -> dict[str, str]:
    """Return JSON name to FHIRPath name; ``stem:a,b`` is a choice of types a and b."""
    paths = {}
    for name in names.split():
        stem, _, types = name.partition(":")
        for type_ in types.split(",") if types else ():
            json_name = f"{stem}{type_[0].upper()}{type_[1:]}"
            paths[json_name] = f"{stem}.ofType({type_})"
        if not types:
            paths[stem] = stem
    return paths


def _elements(*, read: str, dropped: str) -> Elements:
    """Return the table of a type; primitives' ``_name`` stands for their extensions."""
    paths = _paths(f"{read} {dropped}")
    siblings = {f"_{name}": f"{path}.extension" for name, path in paths.items()}
    return Elements(frozenset(_paths(read)), paths | siblings)


_RESOURCE_READ = "resourceType id meta identifier"
_RESOURCE_DROPPED = "implicitRules language text contained extension modifierExtension"
_ELEMENT_DROPPED = "id extension"
_BACKBONE_DROPPED = "id extension modifierExtension"

OBSERVATION = _elements(
    read=f"{_RESOURCE_READ} status category code subject encounter component "
    "effective:dateTime,Period,Timing,instant dataAbsentReason "
    "value:Quantity,CodeableConcept,boolean,integer",
    dropped=f"{_RESOURCE_DROPPED} basedOn partOf focus issued performer interpretation "
    "value:string,Range,Ratio,SampledData,time,dateTime,Period note bodySite method "
    "specimen device referenceRange hasMember derivedFrom",
)
COMPONENT = _elements(
    read="code dataAbsentReason value:Quantity,CodeableConcept,boolean,integer",
    dropped=f"{_BACKBONE_DROPPED} interpretation referenceRange "
    "value:string,Range,Ratio,SampledData,time,dateTime,Period",
)
SUMMARY = _elements(
    read=f"{_RESOURCE_READ} status code subject effective:dateTime,Period,instant "
    "value:Quantity,integer",
    dropped=f"{_RESOURCE_DROPPED} category encounter component effective:Timing "
    "dataAbsentReason basedOn partOf focus issued performer interpretation "
    "value:CodeableConcept,boolean,string,Range,Ratio,SampledData,time,dateTime,Period "
    "note bodySite method specimen device referenceRange hasMember derivedFrom",
)
"""Of an Observation about a Group or Location."""
CONDITION = _elements(
    read=f"{_RESOURCE_READ} clinicalStatus verificationStatus category code subject "
    "encounter onset:dateTime,Period abatement:dateTime,Period recordedDate",
    dropped=f"{_RESOURCE_DROPPED} severity bodySite onset:Age,Range,string recorder "
    "abatement:Age,Range,string asserter stage evidence note",
)
ENCOUNTER = _elements(
    read=f"{_RESOURCE_READ} status class subject period",
    dropped=f"{_RESOURCE_DROPPED} statusHistory classHistory type serviceType priority "
    "episodeOfCare basedOn participant appointment length reasonCode reasonReference "
    "diagnosis account hospitalization location serviceProvider partOf",
)
PATIENT = _elements(
    read=f"{_RESOURCE_READ} gender birthDate deceased:boolean,dateTime address link",
    dropped=f"{_RESOURCE_DROPPED} active name telecom maritalStatus photo contact "
    "multipleBirth:boolean,integer communication generalPractitioner "
    "managingOrganization",
)
MEASURE_REPORT = _elements(
    read=f"{_RESOURCE_READ} status type measure subject reporter period group "
    "evaluatedResource",
    dropped=f"{_RESOURCE_DROPPED} date improvementNotation",
)
REPORT_GROUP = _elements(
    read="population", dropped=f"{_BACKBONE_DROPPED} code measureScore stratifier"
)
REPORT_POPULATION = _elements(
    read="code count subjectResults", dropped=_BACKBONE_DROPPED
)
META = _elements(
    read="lastUpdated",
    dropped=f"{_ELEMENT_DROPPED} versionId source profile security tag",
)
IDENTIFIER = _elements(
    read="system value", dropped=f"{_ELEMENT_DROPPED} use type period assigner"
)
REFERENCE = _elements(
    read="reference type identifier", dropped=f"{_ELEMENT_DROPPED} display"
)
CODEABLE_CONCEPT = _elements(read="coding", dropped=f"{_ELEMENT_DROPPED} text")
CODING = _elements(
    read="system code", dropped=f"{_ELEMENT_DROPPED} version display userSelected"
)
QUANTITY = _elements(read="value comparator unit system code", dropped=_ELEMENT_DROPPED)
PERIOD = _elements(read="start", dropped=f"{_ELEMENT_DROPPED} end")
WHOLE_PERIOD = _elements(read="start end", dropped=_ELEMENT_DROPPED)
TIMING = _elements(read="event", dropped=f"{_BACKBONE_DROPPED} repeat code")
ADDRESS = _elements(
    read="use state postalCode country",
    dropped=f"{_ELEMENT_DROPPED} type text line city district period",
)
LINK = _elements(read="other type", dropped=_BACKBONE_DROPPED)
