"""
Plain data that do not fit a type: each misfit with its path and what to do.

msgspec stops at the first; the author of a file wants all of them.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from difflib import get_close_matches
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo

from app.measures.checks import Path, Problem
from app.measures.definitions import (
    SYSTEMS,
    Code,
    IntervalName,
    Month,
    Name,
    PlainCode,
    Reference,
    Version,
)

_FORMS: dict[Any, str] = {
    Name: "a name is small letters, digits and single hyphens, as `joint-count`",
    Reference: "write a name, or `composite.component`",
    Version: "a version is three numbers, as `1.0.0`",
    Month: "write a month as `2024-03`",
    IntervalName: 'write a month `2024-03`, a quarter `2024-Q1` or a year `"2024"`,'
    " the year in quotation marks",
    Code: "write `system|code`, or `system|prefix*` for a family",
    PlainCode: "write `system|code`",
    date: "write a date that a calendar has, as `2024-03-31`",
}
"""What to write, of the types whose own message would be a regular expression."""
_INSTEAD = (
    (re.compile(r"Expected `str`, got `(int|float|bool)`"), "put it in quotes"),
    (re.compile(r"Expected `int`, got .*"), "write a whole number"),
    (re.compile(r"Expected `(int|float)` >= (.*)"), r"write a number from \2"),
    (re.compile(r"Expected `(int|float)` <= (.*)"), r"write a number up to \2"),
)
"""What to write, of the messages that speak of a program's types."""


def misfits(stated: Any, kind: Any, path: Path = ()) -> Iterator[Problem]:  # noqa: ANN401  (plain data, and a type)
    """Yield what keeps *stated* from being of the type *kind*."""
    kind = _chosen(stated, kind)
    inner = list(_inner(stated, kind, path))
    yield from inner
    if inner:
        return  # it cannot be looked at as a whole
    try:
        msgspec.convert(stated, type=kind)
    except msgspec.ValidationError as error:
        message, _, _ = str(error).partition(" - at ")
        yield Problem(path, _said(stated, kind, message))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a question after the *known* name that looks like *name*, or nothing."""
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean `{close[0]}`?" if close else ""


def _inner(stated: Any, kind: Any, path: Path) -> Iterator[Problem]:  # noqa: ANN401
    """Yield the misfits within *stated*."""
    kind = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if isinstance(stated, dict) and _is_word(kind):
        yield from _of_word(stated, kind, path)
    elif isinstance(stated, dict) and get_origin(kind) is dict:
        of_key, of_value = get_args(kind)
        for key, value in stated.items():
            yield from misfits(key, of_key, (*path, key))
            yield from misfits(value, of_value, (*path, key))
    elif isinstance(stated, list) and get_origin(kind) is tuple:
        for index, value in enumerate(stated):
            yield from misfits(value, get_args(kind)[0], (*path, index))


def _of_word(
    stated: dict[Any, Any], kind: type[msgspec.Struct], path: Path
) -> Iterator[Problem]:
    """Yield what a word has too much and too little, and the misfits of its fields."""
    fields = _fields(kind)
    tag = kind.__struct_config__.tag_field
    for key, value in stated.items():
        if key in fields:
            yield from misfits(value, fields[str(key)].type, (*path, key))
        elif key != tag:
            hint = nearest(str(key), fields) or f"; known are {', '.join(fields)}"
            yield Problem((*path, key), f"unknown field `{key}`{hint}")
    missing = [n for n, field in fields.items() if field.required and n not in stated]
    if missing:
        names = ", ".join(f"`{name}`" for name in missing)
        yield Problem(path, f"missing required field {names}: add it")


@cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, FieldInfo]:
    """Return the fields of a word by their names; msgspec works them out anew."""
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def _chosen(stated: Any, kind: Any) -> Any:  # noqa: ANN401
    """Return the type that is meant, where there is one or nothing."""
    if get_origin(kind) not in (Union, UnionType) or stated is None:
        return kind
    some = [choice for choice in get_args(kind) if choice is not NoneType]
    return some[0] if len(some) == 1 else kind


def _is_word(kind: Any) -> bool:  # noqa: ANN401
    """Return whether *kind* is a struct."""
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _said(stated: Any, kind: Any, message: str) -> str:  # noqa: ANN401
    """Return msgspec's *message*, or what to write instead."""
    if kind in (Code, PlainCode) and isinstance(stated, str):
        system, bar, _ = stated.partition("|")
        system = system.removeprefix("not ")
        if bar and system not in SYSTEMS:
            hint = nearest(system, SYSTEMS) or f"; known are {', '.join(SYSTEMS)}"
            return f"unknown code system `{system}`{hint}"
    choices = _choices(kind)
    if choices and not isinstance(stated, str):
        return f"write {' or '.join(f'`{choice}`' for choice in choices)}"
    if choices:
        hint = nearest(stated, choices) or f"; known are {', '.join(choices)}"
        return f"unknown word `{stated}`{hint}"
    return _FORMS.get(kind) or _instead_of(message)


def _instead_of(message: str) -> str:
    """Return what to write, where msgspec's *message* names types and bounds."""
    for form, instead in _INSTEAD:
        found = form.fullmatch(message)
        if found is not None:
            return found.expand(instead)
    return message


def _choices(kind: Any) -> list[str]:  # noqa: ANN401
    """Return the words that *kind* consists of, where it consists of some."""
    if get_origin(kind) in (Union, UnionType):
        return [word for choice in get_args(kind) for word in _choices(choice)]
    if get_origin(kind) is Literal:
        return [str(word) for word in get_args(kind)]
    is_enum = isinstance(kind, type) and issubclass(kind, Enum)
    return [str(word.value) for word in kind] if is_enum else []
