from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.project_status import ProjectStatus, check_project_status

if TYPE_CHECKING:
    from ..models.project_phase_answer import ProjectPhaseAnswer
    from ..models.signature_answer import SignatureAnswer


T = TypeVar("T", bound="ProjectAnswer")


@_attrs_define
class ProjectAnswer:
    """What some clinics set out to improve, and which of them joined when."""

    aim: str
    author: None | str
    """ Null where clinics have codes for names. """
    client: None | str
    """ Which client wrote it; for coordinators and the clinic itself. """
    code: str
    created_at: datetime.datetime
    ended: None | SignatureAnswer
    measures: list[str]
    name: str
    phases: list[ProjectPhaseAnswer]
    reason: str
    remarks: list[str]
    status: ProjectStatus
    """ Where a project stands. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.signature_answer import SignatureAnswer  # noqa: PLC0415

        aim = self.aim

        author: None | str
        author = self.author

        client: None | str
        client = self.client

        code = self.code

        created_at = self.created_at.isoformat()

        ended: dict[str, Any] | None
        if isinstance(self.ended, SignatureAnswer):
            ended = self.ended.to_dict()
        else:
            ended = self.ended

        measures = self.measures

        name = self.name

        phases = []
        for phases_item_data in self.phases:
            phases_item = phases_item_data.to_dict()
            phases.append(phases_item)

        reason = self.reason

        remarks = self.remarks

        status: str = self.status

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "aim": aim,
                "author": author,
                "client": client,
                "code": code,
                "created_at": created_at,
                "ended": ended,
                "measures": measures,
                "name": name,
                "phases": phases,
                "reason": reason,
                "remarks": remarks,
                "status": status,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.project_phase_answer import ProjectPhaseAnswer  # noqa: PLC0415
        from ..models.signature_answer import SignatureAnswer  # noqa: PLC0415

        rest = dict(src_dict)
        aim = rest.pop("aim")

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

        code = rest.pop("code")

        created_at = datetime.datetime.fromisoformat(rest.pop("created_at"))

        def _parse_ended(data: object) -> None | SignatureAnswer:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                ended_type_0 = SignatureAnswer.from_dict(data)

                return ended_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | SignatureAnswer, data)

        ended = _parse_ended(rest.pop("ended"))

        measures = cast(list[str], rest.pop("measures"))

        name = rest.pop("name")

        phases = []
        _phases = rest.pop("phases")
        for phases_item_data in _phases:
            phases_item = ProjectPhaseAnswer.from_dict(phases_item_data)

            phases.append(phases_item)

        reason = rest.pop("reason")

        remarks = cast(list[str], rest.pop("remarks"))

        status = check_project_status(rest.pop("status"))

        project_answer = cls(
            aim=aim,
            author=author,
            client=client,
            code=code,
            created_at=created_at,
            ended=ended,
            measures=measures,
            name=name,
            phases=phases,
            reason=reason,
            remarks=remarks,
            status=status,
        )

        project_answer.additional_properties = rest
        return project_answer

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
