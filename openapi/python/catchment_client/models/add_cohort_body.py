from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

T = TypeVar("T", bound="AddCohortBody")


@_attrs_define
class AddCohortBody:
    """A named set of clinics, which never changes: others are another cohort."""

    author: str
    """ Who says so: a name or a role. """
    clinics: list[str]
    """ The codes of its clinics. """
    code: str
    """ Its name in URLs. """
    name: str
    reason: str
    """ Why. """

    def to_dict(self) -> dict[str, Any]:
        author = self.author

        clinics = self.clinics

        code = self.code

        name = self.name

        reason = self.reason

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "author": author,
                "clinics": clinics,
                "code": code,
                "name": name,
                "reason": reason,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)
        author = rest.pop("author")

        clinics = cast(list[str], rest.pop("clinics"))

        code = rest.pop("code")

        name = rest.pop("name")

        reason = rest.pop("reason")

        add_cohort_body = cls(
            author=author,
            clinics=clinics,
            code=code,
            name=name,
            reason=reason,
        )

        return add_cohort_body
