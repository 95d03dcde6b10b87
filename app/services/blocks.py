"""Whom a clinic had erased: anything about them is refused at every door."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Self

from app.deid.pseudonyms import block_key
from app.domain.errors import BusinessRuleError
from app.domain.records import Alias, AliasKind, AliasTarget, DeidentifiedRecord, Target
from app.store.blocks import Renewal, find_blocks
from app.store.sessions import ReadSession

_ELEMENTS = {AliasKind.ID: ".id", AliasKind.IDENTIFIER: ".identifier"}


class ErasedError(BusinessRuleError):
    """The resource is about a person whom the clinic had erased."""


class Erased:
    """The keyed names of erased persons that a delivery uses."""

    def __init__(self, keys: Collection[bytes] = ()) -> None:
        self._keys = frozenset(keys)

    @classmethod
    def among(cls, session: ReadSession, keys: Collection[bytes]) -> Self:
        """Return those of *keys*, which name nothing here, that are erased."""
        blocks = {block_key(key): key for key in keys}
        return cls([blocks[key] for key in find_blocks(session, blocks.keys())])

    def holds(self, keys: Iterable[bytes]) -> bool:
        """Return whether one of *keys* is an erased person's."""
        return not self._keys.isdisjoint(keys)

    def refuse(
        self, record: DeidentifiedRecord, condition: Sequence[Alias], *, expression: str
    ) -> None:
        """Refuse *record* where it is about one; the element is told, not the name."""
        if not self._keys:
            return
        for element in self._elements(record, condition):
            msg = "What is about a person who was erased is not taken"
            raise ErasedError(msg, expression=f"{expression}{element}")

    def renewals(self, names: Iterable[Sequence[Alias]]) -> Iterator[Renewal]:
        """Yield the blocks of *names* that an older key made, and the current one's."""
        for current, *older in names:
            for alias in older:
                if alias.key in self._keys:
                    new = block_key(current.key)
                    yield Renewal(block_key(alias.key), new, current.key_version)

    def _elements(
        self, record: DeidentifiedRecord, condition: Sequence[Alias]
    ) -> Iterator[str]:
        """Yield where an erased person is named."""
        for alias in record.aliases:
            if alias.key in self._keys:
                yield _ELEMENTS[alias.kind]
        if any(alias.key in self._keys for alias in condition):
            yield ""
        if record.subject is not None and self._is_named(record.subject):
            yield ".subject"
        for link in record.links:
            if self._is_named(link):
                yield ".link"

    def _is_named(self, target: Target) -> bool:
        return isinstance(target, AliasTarget) and any(
            alias.key in self._keys for alias in target.aliases
        )
