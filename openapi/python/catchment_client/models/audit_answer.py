from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="AuditAnswer")


@_attrs_define
class AuditAnswer:
    """What the audit did before a release was published.

    Of the hidden counts it asked about, so many had a simple proof of being safe and so
    many needed a solver. ``remedied`` places were unsafe as first made; more was hidden
    there, and they were audited again.

    """

    blocks: int
    by_solver: int
    by_witness: int
    hidden: int
    remedied: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        blocks = self.blocks

        by_solver = self.by_solver

        by_witness = self.by_witness

        hidden = self.hidden

        remedied = self.remedied

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "blocks": blocks,
                "by_solver": by_solver,
                "by_witness": by_witness,
                "hidden": hidden,
                "remedied": remedied,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)
        blocks = rest.pop("blocks")

        by_solver = rest.pop("by_solver")

        by_witness = rest.pop("by_witness")

        hidden = rest.pop("hidden")

        remedied = rest.pop("remedied")

        audit_answer = cls(
            blocks=blocks,
            by_solver=by_solver,
            by_witness=by_witness,
            hidden=hidden,
            remedied=remedied,
        )

        audit_answer.additional_properties = rest
        return audit_answer

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
