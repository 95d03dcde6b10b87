from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.release_answer import ReleaseAnswer


T = TypeVar("T", bound="ReleasesAnswer")


@_attrs_define
class ReleasesAnswer:
    """An audience's releases, the newest first."""

    releases: list[ReleaseAnswer]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        releases = []
        for releases_item_data in self.releases:
            releases_item = releases_item_data.to_dict()
            releases.append(releases_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "releases": releases,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.release_answer import ReleaseAnswer  # noqa: PLC0415

        rest = dict(src_dict)
        releases = []
        _releases = rest.pop("releases")
        for releases_item_data in _releases:
            releases_item = ReleaseAnswer.from_dict(releases_item_data)

            releases.append(releases_item)

        releases_answer = cls(
            releases=releases,
        )

        releases_answer.additional_properties = rest
        return releases_answer

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
