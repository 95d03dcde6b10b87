"""What is on its way into the store, and what is answered to it."""

from collections.abc import Callable, Iterator
from enum import StrEnum

import msgspec

from app.domain.errors import ServiceError
from app.domain.records import (
    Alias,
    AliasKind,
    AliasTarget,
    DeidentifiedRecord,
    RecordType,
    Target,
)
from app.fhir.criteria import VersionMatch
from app.store.records import StoredRecord

MayReplace = Callable[[StoredRecord], None]
"""Refuses to replace a stored record."""


class Effect(StrEnum):
    """What became of a submission."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class Submission(msgspec.Struct, kw_only=True):
    """
    One de-identified record on its way into the store.

    ``index`` is its place in the delivery, ``expression`` the FHIRPath of the resource.
    ``hub_record`` is the record that a hub id in its URL names.
    ``condition`` are the aliases of a conditional create or update; with
    ``create_only`` a match leaves the stored record as it is. ``if_match`` are the
    versions it may have; ``if_none_match`` asks that there be none; ``may_replace``
    refuses to replace a stored record that is out of the sender's scope.
    ``received_at``, in epoch milliseconds, is when it came, where that was before now.
    """

    index: int
    expression: str
    record: DeidentifiedRecord
    hub_record: int | None = None
    condition: tuple[Alias, ...] = ()
    create_only: bool = False
    if_match: VersionMatch | None = None
    if_none_match: bool = False
    may_replace: MayReplace | None = None
    received_at: int | None = None

    @property
    def names(self) -> tuple[Alias, ...]:
        """Return the aliases of the record, its condition's included."""
        if not self.condition:
            return self.record.aliases
        return (*self.record.aliases, *self.condition)

    @property
    def ids(self) -> tuple[Alias, ...]:
        """Return those of its names that are ids of its sender's."""
        return self._names_of(AliasKind.ID)

    @property
    def identifiers(self) -> tuple[Alias, ...]:
        """Return those of its names that are identifiers."""
        return self._names_of(AliasKind.IDENTIFIER)

    def _names_of(self, kind: AliasKind) -> tuple[Alias, ...]:
        return tuple(alias for alias in self.names if alias.kind is kind)

    @property
    def targets(self) -> Iterator[Target]:
        """Yield what the record refers to."""
        for target in (self.record.subject, self.record.encounter, *self.record.links):
            if target is not None:
                yield target

    @property
    def patient_keys(self) -> Iterator[bytes]:
        """
        Yield what its patients are named by, if only by their content.

        What is about nobody goes by its own name: two of it at once are to meet too.
        """
        for target in self.targets:
            if isinstance(target, AliasTarget) and target.type is RecordType.PATIENT:
                yield from (alias.key for alias in target.aliases)
        if self.record.subject is None:
            names = self.names or self.record.content_digests
            yield from (alias.key for alias in names)


class Receipt(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The answer to a submission: the record as it is now."""

    stored: StoredRecord
    version: int
    effect: Effect

    @property
    def record_id(self) -> int:
        """Return the hub's number of the record."""
        return self.stored.id

    @property
    def type(self) -> RecordType:
        """Return the type of the record."""
        return self.stored.type


Outcome = Receipt | ServiceError
