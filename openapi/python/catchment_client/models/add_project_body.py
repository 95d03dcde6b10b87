from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.add_project_body_phase_question import AddProjectBodyPhaseQuestion


T = TypeVar("T", bound="AddProjectBody")


@_attrs_define
class AddProjectBody:
    """What some clinics set out to improve, and which of them join when."""

    aim: str
    """ What is to become how much better by when. """
    author: str
    """ Who says so: a name or a role. """
    code: str
    """ Its name in URLs. """
    measures: list[str]
    name: str
    phases: list[AddProjectBodyPhaseQuestion]
    reason: str
    """ Why. """

    def to_dict(self) -> dict[str, Any]:
        aim = self.aim

        author = self.author

        code = self.code

        measures = self.measures

        name = self.name

        phases = []
        for phases_item_data in self.phases:
            phases_item = phases_item_data.to_dict()
            phases.append(phases_item)

        reason = self.reason

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "aim": aim,
                "author": author,
                "code": code,
                "measures": measures,
                "name": name,
                "phases": phases,
                "reason": reason,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.add_project_body_phase_question import AddProjectBodyPhaseQuestion  # noqa: PLC0415

        rest = dict(src_dict)
        aim = rest.pop("aim")

        author = rest.pop("author")

        code = rest.pop("code")

        measures = cast(list[str], rest.pop("measures"))

        name = rest.pop("name")

        phases = []
        _phases = rest.pop("phases")
        for phases_item_data in _phases:
            phases_item = AddProjectBodyPhaseQuestion.from_dict(phases_item_data)

            phases.append(phases_item)

        reason = rest.pop("reason")

        add_project_body = cls(
            aim=aim,
            author=author,
            code=code,
            measures=measures,
            name=name,
            phases=phases,
            reason=reason,
        )

        return add_project_body
