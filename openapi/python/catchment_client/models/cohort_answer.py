from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="CohortAnswer")


@_attrs_define
class CohortAnswer:
    """A named set of clinics."""

    author: None | str
    """ Null where clinics have codes for names. """
    client: None | str
    """ Which client wrote it; for coordinators and the clinic itself. """
    clinics: list[str]
    """ The codes of its clinics. """
    code: str
    created_at: datetime.datetime
    name: str
    reason: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        author: None | str
        author = self.author

        client: None | str
        client = self.client

        clinics = self.clinics

        code = self.code

        created_at = self.created_at.isoformat()

        name = self.name

        reason = self.reason

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "author": author,
                "client": client,
                "clinics": clinics,
                "code": code,
                "created_at": created_at,
                "name": name,
                "reason": reason,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        rest = dict(src_dict)

        def _parse_author(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        author = _parse_author(rest.pop("author"))

        def _parse_client(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        client = _parse_client(rest.pop("client"))

        clinics = cast(list[str], rest.pop("clinics"))

        code = rest.pop("code")

        created_at = datetime.datetime.fromisoformat(rest.pop("created_at"))

        name = rest.pop("name")

        reason = rest.pop("reason")

        cohort_answer = cls(
            author=author,
            client=client,
            clinics=clinics,
            code=code,
            created_at=created_at,
            name=name,
            reason=reason,
        )

        cohort_answer.additional_properties = rest
        return cohort_answer

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
