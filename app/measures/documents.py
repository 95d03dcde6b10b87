"""YAML text -> plain data, and the line on which each part of it stands."""

import re
from collections.abc import Hashable, Iterator
from typing import Any, ClassVar

import msgspec
import yaml
from typing_extensions import override

from app.measures.checks import Path

_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BOOL = "tag:yaml.org,2002:bool"


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong on a line of a file, and what to do about it."""

    origin: str
    line: int
    message: str

    @override
    def __str__(self) -> str:
        """Return ``file:line: message``."""
        return f"{self.origin}:{self.line}: {self.message}"


class _Loader(_Safe):  # type: ignore[misc]
    """Reads ``yes`` and ``no`` as the words that they are to YAML 1.2, and editors."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, Any]]]] = {
        first: [(tag, form) for tag, form in forms if tag != _BOOL]
        for first, forms in _Safe.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver(
    _BOOL, re.compile("true|True|TRUE|false|False|FALSE"), list("tTfF")
)


class Document:
    """
    A text as plain ``data``, which knows the line of each of its parts.

    ``faults`` says what YAML takes in silence or not at all: a key that stands twice,
    an alias. JSON is read as the YAML that it is.
    """

    def __init__(self, text: str, *, origin: str) -> None:
        self.origin = origin
        self.data: Any = None
        self.faults: tuple[Fault, ...] = ()
        self._root: yaml.Node | None = None
        try:
            self._read(text)
        except yaml.YAMLError as error:
            self.faults = (self._unreadable(error),)

    def fault(self, path: Path, message: str) -> Fault:
        """Return *message* about what stands at *path*."""
        return Fault(origin=self.origin, line=self.line(path), message=message)

    def line(self, path: Path) -> int:
        """Return the line, from 1, of what stands at *path*, or of what should."""
        node = self._root
        line = 1 if node is None else node.start_mark.line + 1
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            line, node = found
        return line

    def _read(self, text: str) -> None:
        """Compose the tree once: the data, the lines and the faults are of it."""
        loader = _Loader(text)
        try:
            self._root = loader.get_single_node()
            self.faults = tuple(self._faults(self._root, seen=set()))
            if self._root is not None and not self.faults:
                self.data = loader.construct_document(self._root)
        except RecursionError:
            self.faults = (self.fault((), "this is nested too deeply to be read"),)
        finally:
            loader.dispose()

    def _unreadable(self, error: yaml.YAMLError) -> Fault:
        """Return where the text ceases to be YAML."""
        mark = getattr(error, "problem_mark", None)
        if "flow" in (getattr(error, "context", None) or ""):
            mark = getattr(error, "context_mark", mark)  # where a bracket was opened
        reason = getattr(error, "problem", None) or "it is no text"
        line = 1 if mark is None else mark.line + 1
        message = f"this is no YAML: {reason}"
        return Fault(origin=self.origin, line=line, message=message)

    def _faults(self, node: yaml.Node | None, *, seen: set[int]) -> Iterator[Fault]:
        """Yield the keys that stand twice, and the aliases, of *node* and below."""
        if id(node) in seen:
            yield self._at(node, "an alias is not taken: write out what it stands for")
            return
        seen.add(id(node))
        if isinstance(node, yaml.ScalarNode) and not _has_value(node):
            yield self._at(node, f"`{node.value}` is no date that a calendar has")
        if isinstance(node, yaml.SequenceNode):
            for child in node.value:
                yield from self._faults(child, seen=seen)
        if isinstance(node, yaml.MappingNode):
            keys: set[str] = set()
            for key, child in node.value:
                if str(key.value) in keys:
                    again = f"`{key.value}` stands twice: rename one, or take one out"
                    yield self._at(key, again)
                keys.add(str(key.value))
                yield from self._faults(key, seen=seen)
                yield from self._faults(child, seen=seen)

    def _at(self, node: yaml.Node | None, message: str) -> Fault:
        """Return *message* about a node."""
        line = 1 if node is None else node.start_mark.line + 1
        return Fault(origin=self.origin, line=line, message=message)


def _has_value(node: yaml.ScalarNode) -> bool:
    """Return whether a scalar can be made: 2024-02-30 looks like a date."""
    if not node.tag.endswith(":timestamp"):
        return True
    try:
        yaml.SafeLoader("").construct_yaml_timestamp(node)
    except ValueError:
        return False
    return True


def _child(node: yaml.Node | None, step: Hashable) -> tuple[int, yaml.Node] | None:
    """Return the line and the node that is one *step* below *node*, or None."""
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        if step >= len(node.value):
            return None
        return node.value[step].start_mark.line + 1, node.value[step]
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if str(key.value) == str(step):
                return key.start_mark.line + 1, value
    return None
