"""
What a schema cannot see: rules that compare the parts of one resource.

Ids occur once (ele), a local reference finds its contained resource (ref-1), each
contained resource is referred to (dom-3), a period ends after it starts (per-1), a
component does not repeat its Observation (obs-7), and a fullUrl stands for one entry
(bdl-7). All take a resource that the schema has passed.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

Json = dict[str, Any]
Path = tuple[str | int, ...]
Finding = tuple[Path, str]
"""Where something is wrong, and which rule it breaks."""


def internal_findings(resource: Json) -> list[Finding]:
    """Return what is wrong between the parts of *resource*; empty where nothing is."""
    if resource["resourceType"] == "Bundle":
        return list(_repeated_full_urls(resource))
    findings = list(_repeated_code(resource))
    if not _is_worth_a_look(resource):
        return findings
    nodes = list(_nodes(resource, ()))
    return [
        *findings,
        *_repeated_ids(nodes),
        *_unresolved(resource, nodes),
        *_unused(resource),
        *_reversed_periods(nodes),
    ]


def _is_worth_a_look(resource: Json) -> bool:
    """Tell, quickly, whether the rules on parts need a closer look."""
    if "contained" in resource:
        return True
    waiting: list[Any] = list(resource.values())
    while waiting:
        node = waiting.pop()
        if type(node) is dict:
            if "id" in node:
                return True
            if "reference" in node and node["reference"].startswith("#"):
                return True
            if (
                "start" in node
                and "end" in node
                and is_after(node["start"], node["end"])
            ):
                return True
            waiting.extend(node.values())
        elif type(node) is list:
            waiting.extend(node)
    return False


def _nodes(node: object, path: Path) -> Iterator[tuple[Path, Json]]:
    """Yield every object in *node*, itself first, with its path."""
    if isinstance(node, dict):
        yield path, node
        for key, value in node.items():
            yield from _nodes(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _nodes(value, (*path, index))


def _repeated_ids(nodes: list[tuple[Path, Json]]) -> Iterator[Finding]:
    """Yield ids that came before: those of elements, and those of contained ones."""
    seen: set[tuple[bool, str]] = set()
    for path, node in nodes[1:]:
        key = ("resourceType" in node, str(node.get("id")))
        if "id" in node and key in seen:
            yield (*path, "id"), "An id may occur only once in a resource"
        seen.add(key)


def _unresolved(resource: Json, nodes: list[tuple[Path, Json]]) -> Iterator[Finding]:
    ids = {f"#{one['id']}" for one in resource.get("contained", ()) if "id" in one}
    for path, node in nodes:
        reference = node.get("reference")
        if not isinstance(reference, str) or not reference.startswith("#"):
            continue
        is_to_container = reference == "#" and path[0] == "contained"
        if reference not in ids and not is_to_container:
            text = "ref-1: no contained resource has the id of this reference"
            yield (*path, "reference"), text


def _unused(resource: Json) -> Iterator[Finding]:
    links = set(_local_links(resource))
    for index, one in enumerate(resource.get("contained", ())):
        if f"#{one.get('id')}" not in links and "#" not in _local_links(one):
            text = "dom-3: nothing in the resource refers to this contained one"
            yield ("contained", index), text


def _local_links(node: object) -> Iterator[str]:
    """Yield all text in *node* that could be a link inside the resource."""
    if isinstance(node, str) and node.startswith("#"):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from _local_links(value)
    elif isinstance(node, list):
        for value in node:
            yield from _local_links(value)


def _reversed_periods(nodes: list[tuple[Path, Json]]) -> Iterator[Finding]:
    for path, node in nodes:
        start, end = node.get("start"), node.get("end")
        if isinstance(start, str) and isinstance(end, str) and is_after(start, end):
            yield path, "per-1: start may not be after end"


def is_after(start: str, end: str) -> bool:
    """
    Tell whether the dateTime *start* is surely after the dateTime *end*.

    Two with a time are compared as instants, others as written, as far as both go.
    """
    if "T" in start and "T" in end:
        return _instant(start) > _instant(end)
    known = min(len(start), len(end), len("YYYY-MM-DD"))
    return start[:known] > end[:known]


def _instant(text: str) -> datetime:
    """Return an instant; a leap second, which Python lacks, as the one before."""
    return datetime.fromisoformat(text.replace(":60", ":59"))


def _repeated_code(resource: Json) -> Iterator[Finding]:
    """Yield an Observation whose own code comes back in a component beside a value."""
    components = resource.get("component", ())
    if not components or not any(name.startswith("value") for name in resource):
        return
    codings = resource.get("code", {}).get("coding", ())
    for index, component in enumerate(components):
        if any(c in codings for c in component["code"].get("coding", ())):
            text = "obs-7: with a component of the Observation's code, no value"
            yield ("component", index, "code"), text


def _repeated_full_urls(bundle: Json) -> Iterator[Finding]:
    """Yield entries with the fullUrl and version of an earlier one; histories may."""
    seen: set[tuple[str, str]] = set()
    for index, entry in enumerate(bundle.get("entry", ())):
        meta = entry.get("resource", {}).get("meta")
        version = meta.get("versionId") if isinstance(meta, dict) else None
        key = (entry.get("fullUrl"), str(version))
        if "fullUrl" in entry and key in seen and bundle.get("type") != "history":
            text = "bdl-7: the fullUrl, and the version, of an earlier entry"
            yield ("entry", index, "fullUrl"), text
        seen.add(key)
