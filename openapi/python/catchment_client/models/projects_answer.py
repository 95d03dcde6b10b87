from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.project_answer import ProjectAnswer


T = TypeVar("T", bound="ProjectsAnswer")


@_attrs_define
class ProjectsAnswer:
    """Every project, in the order of its code."""

    projects: list[ProjectAnswer]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        projects = []
        for projects_item_data in self.projects:
            projects_item = projects_item_data.to_dict()
            projects.append(projects_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "projects": projects,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.project_answer import ProjectAnswer  # noqa: PLC0415

        rest = dict(src_dict)
        projects = []
        _projects = rest.pop("projects")
        for projects_item_data in _projects:
            projects_item = ProjectAnswer.from_dict(projects_item_data)

            projects.append(projects_item)

        projects_answer = cls(
            projects=projects,
        )

        projects_answer.additional_properties = rest
        return projects_answer

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
