from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="WithdrawAnnotationBody")


@_attrs_define
class WithdrawAnnotationBody:
    """Why something is taken back."""

    author: str
    """ Who says so: a name or a role. """
    reason: str
    """ Why. """

    def to_dict(self) -> dict[str, Any]:
        author = self.author

        reason = self.reason

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "author": author,
                "reason": reason,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)
        author = rest.pop("author")

        reason = rest.pop("reason")

        withdraw_annotation_body = cls(
            author=author,
            reason=reason,
        )

        return withdraw_annotation_body
