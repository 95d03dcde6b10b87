"""
Kept content with its local codes translated, as far as their source's map goes.

What is kept stays as it is: a translation is made where content is counted or shown, so
taking the map away undoes it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

import msgspec

from app.domain.records import (
    Component,
    Condition,
    Content,
    Encounter,
    Observation,
    Summary,
    Value,
)
from app.domain.terminology import LOCAL, Coding

Translations = Mapping[str, tuple[Coding, ...]]
"""What local codes of one source count as, by their digests."""
NO_TRANSLATIONS: Translations = MappingProxyType({})


def local_codes(content: Content) -> set[str]:
    """Return the digests of the local codes in *content*."""
    return {c.code for c in _codings(content) if c.system == LOCAL}


def translated(content: Content, translations: Translations) -> Content:
    """Return *content* with each code that has a translation replaced by it."""

    def spoken(codings: Iterable[Coding]) -> tuple[Coding, ...]:
        told = (each for c in codings for each in _targets(c, translations) or (c,))
        return tuple(dict.fromkeys(told))

    return _with(content, spoken) if translations else content


def annotated(content: Content, translations: Translations) -> Content:
    """Return *content* with each code's translation beside it; a class has no room."""

    def told(codings: Iterable[Coding]) -> tuple[Coding, ...]:
        beside = (each for c in codings for each in (c, *_targets(c, translations)))
        return tuple(dict.fromkeys(beside))

    if not translations or isinstance(content, Encounter):
        return content
    return _with(content, told)


_Change = Callable[[Iterable[Coding]], tuple[Coding, ...]]


def _targets(coding: Coding, translations: Translations) -> tuple[Coding, ...]:
    return translations.get(coding.code, ()) if coding.system == LOCAL else ()


def _codings(content: Content) -> Iterator[Coding]:
    """Yield the codes of *content* that say what it is about or what was found."""
    if isinstance(content, Observation):
        yield from content.code
        yield from content.value.codings
        for component in content.components:
            yield from component.code
            yield from component.value.codings
    elif isinstance(content, Condition | Summary):
        yield from content.code
    elif isinstance(content, Encounter) and content.class_ is not None:
        yield content.class_


def _with(content: Content, change: _Change) -> Content:
    """Return *content* with those codes changed."""
    if isinstance(content, Observation):
        return msgspec.structs.replace(
            content,
            code=change(content.code),
            value=_value(content.value, change),
            components=tuple(
                Component(code=change(c.code), value=_value(c.value, change))
                for c in content.components
            ),
        )
    if isinstance(content, Condition | Summary):
        return msgspec.structs.replace(content, code=change(content.code))
    if isinstance(content, Encounter) and content.class_ is not None:
        first, *_ = change((content.class_,))
        return msgspec.structs.replace(content, class_=first)
    return content


def _value(value: Value, change: _Change) -> Value:
    return msgspec.structs.replace(value, codings=change(value.codings))
