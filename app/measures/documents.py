"""YAML text -> plain data, and the line on which each part of it stands."""

import itertools
import math
import re
from collections.abc import Hashable, Iterator
from typing import Any, ClassVar

import msgspec
import yaml
from typing_extensions import override

from app.measures.checks import Path

_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_CORE = {
    "null": (r"~|null|Null|NULL|", "~nN"),
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    "float": (
        r"[-+]?((\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|\.(inf|Inf|INF))|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
}
"""What a scalar without quotes is, and how it can begin: YAML 1.2.2, section 10.3."""
_BASES = {"0o": 8, "0x": 16}
MOST_DEEP = 40
"""Of mappings and lists within each other: no file of ours needs half of them."""


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
    """
    Reads scalars as YAML 1.2 and editors do: ``yes`` is a word, ``012`` is twelve.

    Nothing else is constructed, so that no tag brings a type that is not JSON's.
    """

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, Any]]]] = {}
    yaml_constructors: ClassVar[dict[str | None, Any]] = {
        tag: construct
        for tag, construct in _Safe.yaml_constructors.items()
        if tag is None or tag.removeprefix(_TAG) in {"null", "str", "seq", "map"}
    }


for _name, (_form, _firsts) in _CORE.items():
    _Loader.add_implicit_resolver(
        _TAG + _name, re.compile(rf"({_form})\Z"), ["", *_firsts]
    )


def _number(_: Any, node: yaml.ScalarNode) -> int | float:  # noqa: ANN401
    """Return the number that a scalar is, by the rules of YAML 1.2."""
    text = node.value
    try:
        if node.tag == _TAG + "int":
            base = _BASES.get(text[:2], 10)
            return int(text if base == 10 else text[2:], base)  # noqa: PLR2004
        return float(re.sub(r"\.(?=[iInN])", "", text))
    except ValueError:
        raise _unconstructed(node, "this is no number") from None


def _truth(_: Any, node: yaml.ScalarNode) -> bool:  # noqa: ANN401
    """Return the truth value that a scalar is."""
    if node.value.lower() not in {"true", "false"}:
        raise _unconstructed(node, "this is neither true nor false")
    return bool(node.value.lower() == "true")


def _unconstructed(node: yaml.Node, problem: str) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(
        problem=problem, problem_mark=node.start_mark
    )


_Loader.add_constructor(_TAG + "bool", _truth)
_Loader.add_constructor(_TAG + "int", _number)
_Loader.add_constructor(_TAG + "float", _number)


class Document:
    """
    A text as plain ``data``, which knows the line of each of its parts.

    ``faults`` says what YAML takes in silence or not at all: a key that stands twice,
    an alias, a merge key, infinity. JSON is read as the YAML that it is.
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

    def _faults(
        self, node: yaml.Node | None, *, seen: set[int], depth: int = 0
    ) -> Iterator[Fault]:
        """Yield what of *node* and below is not taken, as keys that stand twice."""
        if id(node) in seen:
            yield self._at(node, "an alias is not taken: write out what it stands for")
            return
        seen.add(id(node))
        if depth > MOST_DEEP:
            message = f"this is nested more than {MOST_DEEP} deep: take it apart"
            yield self._at(node, message)
            return
        if isinstance(node, yaml.ScalarNode) and not _is_finite(node):
            yield self._at(node, f"`{node.value}` is no number to count with")
        if isinstance(node, yaml.SequenceNode):
            for child in node.value:
                yield from self._faults(child, seen=seen, depth=depth + 1)
        if isinstance(node, yaml.MappingNode):
            yield from self._key_faults(node)
            for child in itertools.chain.from_iterable(node.value):
                yield from self._faults(child, seen=seen, depth=depth + 1)

    def _key_faults(self, node: yaml.MappingNode) -> Iterator[Fault]:
        """Yield the keys of a mapping that stand twice, or would merge another."""
        keys: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in keys:
                again = f"`{key.value}` stands twice: rename one, or take one out"
                yield self._at(key, again)
            if key.value == "<<":
                message = "a merge key is not taken: write out what it stands for"
                yield self._at(key, message)
            keys.add(str(key.value))

    def _at(self, node: yaml.Node | None, message: str) -> Fault:
        """Return *message* about a node."""
        line = 1 if node is None else node.start_mark.line + 1
        return Fault(origin=self.origin, line=line, message=message)


def _is_finite(node: yaml.ScalarNode) -> bool:
    """Return whether a scalar is no number, or one that is not beyond all others."""
    if node.tag != _TAG + "float":
        return True
    return math.isfinite(_number(None, node))


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
