"""
What a schema cannot see: how the parts of one resource refer to each other.

Element ids are unique (ele), a local reference finds its contained resource (ref-1),
each contained resource is referred to (dom-3), and a fullUrl stands for one entry
(bdl-7). All take a resource that the schema has passed.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]
Finding = tuple[Path, str]
"""Where something is wrong, and which rule it breaks."""


def internal_findings(resource: dict[str, Any]) -> list[Finding]:
    """Return what is wrong between the parts of *resource*; empty where nothing is."""
    if resource["resourceType"] == "Bundle":
        return list(_repeated_full_urls(resource))
    if "contained" not in resource and not _may_be_wrong(resource):
        return []
    nodes = list(_nodes(resource, ()))
    return [*_repeated_ids(nodes), *_unresolved(resource, nodes), *_unused(resource)]


def _may_be_wrong(resource: dict[str, Any]) -> bool:
    """Tell, quickly, whether there is an element id or a local reference."""
    waiting: list[Any] = list(resource.values())
    while waiting:
        node = waiting.pop()
        if type(node) is dict:
            if "id" in node or str(node.get("reference", "")).startswith("#"):
                return True
            waiting.extend(node.values())
        elif type(node) is list:
            waiting.extend(node)
    return False


def _nodes(node: Any, path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield every object in *node*, itself first, with its path."""
    if type(node) is dict:
        yield path, node
        for key, value in node.items():
            yield from _nodes(value, (*path, key))
    elif type(node) is list:
        for index, value in enumerate(node):
            yield from _nodes(value, (*path, index))


def _repeated_ids(nodes: list[tuple[Path, dict[str, Any]]]) -> Iterator[Finding]:
    seen: set[tuple[bool, str]] = set()
    for path, node in nodes:
        if "id" not in node or not path:
            continue
        key = ("resourceType" in node, node["id"])
        if key in seen:
            yield (*path, "id"), "An id may occur only once in a resource"
        seen.add(key)


def _unresolved(
    resource: dict[str, Any], nodes: list[tuple[Path, dict[str, Any]]]
) -> Iterator[Finding]:
    ids = {one.get("id") for one in resource.get("contained", ())}
    for path, node in nodes:
        reference = node.get("reference")
        if type(reference) is not str or not reference.startswith("#"):
            continue
        is_to_container = reference == "#" and path[0] == "contained"
        if not is_to_container and reference[1:] not in ids:
            text = "ref-1: no contained resource has the id of this reference"
            yield (*path, "reference"), text


def _unused(resource: dict[str, Any]) -> Iterator[Finding]:
    contained = resource.get("contained", ())
    used = set(_local_links(resource))
    for index, one in enumerate(contained):
        refers_back = "#" in _local_links(one)
        if not refers_back and f"#{one.get('id')}" not in used:
            text = "dom-3: nothing in the resource refers to this contained one"
            yield ("contained", index), text


def _local_links(node: Any) -> Iterator[str]:
    """Yield all text in *node* that could be a link inside the resource."""
    if type(node) is str and node.startswith("#"):
        yield node
    children = node.values() if type(node) is dict else node
    if type(node) is dict or type(node) is list:
        for child in children:
            yield from _local_links(child)


def _repeated_full_urls(bundle: dict[str, Any]) -> Iterator[Finding]:
    """Yield entries whose fullUrl and version an earlier one has; histories may."""
    if bundle.get("type") == "history":
        return
    counts: Counter[tuple[str, str]] = Counter()
    for index, entry in enumerate(bundle.get("entry", ())):
        if "fullUrl" not in entry:
            continue
        meta = entry.get("resource", {}).get("meta")
        version = meta.get("versionId") if type(meta) is dict else None
        key = (entry["fullUrl"], str(version))
        if counts[key]:
            text = "bdl-7: the fullUrl of another entry of this version"
            yield ("entry", index, "fullUrl"), text
        counts[key] += 1
