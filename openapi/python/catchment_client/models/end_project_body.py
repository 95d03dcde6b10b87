from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="EndProjectBody")


@_attrs_define
class EndProjectBody:
    """Why a project is at its end."""

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

        end_project_body = cls(
            author=author,
            reason=reason,
        )

        return end_project_body
