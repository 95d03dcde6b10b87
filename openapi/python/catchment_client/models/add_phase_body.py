from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.add_phase_body_kind import AddPhaseBodyKind, check_add_phase_body_kind
from ..types import UNSET, Unset

T = TypeVar("T", bound="AddPhaseBody")


@_attrs_define
class AddPhaseBody:
    """Further clinics that join a project."""

    author: str
    """ Who says so: a name or a role. """
    kind: AddPhaseBodyKind
    month: str
    """ From which on, as 2026-03. """
    name: str
    reason: str
    """ Why. """
    clinics: list[str] | Unset = UNSET
    """ Codes; none for all: every active clinic that has not joined. """

    def to_dict(self) -> dict[str, Any]:
        author = self.author

        kind: str = self.kind

        month = self.month

        name = self.name

        reason = self.reason

        clinics: list[str] | Unset = UNSET
        if not isinstance(self.clinics, Unset):
            clinics = self.clinics

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "author": author,
                "kind": kind,
                "month": month,
                "name": name,
                "reason": reason,
            }
        )
        if clinics is not UNSET:
            field_dict["clinics"] = clinics

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)
        author = rest.pop("author")

        kind = check_add_phase_body_kind(rest.pop("kind"))

        month = rest.pop("month")

        name = rest.pop("name")

        reason = rest.pop("reason")

        clinics = cast(list[str], rest.pop("clinics", UNSET))

        add_phase_body = cls(
            author=author,
            kind=kind,
            month=month,
            name=name,
            reason=reason,
            clinics=clinics,
        )

        return add_phase_body
