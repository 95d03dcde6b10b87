"""The rules that DEQM's summary profile adds to an R4 MeasureReport, one by one."""

import re
from collections.abc import Iterator
from typing import Any

LINK_ID = "http://hl7.org/fhir/5.0/StructureDefinition/extension-MeasureReport."
SCORING = "http://hl7.org/fhir/uv/deqm/StructureDefinition/deqm-measureScoring"
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def deqm_faults(report: dict[str, Any]) -> Iterator[str]:
    """
    Yield the rules that *report* breaks.

    Source: hl7.org/fhir/uv/deqm, StructureDefinition deqm-summarymeasurereport.
    """
    if not re.search(r"\|\d+\.\d+\.\d+$", report["measure"]):
        yield "deqm-0: the measure has a version"
    if not all(DAY.fullmatch(report["period"][end]) for end in ("start", "end")):
        yield "deqm-1: the period is in days"
    if len(values(report, SCORING)) != 1 or "improvementNotation" not in report:
        yield "deqm-2, deqm-3: scoring and improvement notation once, on the root"
    if not {"date", "reporter", "group"} <= report.keys():
        yield "date, reporter, group 1..*"
    if {"subject", "evaluatedResource"} & report.keys():
        yield "no subject but a Group, no evaluatedResource"
    for group in report["group"]:
        yield from _group_faults(group)


def _group_faults(group: dict[str, Any]) -> Iterator[str]:
    yield from _link_faults(group, "group")
    yield from _count_faults(group, "group")
    for stratifier in group.get("stratifier", ()):
        yield from _link_faults(stratifier, "group.stratifier")
        for stratum in stratifier["stratum"]:
            yield from _count_faults(stratum, "group.stratifier.stratum")
            if "component" in stratum:
                yield "deqm-7: a code or components"


def _count_faults(group: dict[str, Any], at: str) -> Iterator[str]:
    if not group["population"]:
        yield "deqm-5: a population at least"
    for population in group["population"]:
        yield from _link_faults(population, f"{at}.population")
        if ("count" in population) == ("_count" in population):
            yield "deqm-8: a count, or why there is none"
        if "subjectResults" in population:
            yield "subjectResults 0..0"
    score = group.get("measureScore")
    if score is not None and not 0 <= score["value"] <= 1:
        yield "deqm-6: the score of a proportion is 0-1"
    if score is not None and any("_count" in p for p in group["population"][1:]):
        yield "a score of counts that are withheld"


def _link_faults(element: dict[str, Any], at: str) -> Iterator[str]:
    name = element["id"] if "id" in element else element["code"]["coding"][0]["code"]
    if values(element, f"{LINK_ID}{at}.linkId") != [name]:
        yield f"linkId 1..1 on {at}"


def values(element: dict[str, Any], url: str) -> list[Any]:
    """Return the values of an element's extensions of one URL."""
    return [
        value
        for extension in element.get("extension", ())
        if extension["url"] == url
        for name, value in extension.items()
        if name.startswith("value")
    ]
